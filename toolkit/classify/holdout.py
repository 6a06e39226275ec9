"""Splits that go on where classes are rare: held-out parts and folds, by class, group or time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.classify.labels import one_column
from toolkit.classify.splitting import Splits, make_splitter, named
from toolkit.embedding.texts import is_missing
from toolkit.errors import DataError, UsageError

__all__ = ["as_times", "folds", "held_out", "rarity_notes"]

RARE = 5
_NOTHING_TO_TEST = (
    "none of the {} rows can be kept back for a test: every class has a single row. Label more rows"
)


def held_out(
    y: NDArray[Any],
    *,
    test_size: float = 0.2,
    groups: NDArray[np.int64] | None = None,
    times: NDArray[np.float64] | None = None,
    random_state: int | None = 0,
) -> Splits:
    """Return one split: rows to learn from, and rows kept back.

    Without groups and times every class keeps back its share, at least one row where it has two;
    a class of a single row is learned and not tested. With groups whole groups are kept back.
    With times the latest rows are: rows of one moment are never divided.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels.
    test_size : float, default=0.2
        Share of the rows to keep back, between 0 and 1.
    groups, times : ndarray of shape (n,), optional
        As :func:`~toolkit.classify.labels.as_groups` and :func:`as_times` return them.
    random_state : int or None, default=0
        Seed.

    Returns
    -------
    list of one (train, test)
        Positions, sorted.

    Raises
    ------
    DataError
        If nothing is left on one side.
    UsageError
        If the share is no share.

    Examples
    --------
    >>> y = np.array(["a"] * 5 + ["b"])
    >>> [(train, test)] = held_out(y)
    >>> len(train), y[test].tolist()
    (5, ['a'])
    """
    if not 0 < test_size < 1:
        raise UsageError(f"test_size={test_size} is not a share; give one between 0 and 1")
    rng = np.random.default_rng(random_state)
    if times is not None:
        test = times >= _moment(times, 1 - test_size)
    elif groups is not None:
        n_groups = len(np.unique(groups))
        parts = min(n_groups, max(2, round(1 / test_size)))
        test = np.zeros(len(y), dtype=bool)
        test[_group_folds(y, groups, parts, random_state)[0][1]] = True
    else:
        test = np.zeros(len(y), dtype=bool)
        for label in np.unique(y):
            rows = rng.permutation(np.flatnonzero(y == label))
            count = round(test_size * len(rows))
            test[rows[: min(max(count, 1), len(rows) - 1)]] = True
    return [_checked(y, np.flatnonzero(~test), np.flatnonzero(test))]


def folds(
    y: NDArray[Any],
    n_folds: int,
    *,
    groups: NDArray[np.int64] | None = None,
    times: NDArray[np.float64] | None = None,
    random_state: int | None = 0,
) -> Splits:
    """Return several splits in which every row that can be is tested once.

    The folds of :func:`~toolkit.classify.make_splitter`, which go on where classes are rare: a
    class with fewer rows than folds is tested in some of them. With times the folds are
    consecutive, each learns from all before it, and the earliest part is never tested.

    Parameters
    ----------
    y, groups, times, random_state
        As :func:`held_out`.
    n_folds : int
        How many.

    Examples
    --------
    >>> [y.tolist() for _, y in folds(np.array([0, 0, 1, 1]), 2)]
    [[1, 2], [0, 3]]
    >>> [(a.tolist(), b.tolist()) for a, b in
    ...  folds(np.array([0, 1, 0, 1, 0, 1]), 2, times=np.arange(6.0))]
    [([0, 1], [2, 3]), ([0, 1, 2, 3], [4, 5])]
    """
    everything = np.arange(len(y))
    if times is not None:
        moments = [_moment(times, k / (n_folds + 1)) for k in range(1, n_folds + 1)] + [np.inf]
        found = []
        for begin, end in pairwise(moments):
            train, test = everything[times < begin], everything[(times >= begin) & (times < end)]
            if len(test) and len(np.unique(y[train])) > 1:
                found.append((train, test))
        if not found:
            raise DataError("the times leave no earlier rows of two classes to learn from")
        return found
    if groups is not None:
        return _group_folds(y, groups, min(n_folds, len(np.unique(groups))), random_state)
    codes, counts = np.unique(y, return_inverse=True, return_counts=True)[1:]
    dealt = np.flatnonzero(counts[codes] > 1)  # a single row is learned from in every fold
    if not len(dealt):
        raise DataError(_NOTHING_TO_TEST.format(len(y)))
    splitter = make_splitter(min(n_folds, int(counts.max())), random_state=random_state)
    with warnings.catch_warnings():  # rarity_notes says which classes are rare
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        tests = [dealt[test] for _, test in splitter.split(np.zeros((len(dealt), 1)), codes[dealt])]
    return [_checked(y, np.setdiff1d(everything, test), test) for test in tests]


def _group_folds(
    y: NDArray[Any], groups: NDArray[np.int64], parts: int, random_state: int | None
) -> Splits:
    if parts < 2:
        raise DataError(
            f"these {len(y)} rows are of one group: there is nothing to test on; leave the groups "
            "out, or find rows of others"
        )
    # scikit-learn's splitter refuses when every class has fewer rows than parts, and warns when
    # one has; classes are only its means to balance, so rare ones are pooled.
    codes = np.unique(y, return_inverse=True)[1]
    counts = np.bincount(codes)
    pooled = np.where(counts[codes] < parts, -1, codes)
    if (pooled == -1).sum() < parts:
        pooled[pooled == -1] = counts.argmax()
    splitter = make_splitter(parts, grouped=True, random_state=random_state)
    return [_checked(y, a, b) for a, b in splitter.split(np.zeros((len(y), 1)), pooled, groups)]


def _moment(times: NDArray[np.float64], share: float) -> float:
    """Return the time at or after which rows are later than this share of them."""
    ordered = np.sort(times)
    moment = float(ordered[min(int(share * len(times)), len(times) - 1)])
    if moment == ordered[0]:  # else nothing would be earlier
        later = ordered[ordered > moment]
        if not len(later):
            raise DataError("all rows are of one time: there is no past to learn from")
        moment = float(later[0])
    return moment


def _checked(
    y: NDArray[Any], train: NDArray[np.intp], test: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    if not len(test):
        raise DataError(_NOTHING_TO_TEST.format(len(y)))
    learned = len(np.unique(y[train]))
    if learned < 2:
        raise DataError(
            f"the {len(train)} rows to learn from have {learned} class, where two are needed; "
            "keep fewer rows back, or split in another way"
        )
    return train, test


def rarity_notes(y: NDArray[Any], splits: Splits) -> list[str]:
    """Return what cannot be estimated, in sentences.

    Examples
    --------
    >>> y = np.array(["a"] * 6 + ["b"])
    >>> rarity_notes(y, held_out(y))
    ["1 class has fewer than 5 rows ('b'): a score of its own would say nothing.", \
"1 class is never tested ('b'): how well it is recognised is not known."]
    """
    classes, counts = np.unique(y, return_counts=True)
    notes = []
    few = classes[counts < RARE]
    if len(few):
        notes.append(
            f"{_classes(len(few))} fewer than {RARE} rows ({named(few)}): a score of "
            f"{'its' if len(few) == 1 else 'their'} own would say nothing."
        )
    tested = np.unique(np.concatenate([y[test] for _, test in splits]))
    untested = np.setdiff1d(classes, tested)
    if len(untested):
        verb = "class is" if len(untested) == 1 else "classes are"
        notes.append(
            f"{len(untested)} {verb} never tested ({named(untested)}): how well "
            f"{'it is' if len(untested) == 1 else 'they are'} recognised is not known."
        )
    return notes


def _classes(count: int) -> str:
    return "1 class has" if count == 1 else f"{count} classes have"


def as_times(times: ArrayLike | Sequence[Any] | None, n_rows: int) -> NDArray[np.float64] | None:
    """Return times as numbers that order the rows, or None.

    Parameters
    ----------
    times : array-like of shape (n_rows,), optional
        All numbers (years, seconds...), or all dates: ``datetime`` objects or ISO 8601 texts.
        A date without a zone is taken as UTC.
    n_rows : int
        Number of rows.

    Raises
    ------
    DataError
        If a time is missing or cannot be read.

    Examples
    --------
    >>> as_times(["2024-02-01", "2023-12-31T23:00"], 2).argsort().tolist()
    [1, 0]
    >>> as_times(["2019", "2021"], 2).tolist()
    [2019.0, 2021.0]
    """
    if times is None:
        return None
    column = one_column(times, n_rows, "times")
    missing = [i for i, value in enumerate(column) if is_missing(value) or str(value).strip() == ""]
    if missing:
        raise DataError(
            f"{len(missing)} of {n_rows} times are missing (the first at position {missing[0]}); "
            "fill them in, or leave these rows out"
        )
    try:
        numbers = np.array([float(value) for value in column])
    except (TypeError, ValueError):
        return np.array([_instant(value, at) for at, value in enumerate(column)])
    if not np.isfinite(numbers).all():
        raise DataError("the times hold infinite numbers")
    return numbers


def _instant(value: Any, at: int) -> float:
    try:
        found = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise DataError(
            f"the time {str(value)!r} at position {at} is neither a number nor an ISO date such "
            "as 2024-05-31 or 2024-05-31T17:00"
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
