from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from tests.classify.examples import WordBackend
from tests.cluster.examples import HOSTILE, blobs, noisy_result, sdg_result, worded_texts
from tests.saved.rewriting import rewrite
from toolkit import EmbeddingGemmaVectorizer, UMAPProjector
from toolkit.classify import load_model, save_model
from toolkit.cluster import (
    CLUSTERERS,
    CLUSTERING_TYPES,
    apply_decisions,
    assign_texts,
    cluster_texts,
    labels_fingerprint,
    load_clustering,
    read_clustering_info,
    reuse_clustering,
    save_clustering,
)
from toolkit.datasets import load, load_vectors
from toolkit.errors import (
    InputTypeError,
    MissingTextError,
    ModelDriftError,
    ModelFileError,
    UsageError,
)
from toolkit.report import ClusterReport


@pytest.fixture(scope="module")
def vectorizer() -> EmbeddingGemmaVectorizer:
    made = EmbeddingGemmaVectorizer("clustering", backend="cache", cache=False)
    return made.fit(load("sdg").data[:5])


@pytest.fixture
def saved(tmp_path: Path, vectorizer: EmbeddingGemmaVectorizer) -> Path:
    return save_clustering(sdg_result(), tmp_path / "goals", vectorizer=vectorizer)


# --- there and back ------------------------------------------------------------------------------


def test_a_clustering_goes_there_and_back(saved: Path, vectorizer: EmbeddingGemmaVectorizer):
    result = sdg_result()
    found = load_clustering(saved)
    assert sorted(path.name for path in saved.iterdir()) == [
        "README.md", "clustering.json", "model.skops",
    ]  # fmt: skip
    np.testing.assert_array_equal(found.predict(result.texts), result.labels)
    assert found[0].identity_ == vectorizer.identity_
    info = read_clustering_info(saved)
    assert info.names == result.names
    assert [one["size"] for one in info.clusters] == [c.size for c in result.quality.clusters]
    assert info.prompt == "task: clustering | query: {text}"
    assert info.identity == vectorizer.identity_
    assert info.clustering == labels_fingerprint(result)
    assert info.provenance == result.provenance
    assert info.notice is None
    assert info.stability is not None
    assert saved.stat().st_mode & 0o077 == 0o055


def test_texts_are_not_in_the_folder(saved: Path):
    text = sdg_result().texts[0][:40].encode()
    assert not any(text in path.read_bytes() for path in saved.iterdir())


@pytest.mark.parametrize("name", [n for n in CLUSTERERS if n != "umap-kmeans"])
def test_every_named_clusterer_is_written_without_pickle(name: str, tmp_path: Path):
    # A graph of neighbours, which spectral clustering cuts, must hang together.
    X, labels = blobs((40, 35, 30), spread=0.6 if name == "spectral" else 0.1)
    info = CLUSTERERS[name]
    result = cluster_texts(
        worded_texts(labels), X, clusterer=name, n_clusters=3 if info.takes_n_clusters else None,
        reducer=UMAPProjector("clustering", verbose=0) if info.reduce else None, stability=0,
    )  # fmt: skip
    folder = save_clustering(result, tmp_path / "c")
    assert (folder / "model.skops").is_file()
    found = load_clustering(folder)
    near = X + 1e-3
    np.testing.assert_array_equal(found.predict(near), result.predict(near))


def test_a_fitted_umap_is_a_pickle_and_asked_for(tmp_path: Path):
    X, labels = blobs((40, 35, 30))
    reducer = UMAPProjector("clustering", verbose=0)
    result = cluster_texts(
        worded_texts(labels), X, clusterer="umap-kmeans", n_clusters=3, reducer=reducer, stability=0
    )
    folder = save_clustering(result, tmp_path / "c")
    assert "trusted=True" in (folder / "README.md").read_text()
    with pytest.raises(ModelFileError, match="is a pickle"):
        load_clustering(folder)
    found = load_clustering(folder, trusted=True)
    np.testing.assert_array_equal(found.predict(X), result.predict(X))


def test_noise_and_limits_survive(tmp_path: Path):
    result = noisy_result()
    found = load_clustering(save_clustering(result, tmp_path / "c"))
    away = -result.centers[:1].repeat(2, axis=0)
    assert found.predict(away).tolist() == [-1, -1]
    assert read_clustering_info(tmp_path / "c").noise == noisy_result().quality.noise


def test_saved_without_a_vectorizer_it_takes_vectors(tmp_path: Path):
    folder = save_clustering(noisy_result(), tmp_path / "c")
    found = load_clustering(folder)
    assert isinstance(found, Pipeline)
    assert read_clustering_info(folder).takes == "vectors"
    assert "predict(vectors)" in (folder / "README.md").read_text()
    with pytest.raises(UsageError, match="takes vectors"):
        assign_texts(found, ["a"])


def test_a_report_stands_beside_it(tmp_path: Path):
    page = ClusterReport(noisy_result()).to_html()
    folder = save_clustering(noisy_result(), tmp_path / "c", report=page)
    assert (folder / "report.html").read_text(encoding="utf-8") == page
    assert "report.html" in (folder / "README.md").read_text()


def test_hostile_names_do_not_break_the_readme(tmp_path: Path):
    X, labels = blobs((30, 20))
    texts = [HOSTILE[label] for label in labels]
    result = cluster_texts(texts, X, n_clusters=2, stability=0, source="|`<script>")
    edits = [{"rename": 0, "to": "<script>alert(1)</script> | ` \n# x"}]
    edited = apply_decisions(result, X, {"format": 1, "decisions": edits})
    readme = (save_clustering(edited, tmp_path / "c") / "README.md").read_text(encoding="utf-8")
    assert "<script>alert" not in readme
    assert "\n# x" not in readme
    assert read_clustering_info(tmp_path / "c").names[0] == edits[0]["to"]


# --- decisions -----------------------------------------------------------------------------------


def test_decisions_replay_on_the_saved_clustering(saved: Path, tmp_path: Path):
    result = sdg_result()
    X = load_vectors("sdg", task="clustering")
    target = load("sdg").target
    again = reuse_clustering(saved, result.texts, X)
    assert again.names == result.names
    assert again.stability == result.stability
    assert labels_fingerprint(again) == labels_fingerprint(result)
    decisions = {
        "format": 1,
        "clustering": labels_fingerprint(result),
        "decisions": [{"merge": [2, 9]}, {"split": 0, "into": 2}, {"rename": 2, "to": "Waste"}],
    }
    direct = apply_decisions(result, X, decisions, labels_true=target)
    replayed = reuse_clustering(saved, result.texts, X, decisions=decisions, labels_true=target)
    np.testing.assert_array_equal(replayed.labels, direct.labels)
    assert replayed.names == direct.names
    assert replayed.edits == direct.edits
    # An edited one is saved with its decisions, predicts by them, and gives itself again.
    vectorizer = load_clustering(saved)[0]
    folder = save_clustering(direct, tmp_path / "edited", vectorizer=vectorizer)
    assert read_clustering_info(folder).decisions == decisions["decisions"]
    np.testing.assert_array_equal(load_clustering(folder).predict(result.texts), direct.labels)
    third = reuse_clustering(folder, result.texts, X, labels_true=target)
    np.testing.assert_array_equal(third.labels, direct.labels)
    assert third.edits is not None
    assert third.edits.sentences == direct.edits.sentences


def test_the_command_that_made_the_clusters_does_not_make_another_result(tmp_path: Path):
    result = sdg_result()
    X = load_vectors("sdg", task="clustering")
    made = replace(result, provenance=result.provenance | {"command": "toolkit cluster goals"})
    folder = save_clustering(made, tmp_path / "made")
    assert reuse_clustering(folder, result.texts, X).provenance["command"] is None
    again = reuse_clustering(folder, result.texts, X, command="toolkit cluster --reuse made")
    assert again.provenance["command"] == "toolkit cluster --reuse made"


def test_other_texts_are_not_those_it_was_made_of(saved: Path):
    X = load_vectors("sdg", task="clustering")
    with pytest.raises(UsageError, match="not the texts"):
        reuse_clustering(saved, sdg_result().texts[::-1], X)
    with pytest.raises(UsageError, match=r"shape \(615, 128\)"):
        reuse_clustering(saved, sdg_result().texts, X[:, :128])


def test_names_stay_where_no_text_moved():
    result = sdg_result()
    X = load_vectors("sdg", task="clustering")
    named = {"format": 1, "decisions": [{"merge": [15, 16]}]}
    edited = apply_decisions(result, X, named, labels_true=load("sdg").target)
    kept = [name for old, name in enumerate(result.names) if old < 15]
    assert set(kept) < set(edited.names)


# --- new texts -----------------------------------------------------------------------------------


def test_new_texts_are_assigned_in_streams(saved: Path):
    result = sdg_result()
    found = load_clustering(saved)
    placed = list(assign_texts(found, iter(result.texts), chunk_size=100))
    assert [one.cluster for one in placed] == result.labels.tolist()
    np.testing.assert_allclose([p.similarity for p in placed], result.similarity, atol=1e-5)
    limit = 1 - float(np.median(result.similarity))
    near = [one.cluster for one in assign_texts(found, result.texts, max_distance=limit)]
    assert 0.4 < near.count(-1) / len(near) < 0.6


def test_positions_in_errors_are_of_the_whole_input(saved: Path):
    found = load_clustering(saved)
    texts = [*sdg_result().texts[:7], None]
    with pytest.raises(MissingTextError) as error:
        list(assign_texts(found, texts, chunk_size=5))
    assert error.value.positions == (7,)
    with pytest.raises(InputTypeError, match="single text"):
        assign_texts(found, "a text")
    with pytest.raises(UsageError, match="max_distance"):
        assign_texts(found, ["a text"], max_distance=0)


def test_another_vector_space_is_refused(saved: Path):
    found = load_clustering(saved)
    found.set_params(vectorizer__backend=WordBackend())
    with pytest.raises(ModelDriftError):
        found.predict(["a text"])


# --- what is refused -----------------------------------------------------------------------------


def test_a_folder_is_replaced_only_if_asked_and_only_by_its_kind(saved: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="holds a clustering already"):
        save_clustering(noisy_result(), saved)
    save_clustering(noisy_result(), saved, force=True)
    assert read_clustering_info(saved).takes == "vectors"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="never replaced"):
        save_clustering(noisy_result(), tmp_path / "other", force=True)


def test_a_vectorizer_that_did_not_make_the_vectors(tmp_path: Path):
    unfitted = EmbeddingGemmaVectorizer("clustering", backend="cache", cache=False)
    with pytest.raises(UsageError, match="not fitted"):
        save_clustering(sdg_result(), tmp_path / "c", vectorizer=unfitted)
    short = EmbeddingGemmaVectorizer("clustering", backend="cache", cache=False, dimensions=128)
    with pytest.raises(UsageError, match="vectors of 128"):
        save_clustering(sdg_result(), tmp_path / "c", vectorizer=short.fit(load("sdg").data[:5]))
    assert not (tmp_path / "c").exists()


def test_a_damaged_or_exchanged_file_is_found(saved: Path, tmp_path: Path):
    other = save_clustering(noisy_result(), tmp_path / "other")
    content = (other / "model.skops").read_bytes()
    (saved / "model.skops").write_bytes(content)
    with pytest.raises(ModelFileError, match="SHA-256 differs"):
        load_clustering(saved)
    rewrite(saved)
    with pytest.raises(ModelFileError, match="not of one clustering"):
        load_clustering(saved)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": "2.0"}, "reads 'embeddinggemma-toolkit clustering' 1.x"),
        ({"format": "something"}, "format 'something'"),
        ({"file": "../../evil.joblib"}, "damaged"),
        ({"clusters": []}, "damaged"),
        ({"clusters": [{"name": 3}]}, "damaged"),
        ({"identity": {"backend": 1}}, "damaged"),
        ({"identity": None}, "another vector space"),
        ({"takes": "vectors"}, "does not take vectors"),
    ],
)
def test_a_changed_description_is_refused(saved: Path, changes: dict[str, object], message: str):
    rewrite(saved, **changes)
    with pytest.raises(ModelFileError, match=message):
        load_clustering(saved)


def test_a_classifier_is_no_clustering_and_the_other_way_round(saved: Path, tmp_path: Path):
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(HashingVectorizer(n_features=16), LogisticRegression())
    folder = save_model(model.fit(["a b", "c d"], [0, 1]), tmp_path / "model")
    with pytest.raises(ModelFileError, match="toolkit predict"):
        load_clustering(folder)
    with pytest.raises(ModelFileError, match="toolkit assign"):
        load_model(saved)
    with pytest.raises(ModelFileError, match="is not a folder"):
        read_clustering_info(tmp_path / "nowhere")


def test_a_server_elsewhere_is_not_asked_unasked(tmp_path: Path):
    import skops.io

    X, labels = blobs((30, 20))
    result = cluster_texts(worded_texts(labels), X, n_clusters=2, stability=0)
    folder = save_clustering(result, tmp_path / "c")
    pipeline = load_clustering(folder)
    pipeline.steps.insert(0, ("vectorizer", EmbeddingGemmaVectorizer(host="http://evil.example")))
    skops.io.dump(pipeline, folder / "model.skops")
    rewrite(folder, takes="texts")
    with pytest.raises(ModelFileError, match=r"would send your texts to http://evil\.example"):
        load_clustering(folder)
    load_clustering(folder, trusted=True)


def test_types_that_are_trusted_exist_or_are_of_an_extra():
    from importlib import import_module

    for name in CLUSTERING_TYPES:
        module, _, attribute = name.rpartition(".")
        if not module.startswith("hdbscan"):
            assert hasattr(import_module(module), attribute), name


def test_only_a_pipeline_assigns_texts():
    clusterer = noisy_result().estimator
    with pytest.raises(UsageError, match="is a CentroidClusterer; give what load_clustering"):
        assign_texts(clusterer, ["a text"])
