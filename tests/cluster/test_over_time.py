from __future__ import annotations

import numpy as np
import pytest

from tests.cluster.examples import blobs, worded_texts
from toolkit.cluster import (
    apply_decisions,
    cluster_texts,
    clusters_over_time,
    reuse_clustering,
    save_clustering,
)
from toolkit.cluster.over_time import OverTime
from toolkit.errors import DataError, ToolkitWarning, UsageError


def told(time: OverTime) -> list[tuple[int, str, str]]:
    frame = time.to_frame()
    return [(row.cluster, row.period, row.words) for row in frame.itertuples() if row.words != ""]


def test_counts_by_cluster_and_noise():
    labels = np.array([0, 0, 1, -1, 0])
    found = clusters_over_time(["a"] * 5, labels, [2020, 2021, 2021, 2021, ""])
    assert found.counts == [[1, 1], [0, 1]]
    assert found.noise == [0, 1]
    assert found.totals == [1, 3]
    assert (found.unit, found.periods, found.undated) == ("year", ["2020", "2021"], 1)
    frame = found.to_frame()
    assert frame.cluster.tolist() == [0, 0, 1, 1, -1, -1]
    assert frame.texts.tolist() == [1, 1, 0, 1, 0, 1]
    assert frame.share.round(2).tolist() == [1.0, 0.33, 0.0, 0.33, 0.0, 0.33]
    assert set(frame.words) == {""}


def test_a_gap_has_no_share():
    found = clusters_over_time(["a", "b"], np.array([0, 0]), [2019, 2021]).to_frame()
    assert found.texts.tolist() == [1, 0, 1]
    assert found.share.isna().tolist() == [False, True, False]


def test_what_cannot_be_is_refused():
    one = np.zeros(2, dtype=np.intp)
    with pytest.raises(UsageError, match="1 times for 2 texts"):
        clusters_over_time(["a", "b"], one, [2020])
    with pytest.raises(UsageError, match="2 labels for 1 vectors or texts"):
        clusters_over_time(["a"], one, [2020])
    with pytest.raises(DataError, match=r"'%d/%m/%Y' \(day first\) or '%m/%d/%Y'"):
        clusters_over_time(["a", "b"], one, ["03/04/2024", None])


def dated() -> tuple[list[str], np.ndarray, list[str]]:
    """Return texts of which the largest cluster speaks of fog in the second of two months."""
    X, labels = blobs((60, 40, 20), spread=0.05)
    texts, times = worded_texts(labels), [f"2{i % 2 + 1}.0{i % 2 + 4}.2026" for i in range(120)]
    texts = [
        f"{text} fog" if label == 0 and i % 2 else text
        for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    return texts, X, times


def test_it_comes_with_the_clustering_from_the_same_count_of_words():
    texts, X, times = dated()
    given = {"n_clusters": 3, "stability": 0}
    result = cluster_texts(texts, X, times=times, time_format="%d.%m.%Y", **given)
    assert result.over_time is not None
    assert told(result.over_time) == [(0, "2026-05", "fog")]
    alone = clusters_over_time(texts, result.labels, times, time_format="%d.%m.%Y")
    assert alone.to_frame().equals(result.over_time.to_frame())
    silent = cluster_texts(
        texts, X, times=times, time_format="%d.%m.%Y", stop_words=["fog"], **given
    )
    assert told(silent.over_time) == []
    phrases = cluster_texts(
        texts, X, times=times, time_format="%d.%m.%Y", ngram_range=(2, 2), min_df=1, **given
    )
    assert all(" " in word for _, _, words in told(phrases.over_time) for word in words.split(", "))
    assert cluster_texts(texts, X, **given).over_time is None


def test_times_are_checked_before_the_work():
    texts, X, times = dated()
    with pytest.raises(UsageError, match="says how to read times; give them"):
        cluster_texts(texts, X, time_format="%d.%m.%Y", clusterer="no such")
    with pytest.raises(UsageError, match="119 times for 120 texts"):
        cluster_texts(texts, X, times=times[1:], clusterer="no such")
    with pytest.raises(DataError, match="day first"):
        cluster_texts(texts, X, times=times, clusterer="no such")


def test_edited_and_reused_clusters_are_followed(tmp_path):
    texts, X, times = dated()
    result = cluster_texts(texts, X, n_clusters=3, stability=0, times=times, time_format="%d.%m.%Y")
    decisions = {"format": 1, "decisions": [{"merge": [1, 2]}]}
    edited = apply_decisions(result, X, decisions)
    assert edited.over_time.counts == [[30, 30], [30, 30]]
    assert told(edited.over_time) == [(0, "2026-05", "fog")]
    folder = save_clustering(result, tmp_path / "saved")
    again = reuse_clustering(folder, texts, X, times=times, time_format="%d.%m.%Y")
    assert again.over_time.to_frame().equals(result.over_time.to_frame())
    assert reuse_clustering(folder, texts, X).over_time is None
    with pytest.warns(ToolkitWarning, match="60 of 120 times cannot be read"):
        half = reuse_clustering(folder, texts, X, times=times[::2] + ["2026-05-22"] * 60)
    assert half.over_time.undated == 60
