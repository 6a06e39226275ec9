"""What training found out, in one object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from toolkit.classify.diagnostics import LearningPoint, Neighbours
from toolkit.classify.label_findings import LabelProblem
from toolkit.classify.labels import plain
from toolkit.classify.trials import Selection
from toolkit.classify.unlikely_labels import LabelTable, unlikely_labels
from toolkit.classify.validation import Score, Validation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Baseline", "TrainingResult"]


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


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """A fitted pipeline, and everything the cross-validation found out about it.

    Parameters
    ----------
    pipeline : Pipeline
        Vectorizer and classifier, fitted on all rows.
    texts : list of str, of length n
        The training texts.
    y : ndarray of shape (n,)
        Their labels.
    classes : ndarray of shape (n_classes,)
        The sorted labels.
    validation : Validation
        Scores, out-of-fold predictions and probabilities at the trained dimension.
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

    pipeline: Pipeline
    texts: list[str]
    y: NDArray[Any]
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
        """Cross-validated scores by metric."""
        return self.validation.scores

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts of out-of-fold predictions, shape (given classes, predicted classes)."""
        tested = self.validation.tested
        n = len(self.classes)
        given = np.searchsorted(self.classes, self.y[tested])
        predicted = np.searchsorted(self.classes, self.validation.predicted[tested])
        counts = np.zeros((n, n), dtype=np.int64)
        np.add.at(counts, (given, predicted), 1)
        return counts

    def per_class(self) -> pd.DataFrame:
        """Return precision, recall, F1 and support of each class over the out-of-fold predictions.

        Returns
        -------
        DataFrame
            Indexed by class; columns ``precision``, ``recall``, ``f1``, ``support``,
            ``predicted`` (how often it was predicted). A precision without predictions is 0.
        """
        import pandas as pd

        counts = self.confusion
        hits, support, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
        return pd.DataFrame(
            {
                "precision": hits / np.maximum(predicted, 1),
                "recall": hits / np.maximum(support, 1),
                "f1": 2 * hits / np.maximum(support + predicted, 1),
                "support": support,
                "predicted": predicted,
            },
            # Not pandas' own string type, which refuses half of a surrogate pair.
            index=pd.Index([plain(v) for v in self.classes], dtype=object, name="class"),
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
        rows = np.flatnonzero(found.tested & (found.predicted != self.y))
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

    def summary(self) -> str:
        """Return the scores beside the baselines, as lines of plain text."""
        dimension = self.provenance["dimension"]
        rows = [(f"{self.provenance['classifier']} at {dimension} dimensions", self.scores)]
        rows += [(f"  at {d}", scores) for d, scores in self.by_dimension.items() if d != dimension]
        rows += [(f"  under the prompt for {t}", s) for t, s in self.by_prompt.items()]
        rows += [(baseline.description, baseline.scores) for baseline in self.baselines.values()]
        width = max(len(name) for name, _ in rows)
        head = [notice] if (notice := self.provenance["notice"]) else []
        head += [f"{'':{width}}   accuracy        macro F1"]
        lines = [
            f"{name:{width}}   {s['accuracy'].text():13}   {s['macro_f1'].text()}"
            for name, s in rows
        ]
        if len(self.scores["accuracy"].folds) == 1:
            tested = int(self.validation.tested.sum())
            head.insert(len(head) - 1, f"Scores on {tested:,} rows kept back from training:")
        chosen = self.selection.lines() if self.selection is not None else []
        return "\n".join(head + lines + chosen + list(self.notes))
