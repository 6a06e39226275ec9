"""Sizes and ages as people write them: ``2GB``, ``30d``."""

from __future__ import annotations

import re
from datetime import timedelta

from toolkit.errors import UsageError

__all__ = ["parse_age", "parse_size"]

_UNITS = {"": 1, "b": 1}
_UNITS |= {f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)}
_UNITS |= {letter: 1000**power for power, letter in enumerate("kmgt", 1)}
_UNITS |= {f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)}

_DAYS = {"": 1, "d": 1, "w": 7, "y": 365}


def parse_size(size: int | str) -> int:
    """Return a number of bytes.

    Parameters
    ----------
    size : int or str
        Bytes, or a number with a unit: kB, MB, GB, TB (powers of 1000; the B may be left out) or
        KiB, MiB, GiB, TiB (powers of 1024), in any case.

    Raises
    ------
    UsageError
        If it is neither.

    Examples
    --------
    >>> parse_size("2GB"), parse_size("1.5 MiB"), parse_size(4096)
    (2000000000, 1572864, 4096)
    """
    if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
        return size
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,12})?) *([a-z]*)", str(size).strip().lower())
    if not isinstance(size, str) or found is None or found[2] not in _UNITS:
        raise UsageError(f"{str(size)[:40]!r} is not a size; write it like 2GB, 500MB or 1.5GiB")
    return int(float(found[1]) * _UNITS[found[2]])


def parse_age(age: int | str | timedelta) -> int:
    """Return a number of days.

    Parameters
    ----------
    age : int, str or timedelta
        Days, or a whole number with a unit: d, w (7 days) or y (365 days). Of a timedelta, what
        is less than a day is left out: days are what the cache notes.

    Raises
    ------
    UsageError
        If it is none of them.

    Examples
    --------
    >>> parse_age("30d"), parse_age("2w"), parse_age(90)
    (30, 14, 90)
    """
    if isinstance(age, timedelta) and age >= timedelta():
        return age.days
    if isinstance(age, int) and not isinstance(age, bool) and age >= 0:
        return age
    found = re.fullmatch(r"([0-9]{1,7}) *([a-z]?)", str(age).strip().lower())
    if not isinstance(age, str) or found is None or found[2] not in _DAYS:
        raise UsageError(f"{str(age)[:40]!r} is not an age; write it in days, like 30d, 8w or 1y")
    return int(found[1]) * _DAYS[found[2]]
