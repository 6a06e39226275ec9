"""What holds of every kind of page: for every reader, on paper, without scripts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.browser import Chromium, Visit
from tests.classify.examples import hashing
from tests.classify.multilabel.examples import tagged_texts
from tests.cluster.examples import WORDS, blobs
from tests.report.test_clustering_page import report as cluster_report
from toolkit.classify import (
    TrainingResult,
    evaluate_model,
    evaluate_multilabel,
    train_classifier,
    train_multilabel,
)
from toolkit.cluster import cluster_texts
from toolkit.report import ClassifierReport, ClusterReport, EvaluationReport, MultilabelReport
from toolkit.visualize import EmbeddingMapDisplay, MapComparison

pytestmark = pytest.mark.browser

NOTICE = "Not EmbeddingGemma: vectors of a test."


def texts() -> tuple[list[str], list[str]]:
    labels = [f"kind {i % 4}" for i in range(80)]
    found = [f"{WORDS[i % 4]} of number {i * i % 23}, كتاب {i % 3}" for i in range(80)]
    return found, labels


@cache
def trained() -> TrainingResult:
    return train_classifier(*texts(), vectorizer=hashing(), cv=3, dimensions=(16,))


def many_clusters() -> ClusterReport:
    """As many clusters and months as a table has columns for."""
    X, labels = blobs((6,) * 40, dimension=50)
    found = [f"text {i} of {label}" for i, label in enumerate(labels)]
    known = [f"a label of several words {label}" for label in labels]
    result = cluster_texts(found, X, n_clusters=40, labels_true=known, stability=0)
    months = [f"20{20 + i % 2}-{1 + i % 12:02}-01" for i in range(len(found))]
    return ClusterReport(result, times=months)


def many_classes(n: int) -> ClassifierReport:
    """A matrix of so many classes."""
    labels = [f"a class of several words {i % n}" for i in range(3 * n)]
    found = [f"word{i % n} thing{i % 7}" for i in range(3 * n)]
    made = train_classifier(
        found, labels, vectorizer=hashing(), classifier="knn", cv=3, dimensions=None,
        baselines=False,
    )  # fmt: skip
    return ClassifierReport(made)


def map_of(seed: int) -> EmbeddingMapDisplay:
    found, labels = texts()
    points = np.random.default_rng(seed).normal(size=(len(found), 2))
    return EmbeddingMapDisplay(
        points, texts=found, labels=labels, projection={"method": "thrown dice"}
    )


@cache
def page_of(which: str) -> str:
    """Return a page of a kind."""
    if which == "clustering":
        return cluster_report("noisy").to_html()
    if which == "many clusters":
        return many_clusters().to_html()
    if which.endswith(" classes"):
        return many_classes(int(which.split()[0])).to_html()
    if which == "classifier":
        return ClassifierReport(trained()).to_html()
    if which == "several labels":
        found = train_multilabel(
            *tagged_texts(), vectorizer=hashing(), cv=3, candidates=["logistic_regression", "knn"]
        )
        return MultilabelReport(found).to_html()
    if which == "evaluation":
        found, labels = texts()
        scores = evaluate_model(trained().pipeline, found, [*labels[:-3], "new", "new", "odd"])
        facts = {"Data": "new.csv", "Command": "toolkit evaluate model new.csv"}
        return EvaluationReport(scores, facts=facts, notice=NOTICE).to_html()
    if which == "evaluation of several labels":
        model = train_multilabel(
            *tagged_texts(), vectorizer=hashing(), cv=3, candidates=["logistic_regression"]
        ).pipeline
        return EvaluationReport(evaluate_multilabel(model, *tagged_texts())).to_html()
    display = map_of(0) if which == "map" else MapComparison(map_of(0), map_of(1))
    display.provenance = {"notice": NOTICE, "embedding model": "a test"}
    return display.to_html()


KINDS = (
    "clustering",
    "classifier",
    "several labels",
    "evaluation",
    "evaluation of several labels",
    "map",
    "two maps",
)


def opened(chromium: Chromium, folder: Path, which: str, **options: object) -> Visit:
    path = folder / "page.html"
    path.write_text(page_of(which), encoding="utf-8")
    visit = chromium.open(path, **options)
    if "map" in which and options.get("java_script_enabled", True):
        visit.page.wait_for_selector(".emap[data-ready]")
    return visit


@pytest.mark.parametrize("which", KINDS)
@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)])
def test_every_reader_can_use_it(
    chromium_page: Chromium, tmp_path: Path, which: str, size: str, dark: bool
):
    visit = opened(chromium_page, tmp_path, which, size=size, dark=dark)
    visit.assert_accessible()
    visit.assert_fits()
    assert visit.errors == []


@pytest.mark.parametrize("which", [*KINDS, "many clusters", "30 classes", "100 classes"])
def test_on_paper_nothing_is_folded_or_cut_off(chromium_page: Chromium, tmp_path: Path, which: str):
    visit = opened(chromium_page, tmp_path, which)
    page = visit.page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1000})
    assert page.locator(".noprint:visible").count() == 0
    for folded in page.locator("details:not(.noprint)").all():
        last = folded.locator(":scope > *:not(summary)").last.bounding_box()
        assert last is not None
        assert last["height"] > 10
    # Chromium repeats no table heading on the next page that has a button's box in it.
    displays = page.locator("thead button").evaluate_all(
        "(all) => all.map((e) => getComputedStyle(e).display)"
    )
    assert set(displays) <= {"contents"}
    visit.eventually(
        lambda: page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        ),
        0,
    )


@pytest.mark.parametrize("which", KINDS)
def test_without_scripts_no_control_is_there_that_does_nothing(
    chromium_page: Chromium, tmp_path: Path, which: str
):
    page = opened(chromium_page, tmp_path, which, java_script_enabled=False).page
    assert page.locator(".needs-js:visible").count() == 0
    assert page.locator("button:visible, input:visible, select:visible").count() == 0
    assert page.locator("table").count() > 0


@pytest.mark.parametrize("which", ["evaluation", "map", "two maps"])
def test_another_model_is_named_first(which: str):
    page = page_of(which)
    assert page.index(NOTICE) < page.index("<section")
    assert "a test" in page
