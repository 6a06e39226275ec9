from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from tests.classify.examples import WordBackend, hashing, labelled_texts, sdg_result
from toolkit import ClassifierReport, EmbeddingGemmaVectorizer
from toolkit.classify import TrainingResult, train_classifier
from toolkit.errors import UsageError

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "{{ 7 * 7 }} {% raw %}",
    "<!-- <a href='javascript:alert(4)'>click</a>",
    "\u202eevil \u2028 line\x00 \ud800 lone",
    "[x](javascript:alert(5)) | cell | `code`",
)


@pytest.fixture(scope="module")
def sdg() -> TrainingResult:
    return sdg_result()


@pytest.fixture(scope="module")
def hostile() -> TrainingResult:
    """77 classes and texts that try to be more than text."""
    texts, labels = [], []
    for i in range(77):
        trick = HOSTILE[i % len(HOSTILE)]
        for j in range(6):
            texts.append(f"{trick} word{i % 60} text {j} " + "long " * (j * 200))
            labels.append(f"{i:02d} {trick}")
    vectorizer = EmbeddingGemmaVectorizer(backend=WordBackend(name=HOSTILE[0]), cache=False)
    return train_classifier(
        texts, labels, vectorizer=vectorizer, source=HOSTILE[1], cv=3, baselines=False
    )


# --- what it says --------------------------------------------------------------------------------


def test_scores_stand_beside_both_baselines(sdg: TrainingResult):
    report = ClassifierReport(sdg)
    names = [c.name for c in report.contenders]
    assert names == [
        "LogisticRegression on embeddinggemma vectors, 768 dimensions",
        "TF-IDF of word 1- and 2-grams + LogisticRegression",
        "Always the most frequent class",
    ]
    assert report.contenders[0].own
    assert report.contenders[0].scores is sdg.scores
    assert report.verdict.startswith("77.4% of texts it had not seen get the right label: 7.8 ")
    assert "points more" in report.verdict
    assert not report.loses


def test_losing_to_a_baseline_is_said():
    texts, labels = labelled_texts()
    vectorizer = EmbeddingGemmaVectorizer(backend=WordBackend(dimension=2), cache=False)
    weak = train_classifier(texts, labels, vectorizer=vectorizer, dimensions=())
    report = ClassifierReport(weak)
    assert report.loses
    assert "points fewer" in report.verdict
    assert "A baseline is at least as good" in report.to_html()


def test_per_class_frame_is_the_results(sdg: TrainingResult):
    frame = ClassifierReport(sdg).to_frame()
    assert frame.index.tolist() == list(sdg.classes)
    assert frame["support"].sum() == 615


def test_thresholds_trade_answers_for_accuracy(sdg: TrainingResult):
    rows = ClassifierReport(sdg).thresholds
    assert rows[0].answered == 1.0
    assert rows[0].accuracy == pytest.approx((sdg.validation.predicted == sdg.y).mean())
    answered = [row.answered for row in rows]
    assert answered == sorted(answered, reverse=True)
    best = sdg.validation.probabilities.max(axis=1)
    at = next(row for row in rows if row.threshold == 0.5)
    assert at.answered == pytest.approx((best >= 0.5).mean())
    assert at.accuracy > rows[0].accuracy


def test_errors_are_the_most_confident_mistakes(sdg: TrainingResult):
    report = ClassifierReport(sdg, n_errors=5)
    assert len(report.errors) == 5
    assert report.n_wrong == int((sdg.validation.predicted != sdg.y).sum())
    first = report.errors[0]
    assert first["given"] != first["predicted"]
    assert sdg.texts[first["position"]].startswith(first["text"].rstrip("…"))


def test_long_texts_are_cut_and_say_so(hostile: TrainingResult):
    report = ClassifierReport(hostile, n_errors=500)
    long = [row for row in report.errors if row["left_out"]]
    assert long
    for row in long:
        assert len(row["text"]) == 1501
        assert row["left_out"] == len(hostile.texts[row["position"]]) - 1500


def test_json_holds_everything(sdg: TrainingResult, tmp_path: Path):
    path = tmp_path / "report.json"
    ClassifierReport(sdg).to_json(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["scores"]["accuracy"]["mean"] == pytest.approx(0.774, abs=0.005)
    assert set(data["baselines"]) == {"majority", "tfidf"}
    assert set(data["by_dimension"]) == {"768", "512", "256", "128"}
    assert np.array(data["confusion"]["counts"]).sum() == 615
    assert data["confusion"]["classes"] == list(sdg.classes)
    assert data["provenance"]["prompt"] == "task: classification | query: {text}"
    assert len(data["per_class"]) == 17


def test_markdown_has_the_same_figures(sdg: TrainingResult, tmp_path: Path):
    text = ClassifierReport(sdg, n_errors=3).to_markdown()
    assert text.startswith("# Classifier report\n")
    assert "0.774 ± 0.043" in text
    for heading in (
        "Beside the baselines",
        "By dimension",
        "By class",
        "Most frequent mistakes",
        "Abstaining below a probability",
        "Most confident mistakes",
        "How it was made",
    ):
        assert f"\n## {heading}\n" in text
    ClassifierReport(sdg, n_errors=3).to_markdown(tmp_path / "r.md")
    assert (tmp_path / "r.md").read_text(encoding="utf-8") == text


def test_provenance_is_complete(sdg: TrainingResult):
    facts = dict(ClassifierReport(sdg).facts)
    assert facts["Data"] == "dataset:sdg"
    assert facts["Classifier"] == "LogisticRegression(C=10, max_iter=2000)"
    assert facts["Prompt"] == "task: classification | query: {text}"
    assert facts["Command"] == "toolkit train dataset:sdg --backend cache"
    assert facts["Data fingerprint"].startswith("sha256:")
    assert {"Embedding model", "Dimensions", "Splits", "Seed", "Versions", "Date"} <= set(facts)


def test_without_probabilities_and_baselines_the_report_still_stands():
    texts, labels = labelled_texts()
    result = train_classifier(
        texts, labels, vectorizer=hashing(), classifier=LinearSVC(), baselines=False, dimensions=()
    )
    report = ClassifierReport(result)
    assert report.thresholds == []
    html = report.to_html()
    assert "Abstaining" not in html
    assert not re.search(r"\bnan\b", html)
    assert json.loads(report.to_json())["errors"][0]["probability"] is None
    assert not re.search(r"\bnan\b", report.to_markdown())


def test_no_errors_at_all_is_doubted():
    texts = [f"{word} {i}" for word in ("apple", "car") for i in range(10)]
    result = train_classifier(
        texts, ["f"] * 10 + ["v"] * 10, vectorizer=hashing(), dimensions=(), baselines=False
    )
    assert "There is no wrong prediction" in ClassifierReport(result).to_html()


def test_another_model_is_named_at_the_top_of_every_form(hostile: TrainingResult):
    report = ClassifierReport(hostile)
    assert "Not EmbeddingGemma" in "".join(report.to_markdown().splitlines()[:3])
    html = report.to_html()
    assert html.index("Not EmbeddingGemma") < html.index('class="cards"')
    assert json.loads(report.to_json())["notice"].startswith("Not EmbeddingGemma")


def test_gemma_has_no_notice(sdg: TrainingResult):
    assert "Not EmbeddingGemma" not in ClassifierReport(sdg).to_html()


def test_files_are_not_overwritten_unasked(sdg: TrainingResult, tmp_path: Path):
    report = ClassifierReport(sdg)
    path = report.to_html(tmp_path / "r.html")
    with pytest.raises(UsageError):
        report.to_html(path, overwrite=False)


def test_hostile_texts_are_escaped(hostile: TrainingResult):
    html = ClassifierReport(hostile, title=HOSTILE[0]).to_html()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "<svg onload" not in html
    assert "{{ 7 * 7 }}" in html
    markdown = ClassifierReport(hostile).to_markdown()
    assert "](javascript" not in markdown
    assert "<script>" not in markdown


def test_size(sdg: TrainingResult, hostile: TrainingResult):
    assert len(ClassifierReport(sdg).to_html().encode()) < 200_000
    assert len(ClassifierReport(hostile).to_html().encode("utf-8", "replace")) < 1_000_000


def test_notebook_form_is_a_frame_of_its_own(sdg: TrainingResult):
    assert ClassifierReport(sdg)._repr_html_().startswith("<iframe sandbox=")


# --- in a browser --------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "desktop"])
@pytest.mark.parametrize("which", ["sdg", "hostile"])
def test_page_is_clean_offline_at_every_size(
    which: str,
    size: str,
    dark: bool,
    chromium_page: Any,
    tmp_path: Path,
    request: pytest.FixtureRequest,
):
    result = request.getfixturevalue(which)
    path = ClassifierReport(result).to_html(tmp_path / "report.html")
    visit = chromium_page.open(path, size=size, dark=dark)
    visit.assert_clean(path)
    visit.assert_fits()
    assert visit.page.evaluate("document.querySelectorAll('.matrix tbody tr').length") == len(
        result.classes
    )
    assert visit.page.evaluate("document.images.length") == 0
    scripts = visit.page.evaluate("document.scripts.length")
    assert scripts == path.read_text(encoding="utf-8").count("<script>")


@pytest.mark.browser
def test_classes_sort_and_filter_by_keyboard(hostile: TrainingResult, chromium_page: Any, tmp_path):
    path = ClassifierReport(hostile).to_html(tmp_path / "report.html")
    visit = chromium_page.open(path)
    page = visit.page
    page.focus("#class-table thead th:nth-child(2) button")
    page.keyboard.press("Enter")
    column = "[...document.querySelectorAll('#class-table tbody tr td:nth-child(2)')]"
    values = [float(v) for v in page.evaluate(f"{column}.map(c => c.textContent.trim())")]
    assert values == sorted(values)
    assert len(values) == 77
    page.fill("input[data-filter]", "05 ")
    shown = page.evaluate(
        "[...document.querySelectorAll('#class-table tbody tr')].filter(r => !r.hidden).length"
    )
    assert 1 <= shown < 77
    visit.assert_clean(path)


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_number_of_the_matrix_can_be_read(
    sdg: TrainingResult, chromium_page: Any, tmp_path: Path, dark: bool
):
    path = ClassifierReport(sdg).to_html(tmp_path / "report.html")
    page = chromium_page.open(path, dark=dark).page
    # The contrast of WCAG 2, from colours as the browser has resolved them on a canvas.
    worst = page.evaluate(
        """() => {
          const canvas = document.createElement("canvas").getContext("2d");
          const light = (colour) => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => {
              v /= 255;
              return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          let worst = 99;
          for (const cell of document.querySelectorAll(".matrix tbody td")) {
            if (!cell.textContent.trim()) continue;
            const style = getComputedStyle(cell);
            const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
            worst = Math.min(worst, (a + 0.05) / (b + 0.05));
          }
          return worst;
        }"""
    )
    assert worst >= 4.5


@pytest.mark.browser
def test_long_names_without_spaces_fit_a_phone(chromium_page: Any, tmp_path: Path):
    """As those of intent data sets: balance_not_updated_after_cheque_or_cash_deposit."""
    texts, labels = labelled_texts()
    named = [f"{label}_{'not_updated_after_' * 4}deposit" for label in labels]
    result = train_classifier(
        texts, named, vectorizer=hashing(), baselines=False, dimensions=(), source="s"
    )
    assert len(result.errors())
    path = ClassifierReport(result).to_html(tmp_path / "report.html")
    chromium_page.open(path, size="phone").assert_fits()
