"""Standard classifiers by name, and any other by its import path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import signature
from typing import Any

from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.svm import LinearSVC

from toolkit.errors import UsageError

__all__ = [
    "CLASSIFIERS",
    "DEFAULT_CLASSIFIER",
    "describe_classifier",
    "make_classifier",
    "uncalibrated",
]

DEFAULT_CLASSIFIER = "logistic_regression"


def _logistic_regression(random_state: int | None) -> BaseEstimator:
    # The default C=1 regularises unit vectors strongly (their features are about 1/sqrt(768));
    # no scaler, the rows have unit length already. Its solver is deterministic: no seed.
    return LogisticRegression(C=10, max_iter=2000)


def _linear_svm(random_state: int | None) -> BaseEstimator:
    # One temperature for all classes leaves the predicted labels as the SVM has them, where
    # one sigmoid per class moves them. The dual in liblinear's own tolerance (scikit-learn's is a
    # hundredth of it) predicts the same labels in less than half of the time: 16,000 x 768 in 11 s,
    # where LinearSVC's choice, the primal, takes 24.
    svm = LinearSVC(C=1.0, dual=True, tol=0.01, random_state=random_state)
    return CalibratedClassifierCV(svm, method="temperature", cv=3, ensemble=False)


def _knn(random_state: int | None) -> BaseEstimator:
    # Euclidean order is cosine order on unit rows. Brute force: trees do not pay in 768 dimensions.
    return KNeighborsClassifier(n_neighbors=10, weights="distance", algorithm="brute")


def _nearest_centroid(random_state: int | None) -> BaseEstimator:
    # Uncalibrated, it is 99 % sure of everything (SDG: mean confidence 0.995, accuracy 0.758).
    return CalibratedClassifierCV(NearestCentroid(), method="temperature", cv=3, ensemble=False)


CLASSIFIERS: Mapping[str, Callable[[int | None], BaseEstimator]] = {
    "logistic_regression": _logistic_regression,
    "linear_svm": _linear_svm,
    "knn": _knn,
    "nearest_centroid": _nearest_centroid,
}
"""Makers of the standard classifiers by name; each takes ``random_state``."""


def make_classifier(
    classifier: str | BaseEstimator | None = None, *, random_state: int | None = 0
) -> BaseEstimator:
    """Return an unfitted classifier.

    Parameters
    ----------
    classifier : str or estimator, optional
        A name of :data:`CLASSIFIERS`, the import path of a classifier class
        (``"sklearn.ensemble.RandomForestClassifier"``, or with a colon before the class), or an
        estimator, which is cloned. Default: ``"logistic_regression"``, which is
        ``LogisticRegression(C=10, max_iter=2000)``.
    random_state : int or None, default=0
        Given to classifiers made here that take it; an estimator keeps its own.

    Returns
    -------
    estimator
        Unfitted.

    Raises
    ------
    UsageError
        If the name is unknown, the path cannot be imported, or it is not a classifier.

    Examples
    --------
    >>> make_classifier()
    LogisticRegression(C=10, max_iter=2000)
    >>> make_classifier("sklearn.naive_bayes.GaussianNB")
    GaussianNB()
    """
    if classifier is None:
        classifier = DEFAULT_CLASSIFIER
    if isinstance(classifier, str):
        if classifier in CLASSIFIERS:
            return CLASSIFIERS[classifier](random_state)
        return _from_import_path(classifier, random_state)
    if isinstance(classifier, type):
        raise UsageError(
            f"classifier is the class {classifier.__name__}; give an instance, "
            f"{classifier.__name__}()"
        )
    if not hasattr(classifier, "fit") or not is_classifier(classifier):
        raise UsageError(
            f"classifier must be a scikit-learn classifier, one of {_names()} or an import path, "
            f"not {classifier!r}"
        )
    made: BaseEstimator = clone(classifier)
    return made


def _from_import_path(path: str, random_state: int | None) -> BaseEstimator:
    module, _, name = path.replace(":", ".").rpartition(".")
    if not module:
        raise UsageError(
            f"no classifier is called {path!r}; choose one of {_names()}, or give the import "
            "path of a class, for example sklearn.ensemble.RandomForestClassifier"
        )
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the classifier {path!r} cannot be imported: {error}") from error
    if not isinstance(kind, type):
        raise UsageError(f"{path!r} is not a class but {type(kind).__name__}")
    takes_seed = "random_state" in signature(kind).parameters
    try:
        made = kind(random_state=random_state) if takes_seed else kind()
    except TypeError as error:
        raise UsageError(
            f"{path!r} needs parameters ({error}); in Python, pass an instance as classifier="
        ) from error
    if not is_classifier(made):
        raise UsageError(f"{path!r} is not a scikit-learn classifier")
    return made


def describe_classifier(classifier: BaseEstimator) -> tuple[str, dict[str, Any]]:
    """Return what a classifier is called, and the parameters that differ from their defaults.

    Parameters
    ----------
    classifier : estimator
        Fitted or not.

    Returns
    -------
    name : str
        The class's name; for a calibrated one, that of what is calibrated.
    parameters : dict of str to object
        Those changed from the default; estimators among them as their repr.

    Examples
    --------
    >>> describe_classifier(make_classifier())
    ('LogisticRegression', {'C': 10, 'max_iter': 2000})
    """
    defaults = signature(type(classifier)).parameters
    changed: dict[str, Any] = {}
    for name, value in classifier.get_params(deep=False).items():
        default = defaults[name].default if name in defaults else None
        if repr(value) != repr(default):
            plain = value is None or isinstance(value, bool | int | float | str)
            changed[name] = value if plain else repr(value)
    inner = uncalibrated(classifier)
    name = type(inner).__name__
    return (name if inner is classifier else f"calibrated {name}"), changed


def uncalibrated(classifier: BaseEstimator) -> BaseEstimator:
    """Return what a calibrated classifier is made of, or the classifier itself.

    Examples
    --------
    >>> uncalibrated(make_classifier("nearest_centroid"))
    NearestCentroid()
    """
    calibrated = isinstance(classifier, CalibratedClassifierCV)
    return classifier.estimator if calibrated and classifier.estimator is not None else classifier


def _names() -> str:
    return ", ".join(repr(name) for name in CLASSIFIERS)
