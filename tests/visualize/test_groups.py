from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.visualize.groups import dense_spot, make_groups
from toolkit.visualize.palette import NOISE

POINTS = np.random.default_rng(0).normal(size=(6, 2))


def test_noise_is_last_and_grey() -> None:
    codes, groups = make_groups([2, -1, 10, 2, -1, 10], POINTS, names={2: "two"})
    assert [(g.label, g.name, g.count, g.noise) for g in groups] == [
        (2, "two", 2, False),
        (10, "10", 2, False),
        (-1, "in no group", 2, True),
    ]
    assert codes.tolist() == [0, 2, 1, 0, 2, 1]
    assert groups[-1].color == NOISE
    assert NOISE not in [g.color for g in groups[:-1]]


@pytest.mark.parametrize(
    "labels",
    [
        ["b", None, "a", "b", float("nan"), "a"],
        np.array(["b", None, "a", "b", None, "a"], dtype=object),
        pd.Series(["b", None, "a", "b", None, "a"]),
        pd.Series(["b", pd.NA, "a", "b", pd.NA, "a"], dtype="string"),
        pd.Categorical(["b", None, "a", "b", None, "a"]),
    ],
)
def test_missing_labels_are_no_group(labels: object) -> None:
    codes, groups = make_groups(labels, POINTS)  # type: ignore[arg-type]
    assert [g.name for g in groups] == ["a", "b", "in no group"]
    assert codes.tolist() == [1, 2, 0, 1, 2, 0]


def test_kept_colours_and_other_noise() -> None:
    _, groups = make_groups(
        ["x", "out", "y"] * 2, POINTS, noise_label="out", colors={"x": "#123456"}
    )
    assert groups[0].color == "#123456"
    assert groups[2].noise
    _, named = make_groups([0, 1, 1] * 2, POINTS, names=["zero", "one"])
    assert [g.name for g in named] == ["zero", "one"]


def test_no_labels_is_one_group() -> None:
    codes, groups = make_groups(None, POINTS)
    assert codes.tolist() == [0] * 6
    assert groups[0].count == 6


def test_wrong_length() -> None:
    with pytest.raises(UsageError, match="2 labels for 6 texts"):
        make_groups([0, 1], POINTS)


def test_dense_spot_is_on_the_larger_island_not_between() -> None:
    rng = np.random.default_rng(0)
    islands = np.vstack([rng.normal(0, 1, size=(300, 2)), rng.normal(30, 1, size=(200, 2))])
    assert np.hypot(*dense_spot(islands)) < 2
    ring = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 6, 100)])
    assert np.hypot(*dense_spot(ring)) == pytest.approx(1)
    assert dense_spot(np.full((3, 2), 7.0)) == (7, 7)


def test_colors_may_be_named() -> None:
    points = np.arange(12.0).reshape(6, 2)
    _, groups = make_groups([0, 1, 2] * 2, points, colors={0: "teal", 1: "#F80", 2: "#3070AF"})
    assert [group.color for group in groups] == ["#008080", "#ff8800", "#3070af"]
    assert all(re.fullmatch("#[0-9a-f]{6}", group.dark_color) for group in groups)
    with pytest.raises(UsageError, match="'bluish' is no colour: give '#rrggbb' or a name"):
        make_groups([0, 1, 2] * 2, points, colors={0: "bluish"})


def test_whole_numbers_that_pandas_made_floats_of_have_names():
    _, groups = make_groups([0.0, 1.0, float("nan")], np.zeros((3, 2)), names=["sea", "hill"])
    assert [group.name for group in groups] == ["sea", "hill", "in no group"]
    _, groups = make_groups([0.0, 7.0, 1.5], np.zeros((3, 2)))
    assert [group.name for group in groups] == ["0", "1.5", "7"]


def test_labels_in_two_dimensions_are_refused():
    with pytest.raises(UsageError, match="one dimension"):
        make_groups(np.zeros((3, 2)), np.zeros((3, 2)))
