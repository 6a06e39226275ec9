from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.classify.examples import hashing
from tests.classify.multilabel.examples import tagged_texts
from tests.report.test_classifier import HOSTILE
from toolkit.classify import (
    MultilabelResult,
    evaluate_multilabel,
    read_model_info,
    save_model,
    train_multilabel,
)
from toolkit.report import EvaluationReport, MultilabelReport


@pytest.fixture(scope="module")
def result() -> MultilabelResult:
    texts, labels = tagged_texts()
    return train_multilabel(
        texts, labels, vectorizer=hashing(), candidates=["logistic_regression", "knn"], cv=3,
        dimensions=(64,), source="tagged",
    )  # fmt: skip


@pytest.fixture(scope="module")
def hostile() -> MultilabelResult:
    rng = np.random.default_rng(0)
    texts = [f"{HOSTILE[i % len(HOSTILE)]} word{i % 9} " + "long " * (i * 6) for i in range(120)]
    labels = [[HOSTILE[j] for j in range(len(HOSTILE)) if rng.random() < 0.3] for _ in texts]
    return train_multilabel(
        texts, labels, vectorizer=hashing(), candidates=["logistic_regression"], cv=3,
        dimensions=(), source=HOSTILE[1], baselines=False,
    )  # fmt: skip


def test_it_says_what_the_result_says(result: MultilabelResult, tmp_path: Path):
    report = MultilabelReport(result, n_errors=3)
    assert report.to_frame()["f1"].tolist() == result.per_class()["f1"].tolist()
    assert len(report.errors) == 3 < report.n_wrong == len(result.errors())
    assert [c.name for c in report.contenders][1:] == [
        "TF-IDF of word 1- and 2-grams + LogisticRegression",
        "Always the most frequent labels",
    ]
    report.to_json(tmp_path / "r.json")
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert found["scores"]["micro_f1"]["mean"] == result.scores["micro_f1"].mean
    assert set(found["intervals"]) == {"micro_f1", "macro_f1", "subset_accuracy"}
    assert found["selection"]["chosen"] in ("logistic_regression", "knn")
    page, text = report.to_html(), report.to_markdown()
    for said in ("By label", "Compared classifiers", "By dimension", "Where it is sure and wrong"):
        assert said in page
        assert said in text
    assert f"{result.thresholds[0]:.3f}" in text


def test_deviations_stand_in_the_notes_of_the_cards(result: MultilabelResult):
    report = MultilabelReport(result)
    micro = result.scores["micro_f1"]
    assert report.cards[0][1] == f"{micro.mean:.3f}"
    assert report.cards[0][2].startswith(f"± {micro.sd:.3f}; ")
    assert not any("±" in value for _, value, _ in report.cards)
    assert report.subtitle == "120 texts, 3 labels, several a text"


def test_a_baseline_as_good_is_said():
    rng = np.random.default_rng(0)
    texts = [f"w{a} w{b}" for a, b in rng.integers(0, 30, (90, 2))]
    chance = train_multilabel(
        texts, rng.random((90, 2)) < 0.9, vectorizer=hashing(), dimensions=(),
        candidates=["logistic_regression"],
    )  # fmt: skip
    assert MultilabelReport(chance).loses
    assert "A baseline is at least as good" in MultilabelReport(chance).to_html()


def test_texts_and_labels_are_only_ever_text(hostile: MultilabelResult, tmp_path: Path):
    page = MultilabelReport(hostile).to_html()
    for trick in ("<script>alert", "<img src=x", "<svg onload", "<a href='java"):
        assert trick not in page
    assert "{{ 7 * 7 }}" in page
    assert "more characters" in page
    MultilabelReport(hostile).to_markdown(tmp_path / "r.md")


@pytest.mark.browser
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_in_a_browser(hostile: MultilabelResult, chromium_page: Any, tmp_path: Path, size: str):
    path = MultilabelReport(hostile).to_html(tmp_path / "r.html")
    visit = chromium_page.open(path, size=size)
    visit.assert_clean(path)
    visit.assert_fits()


def test_how_many_labels_texts_have_is_no_warning(result: MultilabelResult):
    html = MultilabelReport(result).to_html()
    assert f"<p>{result.notes[0]}</p>" in html
    warned = [part.split("</div>")[0] for part in html.split('<div class="warn-box">')[1:]]
    assert not any("labels a text on average" in part for part in warned)


def test_without_a_wrong_label_only_the_share_of_right_rows_has_an_interval(tmp_path: Path):
    texts = ["apple", "car", "apple car", "rain"] * 15
    labels = [["fruit"], ["vehicle"], ["fruit", "vehicle"], []] * 15
    perfect = train_multilabel(
        texts, labels, vectorizer=hashing(), candidates=["logistic_regression"], dimensions=(),
        baselines=False,
    )  # fmt: skip
    report = MultilabelReport(perfect)
    said = "95% interval 0.735 to 1.000 (exact, after Clopper and Pearson)."
    page = report.to_html()
    assert said in page
    assert "by bootstrap" not in page
    assert "95 % interval 0.735 to 1.000 (exact)" in report.to_markdown()
    assert "by 0.000 (1.000 to 1.000)." in report.learning_verdict
    info = read_model_info(save_model(perfect, tmp_path / "m"))
    found = evaluate_multilabel(perfect.pipeline, texts[:8], labels[:8], info=info)
    assert "The subset accuracy in training (1.000) lies within the interval" in found.summary()
    notes = {name: note for name, _, note in EvaluationReport(found).cards}
    assert notes["Micro F1"] == "no interval: every row gives the same"
    assert notes["All labels right"] == "95% interval 0.631 to 1.000 (exact)"
