from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cluster.examples import blobs, worded_texts
from toolkit.cluster import (
    apply_decisions,
    examine_labels,
    load_clustering,
    reuse_clustering,
    save_clustering,
)
from toolkit.errors import DataError, UsageError
from toolkit.report import ClusterReport

X, KNOWN = blobs((20, 30, 10))
TEXTS = worded_texts(KNOWN)


def test_labels_of_any_kind_become_clusters_by_size() -> None:
    words = np.array(["sea", "hill", "kitchen"], dtype=object)[KNOWN]
    words[:2] = None
    found = examine_labels(TEXTS, X, words)
    assert found.names == ["hill", "sea", "kitchen"]
    assert np.bincount(found.labels + 1).tolist() == [2, 30, 18, 10]
    assert found.provenance["given_labels"] == ["hill", "sea", "kitchen"]
    assert found.provenance["clusterer"] == "labels given by the user"
    assert found.stability is None
    assert (found.predict(X[20:50]) == 0).all()
    for numbers in (KNOWN * 10**12 + 7, pd.Series(KNOWN + 7.0, index=range(100, 160))):
        again = examine_labels(TEXTS, X, numbers, names={8: "Hills"})
        assert np.bincount(again.labels).tolist() == [30, 20, 10]
    assert again.names[0] == "Hills"
    assert again.provenance["given_labels"] == ["8", "7", "9"]
    gaps = pd.Series(KNOWN).where(KNOWN != 2)  # floats, with NaN
    assert examine_labels(TEXTS, X, gaps).provenance["given_labels"] == ["1", "0"]


def test_they_are_reported_edited_saved_and_asked_for_new_texts(tmp_path: Path) -> None:
    found = examine_labels(TEXTS, X, [f"group {n}" for n in KNOWN])
    page = ClusterReport(found).to_html()
    assert "labels given by the user" in page
    assert json.loads(ClusterReport(found).to_json())
    assert "group 1" in page
    years = [2000 + i % 9 for i in range(60)]
    assert examine_labels(TEXTS, X, KNOWN, times=years).over_time is not None
    edited = apply_decisions(found, X, {"format": 1, "decisions": [{"merge": [1, 2]}]})
    assert edited.n_clusters == 2
    folder = save_clustering(found, tmp_path / "given")
    np.testing.assert_array_equal(load_clustering(folder).predict(X), found.labels)
    again = reuse_clustering(folder, TEXTS, X)
    assert again.names == found.names
    np.testing.assert_array_equal(again.labels, found.labels)


def test_what_cannot_be_examined_is_refused() -> None:
    with pytest.raises(UsageError, match="60 texts, 60 vectors and 5 labels"):
        examine_labels(TEXTS, X, KNOWN[:5])
    with pytest.raises(UsageError, match="one dimension"):
        examine_labels(TEXTS, X, np.c_[KNOWN, KNOWN])
    with pytest.raises(DataError, match="no text is in a cluster"):
        examine_labels(TEXTS, X, [None] * 60)
