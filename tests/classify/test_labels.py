from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from toolkit.classify.labels import as_groups, as_labels, plain
from toolkit.errors import DataError

YES_NO = ["yes", "no", "yes"]


@pytest.mark.parametrize(
    "labels",
    [
        YES_NO,
        tuple(YES_NO),
        np.array(YES_NO),
        np.array(YES_NO, dtype=object),
        np.array(YES_NO).reshape(-1, 1),
        pd.Series(YES_NO, index=[7, 3, 5]),
        pd.Series(YES_NO, dtype="category"),
        pd.Series(YES_NO, dtype="string"),
        pd.DataFrame({"label": YES_NO}, index=[7, 3, 5]),
        pl.DataFrame({"label": YES_NO}),
        pl.Series(YES_NO),
        pl.Series(YES_NO, dtype=pl.Categorical),
    ],
    ids=lambda value: type(value).__module__.partition(".")[0] + "." + type(value).__name__,
)
def test_strings_from_any_container(labels: object):
    result = as_labels(labels, 3)  # type: ignore[arg-type]
    assert result.tolist() == YES_NO
    assert result.dtype == object
    assert {type(label) for label in result} == {str}


def test_numbers_and_booleans_keep_their_kind():
    assert as_labels(np.array([2, 1, 2], dtype=np.int8), 3).dtype == np.int64
    assert as_labels([2.0, 1.0, 2.0], 3).tolist() == [2, 1, 2]
    assert as_labels([True, False, True], 3).dtype == bool


@pytest.mark.parametrize("hole", [None, float("nan"), pd.NA, pd.NaT, "", "  "])
def test_missing_and_empty_labels_are_counted_with_their_positions(hole: object):
    with pytest.raises(DataError, match=r"2 of 4 labels are missing or empty \(positions 1, 3\)"):
        as_labels(["a", hole, "b", hole], 4)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["a"], "3 texts and 1 labels"),
        ("abc", "not a single str"),
        (["a", "a", "a"], "all 3 rows have the label 'a'"),
        ([0.1, 0.2, 0.1], "fractions"),
        (["a", 1, "b"], r"mixed types \(int, str\)"),
        (pd.to_datetime(["2026-01-01"] * 3), "of type Timestamp; turn them all"),
        ([["a", "b"], ["a"], []], "position 0 is a list"),
        (np.eye(3), r"shape \(3, 3\)"),
        (pd.DataFrame({"a": [1, 2, 3], "b": [1, 2, 3]}), r"shape \(3, 2\)"),
    ],
)
def test_what_cannot_be_a_target_says_why(labels: object, says: str):
    with pytest.raises(DataError, match=says):
        as_labels(labels, 3)  # type: ignore[arg-type]


def test_a_column_of_identifiers_is_not_a_target():
    with pytest.raises(DataError, match="is this the right column"):
        as_labels([f"id-{i}" for i in range(40)], 40)


def test_no_rows_at_all():
    with pytest.raises(DataError, match="no rows to train on"):
        as_labels([], 0)


def test_groups_become_codes_and_must_be_whole():
    assert as_groups(pd.Series(["b", "a", "b"], index=[9, 8, 7]), 3).tolist() == [1, 0, 1]
    assert as_groups(None, 3) is None
    with pytest.raises(DataError, match=r"1 of 2 groups are missing \(positions 1\)"):
        as_groups(["a", None], 2)


def test_plain_takes_numpy_off():
    assert type(plain(np.int64(3))) is int
    assert plain("x") == "x"
