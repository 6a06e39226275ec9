from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.cluster.times import UNITS, Day, read_times
from toolkit.errors import DataError, ToolkitWarning, UsageError

LATE = datetime(2024, 1, 1, 23, 30, tzinfo=timezone(timedelta(hours=-5)))


@pytest.mark.parametrize(
    ("value", "day", "known"),
    [
        ("2024-05-17", "2024-05-17", "day"),
        ("20240517", "2024-05-17", "day"),
        (20240517, "2024-05-17", "day"),
        ("2024-05-17T23:00:00Z", "2024-05-17", "day"),
        ("2024-05-17 23:59:59.5+02:00", "2024-05-17", "day"),
        ("2024-W05-3", "2024-01-31", "day"),
        (date(2024, 5, 17), "2024-05-17", "day"),
        (LATE, "2024-01-01", "day"),
        (pd.Timestamp(LATE), "2024-01-01", "day"),
        (np.datetime64("2024-05-17T23:00"), "2024-05-17", "day"),
        (np.datetime64("1066-10-14"), "1066-10-14", "day"),
        (" 2019-03 ", "2019-03-01", "month"),
        (np.datetime64("2019-03"), "2019-03-01", "month"),
        (pd.Period("2019-03", "M"), "2019-03-01", "month"),
        ("2019Q3", "2019-07-01", "quarter"),
        ("2019-Q1", "2019-01-01", "quarter"),
        ("2019 q4", "2019-10-01", "quarter"),
        (pd.Period("2019Q3"), "2019-07-01", "quarter"),
        (2019, "2019-01-01", "year"),
        ("2019", "2019-01-01", "year"),
        (2019.0, "2019-01-01", "year"),
        (np.int64(2019), "2019-01-01", "year"),
        (np.datetime64("2019"), "2019-01-01", "year"),
    ],
)
def test_what_says_itself_is_read(value: Any, day: str, known: str):
    wanted = Day(date.fromisoformat(day), UNITS.index(known))
    assert read_times([value]) == [wanted]
    assert read_times([wanted]) == [wanted]


@pytest.mark.parametrize("value", [None, "", " ", float("nan"), pd.NaT, pd.NA, "n/a", "NULL"])
def test_nothing_is_no_mistake(value: Any):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_times([value, np.datetime64("NaT"), 2020])[:2] == [None, None]
    with pytest.raises(DataError, match="none of the 1 texts has a time"):
        read_times([value])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("03/04/2026", r"'%d/%m/%Y' \(day first\) or '%m/%d/%Y' \(month first\): say which"),
        ("13/04/2026", r"'%d/%m/%Y' \(day first\): say so with time_format"),
        ("4/13/26", r"'%m/%d/%y' \(month first\): say so"),
        ("10/03/2026 12:30 PM", r"'%d/%m/%Y %I:%M %p' \(day first\) or '%m/%d/%Y %I:%M %p'"),
        ("17.05.2024", r"'%d.%m.%Y' \(day first\)"),
        ("2024-5-7", "'%Y-%m-%d': say so"),
        ("201903", "'%Y%m'"),
        ("Feb 3, 2025", "'%b %d, %Y'"),
        ("Mon, 03 Feb 2025 12:00:00 +0100", "'%a, %d %b %Y %H:%M:%S %z'"),
        ("2024-05-17 10:00:00 UTC", "'%Y-%m-%d %H:%M:%S %Z'"),
        (1589068800, r"'%s' \(seconds since 1970\)"),
        ("1589068800000", r"milliseconds since 1970: divide them by 1,000"),
        (2019.5, "Give years, or ISO 8601 dates such as 2024-05-17, 2024-05 or 2024-Q2; or say"),
        ("last spring", "Give years, or ISO 8601"),
        (True, "'True'. Give years"),
    ],
)
def test_nothing_else_is_guessed_but_the_way_to_say_it_is_named(value: Any, message: str):
    with pytest.raises(DataError, match=message):
        read_times([value, None])


def test_some_unread_times_are_left_out_and_named():
    times = ["2024-05-17", "03/04/2024", "", "30/04/2024", "2024-05-18"]
    with pytest.warns(ToolkitWarning) as said:
        found = read_times(times)
    assert [day is not None for day in found] == [True, False, False, False, True]
    message = str(said[0].message)
    assert "2 of 5 times cannot be read, at positions 1, 3, for example '03/04/2024'" in message
    # Day first reads both, month first one: named is what reads all.
    assert "They may be '%d/%m/%Y' (day first): say so" in message


@pytest.mark.parametrize(
    ("value", "time_format", "day", "known"),
    [
        ("03/04/2026", "%d/%m/%Y", "2026-04-03", "day"),
        ("03/04/2026", "%m/%d/%Y", "2026-03-04", "day"),
        ("3/4/2026", "%d/%m/%Y", "2026-04-03", "day"),
        ("04/2026", "%m/%Y", "2026-04-01", "month"),
        ("in 1999", "in %Y", "1999-01-01", "year"),
        ("100% in 1999", "100%% in %Y", "1999-01-01", "year"),
        ("2024 137", "%Y %j", "2024-05-16", "day"),
        ("2024-W05-3", "%G-W%V-%u", "2024-01-31", "day"),
        (20240517.0, "%Y%m%d", "2024-05-17", "day"),
        (1589068799, "%s", "2020-05-09", "day"),
        ("1589068800.5", "%s", "2020-05-10", "day"),
        (date(2024, 5, 17), "%d/%m/%Y", "2024-05-17", "day"),
    ],
)
def test_a_format_says_how_to_read(value: Any, time_format: str, day: str, known: str):
    wanted = Day(date.fromisoformat(day), UNITS.index(known))
    assert read_times([value], time_format) == [wanted]


def test_what_is_not_of_the_format_is_named():
    times = ["03/04/2026", "31/02/2026", "2026-05-01", None]
    with pytest.warns(ToolkitWarning, match=r"2 of 4 .* at positions 1, 2.*'31/02/2026'.*ISO 8601"):
        assert read_times(times, "%d/%m/%Y")[1:] == [None, None, None]
    with pytest.raises(DataError, match=r"not as time_format='%Y' says \(--time-format\)"):
        read_times(["17.05.2024"], "%Y")
    with pytest.raises(DataError, match="'99999999999999'"):
        read_times(["99999999999999"], "%s")


@pytest.mark.parametrize(
    ("time_format", "message"),
    [
        ("%d/%m", "has no year"),
        ("", "has no year"),
        ("dd/mm/yyyy", "has no year"),
        ("%%Y", "has no year"),
        ("%Y-%U", "a week without a day"),
        ("%-d/%m/%Y", "no format of datetime.strptime"),
        ("%d/%m/%Y %K", "no format of datetime.strptime"),
    ],
)
def test_a_format_that_cannot_be_used_is_refused(time_format: str, message: str):
    with pytest.raises(UsageError, match=message):
        read_times(["03/04/2026"], time_format)


def test_a_time_of_day_counts_in_its_own_zone():
    found = read_times([LATE, LATE.astimezone(UTC), "2024-01-01T23:30:00-05:00"])
    assert [day.day.day for day in found if day] == [1, 2, 1]
