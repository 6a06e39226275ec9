from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans

from tests.cluster.examples import blobs
from toolkit.cluster import (
    assess_stability,
    choose_n_clusters,
    cluster_texts,
    cosine_silhouette,
)
from toolkit.cluster.choose_k import ChosenK, candidate_numbers
from toolkit.cluster.neighborhood import modularity, nearest_neighbors
from toolkit.cluster.number_figures import without_clusters
from toolkit.cluster.stability import best_jaccards, verdict
from toolkit.datasets import load_vectors
from toolkit.errors import DataError, UsageError


def test_jaccard_is_intersection_by_union_and_noise_is_no_cluster():
    labels = np.array([0, 0, 0, 0, 1, 1, -1, -1])
    found = np.array([7, 7, 7, -1, 7, -1, -1, 3])
    # Cluster 0 and found 7: 3 shared, 4 + 4 - 3 together. Cluster 1: 1 shared, 2 + 4 - 1.
    np.testing.assert_allclose(best_jaccards(labels, found, 3), [3 / 5, 1 / 5, np.nan])
    assert best_jaccards(labels, np.full(8, -1), 2).tolist() == [0, 0]


def test_clusters_that_are_there_come_out_again_and_split_ones_do_not():
    X, labels = blobs((60, 40, 30))
    found = assess_stability(X, labels, KMeans(3, n_init=3), n_resamples=5, n_seeds=2)
    assert found.jaccard == found.seed_ari == found.subsample_ari == 1.0
    assert found.verdict == "very stable"
    # One blob cut in two at random: those two are unstable, the others are not.
    cut = labels.copy()
    cut[:60] = np.where(np.arange(60) % 2, 0, 3)
    found = assess_stability(X, cut, KMeans(4, n_init=1), n_resamples=8, n_seeds=2)
    jaccards = [c.jaccard for c in found.clusters]
    assert max(jaccards[0], jaccards[3]) < 0.75 < min(jaccards[1], jaccards[2])
    assert found.clusters[0].low <= jaccards[0] <= found.clusters[0].high


def test_it_is_reproducible_and_seeds_matter():
    X, labels = blobs((30, 30, 30), spread=0.6)
    a, b, c = (
        assess_stability(X, labels, KMeans(3, n_init=1), n_resamples=4, n_seeds=2, random_state=s)
        for s in (0, 0, 1)
    )
    assert a == b != c
    assert a.seed_ari_low <= a.seed_ari <= a.seed_ari_high


def test_a_clusterer_without_chance_is_not_run_with_other_seeds():
    X, labels = blobs()
    found = assess_stability(X, labels, AgglomerativeClustering(3), n_resamples=2)
    assert (found.seed_ari, found.n_seeds) == (1.0, 0)


def test_subsamples_that_cannot_be_clustered_are_refused_before_any_work():
    X, labels = blobs((5, 5))
    with pytest.raises(UsageError, match=r"parts of 8 of 10 texts, too few for 9.*--stability 0"):
        assess_stability(X, labels, KMeans(9))
    with pytest.raises(UsageError, match="share=2"):
        assess_stability(X, labels, KMeans(2), share=2)


def test_large_collections_are_sampled_and_say_so():
    X, labels = blobs((300, 200))
    told: list[str] = []
    found = assess_stability(
        X,
        labels,
        KMeans(2, n_init=1),
        n_resamples=2,
        n_seeds=1,
        max_texts=100,
        progress=told.append,
    )
    assert found.n_used == 100
    assert found.jaccard == 1.0
    assert np.isnan(found.seed_ari)  # one seed, and no clustering of the whole to compare with
    assert told == [
        "stability: subsample 1 of 2",
        "stability: subsample 2 of 2",
        "stability: seed 1 of 1",
    ]


def test_clusters_of_a_sample_may_be_smaller_in_proportion():
    X, labels = blobs((300, 250, 200, 50))
    clusterer = HDBSCAN(min_cluster_size=45, min_samples=5, copy=True)
    # Of a sample of 200 the smallest cluster has about 10 texts.
    found = assess_stability(X, labels, clusterer, n_resamples=4, max_texts=200)
    assert found.jaccard > 0.9
    assert found.clusters[3].jaccard > 0.75
    assert found.seed_ari == 1.0


def test_noise_in_the_clustering_and_in_the_subsamples():
    X, labels = blobs((40, 40, 4))
    labels[labels == 2] = -1
    found = assess_stability(X, labels, HDBSCAN(min_cluster_size=10, copy=True), n_resamples=3)
    assert len(found.clusters) == 2
    assert found.jaccard > 0.75


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0.85, "very stable"),
        (0.75, "stable"),
        (0.6, "doubtful"),
        (0.59, "unstable"),
        (np.nan, "not measured"),
    ],
)
def test_words_follow_hennigs_thresholds(value: float, word: str):
    assert verdict(value) == word


def test_the_number_of_clusters_that_are_there_is_chosen():
    X, _ = blobs((40,) * 6, dimension=20)
    found = choose_n_clusters(X, candidates=range(3, 10))
    assert found.n_clusters == 6
    assert found.sure
    best = found.to_frame()["score"].idxmax()
    assert best == 6
    assert "no other number" in str(found)


def test_a_reduction_is_made_once_for_all_numbers():
    from sklearn.decomposition import PCA

    X, _ = blobs((40,) * 5, dimension=20)
    found = choose_n_clusters(X, "UMAP_KMeans", candidates=(3, 5, 7), reducer=PCA(6))
    assert found.n_clusters == 5


@pytest.mark.parametrize(("n", "dimension"), [(12, 5), (40, 40), (200, 10), (400, 100)])
def test_without_structure_it_says_so_and_makes_one(n: int, dimension: int):
    X = np.random.default_rng(n).normal(size=(n, dimension)) * np.arange(1, dimension + 1) ** -0.5
    found = choose_n_clusters(X)
    assert (found.n_clusters, found.confidence, found.nearly) == (1, "no clusters", ())
    assert "No clusters stand out" in str(found)
    assert "ask for a number of clusters" in str(found)
    assert 2 in [c.n_clusters for c in found.candidates], "two were tried before it is said"


@pytest.mark.parametrize("k", [2, 3, 5, 8])
@pytest.mark.parametrize("seed", [0, 1])
def test_where_it_is_sure_it_is_right(k: int, seed: int):
    """Groups apart by far, of several sizes: the number itself is tried, and must be found."""
    sizes = tuple(np.random.default_rng(seed).integers(25, 50, size=k).tolist())
    X, _ = blobs(sizes, dimension=30)
    found = choose_n_clusters(X, random_state=seed)
    assert found.n_clusters == k
    assert found.confidence == "sure"


@pytest.mark.parametrize(
    ("apart", "chosen", "nearly", "confidence"),
    [(0.25, 4, (), "sure"), (0.4, 4, (16,), "open"), (1.0, 16, (), "sure")],
)
def test_groups_of_groups_leave_the_number_open_where_both_levels_are_as_good(
    apart: float, chosen: int, nearly: tuple[int, ...], confidence: str
):
    """Four topics of four parts each, the parts hardly, half or wholly as apart as the topics."""
    rng = np.random.default_rng(0)
    topics = np.repeat(rng.normal(size=(4, 40)), 4, axis=0)
    parts = topics + apart * np.random.default_rng(5).normal(size=(16, 40))
    X = np.repeat(parts, 20, axis=0) + 0.4 * rng.normal(size=(320, 40))
    found = choose_n_clusters(X, candidates=(4, 8, 16, 24))
    assert (found.n_clusters, found.nearly, found.confidence) == (chosen, nearly, confidence)


def test_the_words_follow_from_the_numbers_nearby():
    tried = choose_n_clusters(blobs((20,) * 4, dimension=20)[0]).candidates
    assert ChosenK(10, tried, (), 80).confidence == "sure"
    assert "no other number is as good" in str(ChosenK(10, tried, (), 80))
    for nearly in ((13,), (13, 16)):
        found = ChosenK(10, tried, nearly, 80)
        assert found.confidence == "open"
        assert "about as good, so the number is open" in str(found)
        assert ("larger ones may be as good" in str(found)) is (16 in nearly)
    assert ChosenK(1, tried, (), 80).confidence == "no clusters"
    assert tried[-1].n_clusters == 16
    assert "larger ones may be as good" in str(ChosenK(16, tried, (), 80))
    assert not ChosenK(10, tried, (), 80).at_the_end


def test_copies_of_a_few_texts_are_as_many_clusters_as_there_are_texts():
    distinct = np.random.default_rng(0).normal(size=(3, 20))
    assert choose_n_clusters(np.repeat(distinct, 20, axis=0)).n_clusters == 3
    found = choose_n_clusters(np.ones((30, 5)))
    assert found.n_clusters == 1
    assert str(found) == "All vectors are the same: they were put into one cluster."


def test_modularity_is_that_of_the_graph_counted_edge_by_edge():
    X, labels = blobs((15, 20, 25), dimension=6)
    neighbors = nearest_neighbors(X.astype(np.float32), 5)
    edges = [(i, int(j)) for i, row in enumerate(neighbors) for j in row]
    mixed = np.random.default_rng(0).permutation(labels)
    for groups in (labels, mixed, np.zeros_like(labels)):
        inside = sum(groups[i] == groups[j] for i, j in edges) / len(edges)
        ends = [groups[end] for edge in edges for end in edge]
        by_chance = sum((ends.count(c) / len(ends)) ** 2 for c in set(ends))
        assert modularity(neighbors, groups) == pytest.approx(inside - by_chance)
    assert modularity(neighbors, labels) > 0.5 > abs(modularity(neighbors, mixed)) + 0.4
    assert modularity(neighbors, np.full(60, -1)) < 0, "noise shares a cluster with nothing"


def test_a_copy_is_a_neighbour_and_a_text_is_none_of_its_own():
    X = np.repeat(np.eye(4, dtype=np.float32), 3, axis=0)
    neighbors = nearest_neighbors(X, 2)
    assert all(i not in row for i, row in enumerate(neighbors.tolist()))
    assert (neighbors // 3 == np.arange(12)[:, None] // 3).all()


@pytest.mark.parametrize("n", [10, 30, 100, 615, 100_000])
def test_numbers_to_try_are_few_and_in_reach(n: int):
    numbers = candidate_numbers(n)
    assert numbers == sorted(set(numbers))
    assert 2 <= numbers[0] <= 4
    assert numbers[-1] <= min(50, n)
    assert 1 <= len(numbers) <= 12


@pytest.mark.parametrize("wrong", [[], [1, 2], [2.5], ["a"], "abc", [[3]]])
def test_numbers_that_cannot_be_tried_are_refused(wrong: object):
    with pytest.raises(UsageError, match="whole numbers from 2"):
        choose_n_clusters(blobs()[0], candidates=wrong)


def test_an_array_of_numbers_is_tried_each_once():
    found = choose_n_clusters(blobs()[0], candidates=np.array([5, 3, 3]), n_resamples=2)
    assert [one.n_clusters for one in found.candidates] == [3, 5]
    alone = choose_n_clusters(blobs()[0], candidates=[3], n_resamples=2)
    assert "among the one number 3" in str(alone)
    with pytest.raises(UsageError, match="at least 2"):
        choose_n_clusters(blobs()[0], n_resamples=1)


def test_too_few_texts_to_choose():
    with pytest.raises(DataError, match="give n_clusters"):
        choose_n_clusters(np.eye(5))


def test_what_counts_is_how_far_it_is_above_chance():
    X = load_vectors("sdg", task="clustering", dimensions=128)
    found = choose_n_clusters(X, candidates=(4, 8, 16, 32), n_resamples=3)
    frame = found.to_frame()
    # Few clusters come out again of any cloud of vectors.
    assert frame["chance_stability"].is_monotonic_decreasing
    assert frame["chance_silhouette"].is_monotonic_decreasing
    assert found.n_clusters == 16, "the number tried that is nearest to the 17 goals"
    best = frame["score"].max()
    near = [k for k, score in frame["score"].items() if score >= best - 0.1]
    assert [found.n_clusters, *found.nearly] == near, "the smallest of those about as good"


def test_vectors_without_clusters_spread_like_the_given_ones():
    X, _ = blobs((300, 200), dimension=6, spread=0.3)
    made = without_clusters(X, np.random.default_rng(0))
    assert made.shape == X.shape
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(made.mean(axis=0), X.mean(axis=0), atol=0.08)
    assert cosine_silhouette(made, KMeans(2, random_state=0).fit_predict(made)).mean() < 0.5
    assert cosine_silhouette(X, KMeans(2, random_state=0).fit_predict(X)).mean() > 0.5


def test_a_sample_is_clustered_from_two_seeds_so_that_they_can_be_compared():
    X, _ = blobs((2_600, 2_600))
    texts = [f"text {i}" for i in range(len(X))]
    found = cluster_texts(texts, X, n_clusters=2, stability=1)
    assert found.stability is not None
    assert (found.stability.n_used, found.stability.n_seeds) == (5_000, 2)
    assert found.stability.seed_ari == 1.0
    assert "nan" not in found.summary()
    assert "when 80% of a sample of 5,000 texts are clustered again" in found.summary()
