"""What stands behind a score: calibration, what more labels would buy, and neighbours of errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from toolkit.classify.splitting import Splits
from toolkit.classify.validation import Score, Validation, cross_validate_matrix
from toolkit.errors import DataError

__all__ = [
    "CalibrationBin",
    "LearningPoint",
    "Neighbours",
    "calibration_curve",
    "calibration_error",
    "learning_curve",
    "nearest_training_rows",
]

FRACTIONS = (0.1, 0.2, 0.4, 0.7, 1.0)
MOST_SPLITS = 3
MOST_VALUES = 8_000_000
"""Above this many values of the matrix the curve would cost more than the training itself."""

TUNED_TIMES = 4
"""A classifier of label sets is fitted this often: once, and in three folds for its thresholds."""


@dataclass(frozen=True)
class CalibrationBin:
    """Texts whose predicted label had about the same probability.

    Parameters
    ----------
    low, high : float
        The probabilities it holds, the upper one not.
    count : int
        Texts.
    probability : float
        Their mean probability.
    accuracy : float
        Share of them that is right.
    """

    low: float
    high: float
    count: int
    probability: float
    accuracy: float


@dataclass(frozen=True)
class LearningPoint:
    """The score of a model that learned from fewer rows.

    Parameters
    ----------
    rows : int
        How many it learned from, on average over the splits.
    scores : dict of str to Score
        By metric, on the same test rows as all others.
    """

    rows: int
    scores: dict[str, Score]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest training row of each wrongly predicted one.

    Parameters
    ----------
    row : ndarray of shape (n,), int
        Its position; -1 for rows that were predicted rightly or not at all.
    similarity : ndarray of shape (n,)
        Cosine; NaN there.
    """

    row: NDArray[np.int64]
    similarity: NDArray[np.float64]


def calibration_curve(
    probability: ArrayLike, right: ArrayLike, *, n_bins: int = 10
) -> list[CalibrationBin]:
    """Return how often predictions of each probability are right, in bins of equal width.

    Parameters
    ----------
    probability : array-like of shape (n,)
        Of the predicted labels.
    right : array-like of shape (n,), bool
        Whether they are right.
    n_bins : int, default=10
        Bins from 0 to 1; empty ones are left out.

    Examples
    --------
    >>> [(b.count, b.accuracy) for b in calibration_curve([0.95, 0.91, 0.52], [1, 1, 0])]
    [(1, 0.0), (2, 1.0)]
    """
    p, ok = np.asarray(probability, dtype=np.float64), np.asarray(right, dtype=bool)
    place = np.clip((p * n_bins).astype(np.int64), 0, n_bins - 1)
    found = []
    for k in np.unique(place):
        inside = place == k
        found.append(
            CalibrationBin(
                k / n_bins,
                (k + 1) / n_bins,
                int(inside.sum()),
                float(p[inside].mean()),
                float(ok[inside].mean()),
            )
        )
    return found


def calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """Return the expected calibration error (Naeini et al. 2015): the mean gap, by text.

    Examples
    --------
    >>> calibration_error([CalibrationBin(0.5, 0.6, 3, 0.55, 0.75)])
    0.2
    """
    total = sum(b.count for b in bins)
    gaps = sum(b.count * abs(b.accuracy - b.probability) for b in bins)
    return round(gaps / total, 12) if total else float("nan")


def learning_curve(
    X: NDArray[Any],
    y: NDArray[Any],
    models: Sequence[BaseEstimator],
    splits: Splits,
    *,
    random_state: int | None = 0,
) -> list[LearningPoint]:
    """Score models that learn from a part of the training rows, on all test rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Vectors.
    y : ndarray of shape (n,), or (n, n_labels) of bool
        Labels, or label sets.
    models : sequence of estimators
        One for each split, unfitted.
    splits : sequence of (train, test)
        Positions; the first three are used.
    random_state : int or None, default=0
        Seed of the parts, each of which contains the smaller ones.

    Returns
    -------
    list of LearningPoint
        Fewest rows first; parts that cannot be learned from are left out, and all of it where
        the matrix is so large that the curve would cost more than it tells.

    Examples
    --------
    >>> from toolkit.classify.classifiers import make_classifier
    >>> X = np.array([[-1.0, 0.0], [1.0, 0.0]] * 30)
    >>> y = np.array([0, 1] * 30)
    >>> points = learning_curve(X, y, [make_classifier()], [(np.arange(40), np.arange(40, 60))])
    >>> [point.rows for point in points], points[-1].scores["accuracy"].mean
    ([4, 8, 16, 28, 40], 1.0)
    """
    if X.size * (1 if y.ndim == 1 else TUNED_TIMES) > MOST_VALUES:
        return []
    rng = np.random.default_rng(random_state)
    used = list(splits)[:MOST_SPLITS]
    orders = [rng.permutation(train) for train, _ in used]
    points = []
    for fraction in FRACTIONS:
        part = [
            (np.sort(order[: round(fraction * len(order))]), test)
            for order, (_, test) in zip(orders, used, strict=True)
        ]
        if any(not len(train) or (y[train] == y[train[0]]).all() for train, _ in part):
            continue
        try:
            found = cross_validate_matrix(X, y, list(models)[: len(used)], part).scores
        except DataError:  # too few rows for its neighbours or its calibration
            continue
        rows = round(float(np.mean([len(train) for train, _ in part])))
        points.append(LearningPoint(rows, found))
    return points


def nearest_training_rows(
    X: NDArray[Any], y: NDArray[Any], validation: Validation, splits: Splits
) -> Neighbours:
    """Return, for each wrong prediction, the row nearest to it that its model had learned from.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]])
    >>> y = np.array(["a", "b", "b"])
    >>> found = Validation({}, np.array(["a", "b", "a"]), None, np.array([-1, -1, 0]))
    >>> nearest = nearest_training_rows(X, y, found, [(np.array([0, 1]), np.array([2]))])
    >>> nearest.row.tolist(), float(nearest.similarity[2])
    ([-1, -1, 0], 0.8)
    """
    row = np.full(len(y), -1, dtype=np.int64)
    similarity = np.full(len(y), np.nan)
    norms = np.linalg.norm(X, axis=1)
    norms[norms == 0] = 1
    for number, (train, _) in enumerate(splits):
        wrong = np.flatnonzero((validation.fold == number) & validation.wrong(y))
        for begin in range(0, len(wrong), 256):
            some = wrong[begin : begin + 256]
            cosine = (X[some] @ X[train].T) / norms[train]
            best = cosine.argmax(axis=1)
            row[some] = train[best]
            similarity[some] = cosine[np.arange(len(some)), best] / norms[some]
    return Neighbours(row, similarity)
