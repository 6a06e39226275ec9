from __future__ import annotations

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, normalize
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.cluster.examples import blobs, noisy
from toolkit.cluster import CentroidClusterer
from toolkit.errors import DataError, UsageError


@parametrize_with_checks(
    [
        CentroidClusterer(),
        CentroidClusterer(AgglomerativeClustering(3), max_distance=0.5),
        CentroidClusterer(KMeans(3, n_init=1, random_state=0), max_distance=None),
        CentroidClusterer(HDBSCAN(min_cluster_size=3, copy=True)),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_clusters_are_numbered_by_size_and_predicted_with_the_same_numbers():
    X, _ = blobs((10, 40, 25))
    for base in (KMeans(3, n_init=3, random_state=5), AgglomerativeClustering(3)):
        model = CentroidClusterer(base).fit(X)
        assert np.bincount(model.labels_).tolist() == [40, 25, 10]
        np.testing.assert_array_equal(model.predict(X), model.labels_)
        np.testing.assert_array_equal(model.predict(model.cluster_centers_), [0, 1, 2])


def test_a_vector_that_is_not_finite_is_found():
    X, _ = blobs()
    X[7, 0] = np.nan
    with pytest.raises(DataError, match="the first at position 7"):
        CentroidClusterer().fit(X)


def test_only_the_direction_counts():
    X, _ = blobs()
    model = CentroidClusterer(AgglomerativeClustering(3)).fit(X)
    np.testing.assert_array_equal(model.predict(X * 40), model.labels_)


def test_new_vectors_as_far_as_no_member_are_noise_if_the_clusterer_knows_noise():
    _, X, _ = noisy()
    model = CentroidClusterer(HDBSCAN(min_cluster_size=8, min_samples=5, copy=True)).fit(X)
    assert (model.labels_ == -1).any()
    assert len(model.radii_) == 4
    members = model.labels_ != -1
    np.testing.assert_array_equal(model.predict(X[members]), model.labels_[members])
    assert (model.predict(-model.cluster_centers_) == -1).all()
    without = CentroidClusterer(model.clusterer, max_distance=None).fit(X)
    assert (without.predict(-model.cluster_centers_) != -1).all()


def test_a_clusterer_without_noise_predicts_none_unless_asked_to():
    X, _ = blobs()
    far = -X[:1]
    assert CentroidClusterer(KMeans(3, n_init=1, random_state=0)).fit(X).predict(far) != [-1]
    cut = CentroidClusterer(KMeans(3, n_init=1, random_state=0), max_distance=0.4).fit(X)
    assert cut.predict(far) == [-1]
    np.testing.assert_array_equal(cut.predict(X), cut.labels_)


def test_all_noise_is_a_result_too():
    X, _ = blobs((6,), spread=2.0)
    model = CentroidClusterer(HDBSCAN(min_cluster_size=5, copy=True)).fit(X)
    assert (model.labels_ == -1).all()
    assert (model.predict(X) == -1).all()


def test_in_a_pipeline_with_texts_and_through_pickle():
    X, labels = blobs()
    rows = {f"text {i}": vector for i, vector in enumerate(X)}
    lookup = FunctionTransformer(lambda texts: np.array([rows[t] for t in texts]))
    pipeline = make_pipeline(lookup, CentroidClusterer(AgglomerativeClustering(3)))
    found = pipeline.fit_predict(list(rows))
    np.testing.assert_array_equal(found, labels)
    np.testing.assert_array_equal(pipeline.predict(["text 0", "text 59"]), [0, 2])
    again = pickle.loads(pickle.dumps(pipeline[-1]))
    np.testing.assert_array_equal(again.predict(X), labels)


def test_a_whole_number_is_a_distance_too():
    X, _ = blobs()
    model = CentroidClusterer(AgglomerativeClustering(3), max_distance=1).fit(X)
    away = -model.cluster_centers_.sum(axis=0, keepdims=True)
    assert model.predict(away) == [-1]


class _Short(ClusterMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.labels_ = np.zeros(3, dtype=int)
        return self


def test_a_clusterer_with_too_few_labels_is_refused():
    with pytest.raises(UsageError, match="3 labels for 60 vectors"):
        CentroidClusterer(_Short()).fit(blobs()[0])


@pytest.mark.parametrize("wrong", ["far", -1.0, 3.0])
def test_wrong_parameters_are_refused(wrong: object):
    X, _ = blobs()
    with pytest.raises(ValueError, match="max_distance"):
        CentroidClusterer(max_distance=wrong).fit(X)


def test_weights_reach_the_clusterer():
    X = np.random.default_rng(0).normal(size=(60, 4))
    weights = np.r_[np.ones(30), np.full(30, 1e-6)]
    base = KMeans(3, n_init=3, random_state=0)
    weighted = CentroidClusterer(base).fit(X, sample_weight=weights)
    assert adjusted_rand_score(weighted.labels_, base.fit_predict(X, sample_weight=weights)) == 1
    assert adjusted_rand_score(weighted.labels_, CentroidClusterer(base).fit(X).labels_) < 1
    with sklearn.config_context(enable_metadata_routing=True):
        routed = CentroidClusterer(base.set_fit_request(sample_weight=True))
        pipeline = make_pipeline(Normalizer(), routed).fit(X, sample_weight=weights)
        expected = base.fit_predict(normalize(X), sample_weight=weights)
    assert adjusted_rand_score(pipeline[-1].labels_, expected) == 1
