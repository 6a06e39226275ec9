"""Labels that a model which has not seen their rows finds unlikely, as findings to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.classify.label_findings import LabelProblem
from toolkit.classify.label_quality import find_unlikely_labels
from toolkit.classify.labels import plain

__all__ = ["LabelTable", "unlikely_labels"]


class LabelTable:
    """Texts and labels, and the labels' codes.

    Parameters
    ----------
    texts : list of str, of length n
        Texts.
    labels : ndarray of shape (n,)
        Their labels, as :func:`~toolkit.classify.labels.as_labels` returns them.
    """

    def __init__(self, texts: list[str], labels: NDArray[Any]) -> None:
        self.texts = texts
        self.labels = labels
        self.classes, self.codes, self.counts = np.unique(
            labels, return_inverse=True, return_counts=True
        )

    def problem(
        self, row: Any, kind: str, suggested: Any, score: Any, reason: str, other: Any = None
    ) -> LabelProblem:
        """Return a finding about a row; ``suggested`` is a label's code."""
        return LabelProblem(
            row=int(row),
            text=self.texts[row],
            label=plain(self.labels[row]),
            suggested_label=None if suggested is None else plain(self.classes[suggested]),
            score=round(float(np.clip(score, 0, 1)), 4),
            problem=kind,
            reason=reason,
            other_row=None if other is None else int(other),
        )


def unlikely_labels(table: LabelTable, chances: NDArray[np.float64]) -> list[LabelProblem]:
    """Return the rows whose label a model that has not seen them finds unlikely.

    Parameters
    ----------
    table : LabelTable
        Texts and labels.
    chances : ndarray of shape (n, n_classes)
        Out-of-fold probabilities, columns in the order of the sorted labels. A row of zeros was
        not tested.

    Returns
    -------
    list of LabelProblem
        In the order of the rows.

    Examples
    --------
    >>> table = LabelTable(["x"] * 20, np.array(["a"] * 10 + ["b"] * 10, dtype=object))
    >>> chances = np.where(table.codes[:, None] == [0, 1], 0.9, 0.1)
    >>> chances[3] = [0.05, 0.95]
    >>> [(one.row, one.suggested_label) for one in unlikely_labels(table, chances)]
    [(3, 'b')]
    """
    tested = np.flatnonzero(chances.sum(axis=1) > 0)
    used = np.unique(table.codes[tested])
    if len(used) < 2:
        return []
    # All of a row's probability may be on labels that no tested row was given.
    tested = tested[chances[np.ix_(tested, used)].sum(axis=1) > 0]
    if len(np.unique(table.codes[tested])) < len(used):
        return []
    codes = np.searchsorted(used, table.codes[tested])
    shares = chances[np.ix_(tested, used)]
    found = []
    for at in np.flatnonzero(find_unlikely_labels(codes, shares)):
        row, given, best = tested[at], shares[at, codes[at]], int(shares[at].argmax())
        label, other = str(table.labels[row]), str(table.classes[used[best]])
        reason = (
            f"a model that has not seen this row gives {label!r} a probability of {given:.2f}, "
            f"and {other!r} {shares[at, best]:.2f}"
        )
        found.append(table.problem(row, "unlikely_label", used[best], 1 - given, reason))
    return found
