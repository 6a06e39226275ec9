from __future__ import annotations

import numpy as np
import pytest

from tests.cluster.examples import blobs, worded_texts
from toolkit.cluster import cluster_texts, find_substructure
from toolkit.errors import UsageError


def nested() -> tuple[list[str], np.ndarray]:
    """Return texts and vectors of two groups far apart, the first of three kinds."""
    X, labels = blobs((40, 35, 30), spread=0.06)
    rest, _ = blobs((60,), spread=0.25, seed=1)
    shift = np.zeros((2, X.shape[1]), dtype=np.float32)
    shift[0, 5], shift[1, 8] = 1.5, 3.0
    made = np.vstack([X + shift[0], rest + shift[1]])
    texts = [*worded_texts(labels), *(f"a stone {i}" for i in range(60))]
    return texts, made / np.linalg.norm(made, axis=1, keepdims=True)


def test_the_parts_of_a_cluster_are_found_and_described():
    texts, X = nested()
    result = cluster_texts(texts, X, n_clusters=2, stability=0)
    found = find_substructure(result, X)
    assert list(found) == [0]
    parts = found[0]
    assert [group.size for group in parts.groups] == [40, 35, 30]
    assert sum(group.share for group in parts.groups) == pytest.approx(1)
    words = ["harbour ship sail", "mountain peak climb", "oven bread flour"]
    for group, of in zip(parts.groups, words, strict=True):
        assert set(group.keywords[:3]) <= set(of.split())
        assert set(of.split()) & set(texts[group.example].split())
    assert parts.stability > parts.chance + 0.2
    assert found == find_substructure(result, X)


def test_a_cluster_of_one_piece_or_few_texts_is_left_whole():
    X, _ = blobs((300, 15), spread=0.2)
    texts = [f"stone {i}" for i in range(315)]
    result = cluster_texts(texts, X, n_clusters=2, stability=0)
    assert find_substructure(result, X) == {}


def test_copies_make_no_groups():
    X, labels = blobs((3, 3))
    X, labels = np.repeat(X, 20, axis=0), np.repeat(labels, 20)
    result = cluster_texts(worded_texts(labels), X, n_clusters=2, stability=0)
    assert find_substructure(result, X) == {}


def test_vectors_of_other_texts():
    X, labels = blobs((30, 20))
    result = cluster_texts(worded_texts(labels), X, n_clusters=2, stability=0)
    with pytest.raises(UsageError, match="49 vectors for 50 texts"):
        find_substructure(result, X[1:])
