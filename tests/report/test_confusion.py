from __future__ import annotations

import numpy as np
import pytest

from toolkit.report.confusion import confusion_table, top_mistakes


def _counts(n: int, wrong: int = 2) -> np.ndarray:
    counts = np.diag(np.full(n, 10))
    counts[np.arange(n), (np.arange(n) + 1) % n] = wrong
    return counts


def test_cells_hold_counts_shades_and_words():
    table = confusion_table(np.array([[8, 2, 0], [0, 1, 0], [0, 0, 0]]), ["a", "b", "never"])
    first, second, empty = table.rows
    assert [cell.count for cell in first] == [8, 2, 0]
    assert [cell.right for cell in first] == [True, False, False]
    assert first[1].title == "given a, predicted b: 2 of 10 (20%)"
    assert first[2].title == ""
    assert [cell.shade for cell in first] == [7, 2, 0]
    assert second[1].shade == 9
    assert {cell.count for cell in empty} == {0}
    assert not table.dense


def test_the_smallest_share_is_still_visible():
    counts = np.array([[999, 1], [0, 5]])
    assert confusion_table(counts, ["a", "b"]).rows[0][1].shade == 1


@pytest.mark.parametrize(("n", "dense"), [(17, False), (77, True)])
def test_all_classes_up_to_a_hundred_are_shown(n: int, dense: bool):
    table = confusion_table(_counts(n), list(range(n)))
    assert (len(table.rows), len(table.rows[0]), table.left_out) == (n, n, 0)
    assert table.dense is dense


def test_beyond_that_those_with_most_errors_are_kept_in_their_order():
    counts = np.diag(np.full(150, 10))
    counts[120, 3] = counts[140, 3] = 5
    table = confusion_table(counts, [f"c{i}" for i in range(150)], most_classes=3)
    assert table.labels == ["c3", "c120", "c140"]
    assert table.left_out == 147
    assert table.rows[1][0].count == 5


def test_mistakes_by_how_often_then_by_share():
    counts = np.array([[90, 3, 0], [3, 7, 1], [0, 0, 5]])
    found = [(m.given, m.predicted, m.count) for m in top_mistakes(counts, ["a", "b", "c"])]
    assert found == [("b", "a", 3), ("a", "b", 3), ("b", "c", 1)]
    assert top_mistakes(counts, ["a", "b", "c"], n=1)[0].share == pytest.approx(3 / 11)
    assert top_mistakes(np.diag([3, 4]), ["a", "b"]) == []
