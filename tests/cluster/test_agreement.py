from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score, v_measure_score

from tests.cluster.examples import blobs
from toolkit.cluster import compare_labels, mteb_clustering
from toolkit.errors import UsageError


def test_noise_is_counted_both_ways_with_its_coverage():
    known = np.array(["a"] * 5 + ["b"] * 5)
    labels = np.array([0, 0, 0, -1, -1, 1, 1, 1, 1, -1])
    found = compare_labels(known, labels)
    members = labels != -1
    assert found.coverage == 0.7
    assert found.all_texts.ari == pytest.approx(adjusted_rand_score(known, labels))
    assert found.clustered is not None
    assert found.clustered.ari == 1.0
    assert found.all_texts.v_measure == pytest.approx(v_measure_score(known, labels))
    assert found.contingency.tolist() == [[3, 0], [0, 4]]
    assert found.noise_by_class.tolist() == [2, 1]
    assert members.sum() == found.contingency.sum()


def test_texts_without_a_label_are_left_out_and_counted():
    known = [1, 1, 2, None, float("nan"), pd.NA]
    found = compare_labels(known, [0, 0, 1, 1, 1, 2])
    assert (found.n_labelled, found.classes, found.all_texts.ari) == (3, (1, 2), 1.0)
    assert found.majority(1) == (2, 1.0)
    label, share = found.majority(2)
    assert label is None
    assert np.isnan(share)


def test_series_and_mixed_labels():
    assert compare_labels(pd.Series(["x", None, "y"]), [0, 1, 1]).n_labelled == 2
    assert compare_labels([1, "1", 1], [0, 1, 0]).classes == (1, "1")


def test_all_noise_has_no_scores_of_clusters():
    found = compare_labels(["a", "b"], [-1, -1])
    assert found.clustered is None
    assert found.contingency.shape == (2, 0)


def test_what_cannot_be_compared():
    with pytest.raises(UsageError, match="3 known labels for 2"):
        compare_labels(["a", "b", "c"], [0, 1])
    with pytest.raises(UsageError, match="none of the texts"):
        compare_labels([None, None], [0, 1])
    with pytest.raises(UsageError, match="one for each text"):
        compare_labels([["a"], ["b"]], [0, 1])


def test_mteb_leaves_out_texts_without_a_label():
    X, labels = blobs((60, 60))
    some = mteb_clustering(X, [None] * 10 + labels[10:].tolist(), n_experiments=1, sample_size=200)
    assert some == mteb_clustering(X[10:], labels[10:], n_experiments=1, sample_size=200)


def test_mteb_protocol_is_perfect_on_clusters_apart_and_repeatable():
    X, labels = blobs((60, 60, 60))
    found = mteb_clustering(X, labels, n_experiments=3, sample_size=300)
    assert found == mteb_clustering(X, labels, n_experiments=3, sample_size=300)
    assert found.v_measure == pytest.approx(1.0)
    assert len(found.scores) == 3
    rng = np.random.default_rng(0)
    assert (
        mteb_clustering(X, rng.permutation(labels), n_experiments=2, sample_size=300).v_measure
        < 0.1
    )
    with pytest.raises(UsageError):
        mteb_clustering(X, labels[:-1])
