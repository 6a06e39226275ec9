"""Honest scores of label sets: what a classifier does on rows it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from toolkit.classify.multilabel.metrics import SET_METRICS, measure_sets
from toolkit.classify.splitting import Splits
from toolkit.classify.validation import Score, quiet_fitting, take_rows
from toolkit.errors import DataError

__all__ = ["SetValidation", "cross_validate_sets", "score_frequent_set"]


@dataclass(frozen=True, eq=False)
class SetValidation:
    """What cross-validation of one classifier gave.

    Parameters
    ----------
    scores : dict of str to Score
        By metric, those of :data:`~toolkit.classify.multilabel.metrics.SET_METRICS`.
    predicted : ndarray of shape (n, n_labels), bool
        The labels predicted for each row by the model of the first fold that tested it.
    probabilities : ndarray of shape (n, n_labels)
        The probabilities behind them.
    fold : ndarray of shape (n,), int
        Number of that fold, -1 for rows that no fold tested.
    """

    scores: dict[str, Score]
    predicted: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    fold: NDArray[np.int64]

    @property
    def tested(self) -> NDArray[np.bool_]:
        """Which rows were tested, shape (n,)."""
        return self.fold >= 0


def cross_validate_sets(
    X: Any,
    Y: NDArray[np.bool_],
    classifier: BaseEstimator | Sequence[BaseEstimator],
    splits: Splits,
    *,
    n_jobs: int | None = None,
) -> SetValidation:
    """Score a classifier of label sets on rows it has not seen.

    Parameters
    ----------
    X : ndarray of shape (n, d) or sequence of n texts
        What the classifier takes.
    Y : ndarray of shape (n, n_labels), bool
        Labels.
    classifier : estimator or sequence of estimators
        Its ``predict`` returns an indicator matrix. Cloned for every fold; of a sequence, each
        fold has its own.
    splits : sequence of (train, test)
        Positions.
    n_jobs : int, optional
        Folds at once, as in joblib.

    Returns
    -------
    SetValidation

    Raises
    ------
    DataError
        If the classifier cannot be fitted on a fold.

    Examples
    --------
    >>> from toolkit.classify.multilabel.estimator import LabelSetClassifier
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [0.7, 0.7]] * 10)
    >>> Y = X > 0.5
    >>> splits = [(np.arange(21), np.arange(21, 30))]
    >>> cross_validate_sets(X, Y, LabelSetClassifier(), splits).scores["micro_f1"].mean
    1.0
    """
    several = isinstance(classifier, list | tuple)
    models = list(classifier) if several else [classifier] * len(splits)
    results = Parallel(n_jobs=n_jobs)(
        delayed(_one_fold)(X, Y, model, train, test, number)
        for number, (model, (train, test)) in enumerate(zip(models, splits, strict=True), start=1)
    )
    return _collect(Y, splits, results)


def score_frequent_set(Y: NDArray[np.bool_], splits: Splits) -> SetValidation:
    """Score always answering the label set that is most frequent in the training rows.

    Examples
    --------
    >>> Y = np.array([[1, 0], [1, 0], [0, 1], [1, 0]], dtype=bool)
    >>> found = score_frequent_set(Y, [(np.arange(3), np.arange(3, 4))])
    >>> found.scores["subset_accuracy"].mean
    1.0
    """
    results = []
    for train, test in splits:
        sets, counts = np.unique(Y[train], axis=0, return_counts=True)
        answer, rates = sets[counts.argmax()], Y[train].mean(axis=0)
        results.append((np.tile(answer, (len(test), 1)), np.tile(rates, (len(test), 1))))
    return _collect(Y, splits, results)


def _collect(
    Y: NDArray[np.bool_],
    splits: Splits,
    results: Sequence[tuple[NDArray[np.bool_], NDArray[np.float64]]],
) -> SetValidation:
    predicted = np.zeros(Y.shape, dtype=bool)
    probabilities = np.zeros(Y.shape)
    fold = np.full(len(Y), -1, dtype=np.int64)
    scores: dict[str, list[float]] = {name: [] for name in SET_METRICS}
    for number, ((_, test), (answers, chances)) in enumerate(zip(splits, results, strict=True)):
        first = fold[test] < 0
        rows = test[first]
        predicted[rows], probabilities[rows], fold[rows] = answers[first], chances[first], number
        for name, value in measure_sets(Y[test], answers, chances).items():
            scores[name].append(value)
    found = {name: Score(tuple(values)) for name, values in scores.items()}
    return SetValidation(found, predicted, probabilities, fold)


def _one_fold(
    X: Any,
    Y: NDArray[np.bool_],
    classifier: BaseEstimator,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    number: int,
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    with quiet_fitting(X):
        try:
            model = clone(classifier).fit(take_rows(X, train), Y[train])
            rows = take_rows(X, test)
            return np.asarray(model.predict(rows), dtype=bool), model.predict_proba(rows)
        except ValueError as error:
            raise DataError(f"in fold {number}, of {len(train)} training rows: {error}") from error
