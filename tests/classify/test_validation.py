from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    RepeatedStratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
)
from sklearn.svm import LinearSVC

from tests.classify.examples import FixedSplits
from toolkit.classify.splitting import make_splits, make_splitter
from toolkit.classify.validation import Score, cross_validate_matrix
from toolkit.errors import DataError


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.array(["a", "b", "c"] * 30, dtype=object)
    centers = {"a": (0, 0), "b": (2, 0), "c": (0, 2)}
    X = np.array([centers[label] for label in y]) + rng.normal(size=(90, 2))
    return X, y


def test_scores_and_predictions_are_scikit_learns(blobs):
    X, y = blobs
    model = LogisticRegression()
    splitter = make_splitter()
    splits, notes = make_splits(splitter, y)
    found = cross_validate_matrix(X, y, model, splits)
    assert notes == []
    expected = cross_val_score(model, X, y, cv=splitter)
    np.testing.assert_allclose(found.scores["accuracy"].folds, expected)
    expected = cross_val_score(model, X, y, cv=splitter, scoring="f1_macro")
    np.testing.assert_allclose(found.scores["macro_f1"].folds, expected)
    assert (found.predicted == cross_val_predict(model, X, y, cv=splitter)).all()
    expected = cross_val_predict(model, X, y, cv=splitter, method="predict_proba")
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    assert sorted(set(found.fold.tolist())) == [0, 1, 2, 3, 4]
    assert found.tested.all()


def test_folds_at_once_give_the_same(blobs):
    X, y = blobs
    splits, _ = make_splits(make_splitter(), y)
    one = cross_validate_matrix(X, y, LogisticRegression(), splits)
    two = cross_validate_matrix(X, y, LogisticRegression(), splits, n_jobs=2)
    np.testing.assert_array_equal(one.probabilities, two.probabilities)


def test_a_classifier_without_probabilities_has_none(blobs):
    X, y = blobs
    splits, _ = make_splits(make_splitter(), y)
    found = cross_validate_matrix(X, y, LinearSVC(), splits)
    assert found.probabilities is None
    assert found.scores["accuracy"].mean > 0.5


def test_score_statistics():
    score = Score((0.5, 0.7, 0.9))
    assert score.mean == pytest.approx(0.7)
    assert score.sd == pytest.approx(np.std([0.5, 0.7, 0.9], ddof=1))
    assert Score((0.5,)).sd == 0.0
    assert score.to_dict() == {"mean": score.mean, "sd": score.sd, "folds": [0.5, 0.7, 0.9]}


def test_a_class_that_a_fold_could_not_learn_is_noted_and_counts_as_wrong(blobs):
    X, y = blobs
    of_c = np.flatnonzero(y == "c")
    others = np.flatnonzero(y != "c")
    fixed = FixedSplits(
        [(others[:40], np.r_[others[40:], of_c]), (np.r_[others[40:], of_c], others[:40])]
    )
    splits, notes = make_splits(fixed, y)
    assert notes == ["Fold 1 had no training row of 'c': its 30 test rows of them count as errors."]
    found = cross_validate_matrix(X, y, LogisticRegression(), splits)
    assert (found.predicted[of_c] != "c").all()
    assert (found.probabilities[of_c, 2] == 0).all()
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)


def test_rows_that_are_never_tested_have_no_prediction(blobs):
    X, y = blobs
    splits, notes = make_splits(make_splitter(TimeSeriesSplit(4)), y)
    found = cross_validate_matrix(X, y, LogisticRegression(), splits)
    untested = int((~found.tested).sum())
    assert 0 < untested < 90
    assert notes == [f"{untested} of 90 rows are in no test fold and have no prediction."]
    assert len(found.scores["accuracy"].folds) == 4


def test_rows_tested_more_than_once_keep_their_first_prediction(blobs):
    X, y = blobs
    repeated = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    splits, _ = make_splits(repeated, y)
    found = cross_validate_matrix(X, y, LogisticRegression(), splits)
    assert len(found.scores["accuracy"].folds) == 6
    assert set(found.fold.tolist()) == {0, 1, 2}


def test_a_classifier_that_fails_names_the_fold(blobs):
    X, y = blobs
    splits, _ = make_splits(make_splitter(), y)
    with pytest.raises(
        DataError, match=r"LogisticRegression could not be fitted on the 72 .* fold 1"
    ):
        cross_validate_matrix(np.full_like(X, np.nan), y, LogisticRegression(), splits)
