"""Clusters over time, as a shaded table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.cluster.over_time import OverTime
from toolkit.report.contingency import ContingencyCell

__all__ = ["TimeRow", "time_rows"]

_SHADES = 9


@dataclass(frozen=True)
class TimeRow:
    """One cluster over time.

    Parameters
    ----------
    cluster : int
        Its number; -1 is noise.
    name : str
        Its name.
    cells : tuple of ContingencyCell
        By period; the shade is the share of the period's texts, up to the largest there is.
    """

    cluster: int
    name: str
    cells: tuple[ContingencyCell, ...]


def time_rows(time: OverTime, names: Sequence[str]) -> list[TimeRow]:
    """Return a row for each cluster, and one for noise if there is any.

    Examples
    --------
    >>> import numpy as np
    >>> from toolkit.cluster.over_time import count_over_time
    >>> rows = time_rows(count_over_time(np.array([0, 0, -1]), [2020, 2021, 2021]), ["tea"])
    >>> [(row.name, [cell.count for cell in row.cells]) for row in rows]
    [('tea', [1, 1]), ('in no cluster', [0, 1])]
    """
    found = list(zip(range(len(names)), names, time.counts, strict=True))
    if any(time.noise):
        found.append((-1, "in no cluster", time.noise))
    largest = time.largest_share or 1.0
    rows = []
    for cluster, name, counts in found:
        cells = []
        for period, count, total in zip(time.periods, counts, time.totals, strict=True):
            share = count / total if total else 0.0
            shade = 0 if count == 0 else max(1, round(share / largest * _SHADES))
            title = f"{count} of {total} ({share:.0%}) of {period}: {name}"
            cells.append(ContingencyCell(count, shade, title))
        rows.append(TimeRow(cluster, name, tuple(cells)))
    return rows
