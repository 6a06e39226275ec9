"""Make the pictures of the README and of the documentation, from the shipped SDG vectors.

    python scripts/make_images.py [--out docs/images]

- ``map.png``: the 615 passages by their 17 goals, drawn by matplotlib;
- ``classifier-report.png`` and ``cluster-report.png``: the top of the two reports, photographed
  in Chromium; ``cluster-tree.png``: how the clusters belong together, from the second.

No server is needed: the vectors come with the data set. Chromium is (Debian's package, or the one
that TOOLKIT_TEST_CHROMIUM names), with Playwright of the ``test`` extra. Takes about a minute.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright

from toolkit import (
    ClassifierReport,
    ClusterReport,
    EmbeddingGemmaVectorizer,
    EmbeddingMapDisplay,
)
from toolkit.classify import train_classifier
from toolkit.cluster import cluster_texts
from toolkit.datasets import load
from toolkit.page import Report

CHROMIUM = os.environ.get("TOOLKIT_TEST_CHROMIUM", "/usr/bin/chromium")
WIDTH, MARGIN = 1200, 32  # pixels of a photograph of a page; the page alone has none
# The colours the United Nations give the goals: here water is blue and what lives on land green.
COLORS = (
    "#E5243B", "#DDA63A", "#4C9F38", "#C5192D", "#FF3A21", "#26BDE2", "#FCC30B", "#A21942",
    "#FD6925", "#DD1367", "#FD9D24", "#BF8B2E", "#3F7E44", "#0A97D9", "#56C02B", "#00689D",
    "#19486A",
)  # fmt: skip
LIMITS = {
    "map.png": 300_000,
    "classifier-report.png": 400_000,
    "cluster-report.png": 400_000,
    "cluster-tree.png": 200_000,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the pictures of the documentation.")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parents[1] / "docs" / "images",
        help="where to write them (default: %(default)s)",
    )
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)

    passages = load("sdg")
    clustering = EmbeddingGemmaVectorizer("clustering", backend="cache")
    X = clustering.fit_transform(passages.data)
    goals = {goal: goal.partition(" ")[2] for goal in passages.target_names}
    display = EmbeddingMapDisplay.from_embeddings(
        X,
        texts=passages.data,
        labels=passages.target,
        names=goals,
        colors=dict(zip(passages.target_names, COLORS, strict=True)),
        title="615 passages about the 17 Sustainable Development Goals",
        verbose=0,
    )
    draw_map(display, folder / "map.png")

    trained = train_classifier(
        passages.data,
        passages.target,
        vectorizer=EmbeddingGemmaVectorizer("classification", backend="cache"),
        source="dataset:sdg",
    )
    clusters = cluster_texts(
        passages.data,
        X,
        n_clusters=17,
        labels_true=passages.target,
        identity=clustering.identity_,
        prompt=clustering.prompt_,
        source="dataset:sdg",
    )
    photograph(ClassifierReport(trained), folder / "classifier-report.png", until="#dimensions")
    report = ClusterReport(clusters, map=display)
    photograph(report, folder / "cluster-report.png", until="#map")
    photograph(report, folder / "cluster-tree.png", since=".tree", until=".tree")

    heavy = [name for name, limit in LIMITS.items() if (folder / name).stat().st_size > limit]
    for name in LIMITS:
        print(f"{folder / name}: {(folder / name).stat().st_size / 1000:.0f} kB")
    if heavy:
        print(f"too large for a page that loads quickly: {', '.join(heavy)}", file=sys.stderr)
    return 1 if heavy else 0


def draw_map(display: EmbeddingMapDisplay, path: Path) -> None:
    """Draw the map, wide rather than high, for a page of text around it."""
    mpl.use("agg")
    padding = ConstrainedLayoutEngine(w_pad=0.2, h_pad=0.2)
    figure, ax = plt.subplots(figsize=(10, 7), layout=padding, facecolor="white")
    display.plot(ax, size=34, alpha=0.85)
    content = io.BytesIO()
    figure.savefig(content, dpi=160)
    Image.open(content).convert("RGB").save(path, optimize=True)


def photograph(report: Report, path: Path, *, until: str, since: str | None = None) -> None:
    """Photograph a report from its top, or that of a section, to the end of a section."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        report.to_html(page_file)
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(
            viewport={"width": WIDTH - 2 * MARGIN, "height": 1400}, color_scheme="light"
        )
        page.goto(page_file.as_uri(), wait_until="load")
        page.wait_for_timeout(2000)  # for the map, which is drawn after loading
        box = page.locator(until).bounding_box()
        top = 0 if since is None else int(page.locator(since).bounding_box()["y"])
        height = int(box["y"] + box["height"]) - top
        content = page.screenshot(
            full_page=True,
            clip={"x": 0, "y": top, "width": WIDTH - 2 * MARGIN, "height": height},
        )
        browser.close()
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    ground = picture.getpixel((0, 0))
    framed = ImageOps.expand(picture, border=(MARGIN, 0, MARGIN, MARGIN), fill=ground)
    framed.save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
