from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import (
    StratifiedGroupKFold,
    StratifiedKFold,
)

from tests.classify.examples import FixedSplits
from toolkit.classify.splitting import make_splits, make_splitter
from toolkit.errors import DataError, UsageError


def test_default_splitter_is_the_one_the_figures_are_published_for():
    assert repr(make_splitter()) == repr(StratifiedKFold(5, shuffle=True, random_state=0))
    grouped = make_splitter(grouped=True)
    assert repr(grouped) == repr(StratifiedGroupKFold(5, shuffle=True, random_state=0))


@pytest.mark.parametrize("cv", [1, 0, True, "5", 2.5, [1, 2]])
def test_what_is_no_splitter_is_refused(cv: object):
    with pytest.raises(UsageError, match="cv"):
        make_splitter(cv)  # type: ignore[arg-type]


def test_classes_with_too_few_rows_are_named_with_counts_and_the_way_out():
    y = np.array(["big"] * 20 + ["rare"] * 3 + ["rarer"] * 2, dtype=object)
    with pytest.raises(DataError) as caught:
        make_splits(make_splitter(), y)
    message = str(caught.value)
    assert "2 of 3 classes have fewer than 5 rows" in message
    assert "'rarer' (2), 'rare' (3)" in message
    assert "cv=2" in message
    assert "merge" in message


def test_a_class_with_one_row_is_not_told_to_use_one_fold():
    y = np.array(["big"] * 20 + ["single"], dtype=object)
    with pytest.raises(DataError, match=r"'single' \(1\)") as caught:
        make_splits(make_splitter(), y)
    assert "cv=1" not in str(caught.value)


def test_groups_stay_on_one_side():
    rng = np.random.default_rng(0)
    y = np.array(["a", "b"] * 50, dtype=object)
    groups = rng.integers(0, 12, size=100)
    splits, _ = make_splits(make_splitter(grouped=True), y, groups)
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(100))


def test_a_class_whose_rows_share_one_group_is_named():
    y = np.array(["a", "b"] * 20 + ["alone"] * 10, dtype=object)
    groups = np.array(list(range(40)) + [99] * 10)
    with pytest.raises(DataError, match="1 of 3 classes have all their rows in one group: 'alone'"):
        make_splits(make_splitter(grouped=True), y, groups)


def test_fewer_groups_than_folds():
    y = np.array(["a", "b"] * 20, dtype=object)
    groups = np.array([0, 0, 1, 1, 2, 2, 2, 2] * 5)
    with pytest.raises(DataError, match="3 groups for 5 folds; use cv=3"):
        make_splits(make_splitter(grouped=True), y, groups)


def test_a_training_fold_of_one_class_is_refused():
    y = np.array(["a", "b", "c"] * 30, dtype=object)
    of_a = np.flatnonzero(y == "a")
    with pytest.raises(DataError, match="fold 1 have fewer than two classes"):
        make_splits(FixedSplits([(of_a, np.flatnonzero(y != "a"))]), y)
