from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from toolkit.cluster.periods import make_periods


@pytest.mark.parametrize(
    ("times", "unit", "names"),
    [
        (["2024-05-17", "2024-05-19"], "day", ["2024-05-17", "2024-05-18", "2024-05-19"]),
        (["2023-12", "2024-01-31"], "month", ["2023-12", "2024-01"]),
        ([date(2020, 2, 1), date(2023, 5, 1)], "quarter", None),
        (["2023Q4", "2024-01-31"], "quarter", ["2023 Q4", "2024 Q1"]),
        ([2019, "2021"], "year", ["2019", "2020", "2021"]),
        ([2019.0, float("nan"), "2020-07-01"], "year", ["2019", "2020"]),
        (["1981-01-01", "2020-01-01"], "year", None),
        (["1980-01-01", "2020-01-01"], "decade", None),
        (
            ["1066-10-14", "1492"],
            "century",
            ["1000–1099", *(f"1{i}00–1{i}99" for i in range(1, 5))],
        ),
    ],
)
def test_periods_are_the_shortest_that_fit(times: list, unit: str, names: list | None):
    found = make_periods(times)
    assert found.unit == unit
    assert len(found.names) <= (40 if unit == "year" else 24)
    assert found.undated == sum(time != time for time in times)
    assert found.numbers.max() == len(found.names) - 1
    if names is not None:
        assert found.names == names


def test_a_few_far_dates_do_not_make_all_periods_long():
    days = [date(2023, 1, 1) + timedelta(i % 700) for i in range(1000)]
    far = [date(1970, 1, 1)] * 3 + [date(9999, 12, 31)]
    found = make_periods([*days, *far, None])
    assert found.unit == "month"
    assert (found.names[:2], found.names[-1]) == (["before 2023-01", "2023-01"], "after 2024-11")
    counts = np.bincount(found.numbers[found.numbers >= 0])
    assert (counts[0], counts[-1], counts.sum(), found.undated) == (3, 1, 1004, 1)
    assert counts[1] == sum(day < date(2023, 2, 1) for day in days)


def test_dates_that_are_not_few_count():
    found = make_periods([1900] * 10 + [2020 + i % 3 for i in range(90)])
    assert found.unit == "decade"
    assert found.names[0] == "1900s"


def test_without_far_dates_no_period_is_open():
    found = make_periods([f"{2000 + i % 24}" for i in range(5000)])
    assert found.names == [str(year) for year in range(2000, 2024)]
