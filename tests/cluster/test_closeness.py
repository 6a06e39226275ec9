import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from toolkit.cluster.closeness import measure_closeness
from toolkit.cluster.geometry import cluster_centers, cluster_means, own_similarity, unit_rows
from toolkit.errors import UsageError


@pytest.mark.parametrize(("n", "k"), [(1500, 7), (600, 300)])
def test_it_is_what_comparing_with_every_centroid_gives(n, k):
    # More rows than a block has, and more clusters than are left to one thread.
    rng = np.random.default_rng(0)
    X = unit_rows(rng.normal(size=(n, 20)) + 0.5)
    labels = rng.permutation(np.arange(n) % k)
    labels[rng.random(n) < 0.1] = -1
    labels[:k] = np.arange(k)
    found = measure_closeness(X, labels)
    members = labels >= 0
    centers = cluster_centers(X, labels)
    cosines = X.astype(np.float64) @ centers.T
    own = cosines[members, labels[members]]
    cosines[members, labels[members]] = -np.inf
    np.testing.assert_allclose(found.centers, centers)
    np.testing.assert_allclose(found.own[members], own, atol=1e-6)
    np.testing.assert_allclose(own_similarity(X, centers, labels)[members], own, atol=1e-6)
    assert (found.other[members] == cosines[members].argmax(axis=1)).all()
    np.testing.assert_allclose(found.other_similarity[members], cosines[members].max(1), atol=1e-6)
    expected = silhouette_samples(X[members], labels[members], metric="cosine")
    np.testing.assert_allclose(found.silhouette[members], expected, atol=1e-5)
    assert (found.other[~members] == -1).all()
    for values in (found.own, found.other_similarity, found.silhouette):
        assert np.isnan(values[~members]).all()


def test_a_cluster_whose_mean_is_zero_is_as_far_from_everything():
    X = np.array([[1.0, 0], [-1, 0], [0, 1], [0, 1]], dtype=np.float32)
    found = measure_closeness(X, np.array([0, 0, 1, 1]))
    assert found.own.tolist() == [0, 0, 1, 1]
    assert found.other_similarity.tolist() == [0, 0, 0, 0]


def test_alone_a_cluster_has_no_other():
    found = measure_closeness(np.eye(3, dtype=np.float32), np.array([0, 0, -1]))
    assert (found.other == -1).all()
    assert np.isnan(found.other_similarity).all()
    assert np.isnan(found.silhouette).all()


def test_means_are_those_of_the_rows_and_every_cluster_has_some():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1300, 4)).astype(np.float32)
    labels = rng.integers(-1, 3, size=len(X))
    expected = [X[labels == cluster].mean(axis=0, dtype=np.float64) for cluster in range(3)]
    np.testing.assert_allclose(cluster_means(X, labels), expected, rtol=1e-12)
    assert cluster_means(X, np.full(len(X), -1)).shape == (0, 4)
    with pytest.raises(UsageError, match="cluster 1 of 0 to 2 is empty"):
        cluster_means(X, np.where(labels == 1, 2, labels))
