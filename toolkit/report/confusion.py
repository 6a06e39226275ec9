"""What is mistaken for what: confusion counts made ready for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cell", "ConfusionTable", "Mistake", "confusion_table", "top_mistakes"]

MOST_CLASSES = 100
"""A matrix of more classes is of no use to a reader; the classes with most errors are shown."""

NUMBERS_UP_TO = 30
"""Up to this many classes a cell is wide enough for its number at full size."""

_SHADES = 9


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix.

    Parameters
    ----------
    count : int
        Rows given the one label and predicted the other.
    shade : int
        0 (none) to 9 (all rows of the given label).
    right : bool
        Whether the two labels are the same.
    title : str
        The cell in words; empty for empty cells.
    """

    count: int
    shade: int
    right: bool
    title: str


@dataclass(frozen=True)
class ConfusionTable:
    """A confusion matrix as a table.

    Parameters
    ----------
    labels : list
        Classes shown, for rows (given) and columns (predicted).
    rows : list of list of Cell
        The cells.
    dense : bool
        Whether there are too many classes for roomy cells.
    left_out : int
        Classes that are not shown.
    """

    labels: list[Any]
    rows: list[list[Cell]]
    dense: bool
    left_out: int


@dataclass(frozen=True)
class Mistake:
    """One kind of mistake.

    Parameters
    ----------
    given, predicted : object
        The two labels.
    count : int
        How often.
    share : float
        Of the rows of the given label.
    """

    given: Any
    predicted: Any
    count: int
    share: float


def confusion_table(
    counts: NDArray[np.int64], labels: Sequence[Any], *, most_classes: int = MOST_CLASSES
) -> ConfusionTable:
    """Return the cells of a confusion matrix, shaded by the share of the given label's rows.

    Parameters
    ----------
    counts : ndarray of shape (n, n)
        Rows given, columns predicted.
    labels : sequence of length n
        The classes in that order.
    most_classes : int, default=100
        With more, those with the most errors (in their row or their column) are kept.

    Returns
    -------
    ConfusionTable

    Examples
    --------
    >>> table = confusion_table(np.array([[3, 1], [0, 4]]), ["cat", "dog"])
    >>> table.rows[0][1].title, table.rows[1][0].title
    ('given cat, predicted dog: 1 of 4 (25%)', '')
    """
    n = len(labels)
    support = counts.sum(axis=1)
    kept = list(range(n))
    if n > most_classes:
        wrong = counts.sum(axis=1) + counts.sum(axis=0) - 2 * np.diag(counts)
        kept = sorted(np.argsort(-wrong, kind="stable")[:most_classes].tolist())
    rows = [[_cell(counts, support, labels, i, j) for j in kept] for i in kept]
    return ConfusionTable(
        labels=[labels[i] for i in kept],
        rows=rows,
        dense=len(kept) > NUMBERS_UP_TO,
        left_out=n - len(kept),
    )


def _cell(
    counts: NDArray[np.int64], support: NDArray[np.int64], labels: Sequence[Any], i: int, j: int
) -> Cell:
    count = int(counts[i, j])
    if not count:
        return Cell(0, 0, i == j, "")
    share = count / support[i]
    title = f"given {labels[i]}, predicted {labels[j]}: {count} of {support[i]} ({share:.0%})"
    return Cell(count, max(1, round(_SHADES * share)), i == j, title)


def top_mistakes(counts: NDArray[np.int64], labels: Sequence[Any], *, n: int = 15) -> list[Mistake]:
    """Return the most frequent kinds of mistake, most frequent first.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes)
        Rows given, columns predicted.
    labels : sequence of length n_classes
        The classes in that order.
    n : int, default=15
        At most how many.

    Returns
    -------
    list of Mistake

    Examples
    --------
    >>> top_mistakes(np.array([[3, 1], [0, 4]]), ["cat", "dog"])
    [Mistake(given='cat', predicted='dog', count=1, share=0.25)]
    """
    support = counts.sum(axis=1)
    wrong = counts - np.diag(np.diag(counts))
    share = wrong / np.maximum(support, 1)[:, None]
    # Of equally frequent mistakes, those that cost their class most come first.
    order = np.lexsort((-share.ravel(), -wrong.ravel()))[:n]
    found = []
    for position in order:
        i, j = divmod(int(position), len(labels))
        if wrong[i, j]:
            found.append(Mistake(labels[i], labels[j], int(wrong[i, j]), float(share[i, j])))
    return found
