from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.cluster.examples import blobs
from toolkit.cluster.spectral import NeighborSpectralClustering
from toolkit.errors import ToolkitWarning, UsageError


@parametrize_with_checks([NeighborSpectralClustering(3, random_state=0)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_parts_that_are_as_many_as_clusters_are_found_and_nothing_is_said():
    X, labels = blobs((40, 40, 40), spread=0.05)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = NeighborSpectralClustering(3, random_state=0).fit(X)
    assert adjusted_rand_score(labels, made.labels_) == 1.0
    assert made.n_neighbors_ == 15


@pytest.mark.parametrize("times", [3, 25])
def test_copies_are_in_the_cluster_of_their_text_and_change_no_other(times):
    # A neighbourhood that is full of copies, or nearly, says nothing of where they belong.
    X, _ = blobs((14, 13, 13), spread=0.6)
    copies = np.tile(X, (times, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone = NeighborSpectralClustering(5, random_state=0).fit(X)
        made = NeighborSpectralClustering(5, random_state=0).fit(copies)
    assert len(made.labels_) == len(copies)
    assert made.labels_.tolist() == alone.labels_.tolist() * times
    assert made.n_neighbors_ == 15


def test_fewer_different_vectors_than_clusters():
    X, _ = blobs((3, 2))
    copies = np.tile(X, (4, 1))
    with pytest.warns(ToolkitWarning, match="5 of 20. is less than n_clusters .6."):
        made = NeighborSpectralClustering(6).fit(copies)
    assert made.labels_.tolist() == [0, 1, 2, 3, 4] * 4


def test_neighbourhoods_grow_where_near_copies_make_more_parts_than_clusters():
    # Each text twenty times: with 15 neighbours every one of the twelve is a part of its own.
    X, labels = blobs((6, 6), spread=0.1)
    copies = np.repeat(X, 20, axis=0)
    copies += np.random.default_rng(0).normal(scale=1e-4, size=copies.shape)
    with pytest.warns(ToolkitWarning, match="more separate parts than the 2 clusters"):
        made = NeighborSpectralClustering(2, random_state=0).fit(copies)
    assert made.n_neighbors_ > 20
    assert adjusted_rand_score(np.repeat(labels, 20), made.labels_) == 1.0


def test_a_cluster_for_each_text():
    X, _ = blobs((3, 2))
    assert sorted(NeighborSpectralClustering(5).fit_predict(X)) == [0, 1, 2, 3, 4]
    with pytest.raises(UsageError, match="6 clusters of 5 texts"):
        NeighborSpectralClustering(6).fit(X)
