from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.decomposition import PCA

from tests.cluster.examples import blobs, noisy, noisy_result, sdg_result, worded_texts
from toolkit.cluster import cluster_texts, examine_labels
from toolkit.datasets import load, load_vectors
from toolkit.errors import DataError, InputTypeError, MissingTextError, UsageError
from toolkit.identity import ModelIdentity


def test_published_figures_of_the_passages():
    # KMeans(17, n_init=10) on the shipped vectors; over five seeds V 0.614, sd 0.010.
    scores = sdg_result().agreement.all_texts
    assert scores.v_measure == pytest.approx(0.614, abs=0.025)
    assert scores.ari == pytest.approx(0.474, abs=0.04)


def test_keywords_name_the_goals():
    words = {word.term for found in sdg_result().keywords for word in found[:3]}
    assert {"energy", "water", "women", "climate", "waste", "biodiversity"} <= words
    assert not words & {"the", "and", "of", "in", "to"}


def test_everything_about_clusters_with_noise():
    texts, X, known = noisy()
    result = noisy_result()
    assert result.n_clusters == 4
    assert [c.size for c in result.quality.clusters] == sorted(
        (c.size for c in result.quality.clusters), reverse=True
    )
    noise = result.labels == -1
    assert noise.sum() == result.quality.noise > 0
    assert np.isnan(result.similarity[noise]).all()
    assert (result.similarity[~noise] > 0.3).all()
    assert set(result.noise_examples) <= set(np.flatnonzero(noise))
    assert result.agreement is not None
    assert result.agreement.n_labelled == len(texts) - 1
    assert result.agreement.coverage < 1
    assert [set(name.split(", ")) for name in result.names[:2]] == [
        {"harbour", "ship", "sail"},
        {"mountain", "peak", "climb"},
    ]
    np.testing.assert_array_equal(result.predict(X)[~noise], result.labels[~noise])
    assert len(known) == len(result.labels)


def test_frames_agree_with_each_other():
    result = noisy_result()
    clusters, rows = result.to_frame(), result.assignments()
    assert (
        clusters["size"].tolist()
        == rows.loc[rows.cluster >= 0, "cluster"].value_counts().sort_index().tolist()
    )
    assert (rows.name == "").sum() == result.quality.noise
    assert clusters["jaccard"].notna().all()
    assert clusters["majority"].tolist() == [f"kind {i}" for i in range(4)]
    words = result.keyword_frame()
    assert set(words["method"]) == {"log-odds", "c-tf-idf"}
    assert (words.groupby(["cluster", "method"])["rank"].min() == 1).all()
    shown = result.exemplar_frame()
    assert [result.texts[i] for i in shown["position"]] == shown["text"].tolist()
    table = result.contingency_frame()
    assert table.columns.tolist() == [0, 1, 2, 3, -1]
    assert table.to_numpy().sum() == result.agreement.n_labelled


def test_frames_of_texts_with_half_a_surrogate_pair():
    texts = ["\ud83d broken"] * len(noisy_result().texts)
    strange = replace(noisy_result(), names=["\ud800"] * 4, texts=texts)
    assert strange.assignments()["text"].tolist() == strange.texts
    assert "\ud800" in strange.assignments()["name"].tolist()
    assert set(strange.exemplar_frame()["text"]) == {"\ud83d broken"}


def test_summary_says_how_many_how_good_how_stable_how_much_noise_and_what_to_doubt():
    result = noisy_result()
    text = result.summary()
    assert "4 clusters" in text
    assert f"{result.quality.noise} texts" in text
    assert "in no cluster" in text
    assert "As a whole they are very stable: when 80%" in text
    assert "4 of 4 clusters come out again" in text
    counts = result.agreement.contingency
    usual = counts.max(axis=0).sum() / counts.sum()
    assert (
        f" that {result.agreement.n_labelled} texts have: {usual:.0%} of the clustered ones" in text
    )
    assert "another random seed" not in text  # HDBSCAN uses no chance
    assert "Doubt: Which model made the vectors was not recorded." in text


def test_doubts_of_a_bad_clustering():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 30))
    result = cluster_texts([f"word{i % 3}" for i in range(120)], X, n_clusters=8, stability=4)
    text = " ".join(result.doubts())
    assert "did not reliably come out again" in text
    assert "changes with the random seed" in text
    assert "repeat another of their cluster" in text


def test_a_cluster_of_copies_is_named():
    X, labels = blobs((30, 20, 10))
    texts = worded_texts(labels)
    texts[30:50] = ["Team upload."] * 18 + ["One other", "Two others"]
    text = " ".join(cluster_texts(texts, X, n_clusters=3, stability=0).doubts())
    assert "1 cluster (1) is mostly copies: 3 different texts among 20." in text
    texts[30:50] = worded_texts(labels)[30:50]
    assert "mostly copies" not in " ".join(
        cluster_texts(texts, X, n_clusters=3, stability=0).doubts()
    )


def test_one_large_cluster_that_comes_out_again_does_not_make_all_stable():
    X, labels = blobs((80, 10, 10, 10))
    result = cluster_texts(worded_texts(labels), X, n_clusters=4, stability=2)
    few = tuple(
        replace(c, jaccard=1.0 if c.cluster == 0 else 0.5) for c in result.stability.clusters
    )
    stability = replace(result.stability, clusters=few, jaccard=(80 + 15) / 110)
    text = replace(result, stability=stability).summary()
    assert (
        "As a whole they are doubtful: when 80% of the texts are clustered again, 1 of 4 " in text
    )
    assert "clusters, with 73% of the clustered texts, comes out again" in text


def test_what_the_most_frequent_label_has_by_itself_is_said():
    X, labels = blobs((30, 20, 10))
    known = ["usual"] * 45 + ["rare"] * 15
    texts = worded_texts(labels)
    text = cluster_texts(texts, X, n_clusters=3, labels_true=known, stability=0).summary()
    assert (
        "92% of the clustered texts have their cluster's most frequent label (75% have the most "
        "frequent of all)"
    ) in text
    one = cluster_texts(texts, X, n_clusters=3, labels_true=["usual"] * 60, stability=0)
    assert "All known labels are the same, usual: nothing to compare with." in one.findings()


def test_few_texts_are_doubted():
    X, labels = blobs((15, 15))
    for n, doubted in ((29, True), (30, False)):
        result = cluster_texts(worded_texts(labels)[:n], X[:n], n_clusters=2, stability=0)
        said = f"There are only {n} texts: figures of so few say little."
        assert (said in result.doubts()) is doubted


def test_a_chosen_number_is_not_hidden():
    X, labels = blobs((30,) * 5)
    texts = worded_texts(labels % 4)
    result = cluster_texts(texts, X, stability=0)
    assert result.n_clusters == 5
    assert result.chosen is not None
    assert result.provenance["n_clusters"] == "chosen"
    assert "Stability was not measured." in result.doubts()
    assert cluster_texts(texts, X, n_clusters=5, stability=0).provenance["n_clusters"] == "given"
    assert noisy_result().provenance["n_clusters"] == "found by the clusterer"


@pytest.mark.parametrize("clusterer", ["kmeans", "bisecting-kmeans", "agglomerative", "spectral"])
def test_where_no_clusters_stand_out_there_is_one_and_it_says_so(clusterer: str):
    X = np.random.default_rng(0).normal(size=(40, 20))
    result = cluster_texts(worded_texts(np.arange(40) % 4), X, clusterer=clusterer, stability=3)
    assert result.n_clusters == 1
    assert result.stability is None, "one cluster comes out again always"
    assert result.doubts()[0].startswith("No clusters stand out")
    assert "Stability was not measured." not in result.doubts()
    assert "All 40 texts form one cluster." in result.summary()
    assert cluster_texts(result.texts, X, n_clusters=3, stability=0).n_clusters == 3


def test_a_number_that_is_open_is_doubted():
    X, labels = blobs((30,) * 5)
    result = cluster_texts(worded_texts(labels % 4), X, stability=0)
    assert result.chosen is not None
    for nearly, said in (((6,), "6 is about as good"), ((6, 20), "6, 20 are about as good")):
        chosen = replace(result.chosen, nearly=nearly)
        doubt = replace(result, chosen=chosen).doubts()[0]
        assert f"5, was chosen by score and is open: {said}" in doubt
        assert "No more than" not in doubt
    last = result.chosen.candidates[-1].n_clusters
    chosen = replace(result.chosen, nearly=(6, last))
    doubt = replace(result, chosen=chosen).doubts()[0]
    assert f"No more than {last} were tried, so larger ones may be as good." in doubt
    chosen = replace(result.chosen, n_clusters=last)
    doubt = replace(result, chosen=chosen).doubts()[0]
    assert doubt == f"No more than {last} clusters were tried: more may be better."
    assert not any("chosen by score" in one for one in result.doubts())


def test_a_reduction_clusters_and_the_full_vectors_measure_and_predict():
    X, labels = blobs((40, 30, 20))
    result = cluster_texts(
        worded_texts(labels),
        X,
        clusterer="hdbscan",
        reducer=PCA(3),
        min_cluster_size=10,
        stability=2,
    )
    assert result.centers.shape == (3, X.shape[1])
    assert result.estimator.clusterer_["reduce"].n_components == 3
    members = result.labels != -1
    np.testing.assert_array_equal(result.predict(X)[members], result.labels[members])


def test_the_same_seed_gives_the_same_result():
    X, labels = blobs((20, 20, 20), spread=0.5)
    texts = worded_texts(labels)
    a, b = (cluster_texts(texts, X, n_clusters=4, stability=2, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(a.labels, b.labels)
    assert a.stability == b.stability
    assert a.to_frame().equals(b.to_frame())


def test_provenance_says_what_made_it_and_what_is_not_embeddinggemma():
    X, labels = blobs()
    texts = worded_texts(labels)
    identity = ModelIdentity("ollama", "embeddinggemma", 12, engine_version="0.32.15")
    result = cluster_texts(
        texts, X, n_clusters=3, stability=0, identity=identity, prompt="p: {text}", command="c"
    )
    made = result.provenance
    assert made["notice"] is None
    assert made["model"].startswith("embeddinggemma through ollama")
    assert (made["prompt"], made["dimension"], made["rows"], made["command"]) == (
        "p: {text}",
        12,
        60,
        "c",
    )
    assert made["clusterer"] == "KMeans(n_clusters=3, n_init=10, random_state=0)"
    assert made["data_fingerprint"].startswith("sha256:")
    other = cluster_texts(
        texts, X, n_clusters=3, stability=0, identity=ModelIdentity("embedded", "use", 12)
    )
    assert other.provenance["notice"].startswith("Not EmbeddingGemma")
    assert other.summary().startswith("Not EmbeddingGemma")


def test_progress_is_told():
    X, labels = blobs()
    told: list[str] = []
    cluster_texts(worded_texts(labels), X, stability=1, progress=told.append)
    assert told[0].startswith("choosing the number of clusters")
    assert "clustering" in told
    assert any(line.startswith("stability") for line in told)


def test_wrong_input_is_refused_with_the_way_out():
    X, labels = blobs()
    texts = worded_texts(labels)
    with pytest.raises(UsageError, match="59 texts and 60 vectors"):
        cluster_texts(texts[:-1], X)
    with pytest.raises(UsageError, match="2 known labels for 60 texts"):
        cluster_texts(texts, X, labels_true=["a", "b"])
    with pytest.raises(DataError, match="at least 3"):
        cluster_texts(texts[:2], X[:2])
    with pytest.raises(MissingTextError):
        cluster_texts([None, *texts[1:]], X)
    with pytest.raises(InputTypeError):
        cluster_texts("one text", X)
    with pytest.raises(DataError, match="all 60 texts noise"):
        cluster_texts(texts, X, clusterer=HDBSCAN(min_cluster_size=60, copy=True))
    with pytest.raises(DataError, match="hold NaN or infinity, the first at position 0"):
        cluster_texts(texts, np.where(X > 0.9, np.nan, X))
    with pytest.raises(DataError, match="Give it other parameters, or choose kmeans"):
        cluster_texts(texts, X, clusterer=DBSCAN(eps=1e-6))
    with pytest.raises(UsageError, match=r"labels_true has shape \(60, 1\)"):
        cluster_texts(texts, X, labels_true=labels[:, None])
    with pytest.raises(UsageError, match="stability=-1"):
        cluster_texts(texts, X, n_clusters=3, stability=-1)
    with pytest.raises(UsageError, match="parts of 48 of 60 texts, too few for 50 clusters"):
        cluster_texts(texts, X, n_clusters=50)
    assert cluster_texts(texts, X, n_clusters=50, stability=0).n_clusters == 50


def test_a_random_state_object_is_one_seed_for_everything():
    X, labels = blobs(spread=0.5)
    texts = worded_texts(labels)
    a, b = (
        cluster_texts(texts, X, n_clusters=5, stability=2, random_state=np.random.RandomState(4))
        for _ in range(2)
    )
    assert isinstance(a.provenance["random_state"], int)
    assert a.provenance["random_state"] == b.provenance["random_state"]
    assert a.stability == b.stability
    with pytest.raises(ValueError, match="cannot be used to seed"):
        cluster_texts(texts, X, random_state="lucky")


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_fewer_clusters_than_asked_for_are_said():
    X, _ = blobs((8, 8))
    X = np.repeat(X[[0, -1]], 8, axis=0)
    result = cluster_texts([f"text {i}" for i in range(16)], X, n_clusters=3, stability=0)
    assert "3 clusters were asked for, and the clusterer found 2." in result.doubts()


def test_dimensions_and_prompts_of_the_shipped_vectors_matter():
    data = load("sdg")
    for task, v_measure in (("clustering", 0.614), ("classification", 0.556)):
        X = load_vectors("sdg", task=task)
        result = cluster_texts(
            data.data,
            X,
            clusterer=KMeans(17, n_init=10, random_state=0),
            labels_true=data.target,
            stability=0,
        )
        assert result.agreement.all_texts.v_measure == pytest.approx(v_measure, abs=0.04)


def test_importing_the_package_is_light():
    code = "import sys, toolkit.cluster; print('sklearn' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_stability_of_many_clusters_is_measured_on_more_texts():
    X = np.random.default_rng(0).normal(size=(6_000, 4))
    texts = [f"word{i % 7}" for i in range(len(X))]
    for k, used in ((40, 6_000), (20, 5_000)):
        found = cluster_texts(texts, X, clusterer="minibatch-kmeans", n_clusters=k, stability=1)
        assert found.stability is not None
        assert found.stability.n_used == used


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"stability": 2.5}, "stability=2.5 is not a whole number"),
        ({"stability": True}, "stability=True"),
        ({"n_keywords": -1}, "n_keywords=-1"),
    ],
)
def test_numbers_that_are_none_are_refused(wrong, message):
    X, labels = blobs()
    with pytest.raises(UsageError, match=message):
        cluster_texts(worded_texts(labels), X, n_clusters=3, **wrong)


def test_how_many_are_closer_to_another_cluster_is_never_nothing_per_cent():
    X, labels = blobs((300, 20))
    texts = worded_texts(labels)
    apart = cluster_texts(texts, X, n_clusters=2, stability=0)
    assert "no clustered text is closer to another cluster" in apart.summary()
    labels[0] = 1
    one_of_many = examine_labels(texts, X, labels)
    assert "<1% of the clustered texts are closer to another cluster" in one_of_many.summary()
