"""How rows are divided to compare candidates, and which candidate each part chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from toolkit.classify.holdout import folds, held_out
from toolkit.classify.splitting import Splits
from toolkit.classify.trials import Selection, Trial, run_trials
from toolkit.errors import DataError
from toolkit.typography import counted

__all__ = ["RowDivider", "beginning", "choose"]

INNER_FOLDS = 5
SINGLE_SPLIT_ABOVE = 5000
"""Above this many rows one split tells candidates apart: its standard error is below 0.016."""


class RowDivider:
    """The rows, and how they may be divided.

    Parameters
    ----------
    y : ndarray of shape (n,)
        What is balanced: labels.
    groups, times : ndarray of shape (n,), optional
        As :func:`~toolkit.classify.labels.as_groups` and
        :func:`~toolkit.classify.holdout.as_times` return them.
    test_size : float
        Share that is held out.
    random_state : int or None
        Seed.
    """

    def __init__(
        self,
        y: NDArray[Any],
        groups: NDArray[np.int64] | None,
        times: NDArray[np.float64] | None,
        test_size: float,
        random_state: int | None,
    ) -> None:
        self.y = y
        self.groups = groups
        self.times = times
        self.test_size = test_size
        self.random_state = random_state

    def _of(self, rows: NDArray[np.intp]) -> dict[str, Any]:
        return {
            "groups": None if self.groups is None else self.groups[rows],
            "times": None if self.times is None else self.times[rows],
            "random_state": self.random_state,
        }

    def held_out(self, rows: NDArray[np.intp]) -> Splits:
        """Return one split of some rows."""
        found = held_out(self.y[rows], test_size=self.test_size, **self._of(rows))
        return [(rows[a], rows[b]) for a, b in found]

    def folds(self, rows: NDArray[np.intp], count: int) -> Splits:
        """Return several splits of some rows."""
        return [(rows[a], rows[b]) for a, b in folds(self.y[rows], count, **self._of(rows))]

    def inner(self, rows: NDArray[np.intp]) -> Splits:
        """Return the splits of some rows that the candidates are compared on."""
        if len(rows) > SINGLE_SPLIT_ABOVE or self.times is not None:
            return self.held_out(rows)
        if self.groups is not None and len(np.unique(self.groups[rows])) < 2:
            raise DataError(
                f"the {counted(len(rows), 'row')} to compare classifiers on are of one group: of "
                f"the {counted(len(np.unique(self.groups)), 'group')}, the others are held out. "
                "Give one classifier (--classifier), or rows of more groups"
            )
        return self.folds(rows, INNER_FOLDS)

    def describe(self, n_folds: int | None) -> str:
        """Return the outer splits in words; None where one part is held out."""
        by = "by class"
        if self.groups is not None:
            by = "whole groups, balanced by class"
        elif self.times is not None:
            by = "each later than what it was learned from"
        if n_folds is None:
            return f"{self.test_size:.0%} held out, {by} (random_state={self.random_state})"
        return f"{n_folds} folds, {by} (random_state={self.random_state})"


def choose(
    X: NDArray[Any],
    y: NDArray[Any],
    rows: RowDivider,
    candidates: Mapping[str, BaseEstimator],
    outer: Splits,
    *,
    metric: str,
    cv: int | None,
    n_jobs: int | None = None,
    say: Callable[[str], None] | None = None,
) -> tuple[Selection | None, list[BaseEstimator]]:
    """Choose among candidates for all rows, and for each outer split by its training rows alone.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Vectors.
    y : ndarray of shape (n,) or (n, n_labels)
        Labels.
    rows : RowDivider
        Divides the rows that the candidates are compared on.
    candidates : mapping of str to estimator
        Unfitted.
    outer : sequence of (train, test)
        What the choice will be scored on.
    metric : str
        What decides.
    cv : int or None
        Number of outer folds, None where one part is held out.
    n_jobs : int, optional
        Folds at once.
    say : callable, optional
        Told how long it will take.

    Returns
    -------
    selection : Selection or None
        None for a single candidate.
    models : list of estimator
        What each outer split chose.
    """
    if len(candidates) == 1:
        return None, list(candidates.values()) * len(outer)

    def trials(positions: NDArray[np.intp]) -> tuple[list[Trial], str, Splits]:
        inner = rows.inner(positions)
        found, best = run_trials(X, y, candidates, inner, metric=metric, n_jobs=n_jobs)
        return found, best, inner

    if cv is None:
        [(train, _)] = outer
        found, best, inner = trials(train)
        words = _words(inner, len(train), "the rows not held out")
        selection = Selection(metric, tuple(found), best, words)
        return selection, [candidates[best]]
    picks: list[str] = []
    for number, (train, _) in enumerate(outer):
        found, best, _ = trials(train)
        picks.append(best)
        if number == 0 and say is not None:
            # The first fold is a good measure of the others; all rows at the end are a bit more.
            seconds = sum(trial.seconds for trial in found) * len(outer)
            say(f"Nested validation: about {_duration(seconds)} more for {len(outer)} folds.")
    everything = np.arange(len(y))
    found, best, inner = trials(everything)
    words = _words(inner, len(everything), "all rows")
    selection = Selection(metric, tuple(found), best, words, tuple(picks))
    return selection, [candidates[name] for name in picks]


def beginning(
    rows: int, classes: str, source: str | None, n_folds: int | None, test_size: float
) -> str:
    """Return what a training is about to do; ``n_folds`` is None where one part is held out.

    Examples
    --------
    >>> beginning(1200, "3 classes", "reviews.csv", None, 0.2)
    '1,200 texts of 3 classes from reviews.csv; 20% held out.'
    """
    where = f" from {source}" if source else ""
    how = f"{n_folds} folds" if n_folds else f"{test_size:.0%} held out"
    return f"{counted(rows, 'text')} of {classes}{where}; {how}."


def _words(splits: Splits, count: int, what: str) -> str:
    tested = sum(len(test) for _, test in splits)
    if len(splits) == 1:
        return f"{tested:,} of the {count:,} of {what}"
    return f"{len(splits)} folds of {what}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} minutes"
