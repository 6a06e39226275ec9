from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.classify.examples import hashing, labelled_texts
from toolkit.classify.selection import select_classifier
from toolkit.classify.trials import make_candidates, run_trials
from toolkit.errors import DataError, UsageError

TWO = ("nearest_centroid", "logistic_regression")


def select(texts, labels, **more):
    more = {"candidates": TWO, "dimensions": (), "baselines": False} | more
    return select_classifier(texts, labels, vectorizer=hashing(), **more)


def test_rows_that_score_had_no_part_in_the_choice():
    """Labels by chance: whatever is chosen must score by chance, not as its best trial."""
    rng = np.random.default_rng(0)
    texts = [f"w{a} w{b}" for a, b in rng.integers(0, 30, (200, 2))]
    labels = rng.choice(["x", "y"], 200)
    many = {f"C={c}": LogisticRegression(C=c) for c in np.logspace(-2, 3, 8)}
    result = select(texts, labels, candidates=many)
    assert int(result.validation.tested.sum()) == 40
    assert result.scores["accuracy"].mean < 0.65
    best = result.selection.ranked()[0]
    assert best.name == result.selection.chosen
    assert "of the rows not held out" in result.selection.splits
    # The trials never saw a held-out row: with other labels there, they are the same.
    held = result.validation.tested
    swapped = np.where(held, np.where(labels == "x", "y", "x"), labels)
    from toolkit.classify.choosing import RowDivider

    rows = RowDivider(labels, None, None, 0.2, 0)
    inner = rows.inner(np.flatnonzero(~held))
    X = hashing().transform(texts).toarray()
    again, _ = run_trials(X, swapped, make_candidates(many), inner)
    assert [t.scores["accuracy"] for t in again] == [
        t.scores["accuracy"] for t in result.selection.trials
    ]


def test_nested_tests_every_row_and_says_how_long_it_takes():
    texts, labels = labelled_texts(10)
    said: list[str] = []
    result = select(texts, labels, cv=3, say=said.append)
    assert result.validation.tested.all()
    assert len(result.selection.picks) == 3
    assert said[0].endswith("3 folds.")
    assert "about" in said[1]
    assert "for 3 folds" in said[1]
    assert "The folds of the validation chose" in result.summary()


def test_fewer_groups_than_folds_are_counted():
    texts, labels = labelled_texts(10)
    said: list[str] = []
    groups = [i % 3 for i in range(len(texts))]
    result = select(texts, labels, candidates=["knn"], cv=5, groups=groups, say=said.append)
    assert said[0].endswith("; 3 folds.")
    assert result.provenance["splits"].startswith("3 folds, whole groups")
    assert len(result.scores["accuracy"].folds) == 3


def test_one_candidate_is_scored_without_a_choice():
    texts, labels = labelled_texts(10)
    result = select(texts, labels, candidates=["knn"], cv=3)
    assert result.selection is None
    assert result.provenance["classifier"] == "KNeighborsClassifier"


def test_few_rows_go_on_and_say_what_is_not_known():
    texts = ["apple a", "apple b", "apple c", "car a", "car b", "rain a"]
    labels = ["fruit"] * 3 + ["vehicle"] * 2 + ["weather"]
    result = select(texts, labels, candidates=["knn", *TWO])
    failed = {trial.name: trial.failure for trial in result.selection.trials if not trial.scores}
    assert "knn" in failed  # ten neighbours of four rows
    assert result.pipeline.predict(["rain a"]).tolist() == ["weather"]
    assert any("1 class is never tested ('weather')" in note for note in result.notes)
    assert "failed: " in result.summary()


def test_class_weight_helps_a_rare_class():
    rng = np.random.default_rng(0)
    texts = [f"w{a} w{b}" for a, b in rng.integers(0, 6, (150, 2))]
    labels = np.where(rng.random(150) < 0.15, "rare", "common")
    kinds = {"plain": LogisticRegression()}
    plain = select(texts, labels, candidates=kinds, cv=3)
    weighted = select(texts, labels, candidates=kinds, cv=3, class_weight="balanced")
    recall = [r.per_class()["recall"]["rare"] for r in (plain, weighted)]
    assert recall[0] < recall[1]
    assert weighted.pipeline[-1].class_weight == "balanced"
    assert make_candidates(class_weight="balanced")["linear_svm"].estimator.class_weight


def test_the_metric_decides():
    X = np.array([[0.0]] * 9 + [[1.0]])
    y = np.array(["a"] * 9 + ["b"], dtype=object)
    splits = [(np.arange(10), np.arange(10))]
    lazy = "sklearn.dummy.DummyClassifier"
    candidates = make_candidates([lazy, "sklearn.tree.DecisionTreeClassifier"])
    assert run_trials(X, y, candidates, splits, metric="balanced_accuracy")[1].endswith(
        "TreeClassifier"
    )
    assert run_trials(X[:9], np.where(np.arange(9) < 8, "a", "b").astype(object), candidates,
                      [(np.arange(9), np.arange(9))])[1] == lazy  # fmt: skip


def test_mistakes_are_found_before_anything_is_embedded():
    texts, labels = labelled_texts(3)

    class Never:
        def get_params(self, deep=True):
            return {}

    for error, more, said in (
        (UsageError, {"metric": "auc"}, "the metric is one of"),
        (UsageError, {"cv": 1}, "at least 2"),
        (UsageError, {"groups": labels, "times": range(9)}, "groups or times"),
        (UsageError, {"candidates": ["knn"], "class_weight": "balanced"}, "takes no class weight"),
        (UsageError, {"candidates": []}, "no classifier to train"),
        (DataError, {"times": ["x"] * 9}, "neither a number nor an ISO date"),
        (
            DataError,
            {"groups": [0, 1, 0, 1, 0, 1, 0, 1, 0]},
            "of the 2 groups, the others",
        ),
    ):
        with pytest.raises(error, match=said):
            select_classifier(texts, labels, vectorizer=Never(), **more)
