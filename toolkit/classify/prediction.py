"""Predict labels for any number of texts at constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from toolkit.classify.labels import plain
from toolkit.embedding.positions import counted_from
from toolkit.embedding.texts import check_texts
from toolkit.errors import InputTypeError, UsageError

__all__ = ["Prediction", "predict_texts"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says about one text.

    Parameters
    ----------
    label : str, int, bool or tuple
        The most probable label; ``""`` if its probability is below the threshold. Of a model that
        gives several, a tuple of those that reach theirs, the most probable first; empty if none
        does.
    probability : float, tuple of float or None
        Of the most probable label, also when the model abstains; None if the classifier has no
        probabilities. Of several labels, one for each.
    top : tuple of (label, probability)
        The most probable labels, best first; empty unless asked for.
    abstained : bool
        Whether the label is empty because of the threshold, or none of several reached theirs.
    """

    label: Any
    probability: Any = None
    top: tuple[tuple[Any, float], ...] = ()
    abstained: bool = False


def predict_texts(
    model: BaseEstimator,
    texts: Iterable[str],
    *,
    threshold: float | None = None,
    top_k: int = 0,
    chunk_size: int = 1024,
    start: int = 0,
) -> Iterator[Prediction]:
    """Yield one prediction per text, in order.

    Texts are read, embedded and forgotten a chunk at a time: memory does not grow with their
    number.

    Parameters
    ----------
    model : Pipeline
        Fitted; takes texts.
    texts : iterable of str
        Of any length; a generator is consumed as predictions are asked for.
    threshold : float, optional
        Between 0 and 1. Below this probability the label is empty: a model that is not sure says
        so rather than guess. A model that gives several labels has a threshold for each, which
        this one replaces.
    top_k : int, default=0
        How many labels with their probabilities to give beside the best one.
    chunk_size : int, default=1024
        Texts at once.
    start : int, default=0
        Position of the first text, for messages.

    Yields
    ------
    Prediction

    Raises
    ------
    UsageError
        If a threshold or top_k is asked of a classifier without probabilities, or one is out of
        range.
    MissingTextError, InputTypeError, EmbeddingError
        As the vectorizer raises them, with positions counted over all texts.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> model = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression(C=10))
    >>> model = model.fit(["red apple", "fast car"] * 5, ["fruit", "vehicle"] * 5)
    >>> [p.label for p in predict_texts(model, ["an apple", "my car"])]
    ['fruit', 'vehicle']
    >>> [p.label for p in predict_texts(model, ["nothing known"], threshold=0.9)]
    ['']
    """
    if isinstance(texts, str | bytes):
        raise InputTypeError("texts is a single text; pass a list of texts, for example [text]")
    probabilistic = hasattr(model, "predict_proba")
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"threshold={threshold} is not a probability; give one from 0 to 1")
    if top_k < 0 or chunk_size < 1:
        raise UsageError(f"top_k={top_k} must be 0 or more, chunk_size={chunk_size} 1 or more")
    if (threshold is not None or top_k) and not probabilistic:
        last = type(getattr(model, "_final_estimator", model)).__name__
        raise UsageError(
            f"{last} has no probabilities, which threshold and top_k need; train with "
            "classifier='logistic_regression' or 'linear_svm'"
        )
    # Checked here and not in the generator below, so that a mistake shows before anything is
    # written.
    return _predictions(model, iter(texts), threshold, top_k, chunk_size, probabilistic, start)


def _predictions(
    model: BaseEstimator,
    texts: Iterator[str],
    threshold: float | None,
    top_k: int,
    chunk_size: int,
    probabilistic: bool,
    start: int,
) -> Iterator[Prediction]:
    missing = _missing_policy(model)
    own = getattr(getattr(model, "_final_estimator", model), "thresholds_", None)
    while raw := list(islice(texts, chunk_size)):
        with counted_from(start, len(raw)):
            chunk = check_texts(raw, missing=missing).texts
            if not probabilistic:
                for label in model.predict(chunk):
                    yield Prediction(plain(label))
            else:
                classes = [plain(label) for label in model.classes_]
                shares = model.predict_proba(chunk)
                if own is None:
                    yield from _ranked(shares, classes, threshold, top_k)
                else:
                    least = own if threshold is None else np.full(len(classes), threshold)
                    yield from _label_sets(shares, classes, least, top_k)
        start += len(raw)


def _ranked(
    probabilities: Any, classes: list[Any], threshold: float | None, top_k: int
) -> Iterator[Prediction]:
    kept = min(max(top_k, 1), len(classes))
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :kept]
    for row, best in zip(probabilities, order, strict=True):
        probability = float(row[best[0]])
        # Not `probability < threshold`: a NaN must abstain.
        abstains = threshold is not None and not probability >= threshold
        top = tuple((classes[i], float(row[i])) for i in best) if top_k else ()
        yield Prediction("" if abstains else classes[best[0]], probability, top, abstains)


def _label_sets(
    probabilities: Any, classes: list[Any], least: Any, top_k: int
) -> Iterator[Prediction]:
    order = np.argsort(-probabilities, axis=1, kind="stable")
    for row, best in zip(probabilities, order, strict=True):
        ranked = [(classes[i], float(row[i]), bool(row[i] >= least[i])) for i in best]
        given = [(label, share) for label, share, reached in ranked if reached]
        yield Prediction(
            tuple(label for label, _ in given),
            tuple(share for _, share in given),
            tuple((label, share) for label, share, _ in ranked[:top_k]),
            not given,
        )


def _missing_policy(model: BaseEstimator) -> Any:
    steps = getattr(model, "steps", None)
    first = steps[0][1] if steps else model
    return first.get_params(deep=False).get("missing", "error")
