"""A classifier for several labels: one yes or no for each, each with a threshold of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from toolkit.classify.classifiers import make_classifier
from toolkit.classify.holdout import folds
from toolkit.classify.multilabel.label_sets import as_label_sets, rarest_labels
from toolkit.errors import DataError, UsageError

__all__ = ["LabelSetClassifier", "best_threshold"]

TUNED = "tuned"
ENOUGH = 10
"""With fewer rows a label's own best threshold is chance; it takes the one that is best for all."""

LIMITS = (0.05, 0.95)


class LabelSetClassifier(ClassifierMixin, BaseEstimator):
    """Decide for each label by itself whether a text has it.

    A copy of the estimator is fitted for each label (one that can do several labels by itself is
    fitted once). With ``threshold="tuned"`` each label is given from the probability on that is
    best for its F1, found on training rows that the model making the probability had not seen: a
    rare label is hardly ever more probable than a half.

    Parameters
    ----------
    estimator : estimator, optional
        A classifier with ``predict_proba``. Default ``LogisticRegression(C=10, max_iter=2000)``.
    threshold : "tuned" or float, default="tuned"
        From which probability on a label is given: found for each, or one for all.
    labels : sequence of str, optional
        Names of the columns of an indicator matrix; a list of label sets brings its own.
    cv : int, default=3
        Folds that tune the thresholds.
    random_state : int or None, default=0
        Seed of these folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_labels,)
        The labels, in the order of the columns.
    thresholds_ : ndarray of shape (n_labels,)
        From which probability on each is given.
    estimators_ : list
        A fitted estimator for each label, None for one that had too few rows to learn, or rows
        without it; or a single one for all.
    rates_ : ndarray of shape (n_labels,)
        Share of the training rows that have each label.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [0.7, 0.7], [0.0, 0.0]] * 5)
    >>> y = [["sea"], ["land"], ["sea", "land"], []] * 5
    >>> clf = LabelSetClassifier().fit(X, y)
    >>> clf.classes_.tolist(), clf.predict(X[:4]).tolist()
    (['land', 'sea'], [[0, 1], [1, 0], [1, 1], [0, 0]])
    >>> clf.predict_sets(X[:4])
    [('sea',), ('land',), ('land', 'sea'), ()]
    """

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        threshold: str | float = TUNED,
        labels: Sequence[str] | None = None,
        cv: int = 3,
        random_state: int | None = 0,
    ) -> None:
        self.estimator = estimator
        self.threshold = threshold
        self.labels = labels
        self.cv = cv
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Learn the labels, and from which probability on each is given.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Vectors.
        y : indicator matrix of shape (n, n_labels), or sequence of n collections of labels
            The labels of each row.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If labels are missing, or a label cannot be learned.
        UsageError
            If the estimator has no probabilities, or a parameter is out of range.
        """
        if y is None:
            raise ValueError("LabelSetClassifier requires y to be passed, but the target y is None")
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32])
        sets = as_label_sets(y, X.shape[0])
        Y = sets.Y
        self.classes_ = self._names(sets.labels)
        model = make_classifier(self.estimator)
        if not hasattr(model, "predict_proba"):
            raise UsageError(
                f"{type(model).__name__} has no probabilities, which several labels need; use "
                "'logistic_regression' or 'linear_svm'"
            )
        if self.threshold != TUNED and not (
            isinstance(self.threshold, int | float) and 0 <= self.threshold <= 1
        ):
            raise UsageError(
                f"threshold={self.threshold!r} must be 'tuned' or a probability from 0 to 1"
            )
        self.rates_ = Y.mean(axis=0)
        if self.threshold == TUNED:
            self.thresholds_ = self._tune(model, X, Y)
        else:
            self.thresholds_ = np.full(Y.shape[1], float(self.threshold))
        self.estimators_ = _fit(model, X, Y, self.classes_)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of every label, shape (n, n_labels); rows do not sum to 1."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        return _probabilities(self.estimators_, X, self.rates_)

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return an indicator matrix of shape (n, n_labels)."""
        found: NDArray[np.int64] = (self.predict_proba(X) >= self.thresholds_).astype(np.int64)
        return found

    def predict_sets(self, X: Any) -> list[tuple[Any, ...]]:
        """Return the labels of each row; none where no label is probable enough."""
        return [tuple(self.classes_[np.flatnonzero(row)].tolist()) for row in self.predict(X)]

    def _names(self, found: NDArray[Any]) -> NDArray[Any]:
        if self.labels is None:
            return found
        if len(self.labels) != len(found):
            raise UsageError(
                f"labels names {len(self.labels)} labels, and y has {len(found)} columns"
            )
        return np.array([str(label) for label in self.labels], dtype=object)

    def _tune(self, model: BaseEstimator, X: Any, Y: NDArray[np.bool_]) -> NDArray[np.float64]:
        half = np.full(Y.shape[1], 0.5)
        try:
            splits = folds(rarest_labels(Y), self.cv, random_state=self.random_state)
        except DataError:  # too few rows to keep some back
            return half
        out_of_fold = np.zeros(Y.shape)
        tested = np.zeros(len(Y), dtype=bool)
        for train, test in splits:
            models = _fit(model, X[train], Y[train], self.classes_)
            out_of_fold[test] = _probabilities(models, X[test], Y[train].mean(axis=0))
            tested[test] = True
        given, chances = Y[tested], out_of_fold[tested]
        thresholds = np.full(Y.shape[1], best_threshold(given.ravel(), chances.ravel()))
        for j in np.flatnonzero(given.sum(axis=0) >= ENOUGH):
            thresholds[j] = best_threshold(given[:, j], chances[:, j])
        return thresholds

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        tags.input_tags.sparse = True
        return tags


def best_threshold(given: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> float:
    """Return the probability from which on F1 is best, between 0.05 and 0.95.

    Half way between two probabilities that occur; the highest of equals.

    Examples
    --------
    >>> best_threshold(np.array([1, 1, 0, 0], dtype=bool), np.array([0.5, 0.3, 0.2, 0.1]))
    0.25
    """
    if not given.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    hits = np.cumsum(given[order])
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + given.sum())
    last = np.append(ranked[1:] < ranked[:-1], True)  # equal ones are given together or not at all
    best = int(np.flatnonzero(last)[f1[last].argmax()])
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float(np.clip((ranked[best] + below) / 2, *LIMITS))


def _fit(
    model: BaseEstimator, X: Any, Y: NDArray[np.bool_], labels: NDArray[Any]
) -> list[BaseEstimator | None]:
    if get_tags(model).classifier_tags.multi_label:
        return [clone(model).fit(X, Y.astype(np.int64))]
    folds_inside = getattr(model, "cv", None)
    least = max(2, folds_inside) if isinstance(folds_inside, int) else 2
    found: list[BaseEstimator | None] = []
    for j, column in enumerate(Y.T):
        if min(int(column.sum()), int((~column).sum())) < least:
            found.append(None)
            continue
        try:
            found.append(clone(model).fit(X, column.astype(np.int64)))
        except ValueError as error:
            raise DataError(
                f"{type(model).__name__} could not learn the label {str(labels[j])!r}: {error}"
            ) from error
    return found


def _probabilities(
    models: Sequence[BaseEstimator | None], X: Any, rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    chances = np.tile(np.asarray(rates, dtype=np.float64), (X.shape[0], 1))
    if len(models) < len(rates):  # one for all labels
        [model] = models
        assert model is not None  # noqa: S101 - only single labels are left out
        found = model.predict_proba(X)
        if not isinstance(found, list):
            return np.asarray(found, dtype=np.float64)
        for j, shares in enumerate(found):
            if shares.shape[1] == 2:  # else all training rows were the same in this label
                chances[:, j] = shares[:, 1]
        return chances
    for j, model in enumerate(models):
        if model is not None:
            chances[:, j] = model.predict_proba(X)[:, 1]
    return chances
