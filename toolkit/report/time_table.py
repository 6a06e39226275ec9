"""Clusters over time, as a shaded table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.cluster.over_time import OverTime
from toolkit.report.contingency import ContingencyCell

__all__ = ["TimeRow", "time_rows"]

_SHADES = 9
_DARKEST = 4.0
_ADDED = 5


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
        By period; the shade says how many times as many texts as if the cluster were spread over
        time like all texts.
    """

    cluster: int
    name: str
    cells: tuple[ContingencyCell, ...]


def time_rows(time: OverTime, names: Sequence[str]) -> list[TimeRow]:
    """Return a row for each cluster, and one for noise if there is any.

    Examples
    --------
    >>> from toolkit.cluster import clusters_over_time
    >>> time = clusters_over_time(["a", "b", "c"], [0, 0, -1], [2020, 2021, 2021])
    >>> rows = time_rows(time, ["tea"])
    >>> [(row.name, [cell.count for cell in row.cells]) for row in rows]
    [('tea', [1, 1]), ('in no cluster', [0, 1])]
    """
    found = list(zip(range(len(names)), names, time.counts, strict=True))
    if any(time.noise):
        found.append((-1, "in no cluster", time.noise))
    n = sum(time.totals)
    rows = []
    for cluster, name, counts in found:
        overall = sum(counts) / n
        cells = []
        for period, count, total in zip(time.periods, counts, time.totals, strict=True):
            share = count / total if total else 0.0
            title = f"{count} of {total} ({share:.0%}) of {period}, {overall:.0%} of all: {name}"
            cells.append(ContingencyCell(count, _shade(count, overall * total), title))
        rows.append(TimeRow(cluster, name, tuple(cells)))
    return rows


def _shade(count: int, expected: float) -> int:
    """Return a shade by the ratio of two numbers of texts; small ones hardly differ from 1.

    A share of the period's texts would be dark for large clusters always, and for others wherever
    a period has few texts.

    Examples
    --------
    >>> _shade(0, 9.0), _shade(1, 0.5), _shade(100, 100.0), _shade(200, 100.0), _shade(900, 100.0)
    (0, 1, 1, 4, 9)
    """
    if count == 0:
        return 0
    times = (count + _ADDED) / (expected + _ADDED)
    return min(max(1, round(math.log(times, _DARKEST) * _SHADES)), _SHADES)
