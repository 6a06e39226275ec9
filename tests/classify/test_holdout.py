from __future__ import annotations

import numpy as np
import pytest

from toolkit.classify.holdout import as_times, folds, held_out, rarity_notes
from toolkit.classify.splitting import make_splits, make_splitter
from toolkit.errors import DataError, UsageError

Y = np.array(["a"] * 10 + ["b"] * 3 + ["c"] * 2 + ["d"], dtype=object)


def test_each_class_keeps_back_its_share_and_a_single_row_is_learned():
    [(train, test)] = held_out(Y)
    assert sorted([*train, *test]) == list(range(16))
    assert {label: int((Y[test] == label).sum()) for label in "abcd"} == {
        "a": 2, "b": 1, "c": 1, "d": 0,
    }  # fmt: skip
    notes = rarity_notes(Y, [(train, test)])
    assert notes[0].startswith("3 classes have fewer than 5 rows ('b', 'c', 'd')")
    assert "1 class is never tested ('d')" in notes[1]


def test_splits_repeat_with_their_seed():
    first, again, other = (held_out(Y, random_state=seed)[0][1].tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_folds_test_every_row_that_can_be_once():
    found = folds(Y, 5)
    tested = np.concatenate([test for _, test in found])
    assert sorted(tested) == list(range(15))
    for train, test in found:
        assert not set(train) & set(test)
        assert set(Y[test]) <= set(Y[train])


def test_folds_are_those_of_a_single_classifier_and_of_the_published_figures():
    rng = np.random.default_rng(0)
    y, groups = rng.choice(["a", "b", "c"], 90), rng.integers(0, 20, 90)
    for beside in (None, groups):
        splitter = make_splitter(4, grouped=beside is not None, random_state=3)
        wanted, _ = make_splits(splitter, y, beside)
        found = folds(y, 4, groups=beside, random_state=3)
        assert [test.tolist() for _, test in found] == [test.tolist() for _, test in wanted]


def test_more_folds_than_any_class_has_rows():
    found = folds(np.array(["a", "a", "b", "b", "b", "c"]), 5)
    assert sorted(np.concatenate([test for _, test in found])) == [0, 1, 2, 3, 4]
    with pytest.raises(DataError, match="every class has a single row"):
        folds(np.array(["a", "b"]), 2)


@pytest.mark.parametrize("nested", [False, True])
def test_groups_stay_whole_even_where_classes_are_rare(nested: bool):
    groups = np.arange(16) // 3
    for train, test in folds(Y, 4, groups=groups) if nested else held_out(Y, groups=groups):
        assert not set(groups[train]) & set(groups[test])


@pytest.mark.parametrize("nested", [False, True])
def test_times_learn_from_the_past_and_divide_no_moment(nested: bool):
    rng = np.random.default_rng(0)
    times = rng.integers(0, 8, 40).astype(float)
    y = rng.choice(["a", "b"], 40)
    found = folds(y, 3, times=times) if nested else held_out(y, times=times)
    for train, test in found:
        assert times[train].max() < times[test].min()


def test_what_cannot_be_split_is_said():
    with pytest.raises(DataError, match="every class has a single row"):
        held_out(np.array(["a", "b"]))
    with pytest.raises(DataError, match="all rows are of one time"):
        held_out(Y, times=np.zeros(16))
    with pytest.raises(DataError, match="these 16 rows are of one group"):
        held_out(Y, groups=np.zeros(16, dtype=np.int64))
    with pytest.raises(UsageError, match="not a share"):
        held_out(Y, test_size=1.5)


def test_times_are_numbers_or_dates():
    assert as_times(None, 3) is None
    zoned = as_times(["2024-01-01T00:00+02:00", "2023-12-31T22:30"], 2)
    assert zoned is not None
    assert zoned[0] < zoned[1]
    with pytest.raises(DataError, match="'soon' at position 1 is neither"):
        as_times(["2024-01-01", "soon"], 2)
    with pytest.raises(DataError, match="1 of 2 times are missing"):
        as_times(["2024-01-01", ""], 2)
