from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from tests.cluster.examples import blobs
from toolkit.cluster import assess_quality, cosine_silhouette
from toolkit.datasets import load, load_vectors
from toolkit.errors import UsageError


def test_silhouette_is_scikit_learns_by_cosine_and_exact():
    X = load_vectors("sdg", task="clustering")
    _, labels = np.unique(load("sdg").target, return_inverse=True)
    expected = silhouette_samples(X.astype(np.float64), labels, metric="cosine")
    np.testing.assert_allclose(cosine_silhouette(X, labels), expected, atol=1e-5)


def test_silhouette_over_blocks_and_lengths_of_vectors():
    X, labels = blobs((9000, 500), spread=0.5)
    rows = np.r_[:50, 9000:9050]
    whole = cosine_silhouette(X * 7, labels)[rows]
    expected = []
    for i in rows:
        distance = 1 - X @ X[i].astype(np.float64)
        own = labels == labels[i]
        a = (distance[own].sum() - distance[i]) / (own.sum() - 1)
        b = distance[~own].mean()
        expected.append((b - a) / max(a, b))
    np.testing.assert_allclose(whole, expected, atol=1e-4)


def test_noise_has_no_silhouette_and_is_nobodys_neighbour():
    X, labels = blobs()
    alone = cosine_silhouette(X[:50], labels[:50])
    labels[50:] = -1
    found = cosine_silhouette(X, labels)
    assert np.isnan(found[50:]).all()
    np.testing.assert_allclose(found[:50], alone)


def test_a_cluster_of_one_has_silhouette_zero_and_one_cluster_has_none():
    X, _ = blobs((3,))
    assert cosine_silhouette(X, [0, 0, 1])[2] == 0
    assert np.isnan(cosine_silhouette(X, [0, 0, 0])).all()


def test_identical_vectors_in_two_clusters():
    found = cosine_silhouette([[1.0, 0.0]] * 4, [0, 0, 1, 1])
    np.testing.assert_array_equal(found, 0)
    # Products of float32 are not exactly 1.
    for vector in load_vectors("sdg", task="clustering")[:8]:
        found = cosine_silhouette(np.tile(vector, (3000, 1)), np.arange(3000) % 2)
        np.testing.assert_array_equal(found, 0)


def test_figures_of_each_cluster():
    X = np.array([[1, 0, 0], [1, 0, 0], [0.8, 0.6, 0], [0, 0, 1], [0, 0.6, 0.8], [-1, 0, 0]])
    texts = ["Same text", "same  TEXT", "other", "a", "b", "c"]
    found = assess_quality(X, [0, 0, 0, 1, 1, -1], texts)
    first, second = found.clusters
    assert (first.size, first.share, first.duplicates, first.nearest) == (3, 0.5, 1, 1)
    center = np.array([2.8, 0.6, 0]) / np.hypot(2.8, 0.6)
    other = np.array([0, 0.6, 1.8]) / np.hypot(0.6, 1.8)
    assert first.cohesion == pytest.approx((X[:3] @ center).mean(), abs=1e-6)
    assert first.separation == second.separation == pytest.approx(1 - center @ other, abs=1e-6)
    assert (found.noise, found.coverage) == (1, pytest.approx(5 / 6))
    assert found.silhouette == pytest.approx(np.nanmean(found.samples))


def test_one_cluster_and_all_noise():
    X, _ = blobs((5,))
    found = assess_quality(X, [0] * 5)
    assert found.clusters[0].nearest is None
    assert np.isnan(found.silhouette)
    assert assess_quality(X, [-1] * 5).clusters == ()


@pytest.mark.parametrize(
    "labels", [[0, 1], [0.5] * 5, [-2, 0, 0, 0, 0], [[0]] * 5, [0, 0, 2, 2, 2], ["a"] * 5]
)
def test_labels_that_are_none_are_refused(labels: list[object]):
    X, _ = blobs((5,))
    with pytest.raises(UsageError):
        assess_quality(X, labels)
