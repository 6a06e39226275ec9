"""Two maps side by side in Chromium: what is done on one shows on the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.browser import Chromium, Visit
from tests.visualize.test_map_page import HOSTILE, hover, inks, open_map, place_of, places
from toolkit.visualize import EmbeddingMapDisplay, MapComparison

pytestmark = pytest.mark.browser


def page_of(path: Path, n: int = 36) -> Path:
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    options = {
        "texts": [f"{HOSTILE[i % len(HOSTILE)]} {i}" for i in range(n)],
        "labels": np.arange(n) % 3 - 1,
        "names": {0: HOSTILE[0], 1: "beta", -1: "outside"},
        "columns": {
            HOSTILE[2]: list(range(n)),
            "year": [f"{2020 + i % 5}-03-01" for i in range(n)],
        },
    }
    # Mirrored: the places of a text differ.
    maps = (EmbeddingMapDisplay(points, **options) for points in (ring, ring * [-1, 1]))
    return MapComparison(*maps, titles=(HOSTILE[1], "b"), title=HOSTILE[6]).to_html(path)


def selected(visit: Visit) -> list[int | None]:
    """Return how many dots of each stage are drawn bright, the others faint."""
    bright = visit.page.locator(".emap-plot").evaluate_all("e => e.map(p => p.dataset.bright)")
    return [int(count) if count else None for count in bright]


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_linked(tmp_path: Path, chromium_page: Chromium, size: str) -> None:
    path = page_of(tmp_path / "two.html")
    visit = open_map(chromium_page, path, size=size)
    page = visit.page
    assert page.locator(".emap-stage").count() == 2
    assert page.locator("figcaption b").all_text_contents() == [HOSTILE[1], "b"]
    page.locator(".emap-stage").first.scroll_into_view_if_needed()
    hover(visit, 4)
    twins = page.locator(".emap-twin")
    visit.eventually(lambda: [t.is_visible() for t in twins.all()], [False, True])
    ring = twins.nth(1).bounding_box()
    stage = page.locator(".emap-stage").nth(1).bounding_box()
    first = page.locator(".emap-stage").first.bounding_box()
    assert ring
    assert stage
    assert first
    x, y = place_of(visit, 4)
    # The other stage is the mirror image of the one pointed at.
    assert ring["x"] + ring["width"] / 2 - stage["x"] == pytest.approx(
        stage["width"] - (x - first["x"]), abs=3
    )
    assert ring["y"] + ring["height"] / 2 - stage["y"] == pytest.approx(y - first["y"], abs=3)
    page.mouse.click(x, y)
    visit.eventually(page.locator(".emap-reader > p").text_content, f"{HOSTILE[4]} 4")
    assert [mark.is_visible() for mark in page.locator(".emap-chosen").all()] == [True, True]
    page.mouse.move(2, 2)
    visit.eventually(lambda: any(t.is_visible() for t in twins.all()), False)

    page.get_by_role("searchbox").fill("emoji")
    visit.eventually(lambda: selected(visit), [3, 3])
    page.get_by_role("button", name="Show all").click()
    visit.eventually(lambda: selected(visit), [None, None])
    page.locator(".emap-legend button", has_text="beta").click()
    visit.eventually(lambda: selected(visit), [12, 12])
    visit.assert_fits()
    assert page.evaluate("window.hit") is None
    visit.assert_clean(path)


def test_lasso_on_the_second_singles_out_on_both(tmp_path: Path, chromium_page: Chromium) -> None:
    path = page_of(tmp_path / "two.html")
    visit = open_map(chromium_page, path)
    page = visit.page
    page.get_by_role("button", name="Lasso").click()
    stage = page.locator(".emap-stage").nth(1)
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    left, right = box["x"] + box["width"] / 2, box["x"] + box["width"] - 5
    top, bottom = box["y"] + 5, box["y"] + box["height"] - 5
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    visit.eventually(lambda: selected(visit) in [[n, n] for n in range(16, 21)])
    visit.assert_clean(path)


def test_colour_is_switched_on_both(tmp_path: Path, chromium_page: Chromium) -> None:
    path = page_of(tmp_path / "two.html")
    visit = open_map(chromium_page, path)
    page = visit.page
    choice = page.get_by_label("Colour by")
    assert choice.locator("option").all_text_contents() == ["group", HOSTILE[2], "year"]
    page.locator(".emap-legend button", has_text="beta").click()
    choice.select_option(label="year")
    visit.eventually(lambda: selected(visit), [None, None])
    names = page.locator(".emap-legend bdi").all_text_contents()
    assert names == ["2020", "2021", "2022", "2023", "2024"]
    assert not page.locator(".emap-labels").first.is_visible()

    def different() -> list[int]:
        both = enumerate(places(visit))
        return [len(set(inks(visit, spots, stage))) for stage, spots in both]

    visit.eventually(different, [5, 5])
    page.locator(".emap-legend button", has_text="2021").click()
    visit.eventually(lambda: selected(visit), [7, 7])
    page.emulate_media(color_scheme="dark")
    choice.select_option(label="group")
    visit.eventually(different, [3, 3])
    assert page.locator(".emap-labels span").count() == 4
    assert page.evaluate("window.hit") is None
    visit.assert_clean(path)


def test_the_legend_of_two_maps_hides_no_group(tmp_path: Path, chromium_page: Chromium) -> None:
    points = np.random.default_rng(0).normal(size=(60, 2))
    labels = [f"label {i % 20}" for i in range(60)]
    first, second = (EmbeddingMapDisplay(points, labels=labels) for _ in range(2))
    path = MapComparison(first, second).to_html(tmp_path / "two.html")
    visit = open_map(chromium_page, path)
    legend = visit.page.locator(".emap-legend")
    assert legend.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0
    visit.eventually(visit.page.locator(".emap-more-groups").is_visible)
    assert "more groups below" in visit.page.locator(".emap-more-groups").inner_text()
