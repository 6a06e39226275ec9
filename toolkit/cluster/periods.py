"""Days put into periods that a table has room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.cluster.times import UNITS, Day, read_times
from toolkit.errors import UsageError

__all__ = ["UNDATED", "Periods", "make_periods", "periods_of"]

UNDATED = -1

_MOST = (24, 24, 24, 40, 24)
"""Periods that a table has room for, by unit; a year is short, and ten of them hide a lot."""

_FEW = 200
"""One text in so many may lie before all periods, and as many after."""


@dataclass(frozen=True, eq=False)
class Periods:
    """The period that each text is from.

    Parameters
    ----------
    unit : {"day", "month", "quarter", "year", "decade", "century"}
        Length of a period: the shortest that gives no more than 24 of them (40 years).
    names : list of str
        From the first to the last, without gaps. Beside them, the first may be "before 2019" and
        the last "after 2024", for the few texts that are farther off.
    numbers : ndarray of shape (n,)
        Period of each text; -1 where there is no date that can be read.
    """

    unit: str
    names: list[str]
    numbers: NDArray[np.intp]

    @property
    def undated(self) -> int:
        """How many texts have no date that can be read."""
        return int((self.numbers == UNDATED).sum())


def periods_of(
    times: Sequence[Any] | None, time_format: str | None = None, *, n: int | None = None
) -> Periods | None:
    """Return :func:`make_periods` of times; None without times.

    Raises
    ------
    UsageError
        If there is a format and no times, and as :func:`make_periods`.
    """
    if times is None:
        if time_format is not None:
            raise UsageError(f"time_format={time_format!r} says how to read times; give them, too")
        return None
    return make_periods(times, time_format, n=n)


def make_periods(
    times: Sequence[Any], time_format: str | None = None, *, n: int | None = None
) -> Periods:
    """Put times into periods.

    A date a century off, mostly a mistake or a stand-in for none, would make all periods long: the
    first and last 0.5% of the texts may lie before and after them.

    Parameters
    ----------
    times, time_format
        As for :func:`~toolkit.cluster.times.read_times`.
    n : int, optional
        How many texts there are.

    Returns
    -------
    Periods

    Raises
    ------
    UsageError
        If ``time_format`` cannot be used, or there are not as many times as texts.
    DataError
        If no time can be read.

    Examples
    --------
    >>> found = make_periods(["2020-05-01", 2021, None])
    >>> found.unit, found.names, found.numbers
    ('year', ['2020', '2021'], array([ 0,  1, -1]))
    """
    if n is not None and len(times) != n:
        raise UsageError(f"there are {len(times):,} times for {n:,} texts")
    read = read_times(times, time_format)
    dated = [day for day in read if day is not None]
    # A bare year has no month: where there is one, shorter periods would invent it.
    for unit in range(max(day.known for day in dated), len(UNITS)):
        numbers = np.array([_number(day, unit) for day in dated], dtype=np.intp)
        if unit == len(_MOST) or np.ptp(numbers) < _MOST[unit]:
            first, last = int(numbers.min()), int(numbers.max())
            break
        middle = np.sort(numbers)[len(numbers) // _FEW : len(numbers) - len(numbers) // _FEW]
        first, last = int(middle[0]), int(middle[-1])
        if last - first < _MOST[unit]:
            break
    before, after = bool((numbers < first).any()), bool((numbers > last).any())
    of_texts = np.full(len(read), UNDATED, dtype=np.intp)
    of_texts[[day is not None for day in read]] = (
        np.clip(numbers, first - 1, last + 1) - first + before
    )
    names = [_name(number, unit) for number in range(first, last + 1)]
    names = [f"before {names[0]}"] * before + names + [f"after {names[-1]}"] * after
    return Periods(UNITS[unit], names, of_texts)


def _number(found: Day, unit: int) -> int:
    day = found.day
    return (
        day.toordinal(),
        day.year * 12 + day.month - 1,
        day.year * 4 + (day.month - 1) // 3,
        day.year,
        day.year // 10,
        day.year // 100,
    )[unit]


def _name(number: int, unit: int) -> str:
    if unit == 0:
        return date.fromordinal(number).isoformat()
    if unit == 1:
        return f"{number // 12}-{number % 12 + 1:02}"
    if unit == 2:
        return f"{number // 4} Q{number % 4 + 1}"
    return (str(number), f"{number}0s", f"{number}00–{number}99")[unit - 3]
