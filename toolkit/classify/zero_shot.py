"""Classification without training rows: labels are described, texts go to the nearest one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from toolkit.classify.labels import plain
from toolkit.classify.prototypes import (
    calibrate_temperature,
    label_probabilities,
    label_prototypes,
    label_scores,
)
from toolkit.classify.zero_shot_input import described_labels, label_array, labelled_rows
from toolkit.errors import DataError, UsageError
from toolkit.identity import ModelIdentity

__all__ = ["ZeroShotClassifier"]

_CALIBRATED_WITHIN = 10.0
_SHOWN = 5


class ZeroShotClassifier(ClassifierMixin, BaseEstimator):
    """Give each text the label whose description, or whose examples, it is nearest to.

    Labels are embedded like the texts, under the same prompt; a text's score for a label is the
    cosine to the label's mean vector, and the probabilities are the softmax of the scores over a
    temperature. Nothing is trained, so it works from the names of the labels alone, from a
    sentence about each (zero-shot), or from a few examples of each (few-shot), also mixed.
    Descriptions and texts may be in different languages, as far as the model knows them.

    It takes texts, never vectors: labels and texts have to be embedded by the same model under
    the same prompt, which only an estimator that does both can promise. Whoever has vectors
    already can use :mod:`toolkit.classify.prototypes` on them.

    Parameters
    ----------
    labels : list of str, dict or None, default=None
        The labels, by which they are also described; or a description of each, ``{"refund": "The
        customer wants money back"}``; or examples of each, ``{"refund": ["I want my money back",
        ...]}``. None takes the labels from ``y`` at ``fit``, described by their names.
    vectorizer : transformer or None, default=None
        Turns texts into vectors, without learning from them. None for
        ``EmbeddingGemmaVectorizer(task="classification")``.
    temperature : float, default=0.05
        How much nearer is how much likelier: with 0.05, a cosine greater by 0.05 makes a label
        2.7 times as likely. Labelled rows given to ``fit`` replace it.
    threshold : float or None, default=None
        Below this probability ``predict`` answers the empty label ``""`` rather than guess. For
        labels that are texts.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    prototypes_ : ndarray of shape (n_classes, n_features)
        Unit vector of each label.
    temperature_ : float
        The temperature in use.
    n_calibration_rows_ : int
        How many labelled rows it was calibrated on; 0 if it was not.
    vectorizer_ : transformer
        Fitted.

    See Also
    --------
    toolkit.EmbeddingGemmaVectorizer : What makes the vectors.
    toolkit.classify.train_classifier : The better choice where there are examples of every label
        (SDG passages, 8 a goal: 0.709 of the others right, here 0.683).

    Notes
    -----
    ``fit(texts, y)`` finds the temperature with the least log loss on the labelled rows, between
    a tenth and ten times ``temperature``; 50 rows say more than 5. Rows that are themselves
    examples of a label are left out: they would make it too sure of itself. The probabilities
    are over the given labels: they do not know of texts that belong to none of them, except that
    such texts tend to be far from all, and their probabilities even.

    Examples
    --------
    Few-shot, with vectors that come with the package, so that no server is needed:

    >>> from toolkit import EmbeddingGemmaVectorizer, ZeroShotClassifier
    >>> from toolkit.datasets import load
    >>> intents = load("assist_intents", subset=["en", "de"])
    >>> english, german = intents.lang == "en", intents.lang == "de"
    >>> wanted = ("HassStartTimer", "HassTurnOn")
    >>> examples = {
    ...     label: intents.data[english & (intents.target == label)][:8].tolist()
    ...     for label in wanted
    ... }
    >>> clf = ZeroShotClassifier(
    ...     examples, vectorizer=EmbeddingGemmaVectorizer(backend="cache", cache=False)
    ... ).fit()
    >>> rows = german & np.isin(intents.target, wanted)
    >>> float(clf.score(intents.data[rows], intents.target[rows]))  # German, from English examples
    1.0
    """

    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012 - scikit-learn's convention
        "labels": [list, tuple, dict, np.ndarray, None],
        "vectorizer": [HasMethods(["fit", "transform"]), None],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "threshold": [Interval(Real, 0, 1, closed="both"), None],
    }

    def __init__(
        self,
        labels: Sequence[str] | Mapping[Any, str | Sequence[str]] | None = None,
        *,
        vectorizer: Any = None,
        temperature: float = 0.05,
        threshold: float | None = None,
    ) -> None:
        self.labels = labels
        self.vectorizer = vectorizer
        self.temperature = temperature
        self.threshold = threshold

    def fit(self, X: Any = None, y: Any = None) -> ZeroShotClassifier:
        """Embed the labels; with labelled rows, also calibrate the temperature.

        Parameters
        ----------
        X : iterable of str, of length n_samples, optional
            Texts; without ``y`` they are not looked at.
        y : array-like of shape (n_samples,), optional
            Their labels, all of which must be among ``labels``.

        Returns
        -------
        self : ZeroShotClassifier

        Raises
        ------
        UsageError
            If there are fewer than two labels, a label without description, or a vectorizer that
            learns from texts.
        DataError
            If ``y`` has labels that are not among ``labels``, or not one for each text.
        """
        self._validate_params()
        if y is not None:
            X, y = labelled_rows(X, y, missing=getattr(self.vectorizer, "missing", "error"))
        described = self._describe(X, y)
        self.classes_ = np.unique(label_array(list(described)))
        if len(self.classes_) < 2:
            raise UsageError(
                f"a classifier needs two labels or more, and labels has {len(self.classes_)} class"
            )
        if self.threshold is not None and not all(isinstance(c, str) for c in self.classes_):
            raise UsageError(
                "threshold needs labels that are texts: below it the answer is the empty label"
            )
        texts = [text for label in self.classes_ for text in described[plain(label)]]
        sizes = [len(described[plain(label)]) for label in self.classes_]
        codes = np.repeat(np.arange(len(sizes)), sizes)
        self.vectorizer_ = self._new_vectorizer().fit(texts)
        self.prototypes_ = label_prototypes(self._embed(texts), codes, len(sizes))
        self.temperature_ = float(self.temperature)
        self.n_calibration_rows_ = 0
        if y is not None:
            self._calibrate(X, y, set(texts))
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each label.

        Parameters
        ----------
        X : iterable of str, of length n_samples
            Texts.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.

        Raises
        ------
        DataError
            If a text has no vector (a vectorizer with ``on_error="nan"``).
        """
        check_is_fitted(self)
        return label_probabilities(self._scores(X), self.temperature_)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the cosine of each text to each label.

        Parameters
        ----------
        X : iterable of str, of length n_samples
            Texts.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            For two, by scikit-learn's convention, the second's cosine less the first's.
        """
        check_is_fitted(self)
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likeliest label, or the empty one below ``threshold``.

        Parameters
        ----------
        X : iterable of str, of length n_samples
            Texts.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        if self.threshold is not None:
            labels = labels.astype(object)
            labels[probabilities.max(axis=1) < self.threshold] = ""
        return labels

    def set_params(self, **params: Any) -> ZeroShotClassifier:
        """Set parameters; on a fitted classifier, those of the vectorizer take effect at once.

        So ``model.set_params(vectorizer__host=..., vectorizer__backend=...)`` says where a loaded
        model's vectors come from on this machine. It refuses vectors of another model.

        Parameters
        ----------
        **params
            By name; ``vectorizer__host`` is the vectorizer's ``host``.

        Returns
        -------
        self : ZeroShotClassifier
        """
        prefix = "vectorizer__"
        inner = {k.removeprefix(prefix): v for k, v in params.items() if k.startswith(prefix)}
        if inner and hasattr(self, "vectorizer_"):
            self.vectorizer_.set_params(**inner)
            if self.vectorizer is None and "vectorizer" not in params:  # the default one, made here
                params = {k: v for k, v in params.items() if not k.startswith(prefix)}
        super().set_params(**params)
        return self

    @property
    def identity_(self) -> ModelIdentity | None:
        """What makes the vectors; None if the vectorizer does not say."""
        check_is_fitted(self)
        return getattr(self.vectorizer_, "identity_", None)

    @property
    def prompt_(self) -> str | None:
        """The prompt of texts and labels; None if the vectorizer has none."""
        check_is_fitted(self)
        return getattr(self.vectorizer_, "prompt_", None)

    @property
    def n_features_out_(self) -> int:
        """Length of the vectors."""
        check_is_fitted(self)
        return int(self.prototypes_.shape[1])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.target_tags.required = False
        return tags

    # --- inside ----------------------------------------------------------------------------------

    def _describe(self, X: Any, y: NDArray[Any] | None) -> dict[Any, list[str]]:
        """Return the texts that stand for each label."""
        if self.labels is not None:
            return described_labels(self.labels)
        if y is None:
            raise UsageError(
                "no labels: give ZeroShotClassifier(labels=[...]), or {label: description}, or "
                "labelled rows to fit"
            )
        return described_labels(np.unique(y).tolist())

    def _new_vectorizer(self) -> BaseEstimator:
        if self.vectorizer is None:
            from toolkit.vectorizer import EmbeddingGemmaVectorizer

            made: BaseEstimator = EmbeddingGemmaVectorizer(task="classification")
            return made
        if get_tags(self.vectorizer).requires_fit:
            raise UsageError(
                f"{type(self.vectorizer).__name__} learns from the texts it is fitted on, and here "
                "those would be the labels alone; use a vectorizer that needs no fitting"
            )
        cloned: BaseEstimator = clone(self.vectorizer)
        return cloned

    def _scores(self, X: Any) -> NDArray[np.float64]:
        return label_scores(self._embed(X), self.prototypes_)

    def _embed(self, X: Any) -> NDArray[Any]:
        found = self.vectorizer_.transform(X)
        vectors: NDArray[Any] = found.toarray() if hasattr(found, "toarray") else np.asarray(found)
        lost = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(lost):
            raise DataError(
                f"{len(lost)} of {len(vectors)} texts have no vector (first position {lost[0]}); "
                "leave these rows out, or use on_error='raise' to see why"
            )
        return vectors

    def _calibrate(self, texts: list[str], y: NDArray[Any], examples: set[str]) -> None:
        known = np.isin(y, self.classes_)
        if not known.all():
            strange = sorted({repr(plain(label)) for label in y[~known]})
            raise DataError(
                f"{int((~known).sum())} of {len(y)} rows have labels that are not among the "
                f"{len(self.classes_)} of labels: {', '.join(strange[:_SHOWN])}"
            )
        rows = [i for i, text in enumerate(texts) if text not in examples]
        if not rows:
            return
        scores = ZeroShotClassifier._scores(self, [texts[i] for i in rows])
        self.temperature_ = calibrate_temperature(
            scores,
            np.searchsorted(self.classes_, y[rows]),
            lowest=self.temperature / _CALIBRATED_WITHIN,
            highest=self.temperature * _CALIBRATED_WITHIN,
        )
        self.n_calibration_rows_ = len(rows)
