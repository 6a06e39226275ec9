from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from toolkit.cluster.over_time import count_over_time
from toolkit.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("times", "unit", "periods"),
    [
        (["2024-05-17", "2024-05-19"], "day", ["2024-05-17", "2024-05-18", "2024-05-19"]),
        (["2023-12", "2024-01-31"], "month", ["2023-12", "2024-01"]),
        ([date(2020, 2, 1), date(2023, 5, 1)], "quarter", None),
        ([2019, "2021"], "year", ["2019", "2020", "2021"]),
        ([2019.0, float("nan"), "2020-07-01"], "year", ["2019", "2020"]),
        (["1981-01-01", "2020-01-01"], "year", None),
        (["1980-01-01", "2020-01-01"], "decade", None),
        ([np.datetime64("2024-01-01"), datetime(2024, 1, 1, 23, tzinfo=UTC)], "day", None),
    ],
)
def test_periods_are_the_shortest_that_fit(times: list, unit: str, periods: list | None):
    found = count_over_time(np.zeros(len(times), dtype=np.intp), times)
    assert found.unit == unit
    assert len(found.periods) == len(found.totals) <= (40 if unit == "year" else 24)
    assert sum(found.totals) + found.undated == len(times)
    if periods is not None:
        assert found.periods == periods


def test_counts_by_cluster_and_noise():
    labels = np.array([0, 0, 1, -1, 0])
    found = count_over_time(labels, [2020, 2021, 2021, 2021, ""])
    assert found.counts == [[1, 1], [0, 1]]
    assert found.noise == [0, 1]
    assert found.totals == [1, 3]
    assert found.undated == 1
    assert found.largest_share == 1.0


def test_no_order_of_day_and_month_is_guessed():
    with pytest.raises(DataError, match=r"'03/04/2024'; give years or ISO 8601"):
        count_over_time(np.zeros(2, dtype=np.intp), ["03/04/2024", None])
    with pytest.raises(UsageError, match="1 times for 2 texts"):
        count_over_time(np.zeros(2, dtype=np.intp), [2020])
