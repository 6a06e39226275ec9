from __future__ import annotations

import importlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.classify.examples import (
    WordBackend,
    hashing,
    identity_with_canary,
    labelled_texts,
)
from tests.saved.rewriting import rewrite
from toolkit import EmbeddingGemmaVectorizer, OllamaBackend
from toolkit.classify import (
    CLASSIFIERS,
    TRUSTED_TYPES,
    TrainingResult,
    load_model,
    make_classifier,
    predict_texts,
    read_model_info,
    save_model,
    train_classifier,
)
from toolkit.datasets import load
from toolkit.errors import CacheMissError, ModelFileError, UsageError
from toolkit.identity import compatible
from toolkit.saved.portability import named_servers


@pytest.fixture(scope="module")
def sdg() -> TrainingResult:
    data = load("sdg")
    rows = np.flatnonzero(np.isin(data.target, sorted(set(data.target))[:4]))
    return train_classifier(
        data.data[rows],
        data.target[rows],
        vectorizer=EmbeddingGemmaVectorizer(backend="cache", cache=False),
        baselines=False,
        dimensions=(128,),
        source="dataset:sdg",
    )


@pytest.fixture(scope="module")
def small() -> Pipeline:
    texts, labels = labelled_texts()
    return make_pipeline(hashing(), LogisticRegression(C=10)).fit(texts, labels)


# --- there and back ------------------------------------------------------------------------------


def test_a_result_goes_there_and_back(sdg: TrainingResult, tmp_path: Path):
    folder = save_model(sdg, tmp_path / "models" / "sdg", report="<p>report</p>")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["README.md", "model.json", "model.skops", "report.html"]
    model = load_model(folder)
    np.testing.assert_array_equal(
        model.predict_proba(sdg.texts), sdg.pipeline.predict_proba(sdg.texts)
    )
    before, after = sdg.pipeline[0].identity_, model[0].identity_
    assert after == before
    assert after.canary.names == before.canary.names
    assert after.canary.vectors.dtype == np.float16
    np.testing.assert_array_equal(after.canary.vectors, before.canary.vectors)
    assert compatible(before, after)
    assert model[0].get_params() == sdg.pipeline[0].get_params()
    assert [p.name for p in tmp_path.joinpath("models").iterdir()] == ["sdg"]


def test_a_loaded_model_can_be_pointed_elsewhere(sdg: TrainingResult, tmp_path: Path):
    model = load_model(save_model(sdg, tmp_path / "m"))
    with pytest.raises(CacheMissError):
        model.predict(["a text without a vector"])
    model.set_params(vectorizer__backend="ollama", vectorizer__host="http://127.0.0.1:9")
    assert model[0].identity_ == sdg.pipeline[0].identity_


def test_model_json_says_what_the_model_is(sdg: TrainingResult, tmp_path: Path):
    info = read_model_info(save_model(sdg, tmp_path / "m"))
    assert info.classes == list(sdg.classes)
    assert info.dimension == 768
    assert info.prompt == "task: classification | query: {text}"
    assert info.identity == sdg.pipeline[0].identity_
    assert info.metrics["accuracy"]["mean"] == sdg.scores["accuracy"].mean
    assert set(info.by_dimension) == {"768", "128"}
    assert info.provenance["data_fingerprint"] == sdg.provenance["data_fingerprint"]
    assert info.notice is None
    assert info.format_version == "1.1"


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_named_classifier_is_written_without_pickle(name: str, tmp_path: Path):
    texts, labels = labelled_texts()
    vectorizer = EmbeddingGemmaVectorizer(backend=WordBackend(), cache=False)
    model = make_pipeline(vectorizer, make_classifier(name)).fit(texts, labels)
    # A third party's backend is not of the trusted types, and is left to whoever loads it.
    model[0].backend = "ollama"
    folder = save_model(model, tmp_path / "m")
    assert (folder / "model.skops").exists()
    again = load_model(folder)
    X = WordBackend().embed(texts)
    np.testing.assert_allclose(again[1].predict_proba(X), model[1].predict_proba(X))


def test_integer_and_boolean_labels_survive(tmp_path: Path):
    texts, labels = labelled_texts()
    for kind, values in (("int", np.array([len(x) for x in labels])), ("bool", None)):
        y = values if values is not None else np.array([x == "fruit" for x in labels])
        model = make_pipeline(hashing(), LogisticRegression()).fit(texts, y)
        again = load_model(save_model(model, tmp_path / kind))
        assert again.predict(texts[:5]).tolist() == model.predict(texts[:5]).tolist()


def test_trusted_types_open_a_model_in_plain_skops(sdg: TrainingResult, tmp_path: Path):
    folder = save_model(sdg, tmp_path / "m")
    model = skops.io.load(folder / "model.skops", trusted=list(TRUSTED_TYPES))
    assert model.predict(sdg.texts[:3]).tolist() == sdg.pipeline.predict(sdg.texts[:3]).tolist()


@pytest.mark.parametrize("name", TRUSTED_TYPES)
def test_trusted_types_exist(name: str):
    module, _, kind = name.rpartition(".")
    assert isinstance(getattr(importlib.import_module(module), kind), type)


def test_settings_of_the_ollama_backend_are_trusted(tmp_path: Path, small: Pipeline):
    vectorizer = EmbeddingGemmaVectorizer(
        backend=OllamaBackend(timeout=5, options={"num_gpu": 0}, allow_unverified=True)
    )
    vectorizer.identity_, vectorizer.prompt_ = identity_with_canary(), "{text}"
    vectorizer.n_features_out_ = 256
    model = Pipeline([("vectorizer", vectorizer), ("classifier", small[1])])
    again = load_model(save_model(model, tmp_path / "m"))
    assert again[0].backend == vectorizer.backend


# --- what stays on the machine -------------------------------------------------------------------


def test_servers_secrets_and_folders_are_not_written(small: Pipeline, tmp_path: Path):
    vectorizer = EmbeddingGemmaVectorizer(
        host="http://gpu-box.example:11434",
        cache=tmp_path / "secret-cache",
        backend=OllamaBackend(headers={"Authorization": "Bearer hunter2"}),
    )
    vectorizer.identity_, vectorizer.prompt_ = identity_with_canary(), "{text}"
    vectorizer.n_features_out_ = 256
    steps = [("vectorizer", vectorizer), ("classifier", small[1])]
    model = Pipeline(steps, memory=str(tmp_path / "secret-memory"))
    folder = save_model(model, tmp_path / "m")
    with zipfile.ZipFile(folder / "model.skops") as archive:
        written = b"".join(archive.read(name) for name in archive.namelist())
    written += b"".join(path.read_bytes() for path in folder.iterdir())
    for secret in (b"gpu-box", b"hunter2", b"secret-cache", b"secret-memory"):
        assert secret not in written
    again = load_model(folder)
    assert again[0].host is None
    assert again[0].cache is True
    assert again[0].backend == OllamaBackend()
    # The model in hand keeps them.
    assert model[0].host == "http://gpu-box.example:11434"
    assert model[0].backend.headers
    assert model.memory


@pytest.mark.parametrize(
    "named",
    [
        {"host": "http://evil.example:11434"},
        {"host": ["http://127.0.0.1:11434", "https://evil.example"]},
        {"backend": OllamaBackend(headers={"X-Stolen": "${SECRET}"})},
    ],
)
def test_a_model_that_names_a_server_is_not_loaded_unasked(
    small: Pipeline, tmp_path: Path, named: dict
):
    folder = save_model(small, tmp_path / "m")
    vectorizer = EmbeddingGemmaVectorizer(**named)
    model = Pipeline([("vectorizer", vectorizer), ("classifier", small[1])])
    (folder / "model.skops").write_bytes(skops.io.dumps(model))
    rewrite(folder)
    with pytest.raises(ModelFileError, match="would send your texts to"):
        load_model(folder)
    assert load_model(folder, trusted=True)[0].get_params()["task"] == "classification"


def test_servers_are_found_and_taken_off_wherever_they_stand(tmp_path: Path):
    texts, labels = labelled_texts()
    embedder = EmbeddingGemmaVectorizer(backend=WordBackend(), cache=False)
    both = FeatureUnion([("words", hashing()), ("vectors", embedder)])
    model = make_pipeline(both, LogisticRegression()).fit(texts, labels)
    inner = model[0].transformer_list[1][1]
    inner.backend, inner.host = "ollama", "http://gpu-box.example"
    assert named_servers(model) == ["http://gpu-box.example"]
    again = load_model(save_model(model, tmp_path / "m"))
    assert named_servers(again) == []
    assert inner.host == "http://gpu-box.example"


@pytest.mark.parametrize(
    ("address", "is_local"),
    [
        ("http://localhost:11434", True),
        ("127.0.0.1", True),
        ("[::1]:11434", True),
        ("localhost.evil.example", False),
        ("http://127.0.0.1@evil.example", False),
        ("http://[broken", False),
        ("//", False),
    ],
)
def test_what_counts_as_this_machine(address: str, is_local: bool):
    assert (named_servers(EmbeddingGemmaVectorizer(host=address)) == []) == is_local


def test_this_machines_own_ports_are_no_place_elsewhere(small: Pipeline, tmp_path: Path):
    folder = save_model(small, tmp_path / "m")
    vectorizer = EmbeddingGemmaVectorizer(host="http://127.0.0.1:11434")
    model = Pipeline([("vectorizer", vectorizer), ("classifier", small[1])])
    (folder / "model.skops").write_bytes(skops.io.dumps(model))
    rewrite(folder)
    assert load_model(folder)[0].host == "http://127.0.0.1:11434"


# --- folders that must not load ------------------------------------------------------------------


class Bomb:
    """A pickle of this makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_is_not_opened_unless_trusted(small: Pipeline, tmp_path: Path):
    folder = save_model(small, tmp_path / "m")
    sign = tmp_path / "it ran"
    (folder / "model.skops").unlink()
    (folder / "model.joblib").write_bytes(pickle.dumps(Bomb(sign)))
    rewrite(folder, file="model.joblib")
    with pytest.raises(ModelFileError, match="run any code when it is opened"):
        load_model(folder)
    assert not sign.exists()


def test_a_pickle_under_the_other_name_is_not_opened(small: Pipeline, tmp_path: Path):
    folder = save_model(small, tmp_path / "m")
    sign = tmp_path / "it ran"
    (folder / "model.skops").write_bytes(pickle.dumps(Bomb(sign)))
    rewrite(folder)
    with pytest.raises(ModelFileError, match="not a readable skops file"):
        load_model(folder)
    assert not sign.exists()


@pytest.mark.parametrize("file", ["../model.skops", "/etc/passwd", "model.pkl", 3])
def test_a_file_outside_the_folder_is_not_opened(small: Pipeline, tmp_path: Path, file: object):
    folder = save_model(small, tmp_path / "m")
    path = folder / "model.json"
    data = json.loads(path.read_text(encoding="utf-8")) | {"file": file}
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ModelFileError, match="damaged"):
        load_model(folder)


def test_unknown_types_are_named_and_nothing_is_built(small: Pipeline, tmp_path: Path):
    sign = tmp_path / "it ran"
    step = FunctionTransformer(Path.touch, kw_args={"self": str(sign)})
    model = Pipeline([("first", hashing()), ("touch", step), ("classifier", small[1])])
    folder = save_model(small, tmp_path / "m")
    (folder / "model.skops").write_bytes(skops.io.dumps(model))
    rewrite(folder)
    with pytest.raises(ModelFileError, match="not known to be safe"):
        load_model(folder)
    assert not sign.exists()


def test_a_type_the_toolkit_does_not_know_loads_when_trusted(tmp_path: Path):
    texts, labels = labelled_texts()
    vectorizer = EmbeddingGemmaVectorizer(backend=WordBackend(), cache=False)
    model = make_pipeline(vectorizer, LogisticRegression()).fit(texts, labels)
    folder = save_model(model, tmp_path / "m")
    with pytest.raises(ModelFileError, match=r"tests\.classify\.examples\.WordBackend"):
        load_model(folder)
    again = load_model(folder, trusted=True)
    assert again.predict(texts).tolist() == model.predict(texts).tolist()


class Unwritable(FunctionTransformer):
    """Holds what skops refuses to write and pickle does not mind."""

    def __sklearn_is_fitted__(self) -> bool:
        return True


def test_joblib_is_the_fallback_and_loads_only_when_trusted(small: Pipeline, tmp_path: Path):
    first = Unwritable()
    first.generator = io.StringIO("state")
    model = Pipeline([("odd", first), *small.steps])
    folder = save_model(model, tmp_path / "m")
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "model.joblib",
        "model.json",
    ]
    assert "trusted=True" in (folder / "README.md").read_text(encoding="utf-8")
    with pytest.raises(ModelFileError, match="trusted=True"):
        load_model(folder)
    texts, _ = labelled_texts()
    again = load_model(folder, trusted=True)
    assert again.predict(texts).tolist() == small.predict(texts).tolist()


@pytest.mark.parametrize("version", ["2.0", "0.9", "11.0"])
def test_another_major_format_names_the_version_that_wrote_it(
    small: Pipeline, tmp_path: Path, version: str
):
    folder = save_model(small, tmp_path / "m")
    rewrite(folder, format_version=version, versions={"embeddinggemma-toolkit": "9.9"})
    with pytest.raises(ModelFileError, match=r"written by embeddinggemma-toolkit 9\.9"):
        load_model(folder)


def test_a_later_minor_format_with_new_keys_loads(small: Pipeline, tmp_path: Path):
    folder = save_model(small, tmp_path / "m")
    rewrite(folder, format_version="1.7", invented_later={"a": 1})
    assert load_model(folder).predict(["red apple"]).tolist() == ["fruit"]


def test_a_changed_model_file_is_noticed(small: Pipeline, tmp_path: Path):
    folder = save_model(small, tmp_path / "m")
    path = folder / "model.skops"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="changed or damaged"):
        load_model(folder)


def test_files_of_two_models_are_noticed(small: Pipeline, sdg: TrainingResult, tmp_path: Path):
    folder = save_model(small, tmp_path / "a")
    other = save_model(sdg, tmp_path / "b")
    (folder / "model.skops").write_bytes((other / "model.skops").read_bytes())
    rewrite(folder)
    with pytest.raises(ModelFileError, match=r"not the 3 of model\.json"):
        load_model(folder)


def test_another_vector_space_than_named_is_noticed(sdg: TrainingResult, tmp_path: Path):
    folder = save_model(sdg, tmp_path / "m")
    rewrite(folder, identity=identity_with_canary().to_dict())
    with pytest.raises(ModelFileError, match="another vector space"):
        load_model(folder)
    same = sdg.pipeline[0].identity_
    moved = same.canary.vectors.copy()
    moved[0, 0] += np.float16(0.1)
    other = same.with_canary(type(same.canary)(same.canary.names, moved))
    rewrite(folder, identity=other.to_dict())
    with pytest.raises(ModelFileError, match="another vector space"):
        load_model(folder)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"format_version": 1}', '"text"', "null", '{"format_version": "1.0"}'],
)
def test_a_broken_model_json_is_an_error_of_ours(small: Pipeline, tmp_path: Path, content: str):
    folder = save_model(small, tmp_path / "m")
    (folder / "model.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelFileError):
        load_model(folder)


def test_a_broken_identity_is_an_error_of_ours(sdg: TrainingResult, tmp_path: Path):
    folder = save_model(sdg, tmp_path / "m")
    rewrite(folder, identity={"model": "x"})
    with pytest.raises(ModelFileError, match="damaged"):
        load_model(folder)


def test_what_is_no_model_folder(tmp_path: Path):
    with pytest.raises(ModelFileError, match="is not a folder"):
        load_model(tmp_path / "nothing")
    with pytest.raises(ModelFileError, match=r"has no model\.json"):
        load_model(tmp_path)
    (tmp_path / "model.json").mkdir()
    with pytest.raises(ModelFileError, match=r"has no model\.json"):
        load_model(tmp_path)


def test_something_else_than_a_classifier(small: Pipeline, tmp_path: Path):
    folder = save_model(small, tmp_path / "m")
    (folder / "model.skops").write_bytes(skops.io.dumps({"not": "a model"}))
    rewrite(folder)
    with pytest.raises(ModelFileError, match="no fitted classifier"):
        load_model(folder)


# --- writing -------------------------------------------------------------------------------------


def test_a_model_is_replaced_only_by_force(small: Pipeline, tmp_path: Path):
    folder = save_model(small, tmp_path / "m", report="old")
    before = (folder / "model.json").read_bytes()
    with pytest.raises(UsageError, match="force=True"):
        save_model(small, folder)
    assert (folder / "model.json").read_bytes() == before
    save_model(small, folder, force=True)
    assert not (folder / "report.html").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["m"]


def test_a_folder_of_other_things_is_never_replaced(small: Pipeline, tmp_path: Path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="never replaced"):
        save_model(small, tmp_path / "home", force=True)
    with pytest.raises(UsageError, match="is a file"):
        save_model(small, tmp_path / "home" / "thesis.txt", force=True)
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years of work"


def test_an_empty_folder_will_do(small: Pipeline, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    assert load_model(save_model(small, tmp_path / "empty")).predict(["red apple"]) == ["fruit"]


def test_nothing_is_left_when_writing_fails(
    small: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = save_model(small, tmp_path / "m")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*args: object, **kwargs: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        save_model(small, folder, force=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["m"]


def test_an_unfitted_pipeline_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="not fitted"):
        save_model(make_pipeline(hashing(), LogisticRegression()), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_loaded_model_predicts_in_streams(sdg: TrainingResult, tmp_path: Path):
    model = load_model(save_model(sdg, tmp_path / "m"))
    found = list(predict_texts(model, iter(sdg.texts[:10]), chunk_size=4))
    assert [p.label for p in found] == sdg.pipeline.predict(sdg.texts[:10]).tolist()


def test_a_model_is_small(sdg: TrainingResult, tmp_path: Path):
    pickled = len(pickle.dumps(sdg.pipeline))
    assert pickled - len(pickle.dumps(sdg.pipeline[1])) < 25_000
    joblib.dump(sdg.pipeline, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    assert again.predict(sdg.texts[:3]).tolist() == sdg.pipeline.predict(sdg.texts[:3]).tolist()
