"""A saved model of label sets against new labelled texts, and what it lost since its training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from toolkit.classify.evaluation import ModelEvaluation, of_training, trained_on
from toolkit.classify.model_info import ModelInfo
from toolkit.classify.multilabel.label_sets import as_label_sets
from toolkit.classify.multilabel.metrics import measure_sets, set_intervals
from toolkit.classify.multilabel.result import label_table, set_errors
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MultilabelEvaluation", "evaluate_multilabel"]


@dataclass(frozen=True, eq=False, kw_only=True)
class MultilabelEvaluation(ModelEvaluation):
    """How a model of label sets does on texts that it was not trained on.

    What it holds beside these is described by
    :class:`~toolkit.classify.evaluation.ModelEvaluation`.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
        Of every label; 0 for those the model does not know.
    separator : str
        What stands between labels in a cell.
    """

    deciding: ClassVar[str] = "micro_f1"

    probabilities: NDArray[np.float64]
    separator: str

    def per_class(self) -> pd.DataFrame:
        """Return precision, recall, F1, average precision and support by label.

        Returns
        -------
        DataFrame
            Indexed by label; also ``f1_training`` where the model brings it.
        """
        return label_table(
            self.given, self.predicted, self.probabilities, self.classes, self.trained_classes
        )

    def errors(self) -> pd.DataFrame:
        """Return the rows with wrong labels, the surest mistakes first.

        Returns
        -------
        DataFrame
            Columns ``position``, ``text``, ``given``, ``predicted``, ``missing``,
            ``superfluous``, ``probability``.
        """
        return set_errors(
            self.texts,
            self.given,
            self.predicted,
            self.probabilities,
            np.array(self.classes, dtype=object),
            self.separator,
            rows=np.arange(len(self.texts)),
        )

    def unseen_rows(self) -> str:
        """Return what becomes of the rows whose label the model cannot answer."""
        return "Each of their rows counts as missed."


def evaluate_multilabel(
    model: BaseEstimator,
    texts: Iterable[str],
    y: Any,
    *,
    label_separator: str | None = None,
    info: ModelInfo | None = None,
    random_state: int | None = 0,
) -> MultilabelEvaluation:
    """Score a fitted model of label sets on labelled texts.

    Parameters
    ----------
    model : Pipeline
        Fitted by :func:`~toolkit.classify.train_multilabel`; takes texts.
    texts : iterable of str, of length n
        Texts that it was not trained on.
    y : sequence of str, sequence of collections of labels, or matrix of shape (n, n_labels)
        As :func:`~toolkit.classify.train_multilabel` takes them.
    label_separator : str, optional
        What stands between the labels of a cell; by default that of ``info``.
    info : ModelInfo, optional
        What :func:`~toolkit.classify.read_model_info` says of the model; brings the scores of its
        training.
    random_state : int or None, default=0
        Seed of the bootstrap.

    Returns
    -------
    MultilabelEvaluation

    Raises
    ------
    DataError
        If there are no rows, or labels are missing or not one set per text.
    UsageError
        If the model answers one label only.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from toolkit.classify import train_multilabel
    >>> texts = ["red apple", "fast car", "apple in the car", "rain"] * 10
    >>> y = ["fruit", "vehicle", "fruit;vehicle", ";"] * 10
    >>> result = train_multilabel(texts, y, label_separator=";", candidates=["logistic_regression"],
    ...                           vectorizer=HashingVectorizer(n_features=64))
    >>> y_new = [["vehicle"], ["fruit"]]
    >>> found = evaluate_multilabel(result.pipeline, ["a car", "an apple"], y_new)
    >>> found.scores["micro_f1"]
    1.0
    """
    final = getattr(model, "_final_estimator", model)
    if not hasattr(final, "thresholds_"):
        raise UsageError("this model gives one label a text; use evaluate_model")
    listed = list(texts)
    if not listed:
        raise DataError("there are no rows to evaluate on")
    separator = label_separator or (info.separator if info is not None else None)
    known = [str(label) for label in model.classes_]
    sets = as_label_sets(y, len(listed), separator=separator, training=False)
    classes = sorted({*known, *sets.labels.tolist()})
    places = [classes.index(label) for label in known]
    given = np.zeros((len(listed), len(classes)), dtype=bool)
    given[:, [classes.index(label) for label in sets.labels]] = sets.Y
    probabilities = np.zeros(given.shape)
    predicted = np.zeros(given.shape, dtype=bool)
    probabilities[:, places] = model.predict_proba(listed)
    predicted[:, places] = probabilities[:, places] >= final.thresholds_
    counts = {
        label: int(given[:, classes.index(label)].sum())
        for label in classes
        if label not in set(known)
    }
    return MultilabelEvaluation(
        texts=listed,
        given=given,
        predicted=predicted,
        probabilities=probabilities,
        classes=classes,
        separator=sets.separator,
        scores=measure_sets(given, predicted, probabilities),
        # Where labels were given and none is known, there is nothing to be uncertain about.
        intervals={}
        if counts and not given[:, places].any()
        else set_intervals(given, predicted, random_state=random_state),
        unseen=dict(sorted(counts.items(), key=lambda pair: -pair[1])),
        same_rows=trained_on(info, listed, sets.joined()),
        **of_training(info),
    )
