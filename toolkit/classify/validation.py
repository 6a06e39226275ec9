"""Honest scores: what a classifier does on rows it has not seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from warnings import catch_warnings, filterwarnings

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, f1_score, recall_score
from threadpoolctl import threadpool_limits

from toolkit.classify.multilabel.metrics import measure_sets
from toolkit.classify.splitting import Splits
from toolkit.errors import DataError

__all__ = [
    "METRICS",
    "Score",
    "Validation",
    "cross_validate_matrix",
    "fit_classifier",
    "measure",
    "quiet_fitting",
    "take_rows",
]

METRICS = ("accuracy", "macro_f1", "weighted_f1", "balanced_accuracy")
"""What is measured on every fold, where a text has one label.

Balanced accuracy is the mean recall of the classes among the test rows; macro F1 also counts
classes that were only predicted.
"""

ONE_THREAD_BELOW = 4_000_000
"""Matrices of fewer values are fitted with one BLAS thread.

The threads cost more than they bring there: five fits on 615 x 768 took 0.3 s with one, and 2 to
40 s with two on a machine whose other core was busy.
"""


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

    def text(self) -> str:
        """Return the mean, and ± the deviation if there are several folds.

        Examples
        --------
        >>> Score((0.7, 0.8)).text(), Score((0.7,)).text()
        ('0.750 ± 0.071', '0.700')
        """
        return f"{self.mean:.3f}" + (f" ± {self.sd:.3f}" if len(self.folds) > 1 else "")

    def to_dict(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return {"mean": self.mean, "sd": self.sd, "folds": list(self.folds)}


@dataclass(frozen=True, eq=False)
class Validation:
    """What cross-validation of one classifier gave.

    Parameters
    ----------
    scores : dict of str to Score
        By metric, those of :data:`METRICS`, or for label sets those of
        :data:`~toolkit.classify.multilabel.metrics.SET_METRICS`.
    predicted : ndarray of shape (n,), or (n, n_labels) of bool
        The label, or set of labels, predicted for each row by the model of the first fold that
        had it among its test rows.
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

    def wrong(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which of the tested rows are predicted otherwise than ``y``, shape (n,)."""
        differs = self.predicted != y
        found: NDArray[np.bool_] = self.tested & (
            differs.any(axis=1) if differs.ndim == 2 else differs
        )
        return found


def cross_validate_matrix(
    X: Any,
    y: NDArray[Any],
    classifier: BaseEstimator | Sequence[BaseEstimator],
    splits: Splits,
    *,
    n_jobs: int | None = None,
) -> Validation:
    """Score a classifier on rows it has not seen.

    Parameters
    ----------
    X : ndarray of shape (n, d) or sequence of n texts
        What the classifier takes.
    y : ndarray of shape (n,), or (n, n_labels) of bool
        Labels, or label sets.
    classifier : estimator or sequence of estimators
        Cloned for every fold; of a sequence, each fold has its own.
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
    >>> from toolkit.classify.splitting import make_splits, make_splitter
    >>> X = np.array([[-1.0], [1.0]] * 6)
    >>> y = np.array(["no", "yes"] * 6, dtype=object)
    >>> splits, notes = make_splits(make_splitter(3), y)
    >>> cross_validate_matrix(X, y, LogisticRegression(), splits).scores["accuracy"].mean
    1.0
    """
    classes = None if y.ndim == 2 else np.unique(y)
    several = isinstance(classifier, list | tuple)
    models = list(classifier) if several else [classifier] * len(splits)
    results = Parallel(n_jobs=n_jobs)(
        delayed(_one_fold)(X, y, model, train, test, classes, number)
        for number, (model, (train, test)) in enumerate(zip(models, splits, strict=True), start=1)
    )
    predicted = np.zeros(y.shape, dtype=y.dtype)
    fold = np.full(len(y), -1, dtype=np.int64)
    with_probabilities = all(result[1] is not None for result in results)
    width = y.shape[1] if classes is None else len(classes)
    probabilities = np.zeros((len(y), width)) if with_probabilities else None
    scores: dict[str, list[float]] = defaultdict(list)
    for number, ((_, test), (labels, proba)) in enumerate(zip(splits, results, strict=True)):
        first = fold[test] < 0
        rows = test[first]
        predicted[rows] = labels[first]
        fold[rows] = number
        if probabilities is not None and proba is not None:
            probabilities[rows] = proba[first]
        for name, value in measure(y[test], labels, proba).items():
            scores[name].append(value)
    return Validation(
        {name: Score(tuple(values)) for name, values in scores.items()},
        predicted,
        probabilities,
        fold,
    )


def measure(
    given: NDArray[Any],
    predicted: NDArray[Any],
    probabilities: NDArray[np.float64] | None = None,
) -> dict[str, float]:
    """Return every metric of :data:`METRICS`, or of label sets those of ``SET_METRICS``.

    Examples
    --------
    >>> found = measure(np.array(["a", "a", "a", "b"]), np.array(["a", "a", "a", "a"]))
    >>> found["accuracy"], found["balanced_accuracy"]
    (0.75, 0.5)
    """
    if given.ndim == 2:
        ranks = predicted.astype(np.float64) if probabilities is None else probabilities
        return measure_sets(given, predicted, ranks)
    # scikit-learn's balanced_accuracy_score warns of labels that are only predicted.
    recall = recall_score(
        given, predicted, labels=np.unique(given), average="macro", zero_division=0
    )
    return {
        "accuracy": float(accuracy_score(given, predicted)),
        "macro_f1": float(f1_score(given, predicted, average="macro", zero_division=0)),
        "weighted_f1": float(f1_score(given, predicted, average="weighted", zero_division=0)),
        "balanced_accuracy": float(recall),
    }


def fit_classifier(classifier: BaseEstimator, X: Any, y: NDArray[Any]) -> BaseEstimator:
    """Return the classifier, fitted on all rows the way the folds were."""
    with quiet_fitting(X):
        fitted: BaseEstimator = classifier.fit(X, y)
    return fitted


@contextmanager
def quiet_fitting(X: Any) -> Iterator[None]:
    """Fit and predict in this: as many threads as the matrix deserves, and no idle warnings."""
    small = getattr(X, "size", 0) < ONE_THREAD_BELOW
    with threadpool_limits(limits=1 if small else None, user_api="blas"), catch_warnings():
        # NearestCentroid says this of every word that is in all texts of a class or in none.
        filterwarnings("ignore", message="self.within_class_std_dev_ has at least 1 zero")
        # Few rows of many classes are still a classification.
        filterwarnings("ignore", message="The number of unique classes is greater than 50%")
        # NearestCentroid divides by them, for deviations that only its shrinking would use.
        filterwarnings("ignore", category=RuntimeWarning, module=r"sklearn\.neighbors")
        yield


def _one_fold(
    X: Any,
    y: NDArray[Any],
    classifier: BaseEstimator,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    classes: NDArray[Any] | None,
    number: int,
) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
    with quiet_fitting(X):
        try:
            model = clone(classifier).fit(take_rows(X, train), y[train])
        except ValueError as error:
            raise DataError(
                f"{type(classifier).__name__} could not be fitted on the {len(train)} training "
                f"rows of fold {number}: {error}"
            ) from error
        rows = take_rows(X, test)
        try:
            labels = np.asarray(model.predict(rows), dtype=y.dtype)
        except ValueError as error:  # more neighbours than rows is found out only here
            raise DataError(
                f"{type(classifier).__name__}, fitted on the {len(train)} training rows of fold "
                f"{number}, could not predict: {error}"
            ) from error
        if not hasattr(model, "predict_proba"):
            return labels, None
        if classes is None:
            return labels, model.predict_proba(rows)
        aligned = np.zeros((len(test), len(classes)))
        aligned[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(rows)
    return labels, aligned


def take_rows(X: Any, rows: NDArray[np.intp]) -> Any:
    """Return some rows of a matrix or of a sequence of texts."""
    return X[rows] if isinstance(X, np.ndarray) else [X[i] for i in rows]
