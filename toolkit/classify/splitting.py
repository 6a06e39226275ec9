"""How rows are split into training and test rows, checked before anything costs time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from toolkit.errors import DataError, UsageError

__all__ = ["Splits", "Splitter", "make_splits", "make_splitter", "named"]

_SHOWN = 8


class Splitter(Protocol):
    """What scikit-learn calls a cross-validation splitter."""

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the positions of training and of test rows."""
        ...


Splits = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]


def make_splitter(
    cv: int | Splitter | None = None, *, grouped: bool = False, random_state: int | None = 0
) -> Splitter:
    """Return the splitter to use.

    Parameters
    ----------
    cv : int or splitter, optional
        Number of folds (default 5), or any scikit-learn splitter, returned as it is.
    grouped : bool, default=False
        Whether rows of one group must stay on one side.
    random_state : int or None, default=0
        Seed of the shuffling.

    Returns
    -------
    splitter
        ``StratifiedKFold`` or, for groups, ``StratifiedGroupKFold``; both shuffle.

    Raises
    ------
    UsageError
        If ``cv`` is neither.

    Examples
    --------
    >>> make_splitter()
    StratifiedKFold(n_splits=5, random_state=0, shuffle=True)
    >>> make_splitter(3, grouped=True)
    StratifiedGroupKFold(n_splits=3, random_state=0, shuffle=True)
    """
    if cv is not None and not isinstance(cv, int | np.integer):
        if isinstance(cv, str) or not hasattr(cv, "split"):
            raise UsageError(f"cv must be a number of folds or a scikit-learn splitter, not {cv!r}")
        return cv
    n_splits = 5 if cv is None else int(cv)
    if n_splits < 2 or isinstance(cv, bool):
        raise UsageError(f"cv={cv} folds: at least 2 are needed, one to test and one to train on")
    kind = StratifiedGroupKFold if grouped else StratifiedKFold
    splitter: Splitter = kind(n_splits, shuffle=True, random_state=random_state)
    return splitter


def make_splits(
    splitter: Splitter, y: NDArray[Any], groups: NDArray[np.int64] | None = None
) -> tuple[Splits, list[str]]:
    """Return the splits, checked, and what a reader of the scores should know about them.

    Parameters
    ----------
    splitter : splitter
        As :func:`make_splitter` returns it.
    y : ndarray of shape (n,)
        Labels.
    groups : ndarray of shape (n,), optional
        Group of each row.

    Returns
    -------
    splits : list of (train, test)
        Positions.
    notes : list of str
        For example classes that a fold could not have learned.

    Raises
    ------
    DataError
        If classes have fewer rows than there are folds, or all rows in one group.
    """
    n_splits = getattr(splitter, "n_splits", None)
    if isinstance(splitter, StratifiedKFold | StratifiedGroupKFold) and n_splits is not None:
        _check_counts(y, int(n_splits), groups)
    try:
        splits = list(splitter.split(np.zeros((len(y), 1)), y, groups))
    except ValueError as error:
        raise DataError(f"{splitter} cannot split these {len(y)} rows: {error}") from error
    notes = []
    for number, (train, test) in enumerate(splits, start=1):
        learned = np.unique(y[train])
        if len(learned) < 2:
            raise DataError(
                f"the training rows of fold {number} have fewer than two classes; use fewer "
                "folds, or another splitter"
            )
        unseen = np.setdiff1d(y[test], learned)
        if len(unseen):
            rows = int(np.isin(y[test], unseen).sum())
            notes.append(
                f"Fold {number} had no training row of {named(unseen)}: its {rows} test rows "
                "of them count as errors."
            )
    untested = len(y) - len(np.unique(np.concatenate([test for _, test in splits])))
    if untested:
        notes.append(f"{untested} of {len(y)} rows are in no test fold and have no prediction.")
    return splits, notes


def _check_counts(y: NDArray[Any], n_splits: int, groups: NDArray[np.int64] | None) -> None:
    classes, counts = np.unique(y, return_counts=True)
    rare = counts < n_splits
    if rare.any():
        least = int(counts.min())
        advice = f"use fewer folds (cv={least}), " if least >= 2 else ""
        raise DataError(
            f"{int(rare.sum())} of {len(classes)} classes have fewer than {n_splits} rows, so "
            f"that {n_splits} folds cannot test each: {_counted(classes[rare], counts[rare])}. "
            f"Label more rows of them, {advice}merge them into another class, or leave them out"
        )
    if groups is None:
        return
    spread = np.array([len(np.unique(groups[y == label])) for label in classes])
    if (spread < 2).any():
        raise DataError(
            f"{int((spread < 2).sum())} of {len(classes)} classes have all their rows in one "
            f"group: {named(classes[spread < 2])}. They can never be in training and test rows "
            "at once; leave them out of the evaluation or find rows of other groups"
        )
    n_groups = len(np.unique(groups))
    if n_groups < n_splits:
        raise DataError(f"there are {n_groups} groups for {n_splits} folds; use cv={n_groups}")


def _counted(classes: NDArray[Any], counts: NDArray[np.int64]) -> str:
    order = np.argsort(counts, kind="stable")
    shown = ", ".join(f"{str(classes[i])!r} ({counts[i]})" for i in order[:_SHOWN])
    return shown + (f" and {len(order) - _SHOWN} more" if len(order) > _SHOWN else "")


def named(classes: Sequence[object] | NDArray[Any]) -> str:
    """Return the first few classes, as a part of a sentence."""
    shown = ", ".join(repr(str(label)) for label in classes[:_SHOWN])
    return shown + (f" and {len(classes) - _SHOWN} more" if len(classes) > _SHOWN else "")
