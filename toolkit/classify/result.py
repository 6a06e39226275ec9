"""What training found out, in one object."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from toolkit.classify.class_table import class_table, confusion_counts
from toolkit.classify.diagnostics import LearningPoint, Neighbours
from toolkit.classify.intervals import Interval, bootstrap_intervals
from toolkit.classify.label_findings import LabelProblem
from toolkit.classify.labels import plain
from toolkit.classify.trials import Selection
from toolkit.classify.unlikely_labels import LabelTable, unlikely_labels
from toolkit.classify.validation import Score, Validation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Baseline", "Trained", "TrainingResult"]


@dataclass(frozen=True)
class Baseline:
    """The scores of something simpler, on the same folds.

    Parameters
    ----------
    description : str
        One line for reports.
    scores : dict of str to Score
        By metric.
    """

    description: str
    scores: dict[str, Score]


@dataclass(frozen=True, eq=False, kw_only=True)
class Trained(ABC):
    """A fitted pipeline, and what its validation found out, whatever the form of the labels.

    Parameters
    ----------
    pipeline : Pipeline
        Vectorizer and classifier, fitted on all rows.
    texts : list of str, of length n
        The training texts.
    classes : ndarray of shape (n_classes,)
        The sorted labels.
    validation : Validation
        Scores, predictions and probabilities of rows that were not learned from, at the trained
        dimension.
    baselines : dict of str to Baseline
        ``"majority"`` and ``"tfidf"``; empty if not asked for.
    by_dimension : dict of int to dict of str to Score
        Scores by dimension, from the same full vectors.
    by_prompt : dict of str to dict of str to Score
        Scores under the prompts of other tasks, at the trained dimension: of those under which
        every text has a vector in the cache. They bring no new embedding.
    prompts_missing : dict of str to int
        The other tasks, with how many texts have no vector under their prompt.
    notes : list of str
        What a reader of the scores should know.
    provenance : dict of str to object
        Model, prompt, dimension, classifier, splits, versions, data fingerprint, date, command.
    selection : Selection, optional
        How the classifier was chosen, where several were compared.
    learning : tuple of LearningPoint
        Scores after learning from fewer rows; empty if not asked for.
    neighbours : Neighbours, optional
        The nearest training row of each wrong prediction.
    """

    shown: ClassVar[dict[str, str]]
    """The metrics that are shown first, with their names; the first one decides."""

    pipeline: Pipeline
    texts: list[str]
    classes: NDArray[Any]
    validation: Validation
    baselines: dict[str, Baseline] = field(default_factory=dict)
    by_dimension: dict[int, dict[str, Score]] = field(default_factory=dict)
    by_prompt: dict[str, dict[str, Score]] = field(default_factory=dict)
    prompts_missing: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    selection: Selection | None = None
    learning: tuple[LearningPoint, ...] = ()
    neighbours: Neighbours | None = None

    @property
    def scores(self) -> dict[str, Score]:
        """Validated scores by metric."""
        return self.validation.scores

    @abstractmethod
    def intervals(self) -> dict[str, Interval]:
        """Return 95 % bootstrap intervals over all tested rows."""

    @abstractmethod
    def per_class(self) -> pd.DataFrame:
        """Return precision, recall, F1 and support of each label over the tested rows."""

    @abstractmethod
    def errors(self) -> pd.DataFrame:
        """Return the rows predicted wrongly, the surest mistakes first."""

    @abstractmethod
    def label_problems(self) -> list[LabelProblem]:
        """Return the tested rows whose labels are unlikely, the surest finding first."""

    @abstractmethod
    def label_of(self, row: int) -> Any:
        """Return the label of a row, or its labels as a cell."""

    def summary(self) -> str:
        """Return the scores beside the baselines, as lines of plain text."""
        dimension = self.provenance["dimension"]
        rows = [(f"{self.provenance['classifier']} at {dimension} dimensions", self.scores)]
        rows += [(f"  at {d}", scores) for d, scores in self.by_dimension.items() if d != dimension]
        rows += [(f"  under the prompt for {t}", s) for t, s in self.by_prompt.items()]
        rows += [(baseline.description, baseline.scores) for baseline in self.baselines.values()]
        width = max(len(name) for name, _ in rows)
        head = [notice] if (notice := self.provenance["notice"]) else []
        if len(next(iter(self.scores.values())).folds) == 1:
            tested = int(self.validation.tested.sum())
            head.append(f"Scores on {tested:,} rows kept back from training:")
        table = [("", list(self.shown.values()))]
        table += [(name, [scores[metric].text() for metric in self.shown]) for name, scores in rows]
        lines = [
            f"{name:{width}}   {'   '.join(f'{cell:13}' for cell in cells)}".rstrip()
            for name, cells in table
        ]
        chosen = self.selection.lines() if self.selection is not None else []
        return "\n".join(head + lines + chosen + list(self.notes))


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingResult(Trained):
    """A fitted pipeline, and everything the validation found out about it.

    What it holds beside ``y`` is described by :class:`~toolkit.classify.result.Trained`.

    Parameters
    ----------
    y : ndarray of shape (n,)
        The labels of the training texts.
    """

    shown: ClassVar[dict[str, str]] = {"accuracy": "accuracy", "macro_f1": "macro F1"}

    y: NDArray[Any]

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts of out-of-fold predictions, shape (given classes, predicted classes)."""
        tested = self.validation.tested
        return confusion_counts(
            self.y[tested], self.validation.predicted[tested], self.classes.tolist()
        )

    def intervals(self) -> dict[str, Interval]:
        """Return 95 % bootstrap intervals of accuracy and macro F1 over all tested rows."""
        return bootstrap_intervals(self.confusion)

    def label_of(self, row: int) -> Any:
        """Return the label of a row."""
        return plain(self.y[row])

    def per_class(self) -> pd.DataFrame:
        """Return precision, recall, F1 and support of each class over the out-of-fold predictions.

        Returns
        -------
        DataFrame
            Indexed by class; columns ``precision``, ``recall``, ``f1``, ``support``,
            ``predicted`` (how often it was predicted). A precision without predictions is 0.
        """
        counts = self.confusion
        return class_table(
            np.diag(counts),
            counts.sum(axis=1),
            counts.sum(axis=0),
            [plain(label) for label in self.classes],
        )

    def label_problems(self) -> list[LabelProblem]:
        """Return the tested rows whose label is unlikely, the surest finding first.

        From the out-of-fold probabilities, by confident learning as in
        :func:`~toolkit.classify.find_label_problems`, which also looks for duplicates and
        outliers. Empty for a classifier without probabilities.
        """
        if self.validation.probabilities is None:
            return []
        found = unlikely_labels(LabelTable(self.texts, self.y), self.validation.probabilities)
        return sorted(found, key=lambda one: -one.score)

    def errors(self) -> pd.DataFrame:
        """Return the rows predicted wrongly, the most confident mistakes first.

        Returns
        -------
        DataFrame
            Columns ``position`` (in the training input, from 0), ``text``, ``given``,
            ``predicted``, ``probability`` (of the prediction), ``probability_given`` (of the
            given label), ``fold``. Probabilities are NaN for a classifier that has none.
        """
        import pandas as pd

        found = self.validation
        rows = np.flatnonzero(found.wrong(self.y))
        top, own = (
            self._probability(rows, found.predicted[rows]),
            self._probability(rows, self.y[rows]),
        )
        order = np.argsort(-(np.nan_to_num(top) - np.nan_to_num(own)), kind="stable")
        rows, top, own = rows[order], top[order], own[order]
        return pd.DataFrame(
            {
                "position": rows,
                "text": pd.Series([self.texts[i] for i in rows], dtype=object),
                "given": pd.Series([plain(v) for v in self.y[rows]], dtype=object),
                "predicted": pd.Series([plain(v) for v in found.predicted[rows]], dtype=object),
                "probability": top,
                "probability_given": own,
                "fold": found.fold[rows],
            }
        )

    def _probability(self, rows: NDArray[np.intp], labels: NDArray[Any]) -> NDArray[np.float64]:
        if self.validation.probabilities is None:
            return np.full(len(rows), np.nan)
        columns = np.searchsorted(self.classes, labels)
        found: NDArray[np.float64] = self.validation.probabilities[rows, columns]
        return found
