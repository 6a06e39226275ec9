"""Several classifiers tried on the same splits, and which one was chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from toolkit.classify.classifiers import make_classifier
from toolkit.classify.splitting import Splits
from toolkit.classify.validation import METRICS, Score, cross_validate_matrix
from toolkit.errors import DataError, UsageError

__all__ = [
    "STRENGTHS",
    "Selection",
    "Trial",
    "check_metric",
    "make_candidates",
    "run_trials",
    "with_class_weight",
]

STRENGTHS = (1, 3, 10, 30, 100)
"""Values of C that logistic regression is tried with: the larger, the closer to the rows."""


@dataclass(frozen=True)
class Trial:
    """One classifier that was tried.

    Parameters
    ----------
    name : str
        What it is called among the candidates.
    scores : dict of str to Score
        By metric; empty if it failed.
    seconds : float
        What it took.
    failure : str or None
        Why it could not be fitted.
    """

    name: str
    scores: dict[str, Score]
    seconds: float
    failure: str | None = None


@dataclass(frozen=True)
class Selection:
    """How a classifier was chosen among several.

    Parameters
    ----------
    metric : str
        What decided.
    trials : tuple of Trial
        In the order they were given.
    chosen : str
        Name of the best one; the first of equals.
    splits : str
        What the trials were scored on, in words.
    picks : tuple of str
        What each outer fold of a nested validation chose; empty when held out.
    """

    metric: str
    trials: tuple[Trial, ...]
    chosen: str
    splits: str
    picks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return {
            "metric": self.metric,
            "chosen": self.chosen,
            "splits": self.splits,
            "picks": list(self.picks),
            "trials": [
                {
                    "name": trial.name,
                    "scores": {k: score.to_dict() for k, score in trial.scores.items()},
                    "seconds": trial.seconds,
                    "failure": trial.failure,
                }
                for trial in self.trials
            ],
        }

    def ranked(self) -> list[Trial]:
        """Return the trials, the best first and those that failed last."""
        return sorted(
            self.trials, key=lambda t: -t.scores[self.metric].mean if t.scores else np.inf
        )

    def lines(self) -> list[str]:
        """Return the comparison as lines of plain text."""
        width = max(len(trial.name) for trial in self.trials)
        found = [f"Chosen by {self.metric} on {self.splits}:"]
        for trial in self.ranked():
            mark = "*" if trial.name == self.chosen else " "
            what = trial.scores[self.metric].text() if trial.scores else f"failed: {trial.failure}"
            found.append(f"{mark} {trial.name:{width}}  {what}")
        if self.picks:
            counts = Counter(self.picks).most_common()
            found.append(
                "The folds of the validation chose "
                + ", ".join(f"{name} ({count})" for name, count in counts)
                + "."
            )
        return found


def make_candidates(
    classifiers: Sequence[str | BaseEstimator] | Mapping[str, BaseEstimator] | None = None,
    *,
    class_weight: str | Mapping[Any, float] | None = None,
    random_state: int | None = 0,
) -> dict[str, BaseEstimator]:
    """Return the classifiers to compare, by name.

    Parameters
    ----------
    classifiers : sequence of str or estimator, or mapping of str to estimator, optional
        As :func:`~toolkit.classify.classifiers.make_classifier` takes them. Default: logistic
        regression with each C of :data:`STRENGTHS`, a linear SVM, nearest neighbours and nearest
        centroid.
    class_weight : "balanced" or mapping, optional
        Given to those that take it. Of classifiers that were asked for, each must.
    random_state : int or None, default=0
        Seed of those made here.

    Raises
    ------
    UsageError
        If one is not a classifier or takes no class weight, or none is given.

    Examples
    --------
    >>> list(make_candidates())[:2], len(make_candidates())
    (['logistic_regression C=1', 'logistic_regression C=3'], 8)
    >>> make_candidates(["knn"])["knn"].n_neighbors
    10
    """
    found: dict[str, BaseEstimator] = {}
    if classifiers is None:
        for c in STRENGTHS:
            found[f"logistic_regression C={c}"] = LogisticRegression(C=c, max_iter=2000)
        for name in ("linear_svm", "knn", "nearest_centroid"):
            found[name] = make_classifier(name, random_state=random_state)
        return {name: with_class_weight(model, class_weight) for name, model in found.items()}
    pairs: list[tuple[str, str | BaseEstimator]]
    if isinstance(classifiers, Mapping):
        pairs = list(classifiers.items())
    else:
        pairs = [(c if isinstance(c, str) else " ".join(repr(c).split()), c) for c in classifiers]
    if not pairs:
        raise UsageError("there is no classifier to train; give one, or none for the standard ones")
    for name, given in pairs:
        made = make_classifier(given, random_state=random_state)
        found[name] = with_class_weight(made, class_weight, required=True)
    return found


def with_class_weight(
    classifier: BaseEstimator, class_weight: Any, *, required: bool = False
) -> BaseEstimator:
    """Set the class weight of a classifier, or of the one that is calibrated.

    Raises
    ------
    UsageError
        If it takes none, and must.

    Examples
    --------
    >>> with_class_weight(make_classifier(), "balanced").class_weight
    'balanced'
    """
    if class_weight is None:
        return classifier
    parameters = classifier.get_params()
    for name in ("class_weight", "estimator__class_weight"):
        if name in parameters:
            classifier.set_params(**{name: class_weight})
            return classifier
    if required:
        raise UsageError(
            f"{type(classifier).__name__} takes no class weight; leave it out, or use "
            "logistic_regression or linear_svm"
        )
    return classifier


def check_metric(metric: str, known: Sequence[str] = METRICS) -> str:
    """Return the metric's name if it is one of those known.

    Raises
    ------
    UsageError
        If it is unknown.
    """
    if metric not in known:
        raise UsageError(f"the metric is one of {', '.join(known)}, not {metric!r}")
    return metric


def run_trials(
    X: NDArray[Any],
    y: NDArray[Any],
    candidates: Mapping[str, BaseEstimator],
    splits: Splits,
    *,
    metric: str = "accuracy",
    n_jobs: int | None = None,
) -> tuple[list[Trial], str]:
    """Score every candidate on the same splits.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Vectors.
    y : ndarray of shape (n,), or (n, n_labels) of bool
        Labels, or label sets.
    candidates : mapping of str to estimator
        Unfitted.
    splits : sequence of (train, test)
        Positions.
    metric : str, default="accuracy"
        What decides.
    n_jobs : int, optional
        Folds at once.

    Returns
    -------
    trials : list of Trial
        In the order of the candidates.
    chosen : str
        Name of the best.

    Raises
    ------
    DataError
        If none of them can be fitted.

    Examples
    --------
    >>> X = np.array([[-1.0], [1.0]] * 6)
    >>> y = np.array(["no", "yes"] * 6, dtype=object)
    >>> splits = [(np.arange(6), np.arange(6, 12))]
    >>> candidates = make_candidates(["nearest_centroid", "sklearn.dummy.DummyClassifier"])
    >>> run_trials(X, y, candidates, splits)[1]
    'nearest_centroid'
    """
    trials = []
    for name, model in candidates.items():
        begun = perf_counter()
        try:
            scores = cross_validate_matrix(X, y, model, splits, n_jobs=n_jobs).scores
        except DataError as error:  # too few rows for its neighbours or its calibration
            trials.append(Trial(name, {}, perf_counter() - begun, str(error)))
        else:
            trials.append(Trial(name, scores, perf_counter() - begun))
    able = [trial for trial in trials if trial.scores]
    if not able:
        raise DataError(f"no classifier could be fitted; {trials[0].name}: {trials[0].failure}")
    return trials, max(able, key=lambda trial: trial.scores[metric].mean).name
