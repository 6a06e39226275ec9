"""The tree of clusters, beside scipy's on as many vectors as there are texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse
from scipy.cluster.hierarchy import cophenet, fcluster, is_monotonic, is_valid_linkage, linkage
from scipy.spatial.distance import squareform

from tests.cluster.examples import blobs, noisy, noisy_result, sdg_result, worded_texts
from toolkit.cluster import (
    apply_decisions,
    cluster_texts,
    cluster_tree,
    count_terms,
    reuse_clustering,
    save_clustering,
)
from toolkit.cluster.branch_words import branch_words
from toolkit.cluster.geometry import NOISE
from toolkit.cluster.linkage import cosine_distances, ward_linkage
from toolkit.errors import UsageError


def unit(rng: np.random.Generator, k: int, d: int = 6) -> NDArray[np.float64]:
    X = rng.normal(size=(k, d))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


shapes = st.tuples(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 5), min_size=2, max_size=12))


@settings(max_examples=40, deadline=None)
@given(shapes)
def test_heights_and_groups_are_scipys_of_the_texts_in_the_middles(shape: tuple[int, list[int]]):
    seed, sizes = shape
    k = len(sizes)
    centers = unit(np.random.default_rng(seed), k)
    made = ward_linkage(centers, sizes)
    assert is_valid_linkage(made)
    assert is_monotonic(made)
    of_texts = linkage(np.repeat(centers, sizes, axis=0), "ward")
    heights = np.sort(of_texts[:, 2])[-(k - 1) :]
    np.testing.assert_allclose(made[:, 2], heights, rtol=1e-6, atol=1e-6)
    # At which height two clusters come together says everything about a tree.
    first = np.cumsum([0, *sizes[:-1]])
    theirs = squareform(cophenet(of_texts))[np.ix_(first, first)]
    np.testing.assert_allclose(squareform(cophenet(made)), theirs, rtol=1e-6, atol=1e-6)


def test_clusters_of_one_size_are_joined_as_scipy_joins_them():
    centers = unit(np.random.default_rng(3), 30)
    made, theirs = ward_linkage(centers, np.ones(30)), linkage(centers, "ward")
    np.testing.assert_allclose(made[:, 2:], theirs[:, 2:], atol=1e-9)
    same = [
        set(map(int, a)) == set(map(int, b))
        for a, b in zip(made[:, :2], theirs[:, :2], strict=True)
    ]
    assert all(same)


@settings(max_examples=40, deadline=None)
@given(shapes, st.data())
def test_a_cut_has_as_many_groups_as_asked_for_each_in_one_of_the_next(
    shape: tuple[int, list[int]], data: st.DataObject
):
    seed, sizes = shape
    k = len(sizes)
    X = unit(np.random.default_rng(seed), k)
    labels = np.repeat(np.arange(k), sizes)
    tree = cluster_tree(X[labels], labels)
    n = data.draw(st.integers(1, k))
    groups = tree.cut(n)
    texts = np.bincount(groups, weights=sizes)
    assert len(texts) == n
    assert (np.diff(texts) <= 0).all(), "the largest comes first"
    if n > 1:
        coarser = tree.cut(n - 1)
        assert len({(int(a), int(b)) for a, b in zip(groups, coarser, strict=True)}) == n
    by_scipy = fcluster(tree.linkage, n, "maxclust")
    if len(set(by_scipy)) == n:
        assert len({(int(a), int(b)) for a, b in zip(groups, by_scipy, strict=True)}) == n
    # A group's clusters stand beside each other in the order of the leaves.
    along = groups[tree.leaves]
    assert (np.diff(along) != 0).sum() == n - 1


def test_texts_get_the_group_of_their_cluster_and_noise_stays_noise():
    X, labels = blobs((30, 20, 10))
    labels = labels.copy()
    labels[:4] = NOISE
    tree = cluster_tree(X, labels)
    assert tree.sizes == (26, 20, 10)
    assert set(tree.cut(1, labels)[:4]) == {NOISE}
    np.testing.assert_array_equal(tree.cut(2, labels)[4:], tree.cut(2)[labels[4:]])
    with pytest.raises(UsageError, match="cut into 1 to 3 groups"):
        tree.cut(4)
    with pytest.raises(UsageError, match="cut into 1 to 3 groups"):
        tree.cut(0)
    with pytest.raises(UsageError, match="clusters 0 to 2"):
        tree.cut(2, [0, 3])


def test_noise_moves_nothing():
    X, labels = blobs((30, 20, 10))
    with_noise = cluster_tree(np.vstack([X, -X]), np.append(labels, np.full(60, NOISE)))
    np.testing.assert_allclose(with_noise.linkage, cluster_tree(X, labels).linkage)


def test_one_cluster_is_a_tree_without_branches_and_none_is_no_tree():
    X, labels = blobs((5,))
    tree = cluster_tree(X, labels, counts=count_terms(["words"] * 5))
    assert tree.linkage.shape == (0, 4)
    assert tree.branches == ()
    assert tree.leaves == [0]
    assert tree.cut(1, labels).tolist() == [0] * 5
    assert tree.to_frame().empty
    assert tree.to_frame().columns[-1] == "keywords"
    with pytest.raises(UsageError, match="all texts are noise"):
        cluster_tree(X, np.full(5, NOISE))


def test_clusters_at_one_place_and_without_a_direction_are_no_trouble():
    X = np.array([[1.0, 0], [-1, 0], [0, 1], [0, 1], [1, 0], [1, 0]])
    tree = cluster_tree(X, [0, 0, 1, 2, 3, 4])  # the mean of cluster 0 is zero
    assert np.isfinite(tree.linkage).all()
    assert sorted(tree.leaves) == [0, 1, 2, 3, 4]
    assert {tuple(sorted(b.clusters)) for b in tree.branches[:2]} == {(1, 2), (3, 4)}
    assert cosine_distances(np.array([[0.0, 0], [0, 1]])).tolist() == [[0, 1], [1, 0]]


def test_branches_say_what_the_matrix_says():
    tree = sdg_result().tree
    k = sdg_result().n_clusters
    assert [branch.node for branch in tree.branches] == list(range(k, 2 * k - 1))
    top = tree.branches[-1]
    assert list(top.clusters) == tree.leaves
    assert top.size == 615
    assert top.keywords == ()
    for row, branch in zip(tree.linkage, tree.branches, strict=True):
        assert [branch.left, branch.right, branch.height, len(branch.clusters)] == row.tolist()
        assert branch.size == sum(tree.sizes[cluster] for cluster in branch.clusters)
    frame = tree.to_frame()
    assert frame.loc[k, "keywords"] == ", ".join(tree.branches[0].keywords)


def test_the_separation_of_two_clusters_is_that_of_their_middles():
    result = sdg_result()
    first = result.tree.branches[0]
    a, b = result.centers[[first.left, first.right]]
    assert first.separation == pytest.approx(1 - float(a @ b), abs=1e-6)


def test_words_of_a_branch_are_in_both_parts_and_rarer_elsewhere():
    texts = ["the red wine", "the wine red", "the white wine", "the wine white"]
    texts += ["the rye bread", "the bread", "the red bread", "the bread"]
    labels = np.repeat([0, 1, 2, 3], 2)
    X = np.array([[9, 2, 0], [9, 0, 0], [0, 2, 9], [0, 0, 9]])[labels] + 0.1
    tree = cluster_tree(X, labels, counts=count_terms(texts, min_df=1))
    words = {branch.clusters: branch.keywords for branch in tree.branches}
    wine, bread = (words.get(pair, words.get(pair[::-1])) for pair in ((0, 1), (2, 3)))
    assert wine == ("wine",), "red and white are of one part, the is everywhere"
    assert bread == ("bread",)


def test_pairs_of_characters_are_put_together_again():
    texts = ["可持续发展目标", "可持续发展计划", "音量调低", "把音量"]
    counts = count_terms(texts * 2, min_df=1)
    labels = np.array([0, 1, 2, 2] * 2)
    from toolkit.cluster import sum_by_cluster

    summed = sum_by_cluster(counts.counts, labels)
    parts = [([0], [1])]
    samples = [[texts[0]], [texts[1]], texts[2:]]
    assert branch_words(summed, counts.terms, parts, texts=samples)[0][0] == "可持续发展"


def test_a_cluster_without_words_has_none_in_common():
    X, labels = blobs((4, 4, 4))
    texts = [["...", "red wine", "red wine"][label] for label in labels]
    tree = cluster_tree(X, labels, counts=count_terms(texts))
    assert len(tree.branches) == 2
    for branch in tree.branches:
        assert not branch.keywords or 0 not in branch.clusters


def test_an_edited_clustering_has_the_tree_of_the_edited_clusters(tmp_path: Path):
    X, labels = blobs((30, 25, 20, 15), spread=0.05)
    texts = worded_texts(labels)
    result = cluster_texts(texts, X, n_clusters=4, stability=0)
    steps = {"format": 1, "decisions": [{"merge": [2, 3]}]}
    edited = apply_decisions(result, X, steps)
    assert len(edited.tree.branches) == 2
    assert sorted(edited.tree.sizes) == [25, 30, 35]
    again = reuse_clustering(save_clustering(edited, tmp_path / "kept"), texts, X)
    np.testing.assert_allclose(again.tree.linkage, edited.tree.linkage, rtol=1e-5)
    assert [b.keywords for b in again.tree.branches] == [b.keywords for b in edited.tree.branches]


def test_the_tree_of_a_result_leaves_noise_out():
    _, X, _ = noisy()
    result = noisy_result()
    same = cluster_tree(X, result.labels, counts=count_terms(result.texts))
    assert result.tree.sizes == same.sizes
    np.testing.assert_allclose(result.tree.linkage, same.linkage, rtol=1e-5)
    assert [b.keywords for b in result.tree.branches] == [b.keywords for b in same.branches]


def test_very_many_clusters_have_no_tree():
    X = np.repeat(unit(np.random.default_rng(0), 501, 30), 2, axis=0)
    result = cluster_texts([f"t {i}" for i in range(1002)], X, n_clusters=501, stability=0)
    assert result.tree is None


def test_a_frequent_word_that_is_there_twice_in_few_texts_is_no_word_of_a_branch():
    terms = np.array(["often", "rare", "rest"])
    # 30 words in each of the two, 900 in the third: "often" would be expected 1.2 times in each.
    counts = sparse.csr_array([[3, 3, 24], [3, 3, 24], [36, 0, 864]])
    assert branch_words(counts, terms, [([0], [1])]) == [("rare",)]
    counts = sparse.csr_array([[30, 30, 240], [30, 30, 240], [36, 0, 864]])
    assert set(branch_words(counts, terms, [([0], [1])])[0]) == {"often", "rare"}
