"""A saved model of label sets against new labelled texts, and what it lost since its training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from toolkit.classify.evaluation import none_known, training_note
from toolkit.classify.intervals import Interval
from toolkit.classify.model_info import ModelInfo
from toolkit.classify.multilabel.label_sets import as_label_sets
from toolkit.classify.multilabel.metrics import measure_sets, set_intervals
from toolkit.classify.multilabel.result import label_table, set_errors
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MultilabelEvaluation", "evaluate_multilabel"]


@dataclass(frozen=True, eq=False)
class MultilabelEvaluation:
    """How a model of label sets does on texts that it was not trained on.

    Parameters
    ----------
    texts : list of str, of length n
        The texts.
    given, predicted : ndarray of shape (n, n_classes), bool
        Labels.
    probabilities : ndarray of shape (n, n_classes)
        Of every label; 0 for those the model does not know.
    classes : list of str
        All labels given or known to the model, sorted.
    separator : str
        What stands between labels in a cell.
    scores : dict of str to float
        By metric.
    intervals : dict of str to Interval
        95 % bootstrap intervals.
    trained : dict of str to float
        The scores the model came with; empty if it has none.
    unseen : dict of str to int
        Labels the model cannot answer, with their number of rows.
    trained_classes : dict of str to float
        F1 by label that the model came with; empty if it has none.
    """

    texts: list[str]
    given: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    classes: list[str]
    separator: str
    scores: dict[str, float]
    intervals: dict[str, Interval]
    trained: dict[str, float] = field(default_factory=dict)
    unseen: dict[str, int] = field(default_factory=dict)
    trained_classes: dict[str, float] = field(default_factory=dict)

    @property
    def drop(self) -> dict[str, float]:
        """Score in training less score here, by metric; of ``hamming_loss`` less is better."""
        return {k: self.trained[k] - v for k, v in self.scores.items() if k in self.trained}

    def per_class(self) -> pd.DataFrame:
        """Return precision, recall, F1, average precision and support by label.

        Returns
        -------
        DataFrame
            Indexed by label; also ``f1_training`` where the model brings it.
        """
        frame = label_table(self.given, self.predicted, self.probabilities, self.classes)
        if self.trained_classes:
            frame["f1_training"] = [self.trained_classes.get(c, np.nan) for c in self.classes]
        return frame

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

    def notes(self) -> list[str]:
        """Return what a reader of the scores should know, in sentences."""
        found = []
        if self.unseen and not self.intervals:
            found.append(none_known(self.unseen, sorted(set(self.classes) - set(self.unseen))))
        elif self.unseen:
            named = ", ".join(f"{label!r} ({n})" for label, n in list(self.unseen.items())[:8])
            more = f" and {len(self.unseen) - 8} more" if len(self.unseen) > 8 else ""
            found.append(
                f"The model cannot answer {len(self.unseen)} of the labels here: {named}{more}. "
                "Each of their rows counts as missed."
            )
        if "micro_f1" in self.trained and self.intervals:
            found.append(
                training_note("micro F1", self.trained["micro_f1"], self.intervals["micro_f1"])
            )
        return found

    def summary(self) -> str:
        """Return the scores beside those of the training, as lines of plain text."""
        if not self.intervals:
            return "\n".join(self.notes())
        lines = [f"{'':18} here    training    drop"]
        for name, value in self.scores.items():
            before = f"{self.trained[name]:8.3f}  {self.drop[name]:+8.3f}" if self.drop else ""
            lines.append(f"{name:18} {value:.3f}   {before}".rstrip())
        lines += [
            f"{name}: 95 % interval {found.low:.3f} to {found.high:.3f}"
            for name, found in self.intervals.items()
        ]
        return "\n".join(lines + self.notes())


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
    trained, by_class = {}, {}
    if info is not None:
        trained = {name: float(score["mean"]) for name, score in info.metrics.items()}
        by_class = {str(k): float(v) for k, v in info.provenance.get("f1_by_class", {}).items()}
    return MultilabelEvaluation(
        listed,
        given,
        predicted,
        probabilities,
        classes,
        sets.separator,
        measure_sets(given, predicted, probabilities),
        # Where labels were given and none is known, there is nothing to be uncertain about.
        {}
        if counts and not given[:, places].any()
        else set_intervals(given, predicted, random_state=random_state),
        trained,
        dict(sorted(counts.items(), key=lambda pair: -pair[1])),
        by_class,
    )
