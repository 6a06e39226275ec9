from __future__ import annotations

import json
from dataclasses import astuple

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tests.classify.examples import hashing
from tests.classify.multilabel.examples import tagged_texts
from toolkit.classify import (
    MultilabelResult,
    Prediction,
    evaluate_model,
    evaluate_multilabel,
    load_model,
    predict_texts,
    read_model_info,
    save_model,
    train_classifier,
    train_multilabel,
)
from toolkit.errors import DataError, UsageError
from toolkit.saved.row_log import RowLog, logged


def train(texts, labels, **more):
    more = {"candidates": ["logistic_regression"], "dimensions": (), "baselines": False} | more
    return train_multilabel(texts, labels, vectorizer=hashing(), **more)


@pytest.fixture(scope="module")
def result() -> MultilabelResult:
    texts, labels = tagged_texts()
    return train_multilabel(
        texts,
        labels,
        vectorizer=hashing(),
        candidates=["logistic_regression", "knn"],
        dimensions=(64,),
    )


def test_scores_are_of_rows_that_were_not_learned_from(result: MultilabelResult):
    tested = result.validation.tested
    assert 20 <= tested.sum() <= 30
    scores = f1_score(result.Y[tested], result.validation.predicted[tested], average="micro")
    assert result.scores["micro_f1"].mean == pytest.approx(scores)
    assert result.scores["micro_f1"].mean > 0.8
    assert list(result.by_dimension) == [256, 64]
    assert result.baselines["majority"].scores["micro_f1"].mean < 0.6
    assert result.baselines["tfidf"].description.startswith("TF-IDF of word")
    assert result.selection.metric == "micro_f1"
    assert {trial.name for trial in result.selection.trials} == {"logistic_regression", "knn"}
    assert result.provenance["classes"] == 3
    assert any("labels a text on average" in note for note in result.notes)
    assert "all labels right" in result.summary()


def test_chance_labels_score_by_chance():
    rng = np.random.default_rng(0)
    texts = [f"w{a} w{b}" for a, b in rng.integers(0, 30, (300, 2))]
    Y = rng.random((300, 4)) < 0.3
    scores = train(texts, Y, cv=3).scores
    assert scores["average_precision"].mean < 0.4
    assert scores["subset_accuracy"].mean < 0.3


def test_every_split_is_offered():
    texts, labels = tagged_texts()
    nested = train(texts, labels, candidates=["logistic_regression", "knn"], cv=2)
    assert nested.validation.tested.all()
    assert len(nested.selection.picks) == 2
    groups = [i % 10 for i in range(120)]
    grouped = train(texts, labels, cv=5, groups=groups)
    for group in range(10):
        assert len(set(grouped.validation.fold[np.array(groups) == group])) == 1
    timed = train(texts, labels, times=range(120))
    assert np.flatnonzero(timed.validation.tested).tolist() == list(range(96, 120))
    with pytest.raises(UsageError, match="groups or times"):
        train(texts, labels, groups=groups, times=range(120))


def test_rare_labels_are_said_and_do_not_fail():
    texts, labels = tagged_texts()
    labels[3] = [*labels[3], "single"]
    for at in (5, 9, 20):
        labels[at] = [*labels[at], "three"]
    result = train(texts, labels, candidates=["linear_svm", "nearest_centroid"])
    said = " ".join(result.notes)
    assert "2 of 5 labels have fewer than 5 rows ('single', 'three')" in said
    assert "1 of 5 labels cannot be learned" in said
    assert "never tested" in said
    frame = result.per_class()
    assert np.isnan(frame.loc["single", "average_precision"])


def test_per_class_and_errors_agree(result: MultilabelResult):
    tested = result.validation.tested
    frame = result.per_class()
    given, predicted = result.Y[tested], result.validation.predicted[tested]
    np.testing.assert_allclose(frame["f1"], f1_score(given, predicted, average=None))
    assert frame["support"].tolist() == given.sum(axis=0).tolist()
    errors = result.errors()
    assert len(errors) == (given != predicted).any(axis=1).sum() > 0
    assert (np.diff(errors["probability"]) <= 0).all()
    for row in errors.itertuples():
        one, other = set(row.given.split(";")) - {""}, set(row.predicted.split(";")) - {""}
        assert set(row.missing.split(";")) - {""} == one - other
        assert set(row.superfluous.split(";")) - {""} == other - one


def test_a_model_folder_and_back(result: MultilabelResult, tmp_path):
    folder = save_model(result, tmp_path / "m")
    info = read_model_info(folder)
    assert (info.multilabel, info.separator, info.file) == (True, ";", "model.skops")
    assert info.classes == ["fruit", "vehicle", "weather"]
    model = load_model(folder)
    texts, _ = tagged_texts(20, seed=1)
    np.testing.assert_array_equal(model.predict(texts), result.pipeline.predict(texts))
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "3 labels, several a text" in card
    assert "| | micro F1 | macro F1 | all labels right |" in card
    bare = save_model(result.pipeline, tmp_path / "bare")
    assert read_model_info(bare).multilabel


def test_predictions_have_a_probability_for_each_label(result: MultilabelResult, tmp_path):
    texts, _ = tagged_texts(20, seed=1)
    model = result.pipeline
    found = list(predict_texts(model, texts, top_k=2, chunk_size=7))
    chances = model.predict_proba(texts)
    for one, row, share in zip(found, model[-1].predict_sets(hashing().transform(texts)), chances,
                               strict=True):  # fmt: skip
        assert set(one.label) == set(row)
        assert sorted(one.probability, reverse=True) == list(one.probability)
        assert one.abstained == (not one.label)
        assert one.top[0][1] == share.max()
    assert any(one.abstained for one in found)
    assert any(len(one.label) > 1 for one in found)
    assert all(one.abstained for one in predict_texts(model, texts, threshold=1.0))
    assert all(len(one.label) == 3 for one in predict_texts(model, texts, threshold=0.0))

    def answer(chunk, start):
        return [astuple(one) for one in predict_texts(model, chunk, top_k=2, start=start)]

    for _ in range(2):
        with RowLog(tmp_path / "p.part", {}) as log:
            rows = list(logged(texts, answer, log, chunk_size=7))
        assert [Prediction(*row) for row in rows] == found
    assert log.taken == 20


def test_evaluation_names_the_drop_and_the_unseen(result: MultilabelResult, tmp_path):
    info = read_model_info(save_model(result, tmp_path / "m"))
    texts, labels = tagged_texts(40, seed=2)
    labels[0] = ["fruit", "strange"]
    found = evaluate_multilabel(result.pipeline, texts, labels, info=info)
    assert found.unseen == {"strange": 1}
    assert found.classes == ["fruit", "strange", "vehicle", "weather"]
    given = found.given[:, [0, 2, 3]]
    np.testing.assert_array_equal(found.predicted[:, [0, 2, 3]], result.pipeline.predict(texts))
    assert given.sum() == sum(len(row) for row in labels) - 1
    assert found.drop["micro_f1"] == pytest.approx(
        result.scores["micro_f1"].mean - found.scores["micro_f1"]
    )
    assert found.per_class()["f1_training"].notna().sum() == 3
    assert "The micro F1 in training" in " ".join(found.notes())
    assert "cannot answer 1 of the labels here: 'strange' (1)" in found.summary()
    cells = evaluate_multilabel(
        result.pipeline, texts[1:], [";".join(row) or ";" for row in labels[1:]], info=info
    )
    assert cells.unseen == {}
    json.dumps(found.trained)


def test_the_wrong_function_says_which_is_right(result: MultilabelResult):
    texts, labels = tagged_texts()
    with pytest.raises(DataError, match="train_multilabel"):
        train_classifier(texts, labels, vectorizer=hashing())
    with pytest.raises(UsageError, match="evaluate_multilabel"):
        evaluate_model(result.pipeline, texts, ["fruit"] * 120)
    single = train_classifier(
        texts, [str(i % 2) for i in range(120)], vectorizer=hashing(), baselines=False
    )
    with pytest.raises(UsageError, match="use evaluate_model"):
        evaluate_multilabel(single.pipeline, texts, labels)


def test_mistakes_are_found_before_anything_is_embedded():
    texts, labels = tagged_texts()
    with pytest.raises(UsageError, match="the metric is one of micro_f1"):
        train(texts, labels, metric="hamming_loss")
    with pytest.raises(UsageError, match=r"LinearSVC has no probabilities"):
        train(texts, labels, candidates=["sklearn.svm.LinearSVC"])
    with pytest.raises(UsageError, match="cv=1"):
        train(texts, labels, cv=1)
    with pytest.raises(UsageError, match="takes no class weight"):
        train(texts, labels, candidates=["knn"], class_weight="balanced")
    assert train(texts, labels, class_weight="balanced").pipeline[-1].estimator.class_weight
