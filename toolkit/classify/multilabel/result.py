"""What training on label sets found out, in one object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from toolkit.classify.intervals import Interval
from toolkit.classify.multilabel.label_sets import join_labels
from toolkit.classify.multilabel.metrics import label_average_precision, set_intervals
from toolkit.classify.multilabel.validation import SetValidation
from toolkit.classify.result import Baseline
from toolkit.classify.trials import Selection
from toolkit.classify.validation import Score

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MultilabelResult", "label_table", "set_errors"]


@dataclass(frozen=True, eq=False)
class MultilabelResult:
    """A fitted pipeline for several labels per text, and what its validation found out.

    Parameters
    ----------
    pipeline : Pipeline
        Vectorizer and :class:`~toolkit.classify.LabelSetClassifier`, fitted on all rows.
    texts : list of str, of length n
        The training texts.
    Y : ndarray of shape (n, n_labels), bool
        Their labels.
    classes : ndarray of shape (n_labels,)
        The sorted labels.
    separator : str
        What stands between labels in a cell.
    validation : SetValidation
        Scores, predictions and probabilities of rows that were not learned from.
    baselines : dict of str to Baseline
        ``"majority"`` and ``"tfidf"``; empty if not asked for.
    by_dimension : dict of int to dict of str to Score
        Scores by dimension, from the same full vectors.
    notes : list of str
        What a reader of the scores should know.
    provenance : dict of str to object
        As in :class:`~toolkit.classify.TrainingResult`.
    selection : Selection, optional
        How the classifier was chosen, where several were compared.
    """

    pipeline: Pipeline
    texts: list[str]
    Y: NDArray[np.bool_]
    classes: NDArray[Any]
    separator: str
    validation: SetValidation
    baselines: dict[str, Baseline] = field(default_factory=dict)
    by_dimension: dict[int, dict[str, Score]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    selection: Selection | None = None

    @property
    def scores(self) -> dict[str, Score]:
        """Validated scores by metric."""
        return self.validation.scores

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """From which probability on the fitted pipeline gives each label."""
        found: NDArray[np.float64] = self.pipeline[-1].thresholds_
        return found

    def intervals(self) -> dict[str, Interval]:
        """Return 95 % bootstrap intervals over all tested rows."""
        tested = self.validation.tested
        return set_intervals(self.Y[tested], self.validation.predicted[tested])

    def per_class(self) -> pd.DataFrame:
        """Return the scores of each label over the rows that were tested.

        Returns
        -------
        DataFrame
            Indexed by label; columns ``precision``, ``recall``, ``f1``, ``average_precision``
            (NaN without rows), ``threshold``, ``support`` and ``predicted``. A precision without
            predictions is 0.
        """
        found = self.validation
        tested = found.tested
        frame = label_table(
            self.Y[tested],
            found.predicted[tested],
            found.probabilities[tested],
            self.classes.tolist(),
        )
        frame.insert(4, "threshold", self.thresholds)
        return frame

    def errors(self) -> pd.DataFrame:
        """Return the rows with wrong labels, the surest mistakes first.

        Returns
        -------
        DataFrame
            As :func:`set_errors` returns it.
        """
        found = self.validation
        return set_errors(
            self.texts,
            self.Y,
            found.predicted,
            found.probabilities,
            self.classes,
            self.separator,
            rows=np.flatnonzero(found.tested),
        )

    def summary(self) -> str:
        """Return the scores beside the baselines, as lines of plain text."""
        dimension = self.provenance["dimension"]
        rows = [(f"{self.provenance['classifier']} at {dimension} dimensions", self.scores)]
        rows += [(f"  at {d}", scores) for d, scores in self.by_dimension.items() if d != dimension]
        rows += [(baseline.description, baseline.scores) for baseline in self.baselines.values()]
        width = max(len(name) for name, _ in rows)
        head = [notice] if (notice := self.provenance["notice"]) else []
        if len(self.scores["micro_f1"].folds) == 1:
            tested = int(self.validation.tested.sum())
            head.append(f"Scores on {tested:,} rows kept back from training:")
        head.append(f"{'':{width}}   {'micro F1':13}   {'macro F1':13}   all labels right")
        lines = [
            f"{name:{width}}   {s['micro_f1'].text():13}   {s['macro_f1'].text():13}   "
            f"{s['subset_accuracy'].text()}"
            for name, s in rows
        ]
        chosen = self.selection.lines() if self.selection is not None else []
        return "\n".join(head + lines + chosen + list(self.notes))


def label_table(
    given: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    probabilities: NDArray[np.float64],
    labels: list[Any],
) -> pd.DataFrame:
    """Return precision, recall, F1 and average precision of each label.

    Examples
    --------
    >>> given = np.array([[1, 0], [1, 1]], dtype=bool)
    >>> label_table(given, given, given * 0.9, ["a", "b"])["support"].tolist()
    [2, 1]
    """
    import pandas as pd

    hits = (given & predicted).sum(axis=0)
    support, answers = given.sum(axis=0), predicted.sum(axis=0)
    return pd.DataFrame(
        {
            "precision": hits / np.maximum(answers, 1),
            "recall": hits / np.maximum(support, 1),
            "f1": 2 * hits / np.maximum(support + answers, 1),
            "average_precision": label_average_precision(given, probabilities),
            "support": support,
            "predicted": answers,
        },
        index=pd.Index(labels, dtype=object, name="class"),
    )


def set_errors(
    texts: list[str],
    given: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    probabilities: NDArray[np.float64],
    labels: NDArray[Any],
    separator: str,
    *,
    rows: NDArray[np.intp],
) -> pd.DataFrame:
    """Return which of some rows have wrong labels, the surest mistakes first.

    Returns
    -------
    DataFrame
        Columns ``position``, ``text``, ``given``, ``predicted``, ``missing`` (given and not
        predicted), ``superfluous`` (predicted and not given), each with the separator between
        labels, and ``probability``: of the superfluous label that is most probable, or one less
        that of the missing label that is least.
    """
    import pandas as pd

    wrong = rows[(given[rows] != predicted[rows]).any(axis=1)]
    missing, extra = given[wrong] & ~predicted[wrong], predicted[wrong] & ~given[wrong]
    chances = probabilities[wrong]
    sure = np.where(extra, chances, np.where(missing, 1 - chances, 0.0)).max(axis=1, initial=0.0)
    order = np.argsort(-sure, kind="stable")
    wrong, missing, extra, sure = wrong[order], missing[order], extra[order], sure[order]

    def cells(Y: NDArray[np.bool_]) -> pd.Series[Any]:
        return pd.Series(join_labels(Y, labels, separator), dtype=object)

    return pd.DataFrame(
        {
            "position": wrong,
            "text": pd.Series([texts[i] for i in wrong], dtype=object),
            "given": cells(given[wrong]),
            "predicted": cells(predicted[wrong]),
            "missing": cells(missing),
            "superfluous": cells(extra),
            "probability": sure,
        }
    )
