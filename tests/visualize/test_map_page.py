"""The interactive map, in Chromium, from a file, with the network off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import Markup

from tests.browser import Chromium, Visit
from toolkit.page import Page, write_text_atomic
from toolkit.visualize import EmbeddingMapDisplay

pytestmark = pytest.mark.browser

HOSTILE = [
    "<script>window.hit = 1</script>",
    "</script><script>window.hit = 2</script>",
    "<img src=x onerror='window.hit = 3'>",
    "<!-- <script> --> comment",
    "line\u2028separator\u2029end",
    "javascript:window.hit=4",
    "<a href='javascript:window.hit=5'>link</a>",
    "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق",
    "emoji 👩‍👩‍👧 🇺🇳 and 世界人权宣言",
    "' onmouseover='window.hit=6' \" onclick=\"window.hit=7",
    "${window.hit=8} {{constructor.constructor('window.hit=9')()}} `",
    "lone \ud800 surrogate",
]


def display_of(
    texts: list[str], groups: list[str] | None = None, **options: Any
) -> EmbeddingMapDisplay:
    n = len(texts)
    # On a ring, so that no dot hides another.
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    labels = np.arange(n) % 4 - 1
    names = dict(enumerate(groups or ["alpha", "beta", "gamma"])) | {-1: "outside"}
    points = np.column_stack([np.cos(angle), np.sin(angle)])
    return EmbeddingMapDisplay(points, texts=texts, labels=labels, names=names, **options)


def open_map(chromium_page: Chromium, path: Path, **options: Any) -> Visit:
    visit = chromium_page.open(path, **options)
    visit.page.wait_for_selector('[data-embedding-map][data-ready="true"]')
    visit.settle()
    return visit


# Where the points of all rows are in the pixels of each stage.
PLACES = """(plots) => plots.map((plot, at) => {
  const { panes } = pageData("map:map");
  const bytes = Uint8Array.from(atob(panes[at].xy), (letter) => letter.charCodeAt(0));
  const xy = new Uint16Array(bytes.buffer), box = plot.getBoundingClientRect();
  const [left, right, low, high] = plot.dataset.range.split(" ").map(Number);
  return Array.from({ length: xy.length / 2 }, (_, row) => [
    (xy[2 * row] - left) / (right - left) * box.width,
    (1 - (xy[2 * row + 1] - low) / (high - low)) * box.height,
  ]);
})"""


def places(visit: Visit) -> list[list[list[float]]]:
    found: list[list[list[float]]] = visit.page.locator(".emap-plot").evaluate_all(PLACES)
    return found


def place_of(visit: Visit, row: int) -> tuple[float, float]:
    """Return where on the screen the point of a row is, on the first stage."""
    box = visit.page.locator(".emap-plot").first.bounding_box()
    x, y = places(visit)[0][row]
    return box["x"] + x, box["y"] + y


def inks(visit: Visit, spots: list[list[float]], stage: int = 0) -> list[tuple[int, ...]]:
    """Return the colours that a stage has at some places."""
    found = (
        visit.page.locator(".emap-plot canvas")
        .nth(stage)
        .evaluate(
            """(canvas, spots) => {
          const ratio = canvas.width / canvas.getBoundingClientRect().width;
          const copy = new OffscreenCanvas(canvas.width, canvas.height);
          const pixels = copy.getContext("2d", { willReadFrequently: true });
          pixels.drawImage(canvas, 0, 0);
          return spots.map(([x, y]) => [...pixels.getImageData(x * ratio, y * ratio, 1, 1).data]);
        }""",
            spots,
        )
    )
    return [tuple(color[:3]) for color in found]


def hover(visit: Visit, row: int) -> None:
    x, y = place_of(visit, row)
    visit.page.mouse.move(2, 2)
    visit.eventually(visit.page.locator(".emap-tip").first.is_visible, False)
    visit.page.mouse.move(x + 3, y)
    visit.page.mouse.move(x, y)
    visit.page.wait_for_selector(".emap-tip:not([hidden])")


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_hostile_texts_do_nothing_and_show(
    tmp_path: Path, chromium_page: Chromium, size: str
) -> None:
    display = display_of(
        HOSTILE, groups=HOSTILE[:3], title=HOSTILE[1], columns={HOSTILE[2]: HOSTILE}
    )
    path = display.to_html(tmp_path / "map.html")
    visit = open_map(chromium_page, path, size=size)
    page = visit.page
    for row, text in enumerate(HOSTILE):
        page.locator(".emap-stage").scroll_into_view_if_needed()
        hover(visit, row)
        visit.eventually(page.locator(".emap-tip p").text_content, text)
        page.mouse.click(*place_of(visit, row))
        visit.eventually(page.locator(".emap-reader > p").text_content, text)
        assert page.locator(".emap-reader dd").text_content() == text
    page.locator(".emap-list summary").click()
    page.locator(".emap-table summary").click()
    assert page.locator(".emap-list li").count() == len(HOSTILE)
    for button in page.locator(".emap-legend button").all():
        button.click()
    assert page.locator(".emap-legend bdi").all_text_contents()[:3] == HOSTILE[:3]
    assert page.locator(".emap-labels span").count() == 3
    assert page.title() == HOSTILE[1]
    assert page.evaluate("window.hit") is None
    assert page.locator(".emap a, .emap img, .emap script").count() == 0
    visit.assert_fits()
    visit.assert_clean(path)


def test_right_to_left(tmp_path: Path, chromium_page: Chromium) -> None:
    path = display_of(HOSTILE).to_html(tmp_path / "map.html")
    visit = open_map(chromium_page, path)
    hover(visit, 7)
    direction = "e => getComputedStyle(e).direction"
    assert visit.page.locator(".emap-tip p").evaluate(direction) == "rtl"
    visit.page.mouse.click(*place_of(visit, 7))
    visit.eventually(lambda: visit.page.locator(".emap-reader > p").evaluate(direction), "rtl")
    hover(visit, 8)
    visit.page.mouse.click(*place_of(visit, 8))
    visit.eventually(lambda: visit.page.locator(".emap-reader > p").evaluate(direction), "ltr")


WORDS = ["red apple", "Green APPLE", "red pear", "blue plum", "ﬁne apple", "yellow pear"] * 4


def selected(visit: Visit) -> int | None:
    """Return how many dots are drawn bright, the others faint."""
    bright = visit.page.locator(".emap-plot").get_attribute("data-bright")
    return int(bright) if bright else None


@pytest.mark.parametrize("dark", [False, True])
def test_search_groups_list_and_reset(tmp_path: Path, chromium_page: Chromium, dark: bool) -> None:
    path = display_of(WORDS).to_html(tmp_path / "map.html")
    visit = open_map(chromium_page, path, dark=dark)
    page = visit.page
    search, count = page.get_by_role("searchbox"), page.get_by_role("status")
    assert count.text_content() == "24 texts"
    for typed, hits in (("APPLE", 12), ("apple red", 4), ("fine", 4), ("nothing", 0)):
        search.fill(typed)
        visit.eventually(count.text_content, f"{hits} of 24 texts")
        visit.eventually(lambda: selected(visit), hits)
    search.fill("apple")
    visit.eventually(count.text_content, "12 of 24 texts")
    items = page.locator(".emap-list li")
    page.locator(".emap-list summary").click()
    visit.eventually(items.count, 12)
    page.locator(".emap-list li button").nth(1).click()
    assert page.locator(".emap-reader > p").text_content() == "Green APPLE"
    page.locator(".emap-legend button", has_text="alpha").click()
    chosen = [i for i, word in enumerate(WORDS) if "apple" in word.lower() and i % 4 == 1]
    visit.eventually(lambda: selected(visit), len(chosen))
    visit.eventually(items.count, len(chosen))
    shown = "e => e.filter(s => s.style.visibility === 'visible').map(s => s.textContent)"
    assert page.locator(".emap-labels span").evaluate_all(shown) == ["alpha"]
    page.get_by_role("button", name="Show all").click()
    visit.eventually(lambda: selected(visit), None)
    assert search.input_value() == ""
    assert count.text_content() == "24 texts"
    visit.assert_clean(path)


def ranges(visit: Visit) -> list[list[float]]:
    edges = visit.page.locator(".emap-plot").first.get_attribute("data-range").split()
    left, right, low, high = map(float, edges)
    return [[left, right], [low, high]]


def width(visit: Visit) -> float:
    low, high = ranges(visit)[0]
    return high - low


def test_zoom_pan_keyboard_and_lasso(tmp_path: Path, chromium_page: Chromium) -> None:
    path = display_of(WORDS).to_html(tmp_path / "map.html")
    visit = open_map(chromium_page, path)
    page, whole = visit.page, ranges(visit)
    page.get_by_role("button", name="Zoom in").click()
    visit.eventually(lambda: width(visit), pytest.approx((whole[0][1] - whole[0][0]) / 1.6))
    zoomed = ranges(visit)
    page.locator(".emap-stage").focus()
    page.keyboard.press("ArrowRight")
    visit.eventually(lambda: ranges(visit)[0][0] > zoomed[0][0])
    page.keyboard.press("0")
    visit.eventually(lambda: ranges(visit), whole)
    # With Ctrl they are the browser's.
    taken = page.locator(".emap-stage").evaluate(
        """(stage) => ["+", "-", "0", "ArrowLeft"].filter((key) => !stage.dispatchEvent(
          new KeyboardEvent("keydown", { key, ctrlKey: true, cancelable: true })))"""
    )
    assert taken == []

    box = page.locator(".emap-stage").bounding_box()
    assert box
    centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*centre)
    page.mouse.down()
    page.mouse.move(centre[0] + 100, centre[1] + 40, steps=5)
    page.mouse.up()
    visit.eventually(lambda: ranges(visit)[0][0] < whole[0][0])
    assert width(visit) == pytest.approx(whole[0][1] - whole[0][0])
    page.mouse.wheel(0, -300)
    visit.eventually(lambda: width(visit) < 0.95 * (whole[0][1] - whole[0][0]))
    page.get_by_role("button", name="Show all").click()
    visit.eventually(lambda: ranges(visit), whole)

    lasso = page.get_by_role("button", name="Lasso")
    lasso.click()
    assert lasso.get_attribute("aria-pressed") == "true"
    # The right half of the ring.
    left, right = box["x"] + box["width"] / 2, box["x"] + box["width"] - 5
    top, bottom = box["y"] + 5, box["y"] + box["height"] - 5
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=6)
    outline = page.locator(".emap-lasso path")
    assert outline.bounding_box()["height"] > box["height"] / 2
    page.mouse.up()
    assert outline.get_attribute("d") == ""
    # A dot on the line may fall either way.
    status, likely = page.get_by_role("status"), [f"{n} of 24 texts" for n in (11, 12, 13)]
    visit.eventually(lambda: status.text_content() in likely)
    visit.eventually(lambda: status.text_content() == f"{selected(visit)} of 24 texts")
    lasso.click()
    visit.eventually(lambda: selected(visit), None)
    visit.assert_clean(path)


def test_resize_and_change_of_theme(tmp_path: Path, chromium_page: Chromium) -> None:
    path = display_of(WORDS).to_html(tmp_path / "map.html")
    visit = open_map(chromium_page, path)
    visit.page.emulate_media(color_scheme="dark")
    visit.resize("phone")
    visit.eventually(lambda: inks(visit, [[1, 1]]), [(0x1A, 0x20, 0x24)])

    def drawn_width() -> float:
        return float(visit.page.locator(".emap-plot canvas").evaluate("(c) => c.width"))

    visit.eventually(lambda: drawn_width() < 375)
    stage = visit.page.locator(".emap-stage").bounding_box()
    assert stage
    assert drawn_width() == pytest.approx(stage["width"], abs=3)
    # A ring stays round.
    (x0, x1), (y0, y1) = ranges(visit)
    assert (x1 - x0) / stage["width"] == pytest.approx((y1 - y0) / stage["height"], rel=0.02)
    visit.assert_fits()
    visit.assert_clean(path)


def test_a_map_that_opens_folded_is_whole_when_it_is_seen(
    tmp_path: Path, chromium_page: Chromium
) -> None:
    page = Page("Folded")
    html = Markup("<details><summary>Map</summary>{}</details>").format(
        page.add(display_of(WORDS).fragment())
    )
    path = write_text_atomic(tmp_path / "page.html", page.render(content=html))
    visit = chromium_page.open(path)
    visit.page.wait_for_selector("[data-ready]", state="attached")
    visit.page.locator("details > summary").first.click()
    spots, stage = [], visit.page.locator(".emap-stage").bounding_box()

    def reach() -> float:
        spots[:] = places(visit)[0]
        return max(y for _, y in spots) / stage["height"]

    visit.eventually(lambda: 0.9 < reach() < 1)
    assert 0.1 * stage["height"] > min(y for _, y in spots) > 0


def test_names_stand_at_their_groups_as_soon_as_the_map_does(
    tmp_path: Path, chromium_page: Chromium
) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    corners = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 8.0]])
    display = EmbeddingMapDisplay(
        corners[labels] + rng.normal(scale=0.1, size=(300, 2)),
        texts=[f"text {i}" for i in range(300)],
        labels=labels,
        names={0: "left", 1: "right", 2: "top"},
    )
    visit = open_map(chromium_page, display.to_html(tmp_path / "map.html"))
    stage = visit.page.locator(".emap-stage").bounding_box()
    assert stage
    found = {}
    for name in visit.page.locator(".emap-labels span").all():
        box = name.bounding_box()
        assert box
        x = (box["x"] + box["width"] / 2 - stage["x"]) / stage["width"]
        y = (box["y"] + box["height"] / 2 - stage["y"]) / stage["height"]
        found[name.text_content()] = (x, y)
        assert name.evaluate("e => e.style.visibility") == "visible"
    assert found["left"][0] < 0.35 < found["top"][0] < 0.65 < found["right"][0]
    assert found["top"][1] < 0.35
    assert min(found["left"][1], found["right"][1]) > 0.65


def test_map_of_many_texts(tmp_path: Path, chromium_page: Chromium) -> None:
    rng = np.random.default_rng(0)
    n = 6_000
    texts = [f"text number {i} " + "filling words " * 8 for i in range(n)]
    texts[17] = "</script><script>window.hit = 1</script> needle " + HOSTILE[7]
    display = EmbeddingMapDisplay(
        rng.normal(size=(n, 2)), texts=texts, labels=rng.integers(-1, 20, size=n)
    )
    path = display.to_html(tmp_path / "map.html")
    visit = open_map(chromium_page, path)
    page = visit.page
    page.get_by_role("searchbox").fill("needle")
    visit.eventually(page.get_by_role("status").text_content, "1 of 6,000 texts")
    visit.eventually(lambda: selected(visit), 1)
    page.locator(".emap-list summary").click()
    page.locator(".emap-list li button").click()
    assert page.locator(".emap-reader > p").text_content() == texts[17]
    assert page.locator(".emap-chosen").is_visible()
    assert page.evaluate("window.hit") is None
    visit.assert_clean(path)


@pytest.mark.parametrize("dark", [False, True])
def test_dots_have_the_colours_of_their_groups(
    tmp_path: Path, chromium_page: Chromium, dark: bool
) -> None:
    display = display_of(WORDS)
    visit = open_map(chromium_page, display.to_html(tmp_path / "map.html"), dark=dark)
    spots = places(visit)[0]

    def unlike_paper(colors: list[tuple[int, ...]]) -> np.ndarray:
        return np.array(colors, dtype=float) - inks(visit, [[1, 1]])[0]

    def groups() -> list[int]:
        """Which group's colour, through whatever opacity, the dot of each row is most like."""
        fills = visit.page.locator(".emap-legend circle").evaluate_all(
            "(dots) => dots.map((dot) => dot.getAttribute('fill'))"
        )
        known = unlike_paper([tuple(bytes.fromhex(fill[1:])) for fill in fills])
        alike = unlike_paper(inks(visit, spots)) @ known.T / np.linalg.norm(known, axis=1)
        return alike.argmax(axis=1).tolist()

    order = visit.page.locator(".emap-legend bdi").all_text_contents()
    names = ["outside", "alpha", "beta", "gamma"]
    assert groups() == [order.index(names[i % 4]) for i in range(len(WORDS))]

    # What is not singled out is hardly there, what is stands out more.
    before = np.abs(unlike_paper(inks(visit, spots))).sum(axis=1)
    visit.page.locator(".emap-legend button", has_text="alpha").click()
    visit.eventually(lambda: selected(visit), 6)
    after = np.abs(unlike_paper(inks(visit, spots))).sum(axis=1)
    alpha = np.arange(len(WORDS)) % 4 == 1
    assert (after[alpha] >= before[alpha]).all()
    assert (after[~alpha] < 0.3 * before[~alpha]).all()


def test_paper_is_white_and_finer_than_the_screen(tmp_path: Path, chromium_page: Chromium) -> None:
    path = display_of(WORDS).to_html(tmp_path / "map.html")
    visit = open_map(chromium_page, path, dark=True, device_scale_factor=2)
    size = "(canvas) => canvas.width / canvas.getBoundingClientRect().width"
    canvas = visit.page.locator(".emap-plot canvas")
    assert canvas.evaluate(size) == pytest.approx(2, abs=0.01)
    dot = visit.page.locator(".emap-legend circle").first
    on_screen = dot.get_attribute("fill")
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert canvas.evaluate(size) == pytest.approx(3, abs=0.01)
    assert inks(visit, [[1, 1]]) == [(255, 255, 255)]
    assert dot.get_attribute("fill") != on_screen
    visit.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert canvas.evaluate(size) == pytest.approx(2, abs=0.01)
    assert inks(visit, [[1, 1]]) == [(0x1A, 0x20, 0x24)]
    assert dot.get_attribute("fill") == on_screen


def test_fingers(tmp_path: Path, chromium_page: Chromium) -> None:
    page = Page("A long page")
    html = page.add(display_of(WORDS).fragment())
    path = write_text_atomic(tmp_path / "page.html", page.render(content=html))
    visit = open_map(chromium_page, path, size="phone", has_touch=True)
    stage = visit.page.locator(".emap-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = visit.page.context.new_cdp_session(visit.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": a, "y": b, "id": i} for i, (a, b) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    before = width(visit)
    touch("touchStart", (x - 20, y))
    touch("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 11):
        touch("touchMove", (x - 20 - 3 * step, y), (x + 20 + 3 * step, y))
    touch("touchEnd")
    # Their middle stays where it was; from 40 pixels apart to 100.
    visit.eventually(lambda: width(visit), pytest.approx(before / 2.5, rel=0.05))
    # Up and down, one finger scrolls the page; with the lasso it draws.
    assert stage.evaluate("(e) => e.style.touchAction") == "pan-y"
    visit.page.get_by_role("button", name="Lasso").click()
    assert stage.evaluate("(e) => e.style.touchAction") == "none"
    # A tap reads.
    visit.page.get_by_role("button", name="Show all").click()
    visit.eventually(lambda: width(visit), before)
    visit.page.touchscreen.tap(*place_of(visit, 0))
    visit.eventually(visit.page.locator(".emap-reader > p").text_content, WORDS[0])
    visit.assert_clean(path)


def test_two_maps_on_a_page_where_the_wheel_scrolls(
    tmp_path: Path, chromium_page: Chromium
) -> None:
    page = Page("Two maps")
    html = page.add(display_of(WORDS).fragment("one")) + page.add(
        display_of(WORDS[:8]).fragment("two", table=False)
    )
    path = write_text_atomic(tmp_path / "two.html", page.render(content=html))
    visit = open_map(chromium_page, path)
    visit.eventually(visit.page.locator("[data-ready]").count, 2)
    counts = visit.page.get_by_role("status").all_text_contents()
    assert counts == ["24 texts", "8 texts"]
    assert visit.page.locator(".emap-table").count() == 1
    before = width(visit)
    visit.page.locator(".emap-stage").first.hover(position={"x": 300, "y": 300})
    visit.page.mouse.wheel(0, 200)
    visit.eventually(lambda: visit.page.evaluate("scrollY > 0"))
    visit.settle()
    assert width(visit) == before
    visit.assert_clean(path)


def test_without_scripts_the_table_says_it(tmp_path: Path, chromium_page: Chromium) -> None:
    path = display_of(WORDS).to_html(tmp_path / "map.html")
    visit = chromium_page.open(path, java_script_enabled=False)
    assert not visit.page.locator(".emap-stage").is_visible()
    visit.page.locator(".emap-table summary").click()
    table = visit.page.locator(".emap-table table")
    assert table.is_visible()
    assert "alpha" in table.inner_text()
    assert "red apple" in table.inner_text()
    visit.assert_clean(path)
