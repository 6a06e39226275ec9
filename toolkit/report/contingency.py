"""Known labels by clusters, as a shaded table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.cluster.agreement import Agreement

__all__ = ["ContingencyCell", "ContingencyRow", "ContingencyTable", "contingency_table"]

_MOST = 40
_MOST_ROWS = 60
_SHADES = 9


@dataclass(frozen=True)
class ContingencyCell:
    """One number of the table.

    Parameters
    ----------
    count : int
        Texts of the row's label in the column's cluster.
    shade : int
        0 to 9, by the share of the label's texts.
    title : str
        The whole sentence.
    """

    count: int
    shade: int
    title: str


@dataclass(frozen=True)
class ContingencyRow:
    """Where the texts of one label are.

    Parameters
    ----------
    label : str
        The label.
    size : int
        How many texts have it.
    cells : tuple of ContingencyCell
        By cluster, then noise if there is any; empty in a table too wide to be shown.
    where : tuple of (int, int)
        The clusters with most of its texts, and how many are there.
    """

    label: str
    size: int
    cells: tuple[ContingencyCell, ...]
    where: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ContingencyTable:
    """Known labels by clusters.

    Parameters
    ----------
    columns : tuple of int
        The clusters, and -1 for noise if there is any.
    rows : tuple of ContingencyRow
        A row for each label, in the order of the clusters that most of their texts are in; of
        more than 60, those with most texts.
    wide : bool
        Whether there are too many columns for a table with one each.
    left_out : int
        How many labels have no row.
    """

    columns: tuple[int, ...]
    rows: tuple[ContingencyRow, ...]
    wide: bool
    left_out: int = 0


def contingency_table(agreement: Agreement) -> ContingencyTable:
    """Return the contingency table of an agreement for showing.

    Examples
    --------
    >>> from toolkit.cluster import compare_labels
    >>> table = contingency_table(compare_labels(["b", "a", "a", "a"], [0, 1, 1, -1]))
    >>> [(row.label, [cell.count for cell in row.cells]) for row in table.rows]
    [('b', [1, 0, 0]), ('a', [0, 2, 1])]
    """
    counts = agreement.contingency
    k = counts.shape[1]
    columns = list(range(k))
    if agreement.noise_by_class.any():
        counts = np.column_stack([counts, agreement.noise_by_class])
        columns.append(-1)
    wide = len(columns) > _MOST
    rows = []
    most = np.argsort(-counts.sum(axis=1), kind="stable")[:_MOST_ROWS].tolist()
    order = sorted(most, key=lambda i: (int(counts[i].argmax()), -int(counts[i].max()), i))
    for i in order:
        size = int(counts[i].sum())
        label = str(agreement.classes[i])
        cells = (
            []
            if wide
            else [_cell(label, c, int(n), size) for c, n in zip(columns, counts[i], strict=True)]
        )
        best = np.argsort(-counts[i], kind="stable")[:3]
        where = tuple((columns[j], int(counts[i, j])) for j in best if counts[i, j])
        rows.append(ContingencyRow(label, size, tuple(cells), where))
    return ContingencyTable(tuple(columns), tuple(rows), wide, len(counts) - len(rows))


def _cell(label: str, cluster: int, count: int, size: int) -> ContingencyCell:
    share = count / size if size else 0.0
    place = "in no cluster" if cluster < 0 else f"in cluster {cluster}"
    shade = 0 if count == 0 else max(1, round(share * _SHADES))
    return ContingencyCell(count, shade, f"{count} of {size} ({share:.0%}) of {label} {place}")
