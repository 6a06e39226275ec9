import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from toolkit.cluster.closeness import measure_closeness
from toolkit.cluster.geometry import cluster_centers, own_similarity, unit_rows


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
