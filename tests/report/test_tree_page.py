"""The tree of clusters in a browser."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tests.browser import Chromium
from tests.cluster.examples import sdg_result
from toolkit import ClusterReport
from toolkit.cluster import cluster_texts
from toolkit.datasets import load, load_vectors

pytestmark = pytest.mark.browser


@cache
def report_of(k: int) -> ClusterReport:
    texts, X = load("sdg").data, load_vectors("sdg", task="clustering", dimensions=128)
    return ClusterReport(cluster_texts(texts, X, n_clusters=k, stability=0))


@cache
def odd_names() -> ClusterReport:
    """A report whose names and common words are very long, or run from right to left."""
    result = sdg_result()
    names = [f"{'ن' * 30} {'م' * 30} {i}" if i % 2 else f"{'w' * 300}{i}" for i in range(17)]
    words = ("w" * 200, "التعليم", "</script><b>bold</b>", "可持续发展", "v" * 50)
    branches = tuple(replace(branch, keywords=words) for branch in result.tree.branches)
    return ClusterReport(replace(result, names=names, tree=replace(result.tree, branches=branches)))


REPORTS = {
    "two": lambda: report_of(2),
    "many": lambda: report_of(80),
    "odd": odd_names,
}


@pytest.mark.parametrize(
    ("which", "size", "dark"),
    [
        ("two", "desktop", False),
        ("many", "desktop", True),
        ("many", "phone", False),
        ("odd", "desktop", False),
        ("odd", "phone", True),
    ],
)
def test_it_fits_and_everybody_can_read_it(
    chromium_page: Chromium, tmp_path: Path, which: str, size: str, dark: bool
):
    path = REPORTS[which]().to_html(tmp_path / "report.html")
    visit = chromium_page.open(path, size=size, dark=dark)
    visit.assert_fits()
    visit.assert_accessible()
    visit.assert_clean(path)
    boxes = visit.page.evaluate(
        """[...document.querySelectorAll(".tree tbody tr")].map((row) => {
          const [head, svg] = [row.querySelector("th"), row.querySelector("th > svg")];
          const range = document.createRange();
          range.selectNodeContents(head);
          range.setStartAfter(head.querySelector(".visually-hidden") || svg);
          const text = [...range.getClientRects()].filter((box) => box.width > 2);
          const [cell, drawn] = [head, svg].map((one) => one.getBoundingClientRect());
          return {left: cell.left, top: cell.top, bottom: cell.bottom, right: cell.right,
            from: drawn.top, to: drawn.bottom, start: drawn.left, end: drawn.right,
            text: Math.min(...text.map((box) => box.left)),
            until: Math.max(...text.map((box) => box.right))};
        })"""
    )
    table = visit.page.locator(".tree").bounding_box()
    assert table["width"] <= visit.page.locator("#tree .scroll").bounding_box()["width"] + 1
    for box in boxes:
        assert box["start"] == pytest.approx(box["left"], abs=1)
        assert box["end"] < box["text"]
        assert box["until"] <= box["right"] + 1
        assert box["from"] == pytest.approx(box["top"], abs=1)
        assert box["to"] == pytest.approx(box["bottom"], abs=1)
    for above, below in pairwise(boxes):
        assert below["from"] <= above["to"], "the drawing has no gaps"


def test_a_cluster_leads_to_its_section(chromium_page: Chromium, tmp_path: Path):
    made = ClusterReport(sdg_result())
    visit = chromium_page.open(made.to_html(tmp_path / "report.html"))
    page = visit.page
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("link", name="How they belong together").click()
    page.locator('.tree a[href="#cluster-5"]').click()
    heading = page.locator("#cluster-5 h3")
    heading.wait_for(state="visible")
    visit.eventually(lambda: 0 <= heading.bounding_box()["y"] < 300)


def test_heard_row_by_row_it_says_what_is_drawn(chromium_page: Chromium, tmp_path: Path):
    result = sdg_result()
    path = ClusterReport(result).to_html(tmp_path / "report.html")
    page = chromium_page.open(path, java_script_enabled=False).page
    table = page.get_by_role("region", name="How the clusters belong together")
    said = [row.replace("\xa0", " ") for row in table.get_by_role("rowheader").all_text_contents()]
    assert len(said) == 33
    for branch in result.tree.branches:
        if branch.keywords:
            assert any(row.endswith(", ".join(branch.keywords)) for row in said)
    first = result.tree.branches[0]
    assert any(row.startswith(f"{first.left} with {first.right}: ") for row in said)
    for cluster, name in enumerate(result.names):
        assert f"{cluster} {name}" in said


def test_on_paper_the_tree_is_as_wide_as_the_paper(chromium_page: Chromium, tmp_path: Path):
    page = chromium_page.open(report_of(80).to_html(tmp_path / "report.html")).page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 720, "height": 1000})
    box = page.locator(".tree").bounding_box()
    assert box["x"] + box["width"] <= 721
    assert page.locator(".tree th > svg").first.is_visible()
    pages = page.pdf(format="A4")
    assert pages.startswith(b"%PDF")
