"""Clusters counted by year, quarter, month or day."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from toolkit.cluster.geometry import NOISE, Labels
from toolkit.errors import DataError, ToolkitWarning, UsageError

__all__ = ["OverTime", "count_over_time"]

_UNITS = ("day", "month", "quarter", "year", "decade")
_MOST = (24, 24, 24, 40)
"""Periods that a table has room for, by unit; a year is short, and ten of them hide a lot."""

_NOTHING = {"", "none", "nan", "nat", "<na>", "n/a", "na", "null", "-"}


@dataclass(frozen=True)
class OverTime:
    """How many texts of each cluster there are in each period.

    Parameters
    ----------
    unit : {"day", "month", "quarter", "year", "decade"}
        Length of a period: the shortest that gives no more than 24 (40 years), else decades.
    periods : list of str
        From the first to the last, without gaps.
    counts : list of list of int
        By cluster and period.
    noise : list of int
        Of the texts in no cluster, by period.
    totals : list of int
        Of all texts, by period.
    undated : int
        How many texts have no date that can be read.
    """

    unit: str
    periods: list[str]
    counts: list[list[int]]
    noise: list[int]
    totals: list[int]
    undated: int

    @property
    def largest_share(self) -> float:
        """The largest share of a period's texts that a cluster, or noise, has."""
        return max(
            (
                count / total
                for row in [*self.counts, self.noise]
                for count, total in zip(row, self.totals, strict=True)
                if total
            ),
            default=0.0,
        )


def count_over_time(labels: Labels, times: Sequence[Any]) -> OverTime:
    """Count clusters by period.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Cluster of each text, -1 for noise.
    times : sequence of length n
        Dates, datetimes, ISO 8601 strings (``"2024-05-17"``, ``"2024-05"``, with or without a
        time) or years. What cannot be read is counted as undated, with a warning where it is
        not empty; no other order of day and month is guessed. A time of day counts in its own
        time zone.

    Returns
    -------
    OverTime

    Raises
    ------
    UsageError
        If times and labels differ in number.
    DataError
        If no time can be read.

    Examples
    --------
    >>> found = count_over_time(np.array([0, 1, 0]), ["2020-05-01", 2021, None])
    >>> found.unit, found.periods, found.counts, found.undated
    ('year', ['2020', '2021'], [[1, 0], [0, 1]], 1)
    """
    if len(times) != len(labels):
        raise UsageError(f"there are {len(times):,} times for {len(labels):,} texts")
    read = [_read(value) for value in times]
    dated = [found for found in read if found is not None]
    if not dated:
        example = next((value for value in times if value not in (None, "")), None)
        raise DataError(
            "none of the times can be read"
            + (f", for example {str(example)[:40]!r}" if example is not None else "")
            + "; give years or ISO 8601 dates such as 2024-05-17"
        )
    _warn_unread(times, read)
    # A bare year has no month: where there is one, shorter periods would invent it.
    coarsest = max(precision for _, precision in dated)
    for unit in range(coarsest, len(_UNITS)):
        numbers = [_period(day, unit) for day, _ in dated]
        if unit == len(_MOST) or max(numbers) - min(numbers) < _MOST[unit]:
            break
    first, n = min(numbers), max(numbers) - min(numbers) + 1
    k = int(labels.max(initial=NOISE)) + 1
    # The last row is noise: -1 counts from the end.
    counts = np.zeros((k + 1, n), dtype=np.intp)
    rows = [int(label) for label, found in zip(labels, read, strict=True) if found is not None]
    for label, number in zip(rows, numbers, strict=True):
        counts[label, number - first] += 1
    return OverTime(
        unit=_UNITS[unit],
        periods=[_name(first + i, unit) for i in range(n)],
        counts=counts[:k].tolist(),
        noise=counts[k].tolist(),
        totals=counts.sum(axis=0).tolist(),
        undated=len(read) - len(dated),
    )


def _warn_unread(times: Sequence[Any], read: Sequence[object]) -> None:
    texts = [str(v).strip() for v, found in zip(times, read, strict=True) if found is None]
    unread = [text for text in texts if text.lower() not in _NOTHING]
    if unread:
        warnings.warn(
            f"{len(unread):,} of {len(times):,} times cannot be read, for example "
            f"{unread[0][:40]!r}; these texts are left out of what is said over time. Give years "
            "or ISO 8601 dates such as 2024-05-17",
            ToolkitWarning,
            stacklevel=3,
        )


def _read(value: Any) -> tuple[date, int] | None:
    """Return a day and how exactly it is known, as a position in the units."""
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[s]").item()
    if value is None or value != value or isinstance(value, bool):
        return None
    if isinstance(value, datetime):
        return value.date(), 0
    if isinstance(value, date):
        return value, 0
    text = str(value).strip()
    if text.endswith(".0") and text[:-2].isdecimal():
        text = text[:-2]  # a year from a table with missing ones
    try:
        if len(text) == 4 and text.isdecimal():
            return date(int(text), 1, 1), 3
        if len(text) == 7 and text[4] == "-":
            return date.fromisoformat(f"{text}-01"), 1
        return datetime.fromisoformat(text).date(), 0
    except ValueError:
        return None


def _period(day: date, unit: int) -> int:
    return (
        day.toordinal(),
        day.year * 12 + day.month - 1,
        day.year * 4 + (day.month - 1) // 3,
        day.year,
        day.year // 10,
    )[unit]


def _name(number: int, unit: int) -> str:
    if unit == 0:
        return date.fromordinal(number).isoformat()
    if unit == 1:
        return f"{number // 12}-{number % 12 + 1:02}"
    if unit == 2:
        return f"{number // 4} Q{number % 4 + 1}"
    return str(number) if unit == 3 else f"{number}0s"
