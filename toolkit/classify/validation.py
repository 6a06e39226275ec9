"""Honest scores: how rows are split, and what a classifier does on rows it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from toolkit.errors import DataError, UsageError

__all__ = [
    "METRICS",
    "Score",
    "Splitter",
    "Validation",
    "cross_validate_matrix",
    "make_splits",
    "make_splitter",
]

METRICS = ("accuracy", "macro_f1")
"""What is measured on every fold."""

_SHOWN = 8
ONE_THREAD_BELOW = 4_000_000
"""Matrices of fewer values are fitted with one BLAS thread.

The threads cost more than they bring there: five fits on 615 x 768 took 0.3 s with one, and 2 to
40 s with two on a machine whose other core was busy.
"""


class Splitter(Protocol):
    """What scikit-learn calls a cross-validation splitter."""

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the positions of training and of test rows."""
        ...


Splits = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]


@dataclass(frozen=True)
class Score:
    """One metric over the folds.

    Parameters
    ----------
    folds : tuple of float
        The value on the test rows of each fold.

    Examples
    --------
    >>> score = Score((0.7, 0.8))
    >>> f"{score.mean:.2f} {score.sd:.3f}"
    '0.75 0.071'
    """

    folds: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the folds, unweighted."""
        return float(np.mean(self.folds))

    @property
    def sd(self) -> float:
        """Sample standard deviation over the folds (n - 1); 0 for a single fold."""
        return float(np.std(self.folds, ddof=1)) if len(self.folds) > 1 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return {"mean": self.mean, "sd": self.sd, "folds": list(self.folds)}


@dataclass(frozen=True, eq=False)
class Validation:
    """What cross-validation of one classifier gave.

    Parameters
    ----------
    scores : dict of str to Score
        By metric: ``"accuracy"`` and ``"macro_f1"``.
    predicted : ndarray of shape (n,)
        The label predicted for each row by the model of the first fold that had it among its test
        rows.
    probabilities : ndarray of shape (n, n_classes) or None
        The probabilities behind them, columns in the order of the sorted classes; None if the
        classifier has none. Zero for a class that was not in the training rows of the fold.
    fold : ndarray of shape (n,), int
        Number of that fold, -1 for rows that no fold tested.
    """

    scores: dict[str, Score]
    predicted: NDArray[Any]
    probabilities: NDArray[np.float64] | None
    fold: NDArray[np.int64]

    @property
    def tested(self) -> NDArray[np.bool_]:
        """Which rows were tested, shape (n,)."""
        return self.fold >= 0


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
                f"Fold {number} had no training row of {_names(unseen)}: its {rows} test rows "
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
            f"group: {_names(classes[spread < 2])}. They can never be in training and test rows "
            "at once; leave them out of the evaluation or find rows of other groups"
        )
    n_groups = len(np.unique(groups))
    if n_groups < n_splits:
        raise DataError(f"there are {n_groups} groups for {n_splits} folds; use cv={n_groups}")


def cross_validate_matrix(
    X: Any,
    y: NDArray[Any],
    classifier: BaseEstimator,
    splits: Splits,
    *,
    n_jobs: int | None = None,
) -> Validation:
    """Score a classifier on rows it has not seen.

    Parameters
    ----------
    X : ndarray of shape (n, d) or sequence of n texts
        What the classifier takes.
    y : ndarray of shape (n,)
        Labels.
    classifier : estimator
        Cloned for every fold.
    splits : sequence of (train, test)
        Positions.
    n_jobs : int, optional
        Folds at once, as in joblib.

    Returns
    -------
    Validation

    Raises
    ------
    DataError
        If the classifier cannot be fitted on a fold.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = np.array([[-1.0], [1.0]] * 6)
    >>> y = np.array(["no", "yes"] * 6, dtype=object)
    >>> splits, notes = make_splits(make_splitter(3), y)
    >>> cross_validate_matrix(X, y, LogisticRegression(), splits).scores["accuracy"].mean
    1.0
    """
    classes = np.unique(y)
    results = Parallel(n_jobs=n_jobs)(
        delayed(_one_fold)(X, y, classifier, train, test, classes, number)
        for number, (train, test) in enumerate(splits, start=1)
    )
    predicted = np.empty(len(y), dtype=y.dtype)
    fold = np.full(len(y), -1, dtype=np.int64)
    with_probabilities = all(result[1] is not None for result in results)
    probabilities = np.zeros((len(y), len(classes))) if with_probabilities else None
    scores: dict[str, list[float]] = {name: [] for name in METRICS}
    for number, ((_, test), (labels, proba)) in enumerate(zip(splits, results, strict=True)):
        first = fold[test] < 0
        rows = test[first]
        predicted[rows] = labels[first]
        fold[rows] = number
        if probabilities is not None and proba is not None:
            probabilities[rows] = proba[first]
        scores["accuracy"].append(float(accuracy_score(y[test], labels)))
        scores["macro_f1"].append(
            float(f1_score(y[test], labels, average="macro", zero_division=0))
        )
    return Validation(
        {name: Score(tuple(values)) for name, values in scores.items()},
        predicted,
        probabilities,
        fold,
    )


def _one_fold(
    X: Any,
    y: NDArray[Any],
    classifier: BaseEstimator,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    classes: NDArray[Any],
    number: int,
) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
    model = clone(classifier)
    small = getattr(X, "size", 0) < ONE_THREAD_BELOW
    with threadpool_limits(limits=1 if small else None, user_api="blas"):
        try:
            model.fit(_take(X, train), y[train])
        except ValueError as error:
            raise DataError(
                f"{type(classifier).__name__} could not be fitted on the {len(train)} training "
                f"rows of fold {number}: {error}"
            ) from error
        rows = _take(X, test)
        labels = np.asarray(model.predict(rows))
        if not hasattr(model, "predict_proba"):
            return labels, None
        aligned = np.zeros((len(test), len(classes)))
        aligned[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(rows)
    return labels, aligned


def _take(X: Any, rows: NDArray[np.intp]) -> Any:
    return X[rows] if isinstance(X, np.ndarray) else [X[i] for i in rows]


def _counted(classes: NDArray[Any], counts: NDArray[np.int64]) -> str:
    order = np.argsort(counts, kind="stable")
    shown = ", ".join(f"{str(classes[i])!r} ({counts[i]})" for i in order[:_SHOWN])
    return shown + (f" and {len(order) - _SHOWN} more" if len(order) > _SHOWN else "")


def _names(classes: NDArray[Any]) -> str:
    shown = ", ".join(repr(str(label)) for label in classes[:_SHOWN])
    return shown + (f" and {len(classes) - _SHOWN} more" if len(classes) > _SHOWN else "")
