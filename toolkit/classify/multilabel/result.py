"""What training on label sets found out, in one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from toolkit.classify.class_table import class_table
from toolkit.classify.intervals import Interval
from toolkit.classify.label_findings import LabelProblem
from toolkit.classify.multilabel.label_checks import unlikely_sets
from toolkit.classify.multilabel.label_sets import LabelSets, join_labels
from toolkit.classify.multilabel.metrics import label_average_precision, set_intervals
from toolkit.classify.result import Trained
from toolkit.classify.unlikely_labels import LabelTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MultilabelResult", "label_table", "set_errors"]


@dataclass(frozen=True, eq=False, kw_only=True)
class MultilabelResult(Trained):
    """A fitted pipeline for several labels per text, and what its validation found out.

    What it holds beside these is described by :class:`~toolkit.classify.result.Trained`; its
    classifier is a :class:`~toolkit.classify.LabelSetClassifier`.

    Parameters
    ----------
    Y : ndarray of shape (n, n_labels), bool
        The labels of the training texts.
    separator : str
        What stands between labels in a cell.
    """

    shown: ClassVar[dict[str, str]] = {
        "micro_f1": "micro F1",
        "macro_f1": "macro F1",
        "subset_accuracy": "all labels right",
    }

    Y: NDArray[np.bool_]
    separator: str

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """From which probability on the fitted pipeline gives each label."""
        found: NDArray[np.float64] = self.pipeline[-1].thresholds_
        return found

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Validated probabilities, shape (n, n_labels); 0 for rows that were not tested."""
        found = self.validation.probabilities
        return np.zeros(self.Y.shape) if found is None else found

    def label_problems(self) -> list[LabelProblem]:
        """Return the tested rows with a label that is unlikely or missing, the surest first.

        From the validated probabilities, as in :func:`~toolkit.classify.find_label_problems`,
        which also looks for duplicates and outliers.
        """
        sets = LabelSets(self.Y, self.classes, self.separator)
        table = LabelTable(self.texts, np.array(sets.joined(), dtype=object))
        return sorted(unlikely_sets(table, sets, self.probabilities), key=lambda one: -one.score)

    def label_of(self, row: int) -> str:
        """Return the labels of a row as a cell."""
        return join_labels(self.Y[row : row + 1], self.classes, self.separator)[0]

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
            self.probabilities[tested],
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
            self.probabilities,
            self.classes,
            self.separator,
            rows=np.flatnonzero(found.tested),
        )


def label_table(
    given: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    probabilities: NDArray[np.float64],
    labels: list[Any],
    trained: dict[str, float] | None = None,
) -> pd.DataFrame:
    """Return precision, recall, F1 and average precision of each label.

    Examples
    --------
    >>> given = np.array([[1, 0], [1, 1]], dtype=bool)
    >>> label_table(given, given, given * 0.9, ["a", "b"])["support"].tolist()
    [2, 1]
    """
    hits = (given & predicted).sum(axis=0)
    frame = class_table(hits, given.sum(axis=0), predicted.sum(axis=0), labels, trained)
    frame.insert(3, "average_precision", label_average_precision(given, probabilities))
    return frame


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
