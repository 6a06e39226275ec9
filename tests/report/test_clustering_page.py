"""The clustering report in a browser."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.browser import Chromium
from tests.cluster.examples import blobs, noisy_result, sdg_result, worded_texts
from tests.report.test_clustering import hostile_result
from toolkit import ClusterReport
from toolkit.cluster import ChosenK, ClusterResult, SubGroup, Substructure, cluster_texts
from toolkit.cluster.choose_k import Candidate
from toolkit.visualize import EmbeddingMapDisplay

pytestmark = pytest.mark.browser


@cache
def report(which: str) -> ClusterReport:
    result: ClusterResult = {
        "sdg": sdg_result,
        "noisy": noisy_result,
        "hostile": hostile_result,
    }[which]()
    points = np.random.default_rng(0).normal(size=(len(result.texts), 2))
    tried = tuple(
        Candidate(k, 0.1, 0.5, 0.6, 0.04, 0.3, 0.2, score) for k, score in ((8, -0.1), (17, 1.0))
    )
    groups = (SubGroup("sea, ship", 30, 0.6, ("sea",), 3), SubGroup("no keywords", 20, 0.4, (), 5))
    return ClusterReport(
        replace(result, chosen=ChosenK(17, tried, (), len(result.texts))),
        EmbeddingMapDisplay(points, texts=result.texts),
        substructure={0: Substructure(groups, 0.8, 0.3)},
    )


@pytest.mark.parametrize("which", ["sdg", "noisy"])
@pytest.mark.parametrize("dark", [False, True])
def test_it_opens_offline_without_errors_and_fits(
    chromium_page: Chromium, tmp_path: Path, which: str, dark: bool
):
    path = report(which).to_html(tmp_path / "report.html")
    visit = chromium_page.open(path, dark=dark)
    visit.page.wait_for_selector(".emap-plot canvas", state="attached")
    visit.assert_fits()
    visit.resize("phone")
    visit.assert_fits()
    visit.assert_clean(path)


def test_hostile_texts_do_nothing(chromium_page: Chromium, tmp_path: Path):
    path = report("hostile").to_html(tmp_path / "report.html")
    visit = chromium_page.open(path)
    for summary in visit.page.query_selector_all("details > summary"):
        summary.click()
    visit.page.wait_for_timeout(300)
    assert visit.page.evaluate("window.hurt") is None
    assert visit.page.locator("iframe, base, link, main img").count() == 0
    assert "<script>window.hurt = 1</script>" in visit.page.inner_text("#each")
    visit.assert_fits()
    visit.assert_clean(path)


def test_the_table_sorts_by_number_and_finds_a_cluster(chromium_page: Chromium, tmp_path: Path):
    path = report("sdg").to_html(tmp_path / "report.html")
    page = chromium_page.open(path).page
    rows = page.locator("#cluster-table tbody tr")
    shown = page.locator("#cluster-table thead button")
    shown.nth(3).click()
    silhouettes = [
        float(t.split()[0].replace("−", "-"))
        for t in page.locator("#cluster-table tbody td:nth-child(4)").all_inner_texts()
    ]
    assert silhouettes == sorted(silhouettes)
    shown.nth(3).click()
    first = page.locator("#cluster-table tbody td:nth-child(4)").first.inner_text()
    assert float(first.split()[0]) == max(silhouettes)
    page.get_by_label("Find a cluster").fill("fishing")
    visible = [row.inner_text() for row in rows.all() if row.is_visible()]
    assert visible
    assert all("fishing" in text for text in visible)


def test_links_lead_to_the_sections(chromium_page: Chromium, tmp_path: Path):
    path = report("sdg").to_html(tmp_path / "report.html")
    visit = chromium_page.open(path)
    page = visit.page
    broken = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')]"
        ".map((a) => a.getAttribute('href').slice(1))"
        ".filter((id) => !document.getElementById(id))"
    )
    assert broken == []
    page.emulate_media(reduced_motion="reduce")  # no smooth scrolling to wait for
    page.locator("#cluster-table tbody th a").nth(5).click()
    heading = page.locator("#cluster-5 h3")
    heading.wait_for(state="visible")
    visit.eventually(lambda: 0 <= heading.bounding_box()["y"] < 300)


def test_map_and_sections_lead_to_each_other(chromium_page: Chromium, tmp_path: Path):
    result = noisy_result()
    texts = [*result.texts]
    points = np.random.default_rng(0).normal(size=(len(texts), 2))
    made = ClusterReport(
        result,
        EmbeddingMapDisplay(points, texts=texts),
        times=[2015 + i % 9 for i in range(len(texts))],
    )
    visit = chromium_page.open(made.to_html(tmp_path / "report.html"))
    page = visit.page
    page.wait_for_selector('[data-embedding-map][data-ready="true"]', state="attached")
    page.emulate_media(reduced_motion="reduce")
    page.locator("#cluster-2 [data-map-group]").click()
    size = result.quality.clusters[2].size
    visit.eventually(page.locator(".emap-count").inner_text, f"{size} of {len(texts)} texts")
    page.locator(".emap-list summary").click()
    page.locator(".emap-list ol button").first.click()
    page.locator('.emap-reader a[href="#cluster-2"]').click()
    page.wait_for_url("**/report.html#cluster-2")
    assert page.locator("#time .matrix tbody tr").count() == 6  # four clusters, noise, all
    visit.assert_fits()
    visit.resize("phone")
    visit.assert_fits()
    visit.assert_clean(tmp_path / "report.html")


@pytest.mark.parametrize(("periods", "size"), [(3, "phone"), (24, "desktop"), (40, "desktop")])
def test_clusters_over_time_fit_and_print(
    chromium_page: Chromium, tmp_path: Path, periods: int, size: str
):
    X, labels = blobs((300, 200, 100), spread=0.05)
    texts = [f"{text} fog{i % periods // 2}" for i, text in enumerate(worded_texts(labels))]
    times = [2024 - i % periods for i in range(600)]
    result = cluster_texts(texts, X, n_clusters=3, stability=0, times=times)
    path = ClusterReport(result).to_html(tmp_path / "report.html")
    visit = chromium_page.open(path, size=size, java_script_enabled=False)
    told = visit.page.locator("#cluster-0 .by-period li")
    assert told.count() == len(result.over_time.words[0]) > 0
    for box in [told.nth(i).bounding_box() for i in range(told.count())]:
        assert box["height"] < 60
    visit.assert_fits()
    if size == "desktop":  # all of it, without scrolling
        assert visit.page.evaluate(
            """(() => { const table = document.querySelector(".over-time");
            return table.scrollWidth <= table.closest(".scroll").clientWidth; })()"""
        )
    visit.page.emulate_media(media="print")
    assert told.first.is_visible()
    visit.assert_clean(path)


def test_without_scripts_everything_but_the_map_is_there(chromium_page: Chromium, tmp_path: Path):
    path = report("noisy").to_html(tmp_path / "report.html")
    visit = chromium_page.open(path, java_script_enabled=False)
    text = visit.page.locator("main").inner_text()
    result = noisy_result()
    for sentence in result.findings():
        assert sentence in text
    for name in result.names:
        assert name in text
    assert visit.page.locator(".needs-js:visible").count() == 0
    visit.page.locator("#cluster-0 details summary").click()
    assert visit.page.locator("#cluster-0 details blockquote").first.is_visible()


def test_print_shows_what_is_folded_and_no_controls(chromium_page: Chromium, tmp_path: Path):
    path = report("noisy").to_html(tmp_path / "report.html")
    page = chromium_page.open(path).page
    folded = page.locator("#cluster-0 details blockquote").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 720, "height": 1000})
    assert folded.bounding_box()["height"] > 10
    assert page.locator(".noprint:visible").count() == 0
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0


def test_right_to_left_texts_run_right_to_left(chromium_page: Chromium, tmp_path: Path):
    from tests.cluster.examples import blobs
    from toolkit.cluster import cluster_texts

    X, labels = blobs((8, 8))
    texts = [
        f"{'لكل فرد الحق في التعليم' if k else 'everyone has the right'} {i}"
        for i, k in enumerate(labels)
    ]
    path = ClusterReport(cluster_texts(texts, X, n_clusters=2, stability=0)).to_html(
        tmp_path / "report.html"
    )
    page = chromium_page.open(path).page
    arabic = page.locator("blockquote", has_text="التعليم").first
    assert arabic.evaluate("(e) => getComputedStyle(e).direction") == "rtl"
    latin = page.locator("blockquote", has_text="everyone").first
    assert latin.evaluate("(e) => getComputedStyle(e).direction") == "ltr"


def test_the_names_stand_on_the_map_when_it_opens(chromium_page: Chromium, tmp_path: Path):
    page = chromium_page.open(report("sdg").to_html(tmp_path / "report.html")).page
    page.locator(".emap-labels span").first.wait_for(state="attached")
    boxes = page.evaluate(
        """Array.from(document.querySelectorAll(".emap-labels span"))
          .filter((name) => !name.hidden && name.checkVisibility({ visibilityProperty: true }))
          .map((name) => name.getBoundingClientRect())
          .map((box) => [box.left, box.right, box.top, box.bottom])"""
    )
    assert len(boxes) > 1
    for i, (left, right, top, bottom) in enumerate(boxes):
        for left_2, right_2, top_2, bottom_2 in boxes[:i]:
            beside = right <= left_2 + 1 or right_2 <= left + 1
            assert beside or bottom <= top_2 + 1 or bottom_2 <= top + 1, "a name covers another"


@pytest.mark.parametrize("dark", [False, True])
def test_clusters_have_the_colours_of_the_map(chromium_page: Chromium, tmp_path: Path, dark: bool):
    path = report("sdg").to_html(tmp_path / "report.html")
    page = chromium_page.open(path, dark=dark).page
    page.locator(".emap-swatch").first.wait_for()
    fill = """(places) => Array.from(places)
      .filter((place) => place.checkVisibility())
      .map((place) => getComputedStyle(place).fill)"""
    on_map = page.locator(".emap-swatch circle").evaluate_all(fill)
    in_table = page.locator("#cluster-table .swatch circle").evaluate_all(fill)
    assert sorted(in_table) == sorted(on_map)


@cache
def long_report() -> ClusterReport:
    """A report in which names, keywords and labels are words of hundreds of letters."""
    result = sdg_result()
    agreement = result.agreement
    long = [f"{chr(97 + i % 26) * 700}{i}" for i in range(result.n_clusters)]
    classes = [f"{'L' * 400}{i}" for i in range(len(agreement.classes))]
    keywords = [
        [replace(word, term=f"{word.term}{'k' * 300}") for word in words]
        for words in result.keywords
    ]
    edited = replace(
        result, names=long, keywords=keywords, agreement=replace(agreement, classes=classes)
    )
    points = np.random.default_rng(0).normal(size=(len(result.texts), 2))
    times = [2000 + i % 9 for i in range(len(result.texts))]
    return ClusterReport(edited, EmbeddingMapDisplay(points, texts=result.texts), times=times)


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_names_of_any_length_leave_tables_as_wide_as_their_place(
    chromium_page: Chromium, tmp_path: Path, size: str
):
    visit = chromium_page.open(long_report().to_html(tmp_path / "report.html"), size=size)
    wide = visit.page.evaluate(
        """Array.from(document.querySelectorAll("#clusters table, #each table"), (table) => {
          const box = table.closest(".scroll, .words");
          const width = table.getBoundingClientRect().width;
          return [table.id || table.className, width, box.clientWidth];
        }).filter(([, table, box]) => table > box + 1)"""
    )
    assert wide == []
    visit.assert_fits()
    # Cut in the tables, whole where the pointer rests, and long in the heading of the section.
    shown = visit.page.locator("#cluster-table tbody th a bdi").first
    assert len(shown.inner_text()) == 60
    assert shown.inner_text().endswith("…")
    assert len(shown.get_attribute("title")) == 701
    assert len(visit.page.locator("#name-0 bdi").inner_text()) == 240


def test_ordinary_names_fit_a_phone_and_no_word_is_broken(chromium_page: Chromium, tmp_path: Path):
    page = chromium_page.open(report("sdg").to_html(tmp_path / "report.html"), size="phone").page
    table = page.locator("#cluster-table")
    box = page.evaluate("document.querySelector('#clusters .scroll').clientWidth")
    assert table.bounding_box()["width"] <= box
    # What the phone's table leaves out stands in the section of the cluster.
    assert "nearest to cluster" in page.locator("#cluster-3 .numbers").inner_text()
    heights = page.evaluate(
        """Array.from(document.querySelectorAll("#cluster-table tbody th a bdi"), (name) => {
          const range = document.createRange();
          const text = name.firstChild;
          return Array.from(text.data.matchAll(/[^ ]+/g), (word) => {
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            return range.getClientRects().length;
          });
        }).flat()"""
    )
    assert set(heights) == {1}


def test_a_phone_shows_more_keywords_under_the_names(chromium_page: Chromium, tmp_path: Path):
    path = report("sdg").to_html(tmp_path / "report.html")
    visit = chromium_page.open(path, size="phone")
    first = visit.page.locator("#cluster-table .more-words").first
    assert first.is_visible()
    assert first.inner_text().count(",") >= 2
    # Two columns are left out there, and so is what is said of the last.
    assert not visit.page.locator("#cluster-table td.near").first.is_visible()
    assert "Main label" not in visit.page.locator("#caption-clusters").inner_text()
    visit.resize("desktop")
    assert "Main label" in visit.page.locator("#caption-clusters").inner_text()


def test_a_text_of_which_nothing_is_seen_is_no_empty_quote(chromium_page: Chromium, tmp_path: Path):
    unseen = ("\u200d\ufe0f", "\u202e\u2066", "\u200b\u00a0", "\u3164", "\x00\x07")
    X, labels = np.eye(8, dtype=np.float32)[np.repeat([0, 1], 10)], np.repeat([0, 1], 10)
    X[:, 2:] += np.random.default_rng(0).normal(0, 0.05, (20, 6)).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    texts = [unseen[i % 5] * (1 + i) if label else f"words {i}" for i, label in enumerate(labels)]
    result = cluster_texts(texts, X, n_clusters=2, stability=0)
    named = {result.names[0], result.names[1]}
    assert "empty texts" in named
    display = EmbeddingMapDisplay(X[:, :2] + X[:, 2:4], texts=texts)
    visit = chromium_page.open(ClusterReport(result, display).to_html(tmp_path / "report.html"))
    for summary in visit.page.query_selector_all("details > summary"):
        summary.click()
    quotes = visit.page.locator("blockquote").all_inner_texts()
    assert "(nothing visible)" in quotes
    assert all(
        quote.strip("\u200d\ufe0f\u202e\u2066\u200b\u00a0\u3164\x00\x07 ") for quote in quotes
    )
    listed = visit.page.locator(".emap-list li span")
    visit.eventually(lambda: "(nothing visible)" in listed.all_inner_texts())


def test_the_legend_says_that_there_is_more_of_it(chromium_page: Chromium, tmp_path: Path):
    labels = np.arange(615) % 60
    points = np.random.default_rng(0).normal(size=(615, 2))
    path = EmbeddingMapDisplay(points, labels=labels).to_html(tmp_path / "map.html")
    visit = chromium_page.open(path)
    legend, more = visit.page.locator(".emap-legend"), visit.page.locator(".emap-more-groups")
    visit.eventually(lambda: legend.get_attribute("data-more"), "below")
    assert more.inner_text().endswith("more groups below: scroll the list")
    hidden = int(more.inner_text().split()[0])
    assert 20 < hidden < 60
    legend.evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    visit.eventually(lambda: legend.get_attribute("data-more"), "above")
    assert more.inner_text() == "The end of the list"
    few = EmbeddingMapDisplay(points, labels=labels % 4).to_html(tmp_path / "few.html")
    visit = chromium_page.open(few)
    visit.eventually(lambda: visit.page.locator(".emap-legend").get_attribute("data-more"), "")
    assert visit.page.locator(".emap-more-groups").is_hidden()


def test_the_printed_map_is_whole_and_keeps_its_legend(chromium_page: Chromium, tmp_path: Path):
    visit = chromium_page.open(report("sdg").to_html(tmp_path / "report.html"))
    visit.page.wait_for_selector(".emap[data-ready]")
    stage = visit.page.locator(".emap-stage")
    on_screen = stage.bounding_box()
    visit.page.emulate_media(media="print")
    on_paper = stage.bounding_box()
    # A4 and Letter have 680 pixels and more between the margins; the shape stays.
    assert 600 < on_paper["width"] <= 690
    assert on_paper["height"] / on_paper["width"] == pytest.approx(
        on_screen["height"] / on_screen["width"], abs=0.02
    )
    dots = visit.page.locator(".emap-plot canvas").first.bounding_box()
    assert dots["x"] + dots["width"] <= on_paper["x"] + on_paper["width"] + 2
    legend = visit.page.locator(".emap-legend button:visible")
    assert legend.count() == 17
    visit.page.emulate_media(media="screen")
    visit.eventually(lambda: abs(stage.bounding_box()["width"] - on_screen["width"]) < 2)
