from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.visualize import EmbeddingMapDisplay, label_agreement
from toolkit.visualize.coloring import Coloring, color_column
from toolkit.visualize.palette import linear_rgb, oklab, scale_colors


def colored(values: object, n: int | None = None) -> Coloring:
    cells = list(values)  # type: ignore[call-overload]
    points = np.random.default_rng(0).normal(size=(len(cells), 2))
    return color_column("x", cells, points)


def counts(coloring: Coloring) -> dict[str, int]:
    found = np.bincount(coloring.codes, minlength=len(coloring.groups)).tolist()
    assert found == [group.count for group in coloring.groups]
    return {group.name: group.count for group in coloring.groups}


@pytest.mark.parametrize("kind", [float, str, np.float64, np.int64])
def test_numbers_are_cut_into_steps_of_equal_size_in_order(kind: type) -> None:
    coloring = colored([kind(i) for i in range(700)])
    assert coloring.ordered
    assert [group.count for group in coloring.groups] == [100] * 7
    assert (np.diff(coloring.codes) >= 0).all()
    assert coloring.groups[0].name == "0 to 99"
    assert coloring.groups[6].name == "600 to 699"


def test_an_outlier_does_not_take_all_shades() -> None:
    coloring = colored([*np.linspace(0, 1, 99), 1e9])
    assert max(group.count for group in coloring.groups) < 20


def test_few_numbers_are_a_step_each_and_missing_ones_are_grey() -> None:
    coloring = colored(["5", "1", "", None, "1", float("nan"), "3"])
    assert counts(coloring) == {"1": 2, "3": 1, "5": 1, "no value": 3}
    assert [group.noise for group in coloring.groups] == [False, False, False, True]
    assert counts(colored([3.0] * 5)) == {"3": 5}


def test_numbers_in_ties_fill_fewer_steps() -> None:
    coloring = colored([0] * 900 + list(range(100)))
    assert counts(coloring)["0"] >= 900
    assert sum(group.count for group in coloring.groups) == 1000


@pytest.mark.parametrize(
    ("step", "n", "first", "last"),
    [
        (timedelta(days=365), 6, "2020", "2024"),
        (timedelta(days=31), 6, "2020-01", "2020-06"),
        (timedelta(days=1), 5, "2020-01-01", "2020-01-05"),
        (timedelta(minutes=1), 5, "2020-01-01 00:00", "2020-01-01 00:04"),
        (timedelta(days=7), 600, "2020 to 2021", "2031"),
    ],
)
def test_times_are_cut_by_the_coarsest_unit_that_tells_them_apart(
    step: timedelta, n: int, first: str, last: str
) -> None:
    times = [datetime(2020, 1, 1) + i * step for i in range(n)]
    for values in (
        times,
        [time.isoformat() for time in times],
        pd.Series(times),
        np.array(times, dtype="datetime64[ns]"),
        [np.datetime64(time) for time in times],
    ):
        coloring = colored(values)
        names = [group.name for group in coloring.groups]
        assert coloring.ordered
        assert names[0] == first
        assert names[-1] == last
        assert (np.diff(coloring.codes) >= 0).all()


def test_days_zones_and_missing_times() -> None:
    coloring = colored([date(2024, 1, 1), None, date(2025, 1, 1), pd.NaT])
    assert counts(coloring) == {"2024": 1, "2025": 1, "no value": 2}
    # Midnight in Tokyo is the day before in UTC; the order is that of the moments.
    zoned = colored(["2024-01-02T00:00+09:00", datetime(2024, 1, 1, 16, tzinfo=UTC)])
    assert zoned.codes.tolist() == [0, 1]


def test_words_are_categories_and_too_many_are_refused() -> None:
    coloring = colored(["b", "a", "", "nan", "1"])
    assert not coloring.ordered
    assert counts(coloring) == {"1": 1, "a": 1, "b": 1, "nan": 1, "no value": 1}
    assert counts(colored([True, False, True])) == {"False": 1, "True": 2}
    with pytest.raises(UsageError, match="'x' has 101 different values"):
        colored([f"w{i}" for i in range(101)])


def test_scale_is_seen_without_colour_on_both_papers() -> None:
    for dark in (False, True):
        for k in (2, 7):
            lightness = oklab(linear_rgb(tuple(scale_colors(k, dark=dark))))[:, 0]
            assert (np.diff(lightness) > 0.05).all()
    assert len(scale_colors(1)) == 1


def test_agreement_with_known_labels() -> None:
    labels = np.array([0, 0, 0, 1, 1, -1])
    known = pd.Series(["a", "a", "b", "b", None, "a"])
    said = label_agreement(labels, known)
    assert said == [
        *["as its cluster"] * 2,
        "another than its cluster",
        "as its cluster",
        None,
        None,
    ]
    with pytest.raises(UsageError, match="6 labels and 2 known"):
        label_agreement(labels, ["a", "b"])


def test_a_display_offers_its_columns() -> None:
    points = np.random.default_rng(0).normal(size=(120, 2))
    columns = {"stars": [i % 5 for i in range(120)], "id": [f"id {i}" for i in range(120)]}
    display = EmbeddingMapDisplay(points, labels=[0, 1] * 60, columns=columns)
    assert [one.name for one in display.colorings()] == ["group", "stars"]
    assert [one.name for one in display.colorings("stars")] == ["stars", "group"]
    assert display.recolor([0, 1] * 60, labels_name="cluster").coloring().name == "cluster"
    with pytest.raises(UsageError, match="'id' has 120 different values"):
        display.coloring("id")
    with pytest.raises(UsageError, match="no column 'sort' to colour by; there are: 'stars', 'id'"):
        display.to_html(color_by="sort")


def test_pictures_of_a_scale_have_a_legend_instead_of_names() -> None:
    points = np.random.default_rng(0).normal(size=(60, 2))
    display = EmbeddingMapDisplay(points, labels=[0, 1] * 30, columns={"$n$": range(60)})
    ax = display.plot(color_by="$n$").ax_
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "$n$"
    assert len(legend.get_texts()) == 7
    assert not ax.texts
    figure = display.interactive(color_by="$n$")
    assert figure.data[0].name == "0 to 8"
    assert figure.layout.legend.title.text == "$n$"
    assert display.plot().ax_.get_legend() is None


def test_a_slip_among_dates_is_a_missing_value_and_said() -> None:
    days = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(600)]
    slipped = colored([*days[:597], "31.02.2024", None, "soon"])
    assert slipped.ordered
    assert slipped.groups[-1].name == "no time: 2 cannot be read, 1 missing"
    assert slipped.groups[-1].noise
    assert slipped.groups[-1].count == 3
    assert slipped.note == (
        "2 of 600 values of 'x' cannot be read as a time, for example '31.02.2024'; they are grey "
        "on the map"
    )
    # The readable ones are cut as if the others were not there.
    assert [g.name for g in slipped.groups[:-1]] == [g.name for g in colored(days[:597]).groups]
    assert colored([*map(str, range(500)), "n/a"]).note.startswith("1 of 501 values of 'x' cannot")
    assert colored(days).note == ""


def test_mostly_unreadable_is_refused_and_few_words_are_categories() -> None:
    with pytest.raises(UsageError, match="different values"):
        colored([*(f"2024-01-{1 + i % 28:02}" for i in range(200)), *(f"w{i}" for i in range(201))])
    assert not colored(["2023", "2024", "unknown"] * 30).ordered
    assert not colored([*(str(i) for i in range(30)), *["other"] * 20]).ordered


def test_large_numbers_of_a_legend_are_written_out():
    values = [999.7, 2063.4, 18_000.25, 0.12345] * 3
    names = [group.name for group in color_column("n", values, np.zeros((12, 2))).groups]
    assert names == ["0.123", "1,000", "2,063", "18,000"]
