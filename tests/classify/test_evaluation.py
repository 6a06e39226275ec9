from __future__ import annotations

from pathlib import Path

import pytest

from tests.classify.examples import hashing, labelled_texts
from toolkit.classify import evaluate_model, read_model_info, save_model, train_classifier
from toolkit.errors import DataError
from toolkit.report import EvaluationReport

TEXTS = ["number 1: apple and pear", "number 2: tram and car", "number 3: rain and apple", "sea"]
LABELS = ["fruit", "vehicle", "fruit", "</b>water"]


@pytest.fixture(scope="module")
def trained():
    texts, labels = labelled_texts()
    return train_classifier(texts, labels, vectorizer=hashing(), dimensions=(), baselines=False)


def test_the_drop_against_training_is_shown(trained, tmp_path: Path):
    info = read_model_info(save_model(trained, tmp_path / "m"))
    found = evaluate_model(trained.pipeline, TEXTS, LABELS, info=info)
    right = sum(p == g for p, g in zip(found.predicted, LABELS, strict=True))
    assert found.scores["accuracy"] == right / 4
    assert found.trained["accuracy"] == pytest.approx(trained.scores["accuracy"].mean)
    assert found.drop["accuracy"] == pytest.approx(found.trained["accuracy"] - right / 4)
    frame = found.per_class()
    assert frame["f1_training"]["fruit"] == trained.per_class()["f1"]["fruit"]
    assert frame.loc["</b>water", ["recall", "support"]].tolist() == [0.0, 1.0]
    assert "training    drop" in found.summary()


def test_unseen_labels_are_named_and_count_as_errors(trained):
    found = evaluate_model(trained.pipeline, TEXTS, LABELS)
    assert found.unseen == {"</b>water": 1}
    assert "cannot answer 1 of the labels here: '</b>water' (1)" in found.notes()[0]
    assert found.drop == {}
    assert "sea" in found.errors()["text"].tolist()


def test_the_rows_of_the_training_are_recognised(trained, tmp_path: Path):
    texts, labels = labelled_texts()
    info = read_model_info(save_model(trained, tmp_path / "m"))
    found = evaluate_model(trained.pipeline, texts, labels, info=info)
    assert found.same_rows
    assert "the rows the model was trained on" in found.summary()
    assert "the difference may be chance" not in found.summary()
    assert "the rows the model was trained on" in EvaluationReport(found).to_html()
    others = evaluate_model(trained.pipeline, texts[1:], labels[1:], info=info)
    assert not others.same_rows


def test_numbers_are_compared_as_text():
    texts, labels = labelled_texts(10)
    numbers = [["fruit", "vehicle", "weather"].index(label) for label in labels]
    made = train_classifier(texts, numbers, vectorizer=hashing(), dimensions=(), baselines=False)
    found = evaluate_model(made.pipeline, texts, [str(n) for n in numbers])
    assert found.unseen == {}
    assert found.scores["accuracy"] > 0.8


def test_mistakes(trained):
    for y, said in ((["a"], "4 texts and 1 labels"), (["a", "", "b", None], "2 of 4 labels")):
        with pytest.raises(DataError, match=said):
            evaluate_model(trained.pipeline, TEXTS, y)
    with pytest.raises(DataError, match="no rows"):
        evaluate_model(trained.pipeline, [], [])


def test_report_in_every_form(trained, tmp_path: Path):
    info = read_model_info(save_model(trained, tmp_path / "m"))
    found = evaluate_model(trained.pipeline, TEXTS, LABELS, info=info)
    report = EvaluationReport(found, facts={"Data": "new.csv"}, notice="Not EmbeddingGemma: x.")
    html = report.to_html()
    assert html.index("Not EmbeddingGemma: x.") < html.index('class="cards"')
    assert report.to_markdown().index("Not EmbeddingGemma") < report.to_markdown().index("|")
    assert report.to_dict()["notice"] == "Not EmbeddingGemma: x."
    assert report.subtitle == f"new.csv: {len(TEXTS)} texts, {len(found.classes)} classes"
    assert f"{report.n_wrong} wrong predictions" in html
    assert "Accuracy in training" in html
    before, here = found.trained["accuracy"], found.scores["accuracy"]
    card = next(note for name, _, note in report.cards if name == "Accuracy in training")
    assert card == f"here {abs(here - before):.3f} {'lower' if here < before else 'higher'}"
    assert "</b>water" not in html
    assert "F1 in training" in report.to_markdown()
    data = report.to_dict()
    assert data["drop"]["accuracy"] == found.drop["accuracy"]
    assert data["unseen"] == {"</b>water": 1}
    assert report.to_frame().index.tolist() == found.classes
