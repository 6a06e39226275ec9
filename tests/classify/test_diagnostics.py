from __future__ import annotations

import numpy as np
import pytest

from tests.classify.examples import hashing, labelled_texts
from toolkit.classify.classifiers import make_classifier
from toolkit.classify.diagnostics import (
    calibration_curve,
    calibration_error,
    learning_curve,
)
from toolkit.classify.selection import select_classifier
from toolkit.report import ClassifierReport


@pytest.fixture(scope="module")
def result():
    texts, labels = labelled_texts()
    return select_classifier(
        texts, labels, vectorizer=hashing(), candidates=["logistic_regression"], dimensions=(), cv=3
    )


def test_calibrated_probabilities_have_no_gap():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.3, 1, 20_000)
    honest = calibration_curve(p, rng.random(20_000) < p)
    boastful = calibration_curve(p, rng.random(20_000) < p - 0.2)
    assert calibration_error(honest) < 0.02
    assert calibration_error(boastful) == pytest.approx(0.2, abs=0.02)
    assert sum(b.count for b in honest) == 20_000
    assert all(b.low <= b.probability <= b.high for b in honest)


def test_more_rows_learn_more_where_there_is_more_to_learn():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 400)
    X = np.eye(3)[y].repeat(10, axis=1) + rng.normal(scale=2.5, size=(400, 30))
    points = learning_curve(X, y, [make_classifier()], [(np.arange(300), np.arange(300, 400))])
    assert [p.rows for p in points] == [30, 60, 120, 210, 300]
    assert points[-1].scores["accuracy"].mean > points[0].scores["accuracy"].mean + 0.05


def test_the_last_point_is_the_score_itself(result):
    assert result.learning[-1].scores["accuracy"].folds == result.scores["accuracy"].folds
    assert result.learning[0].rows < result.learning[-1].rows == 40


def test_neighbours_are_training_rows_of_the_fold(result):
    found, fold = result.neighbours, result.validation.fold
    wrong = result.validation.predicted != result.y
    assert wrong.any()
    assert (found.row[~wrong] == -1).all()
    assert (fold[found.row[wrong]] != fold[wrong]).all()
    X = hashing().transform(result.texts).toarray()
    at = int(np.flatnonzero(wrong)[0])
    cosines = X @ X[at]
    assert found.similarity[at] == pytest.approx(cosines[fold != fold[at]].max())


def test_the_report_shows_them_in_every_form(result):
    report = ClassifierReport(result)
    html = report.to_html()
    for said in ("95% interval", 'id="calibration"', 'id="learning"', "nearest training text"):
        assert said in html
    assert "## Calibration" in report.to_markdown()
    assert "## Learning curve" in report.to_markdown()
    data = report.to_dict()
    low, high = (data["intervals"]["accuracy"][k] for k in ("low", "high"))
    assert low < data["intervals"]["accuracy"]["value"] < high
    assert data["errors"][0]["nearest"]["similarity"] <= 1.0001
