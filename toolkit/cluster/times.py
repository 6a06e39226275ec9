"""When texts are from: days read from what tables hold, and nothing guessed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np

from toolkit.errors import DataError, ToolkitWarning, UsageError
from toolkit.typography import positioned

__all__ = ["UNITS", "Day", "read_times"]

UNITS = ("day", "month", "quarter", "year", "decade", "century")
"""Lengths of a period, the shortest first."""

_DAY, _MONTH, _QUARTER, _YEAR = range(4)
_NOTHING = {"", "none", "nan", "nat", "<na>", "n/a", "na", "null", "-"}
_OF_NUMPY = {"Y": _YEAR, "M": _MONTH}
_QUARTERS = re.compile(r"(\d{4})[- ]?[Qq]([1-4])", re.ASCII)
_ISO = "years, or ISO 8601 dates such as 2024-05-17, 2024-05 or 2024-Q2"

_SECONDS = "%s"
_KNOWS = {
    _DAY: {"%d", "%j", "%x", "%c"},
    _MONTH: {"%m", "%b", "%B"},
    _YEAR: {"%Y", "%y", "%G", "%x", "%c"},
}
_WEEKS, _WEEKDAYS = {"%U", "%W", "%V"}, {"%a", "%A", "%u", "%w"}

_DATES = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y"),
    *("%d.%m.%y", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y"),
    *("%B %d, %Y", "%d-%b-%Y", "%d-%b-%y", "%a, %d %b %Y", "%m/%Y", "%m.%Y", "%Y/%m", "%Y%m"),
    *("%b %Y", "%B %Y"),
)
_CLOCKS = (
    *("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M"),
    *(" %H:%M:%S %z", " %H:%M:%S %Z", " %H:%M:%S.%f %Z"),
)
_COMMON = (
    *(day + clock for clock in _CLOCKS for day in _DATES),
    *("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y", "%d/%b/%Y:%H:%M:%S %z", _SECONDS),
)
"""Formats to be named, never tried unasked, where times cannot be read."""

_TRIED = 200
_LATEST = 4_102_444_800  # 2100 in seconds


class Day(NamedTuple):
    """The day a text is from, or the first of its period.

    Parameters
    ----------
    day : date
        In the time zone that was given with it.
    known : int
        The shortest of :data:`UNITS` that it is known by.
    """

    day: date
    known: int


def read_times(times: Sequence[Any], time_format: str | None = None) -> list[Day | None]:
    """Read times as days.

    Parameters
    ----------
    times : sequence of length n
        Dates, datetimes, ISO 8601 strings (``"2024-05-17"``, ``"2024-05"``, with or without a
        time), years (``2024``) or quarters (``"2024Q2"``). A time of day counts in its own time
        zone. What cannot be read is None, with a warning where it is not empty; no order of day
        and month is guessed.
    time_format : str, optional
        What strings and numbers look like instead, as for ``datetime.strptime``:
        ``"%d/%m/%Y"``; or ``"%s"``, seconds since 1970, in UTC.

    Returns
    -------
    list of Day or None, of length n

    Raises
    ------
    UsageError
        If ``time_format`` is none, or has no year.
    DataError
        If no time can be read.

    Examples
    --------
    >>> read_times(["2024-05", None])
    [Day(day=datetime.date(2024, 5, 1), known=1), None]
    >>> read_times(["3/4/2026"], "%d/%m/%Y")
    [Day(day=datetime.date(2026, 4, 3), known=0)]
    """
    read_text = _read_iso if time_format is None else _reader(time_format)
    known: dict[str, Day | None] = {}
    found = []
    for value in times:
        day = _read_known(value)
        if isinstance(day, str):
            text = day
            if text not in known:
                known[text] = read_text(text)
            day = known[text]
        found.append(day)
    _say_unread(times, found, time_format)
    return found


def _read_known(value: Any) -> Day | str | None:
    """Return what is a date already, or its text; None where there is none."""
    if isinstance(value, Day):
        return value
    if isinstance(value, np.datetime64):
        unit = np.datetime_data(value.dtype)[0]
        day = value.astype("datetime64[D]").item()
        return Day(day, _OF_NUMPY.get(unit, _DAY)) if isinstance(day, date) else None
    if value is None or isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, datetime):  # also pandas' own, of which NaT is one
        return Day(value.date(), _DAY) if value == value else None
    if isinstance(value, date):
        return Day(value, _DAY)
    text = str(value).strip()
    if text.endswith(".0") and text[:-2].isdecimal():
        text = text[:-2]  # a number from a table with missing ones
    return None if text.lower() in _NOTHING else text


def _read_iso(text: str) -> Day | None:
    try:
        if len(text) == 4 and text.isdecimal():
            return Day(date(int(text), 1, 1), _YEAR)
        if len(text) == 7 and text[4] == "-" and text[5:].isdecimal():
            return Day(date.fromisoformat(f"{text}-01"), _MONTH)
        quarter = _QUARTERS.fullmatch(text)
        if quarter is not None:
            return Day(date(int(quarter[1]), 3 * int(quarter[2]) - 2, 1), _QUARTER)
        return Day(datetime.fromisoformat(text).date(), _DAY)
    except ValueError:
        return None


def _reader(time_format: str) -> Callable[[str], Day | None]:
    """Return what reads texts of a format."""
    if time_format == _SECONDS:
        return _read_seconds
    used = set(re.findall("%.", time_format.replace("%%", "")))
    if not used & _KNOWS[_YEAR]:
        raise UsageError(
            f"time_format={time_format!r} has no year; it is a format of datetime.strptime such as "
            "'%d/%m/%Y', or '%s' for seconds since 1970"
        )
    by_week = bool(used & _WEEKS)
    if by_week and not used & (_KNOWS[_DAY] | _WEEKDAYS):
        raise UsageError(
            f"time_format={time_format!r} has a week without a day of it, which strptime passes "
            "over; give dates"
        )
    try:
        datetime.strptime(datetime(2024, 5, 17, tzinfo=UTC).strftime(time_format), time_format)
    except ValueError as error:
        raise UsageError(
            f"time_format={time_format!r} is no format of datetime.strptime: {error}"
        ) from error
    known = _MONTH if used & _KNOWS[_MONTH] else _YEAR
    known = _DAY if by_week or used & _KNOWS[_DAY] else known

    def read(text: str) -> Day | None:
        try:
            return Day(datetime.strptime(text, time_format).date(), known)
        except ValueError:
            return None

    return read


def _read_seconds(text: str) -> Day | None:
    try:
        return Day(datetime.fromtimestamp(float(text), UTC).date(), _DAY)
    except (ValueError, OverflowError, OSError):
        return None


def _say_unread(times: Sequence[Any], found: Sequence[Day | None], time_format: str | None) -> None:
    """Warn of times that cannot be read, and refuse to go on where none can."""
    unread = {}
    for position, (value, day) in enumerate(zip(times, found, strict=True)):
        if day is None:
            text = str(value).strip()
            if text.lower() not in _NOTHING:
                unread[position] = text
    if any(day is not None for day in found):
        if unread:
            warnings.warn(
                f"{len(unread):,} of {len(times):,} times cannot be read, at "
                f"{positioned(list(unread))}, for example {_example(unread)}; these texts are left "
                f"out of what is said over time. {_remedy(list(unread.values()), time_format)}",
                ToolkitWarning,
                stacklevel=3,
            )
        return
    if not unread:
        raise DataError(f"none of the {len(times):,} texts has a time; give {_ISO}")
    raise DataError(
        f"none of the times can be read, for example {_example(unread)}. "
        f"{_remedy(list(unread.values()), time_format)}"
    )


def _example(unread: dict[int, str]) -> str:
    return repr(next(iter(unread.values()))[:40])


def _remedy(unread: list[str], time_format: str | None) -> str:
    """Say which formats would read the times, without choosing one."""
    if time_format is not None:
        iso = sum(_read_iso(text) is not None for text in unread[:_TRIED])
        also = " Some are ISO 8601, which is read without time_format." if iso else ""
        return f"They are not as time_format={time_format!r} says (--time-format).{also}"
    tried = unread[:_TRIED]
    formats = _formats_of(tried)
    if not formats:
        if _are_milliseconds(tried):
            return "They look like milliseconds since 1970: divide them by 1,000 and give " + (
                "time_format='%s' (--time-format)"
            )
        return f"Give {_ISO}; or say what they look like: time_format (--time-format)"
    said = " or ".join(f"{one!r}{_in_words(one)}" for one in formats)
    asked = "which" if len(formats) > 1 else "so"
    return f"They may be {said}: say {asked} with time_format (--time-format)"


def _formats_of(texts: Sequence[str]) -> list[str]:
    """Return the common formats that read most of the texts, if they read half of them."""
    read = {one: _count_read(texts, one) for one in _COMMON}
    most = max(read.values(), default=0)
    return [one for one in _COMMON if read[one] == most][:2] if 2 * most >= len(texts) > 0 else []


def _count_read(texts: Sequence[str], time_format: str) -> int:
    if time_format == _SECONDS:
        return sum(text.isdecimal() and len(text) > 8 and int(text) < _LATEST for text in texts)
    read = _reader(time_format)
    return sum(read(text) is not None for text in texts)


def _are_milliseconds(texts: Sequence[str]) -> bool:
    return all(text.isdecimal() and _LATEST < int(text) < 1000 * _LATEST for text in texts)


def _in_words(time_format: str) -> str:
    if time_format == _SECONDS:
        return " (seconds since 1970)"
    numbers = re.findall("%[dmYy]", time_format)[:2]
    return {"%d%m": " (day first)", "%m%d": " (month first)"}.get("".join(numbers), "")
