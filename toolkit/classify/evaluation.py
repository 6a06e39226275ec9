"""A saved model against new labelled texts, and what it lost since its training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from toolkit.classify.class_table import class_table, confusion_counts
from toolkit.classify.intervals import Interval, bootstrap_intervals
from toolkit.classify.model_info import ModelInfo
from toolkit.classify.notes import none_known, training_note
from toolkit.classify.prediction import predict_texts
from toolkit.classify.validation import measure
from toolkit.embedding.texts import is_missing
from toolkit.errors import DataError, UsageError
from toolkit.provenance import data_fingerprint

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Evaluation",
    "ModelEvaluation",
    "evaluate_model",
    "of_training",
    "trained_on",
]


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelEvaluation(ABC):
    """How a model does on texts that it was not trained on, whatever the form of the labels.

    Parameters
    ----------
    texts : list of str, of length n
        The texts.
    given, predicted : ndarray of shape (n,), or (n, n_classes) of bool
        Labels, as text; or which row has which label.
    classes : list of str
        All labels given or known to the model, sorted.
    scores : dict of str to float
        By metric, over all rows: those with unknown labels count as errors.
    intervals : dict of str to Interval
        95 % bootstrap intervals; empty if the model knows none of the labels, where there is
        nothing to be uncertain about.
    trained : dict of str to float
        The scores the model came with; empty if it has none.
    unseen : dict of str to int
        Labels the model cannot answer, with their number of rows.
    trained_classes : dict of str to float
        F1 by class that the model came with; empty if it has none.
    same_rows : bool
        Whether these are the very rows the model was trained on.
    """

    deciding: ClassVar[str]
    """The metric that is compared with the training's."""

    texts: list[str]
    given: NDArray[Any]
    predicted: NDArray[Any]
    classes: list[str]
    scores: dict[str, float]
    intervals: dict[str, Interval]
    trained: dict[str, float] = field(default_factory=dict)
    unseen: dict[str, int] = field(default_factory=dict)
    trained_classes: dict[str, float] = field(default_factory=dict)
    same_rows: bool = False

    @property
    def drop(self) -> dict[str, float]:
        """Score in training less score here, by metric; negative where it got better.

        Of ``hamming_loss`` less is better.
        """
        return {k: self.trained[k] - v for k, v in self.scores.items() if k in self.trained}

    @abstractmethod
    def per_class(self) -> pd.DataFrame:
        """Return the scores of each class."""

    @abstractmethod
    def errors(self) -> pd.DataFrame:
        """Return the wrong predictions, the surest first."""

    @abstractmethod
    def unseen_rows(self) -> str:
        """Return what becomes of the rows whose label the model cannot answer."""

    def notes(self) -> list[str]:
        """Return what a reader of the scores should know, in sentences."""
        found = []
        if self.same_rows:
            found.append(
                "These are the rows the model was trained on: it does better here than it will on "
                "new texts. Take other rows."
            )
        if self.unseen and not self.intervals:
            found.append(none_known(self.unseen, sorted(set(self.classes) - set(self.unseen))))
        elif self.unseen:
            named = ", ".join(f"{label!r} ({n})" for label, n in list(self.unseen.items())[:8])
            more = f" and {len(self.unseen) - 8} more" if len(self.unseen) > 8 else ""
            found.append(
                f"The model cannot answer {len(self.unseen)} of the labels here: {named}{more}. "
                f"{self.unseen_rows()}"
            )
        # A perfect F1 of label sets has no interval, but the share of rows that are right has.
        both = [name for name in (self.deciding, *self.intervals) if name in self.trained]
        name = next((name for name in both if name in self.intervals), None)
        if name is not None and not self.same_rows:
            said = name.replace("_f1", " F1").replace("_", " ")
            found.append(training_note(said, self.trained[name], self.intervals[name]))
        return found

    def summary(self) -> str:
        """Return the scores beside those of the training, as lines of plain text."""
        if not self.intervals:
            return "\n".join(self.notes())
        lines = [f"{'':18} here    training    drop"]
        for name, value in self.scores.items():
            before = f"{self.trained[name]:8.3f}  {self.drop[name]:+z8.3f}" if self.drop else ""
            lines.append(f"{name:18} {value:.3f}   {before}".rstrip())
        lines += [
            f"{name}: 95 % interval {found.low:.3f} to {found.high:.3f}"
            for name, found in self.intervals.items()
        ]
        return "\n".join(lines + self.notes())


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation(ModelEvaluation):
    """How a model does on labelled texts that it was not trained on.

    What it holds beside this is described by
    :class:`~toolkit.classify.evaluation.ModelEvaluation`.

    Parameters
    ----------
    probability : ndarray of shape (n,)
        Of the predicted label; NaN if the classifier has none.
    """

    deciding: ClassVar[str] = "accuracy"

    probability: NDArray[np.float64]

    def per_class(self) -> pd.DataFrame:
        """Return precision, recall, F1 and support by class.

        Returns
        -------
        DataFrame
            Indexed by class; columns ``precision``, ``recall``, ``f1``, ``support``,
            ``predicted`` and, where the model brings it, ``f1_training``.
        """
        counts = confusion_counts(self.given, self.predicted, self.classes)
        return class_table(
            np.diag(counts),
            counts.sum(axis=1),
            counts.sum(axis=0),
            self.classes,
            self.trained_classes,
        )

    def errors(self) -> pd.DataFrame:
        """Return the wrong predictions, the most confident first.

        Returns
        -------
        DataFrame
            Columns ``position``, ``text``, ``given``, ``predicted``, ``probability``.
        """
        import pandas as pd

        rows = np.flatnonzero(self.given != self.predicted)
        rows = rows[np.argsort(-np.nan_to_num(self.probability[rows]), kind="stable")]
        return pd.DataFrame(
            {
                "position": rows,
                "text": pd.Series([self.texts[i] for i in rows], dtype=object),
                "given": pd.Series(self.given[rows], dtype=object),
                "predicted": pd.Series(self.predicted[rows], dtype=object),
                "probability": self.probability[rows],
            }
        )

    def unseen_rows(self) -> str:
        """Return what becomes of the rows whose label the model cannot answer."""
        rows = sum(self.unseen.values())
        known = len(self.given) - rows
        right = int((self.given == self.predicted).sum())
        share = f", and {right / known:.3f} of the others are right" if known else ""
        count = "row counts as an error" if rows == 1 else f"{rows:,} rows count as errors"
        return f"Their {count}{share}."


def evaluate_model(
    model: BaseEstimator,
    texts: Iterable[str],
    y: Sequence[Any] | NDArray[Any],
    *,
    info: ModelInfo | None = None,
    random_state: int | None = 0,
) -> Evaluation:
    """Score a fitted model on labelled texts.

    Parameters
    ----------
    model : Pipeline
        Fitted; takes texts.
    texts : iterable of str, of length n
        Texts that it was not trained on.
    y : sequence of length n
        Their labels, compared as text: 3 and "3" are the same label.
    info : ModelInfo, optional
        What :func:`~toolkit.classify.model_info.read_model_info` says of the model; brings the
        scores of its training.
    random_state : int or None, default=0
        Seed of the bootstrap.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError
        If there are no rows, or labels are missing or not one per text.
    UsageError
        If the model gives several labels.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> model = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression())
    >>> model = model.fit(["red apple", "fast car"] * 3, ["fruit", "vehicle"] * 3)
    >>> found = evaluate_model(model, ["an apple", "my car", "rain"], ["fruit", "vehicle", "sky"])
    >>> round(found.scores["accuracy"], 3), found.unseen
    (0.667, {'sky': 1})
    """
    if hasattr(getattr(model, "_final_estimator", model), "thresholds_"):
        raise UsageError("this model gives several labels a text; use evaluate_multilabel")
    listed, labels = list(texts), list(y)
    if len(listed) != len(labels):
        raise DataError(f"there are {len(listed)} texts and {len(labels)} labels")
    if not listed:
        raise DataError("there are no rows to evaluate on")
    absent = [i for i, label in enumerate(labels) if is_missing(label) or str(label) == ""]
    if absent:
        raise DataError(
            f"{len(absent)} of {len(labels)} labels are missing (the first at position "
            f"{absent[0]}); fill them in, or leave these rows out"
        )
    given = np.array([str(label) for label in labels], dtype=object)
    answers = list(predict_texts(model, listed))
    predicted = np.array([str(answer.label) for answer in answers], dtype=object)
    known = {str(label) for label in model.classes_}
    counts = Counter(label for label in given if label not in known)
    classes = sorted(known | set(given))
    confusion = confusion_counts(given, predicted, classes)
    return Evaluation(
        texts=listed,
        given=given,
        predicted=predicted,
        probability=np.array([np.nan if a.probability is None else a.probability for a in answers]),
        classes=classes,
        scores=measure(given, predicted),
        intervals=bootstrap_intervals(confusion, random_state=random_state)
        if known & set(given)
        else {},
        unseen=dict(counts.most_common()),
        same_rows=trained_on(info, listed, given),
        **of_training(info),
    )


def of_training(info: ModelInfo | None) -> dict[str, Any]:
    """Return the scores a model came with: ``trained`` and ``trained_classes``.

    Examples
    --------
    >>> of_training(None)
    {}
    """
    if info is None:
        return {}
    return {
        "trained": {name: float(score["mean"]) for name, score in info.metrics.items()},
        "trained_classes": {
            str(k): float(v) for k, v in info.provenance.get("f1_by_class", {}).items()
        },
    }


def trained_on(info: ModelInfo | None, texts: Sequence[str], cells: Iterable[object]) -> bool:
    """Return whether a model was trained on these rows, all of them and in this order.

    Parameters
    ----------
    info : ModelInfo or None
        What is known of the model.
    texts : sequence of str
        Texts.
    cells : iterable
        Their labels, as they stand in a table.

    Examples
    --------
    >>> trained_on(None, ["a"], ["x"])
    False
    """
    made = None if info is None else info.provenance.get("data_fingerprint")
    return made is not None and made == f"sha256:{data_fingerprint(texts, cells)}"
