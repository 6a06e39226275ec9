from __future__ import annotations

import numpy as np

from tests.cluster.examples import blobs
from toolkit.cluster import find_exemplars
from toolkit.cluster.exemplars import noise_examples
from toolkit.cluster.geometry import cluster_centers, unit_rows


def test_each_kind_is_what_it_is_called():
    X, labels = blobs((40, 30, 20), spread=0.25)
    centers = cluster_centers(X, labels)
    similarity = X @ centers.T
    found = find_exemplars(X, labels)
    for cluster, items in enumerate(found):
        rows = np.flatnonzero(labels == cluster)
        own = similarity[rows, cluster]
        kinds = {k: [e for e in items if e.kind == k] for k in ("central", "diverse", "borderline")}
        assert {k: len(v) for k, v in kinds.items()} == dict.fromkeys(kinds, 3)
        best = rows[np.argsort(-own)[:3]]
        assert [e.position for e in kinds["central"]] == best.tolist()
        # Diverse ones are inside, and less alike than the central ones.
        assert min(e.similarity for e in kinds["diverse"]) >= np.median(own) - 1e-6
        assert _alike(X, kinds["diverse"]) < _alike(X, kinds["central"])
        margins = [e.similarity - e.other_similarity for e in kinds["borderline"]]
        assert margins == sorted(margins)
        others = np.delete(similarity[rows], cluster, axis=1).max(axis=1)
        taken = {e.position for e in kinds["central"] + kinds["diverse"]}
        smallest = min(m for m, r in zip(own - others, rows, strict=True) if r not in taken)
        assert np.isclose(margins[0], smallest, atol=1e-5)
        positions = [e.position for e in items]
        assert len(set(positions)) == len(positions)


def _alike(X: np.ndarray, items: list) -> float:
    vectors = X[[e.position for e in items]]
    return float((vectors @ vectors.T)[np.triu_indices(len(items), 1)].mean())


def test_diverse_ones_are_each_the_farthest_from_all_before():
    rng = np.random.default_rng(3)
    X = unit_rows(rng.normal(size=(900, 6)) + 1)
    # Copies, of which the first in the input is taken; and more than one block of texts.
    X = np.concatenate([X, X])[rng.permutation(1800)]
    (items,) = find_exemplars(X, np.zeros(len(X), dtype=int), n_diverse=8, n_borderline=0)
    positions = [e.position for e in items]
    order = np.argsort(-(X @ cluster_centers(X, np.zeros(len(X), dtype=int))[0]), kind="stable")
    pool = np.sort(order[3:900])
    for number in range(3, 11):
        nearest = np.max([np.einsum("ij,j->i", X[pool], X[i]) for i in positions[:number]], axis=0)
        nearest[np.isin(pool, positions[:number])] = np.inf
        assert positions[number] == pool[nearest.argmin()]


def test_equal_texts_are_shown_once():
    X, labels = blobs((6, 5))
    texts = ["Same", "same ", "SAME", "same", "other", "third", *map(str, range(5))]
    shown = [texts[e.position].strip().lower() for e in find_exemplars(X, labels, texts=texts)[0]]
    assert sorted(shown) == ["other", "same", "third"]


def test_small_clusters_and_a_single_one():
    X, labels = blobs((1, 2))
    assert [len(items) for items in find_exemplars(X, labels)] == [1, 2]
    X, labels = blobs((4,))
    (items,) = find_exemplars(X, labels)
    assert all(e.other is None and np.isnan(e.other_similarity) for e in items)
    assert "borderline" not in {e.kind for e in items}


def test_noise_is_no_exemplar_and_its_examples_are_reproducible():
    X, labels = blobs((20, 20))
    labels[::4] = -1
    positions = [e.position for items in find_exemplars(X, labels) for e in items]
    assert (labels[positions] != -1).all()
    drawn = noise_examples(labels, 3, random_state=1)
    assert drawn == noise_examples(labels, 3, random_state=1) == sorted(drawn)
    assert (labels[drawn] == -1).all()
    assert noise_examples(np.array([0, 0])) == []
