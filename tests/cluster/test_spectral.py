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


def test_neighbourhoods_grow_where_copies_make_more_parts_than_clusters():
    # Each text twenty times: with 15 neighbours every one of the twelve is a part of its own.
    X, labels = blobs((6, 6), spread=0.1)
    copies = np.repeat(X, 20, axis=0)
    with pytest.warns(ToolkitWarning, match="more separate parts than the 2 clusters"):
        made = NeighborSpectralClustering(2, random_state=0).fit(copies)
    assert made.n_neighbors_ > 20
    assert adjusted_rand_score(np.repeat(labels, 20), made.labels_) == 1.0


def test_a_cluster_for_each_text():
    X, _ = blobs((3, 2))
    assert sorted(NeighborSpectralClustering(5).fit_predict(X)) == [0, 1, 2, 3, 4]
    with pytest.raises(UsageError, match="6 clusters of 5 texts"):
        NeighborSpectralClustering(6).fit(X)
