from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from tests.cluster.examples import blobs, worded_texts
from toolkit.cluster import (
    assess_quality,
    assess_stability,
    cluster_tree,
    cosine_silhouette,
    count_terms,
    describe_clusters,
    find_exemplars,
    sum_by_cluster,
)
from toolkit.cluster.geometry import order_by_size
from toolkit.errors import UsageError

X, LABELS = blobs((20, 15, 10))
TEXTS = worded_texts(LABELS)
ASKED = {
    "describe_clusters": lambda labels: describe_clusters(TEXTS, labels),
    "assess_quality": lambda labels: assess_quality(X, labels),
    "assess_stability": lambda labels: assess_stability(
        X, labels, KMeans(3, n_init=1), n_resamples=1, n_seeds=1
    ),
    "cosine_silhouette": lambda labels: cosine_silhouette(X, labels),
    "find_exemplars": lambda labels: find_exemplars(X, labels),
    "cluster_tree": lambda labels: cluster_tree(X, labels),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize(
    "labels",
    [LABELS.tolist(), pd.Series(LABELS, index=range(9, 54)), LABELS.astype(np.uint8)],
    ids=["list", "Series", "uint8"],
)
def test_labels_may_be_any_array_like(name, labels) -> None:
    assert str(ASKED[name](labels)) == str(ASKED[name](LABELS))


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS * 2, "cluster 1 of 0 to 4 is empty"),
        (LABELS * 10**12, "cluster 1 of 0 to 2000000000000 is empty"),
        (LABELS[:9], "there are 9 labels for 45"),
        ([f"c{n}" for n in LABELS], "integers from 0 up.*examine_labels"),
        (LABELS > 0, "integers from 0 up"),
        (np.c_[LABELS, LABELS], "one dimension"),
    ],
)
def test_labels_that_are_no_numbers_of_clusters_are_refused(name, labels, message) -> None:
    with pytest.raises(UsageError, match=message):
        ASKED[name](labels)


def test_sums_are_of_labels_with_gaps_too() -> None:
    counts = count_terms(TEXTS).counts
    assert sum_by_cluster(counts, (LABELS * 2).tolist()).shape == (5, counts.shape[1])
    with pytest.raises(UsageError, match="9 labels for 45"):
        sum_by_cluster(counts, LABELS[:9])


def test_numbers_by_size_need_no_room_for_large_ones() -> None:
    labels, old = order_by_size([10**15, 3, 3, -1])
    assert labels.tolist() == [1, 0, 0, -1]
    assert old.tolist() == [3, 10**15]


def test_texts_of_described_clusters_are_checked() -> None:
    frame = pd.DataFrame({"text": TEXTS})
    assert describe_clusters(frame, LABELS) == describe_clusters(TEXTS, LABELS)
