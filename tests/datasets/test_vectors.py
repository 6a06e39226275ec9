"""The shipped vectors: all there, of unit length, of the right space."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.cache.bundled import data_root
from toolkit.cache.packs import read_pack
from toolkit.datasets import load, load_vectors
from toolkit.datasets.catalog import CATALOG, DatasetInfo, ShippedVectors
from toolkit.embedding.keys import hash_texts
from toolkit.errors import UsageError
from toolkit.identity import CANARY_NAMES
from toolkit.prompts import resolve_prompt

PACKS = [(dataset, shipped) for dataset in CATALOG for shipped in dataset.vectors]
every_pack = pytest.mark.parametrize(
    ("dataset", "shipped"), PACKS, ids=[shipped.filename for _, shipped in PACKS]
)


@every_pack
def test_every_text_has_a_unit_vector(dataset: DatasetInfo, shipped: ShippedVectors):
    texts = load(dataset.name, subset=shipped.subset).data
    assert len(texts) == shipped.rows
    pack = read_pack(data_root() / dataset.name / shipped.filename)
    prompt = resolve_prompt("embeddinggemma", shipped.task)
    assert pack.prompt == prompt.template
    keys = hash_texts(texts, prompt)
    rows = pack.lookup(keys)
    assert (rows >= 0).all()
    # The pack has nothing else, and each text once.
    assert sorted(set(rows.tolist())) == list(range(len(pack)))
    vectors = load_vectors(dataset.name, task=shipped.task, subset=shipped.subset)
    assert vectors.shape == (shipped.rows, 768)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, pack.read(rows))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@every_pack
def test_packs_say_what_made_them(dataset: DatasetInfo, shipped: ShippedVectors):
    pack = read_pack(data_root() / dataset.name / shipped.filename)
    identity = pack.identity
    assert (identity.backend, identity.model) == ("pack", "embeddinggemma")
    assert (identity.engine, identity.engine_version) == ("sentence-transformers", "6.2.0")
    assert identity.context_length == 2048
    assert "cbf5a78393b6a033e0b8a63a57549964f7ed5c6fbeb4ba0694214f36123f2fd2" in pack.provenance
    assert identity.canary is not None
    assert identity.canary.names == CANARY_NAMES


def test_task_prompts_give_other_vectors():
    cosines = (
        load_vectors("sdg", task="classification") * load_vectors("sdg", task="clustering")
    ).sum(axis=1)
    assert 0.5 < cosines.mean() < 0.99


def test_cutting_renormalises():
    full = load_vectors("sdg", task="classification")
    cut = load_vectors("sdg", task="Classification", dimensions=128)
    expected = full[:, :128] / np.linalg.norm(full[:, :128], axis=1, keepdims=True)
    np.testing.assert_allclose(cut, expected, atol=1e-6)


def test_rows_follow_load():
    both = load("assist_intents", subset=["en", "de"])
    vectors = load_vectors("assist_intents", task="classification", subset=["en", "de"])
    german = load_vectors("assist_intents", task="classification", subset="de")
    np.testing.assert_array_equal(vectors[both.lang == "de"], german)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "udhr", "task": "clustering"}, "no vectors come with 'udhr'.*transform"),
        ({"name": "factbook", "task": "classification"}, "task='clustering', not 'classification'"),
        ({"name": "factbook", "task": "clustering"}, r"no shipped vector.*subset='sample' \(1,670"),
        (
            {"name": "assist_intents", "task": "classification", "subset": ["en", "fr"]},
            r"464 have no shipped vector.*subset=\['en', 'de', 'zh-CN'\]",
        ),
        (
            {"name": "sdg", "task": "clustering", "dimensions": 1024},
            "dimensions=1024 is not between 1 and 768",
        ),
        ({"name": "sdg", "task": "clustering", "dimensions": 0}, "dimensions=0 is not between"),
        ({"name": "sdg", "task": "similarity"}, "task='classification', 'clustering', not 'simil"),
    ],
)
def test_what_has_no_vectors(arguments: dict[str, object], message: str):
    with pytest.raises(UsageError, match=message):
        load_vectors(**arguments)  # type: ignore[arg-type]
