from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_X_y

from tests.classify.examples import hashing
from tests.classify.multilabel.examples import tagged_texts
from toolkit.classify import LabelSetClassifier
from toolkit.classify.multilabel.estimator import best_threshold
from toolkit.classify.multilabel.label_sets import as_label_sets
from toolkit.errors import DataError, UsageError


@pytest.fixture(scope="module")
def data():
    texts, labels = tagged_texts()
    return hashing().transform(texts).toarray(), as_label_sets(labels, len(texts)).Y, labels


@pytest.mark.parametrize(
    "estimator",
    [
        None,
        "linear_svm",
        KNeighborsClassifier(3),
        RandomForestClassifier(20, random_state=0),
    ],
)
def test_standard_classifiers_learn_label_sets(data, estimator):
    X, Y, labels = data
    clf = LabelSetClassifier(estimator).fit(X[:90], Y[:90])
    assert f1_score(Y[90:], clf.predict(X[90:]), average="micro") > 0.8
    chances = clf.predict_proba(X[90:])
    assert chances.shape == (30, 3)
    assert ((chances >= 0) & (chances <= 1)).all()
    np.testing.assert_array_equal(clf.predict(X[90:]), chances >= clf.thresholds_)
    named = LabelSetClassifier(estimator).fit(X[:90], labels[:90])
    assert named.classes_.tolist() == ["fruit", "vehicle", "weather"]
    np.testing.assert_array_equal(named.predict(X[90:]), clf.predict(X[90:]))


def test_it_works_in_scikit_learns_tools(data):
    texts, _ = tagged_texts()
    _, Y, _ = data
    pipeline = make_pipeline(hashing(), LabelSetClassifier(threshold=0.5))
    scores = cross_val_score(pipeline, texts, Y.astype(int), cv=3, scoring="f1_micro")
    assert (scores > 0.7).all()
    search = GridSearchCV(
        pipeline,
        {"labelsetclassifier__estimator": [LogisticRegression(C=c) for c in (0.01, 10)]},
        scoring="f1_macro",
        cv=3,
    ).fit(texts, Y.astype(int))
    assert search.best_params_["labelsetclassifier__estimator"].C == 10
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict(texts), search.predict(texts))
    assert clone(pipeline).get_params()["labelsetclassifier__cv"] == 3


def test_a_tuned_threshold_finds_a_rare_label():
    rng = np.random.default_rng(0)
    rare = rng.random(2000) < 0.03
    X = rng.normal(size=(2000, 4)) + np.outer(rare, [1.2, 0.4, 0, 0])
    Y = np.column_stack([rare, rng.random(2000) < 0.5])
    half = LabelSetClassifier(threshold=0.5).fit(X[:1500], Y[:1500])
    tuned = LabelSetClassifier().fit(X[:1500], Y[:1500])
    assert tuned.thresholds_[0] < 0.5
    scores = [f1_score(Y[1500:, 0], clf.predict(X[1500:])[:, 0]) for clf in (half, tuned)]
    assert scores[1] > scores[0] + 0.1
    assert half.thresholds_.tolist() == [0.5, 0.5]


def test_labels_of_too_few_rows_are_never_guessed():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    Y = np.column_stack([X[:, 0] > 0, np.arange(40) == 7, np.ones(40, dtype=bool)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf = LabelSetClassifier().fit(X, Y)
    assert [model is None for model in clf.estimators_] == [False, True, True]
    assert clf.predict_proba(X)[0, 1:].tolist() == [1 / 40, 1.0]
    assert not clf.predict(X)[:, 1].any()
    assert clf.predict(X)[:, 2].all()
    few = LabelSetClassifier().fit(X[:3], [["a"], ["b"], ["a", "b"]])
    assert few.thresholds_.shape == (2,)


def test_best_threshold_is_the_best():
    rng = np.random.default_rng(0)
    given = rng.random(300) < 0.2
    chances = np.round(np.clip(given * 0.3 + rng.random(300) * 0.7, 0, 1), 2)
    best = best_threshold(given, chances)
    tried = [f1_score(given, chances >= t) for t in np.arange(0.05, 0.95, 0.005)]
    assert f1_score(given, chances >= best) == pytest.approx(max(tried))
    assert best_threshold(np.zeros(3, dtype=bool), np.zeros(3)) == 0.5


def test_mistakes_are_named(data):
    X, Y, _ = data
    with pytest.raises(UsageError, match="LinearSVC has no probabilities"):
        LabelSetClassifier(LinearSVC()).fit(X, Y)
    with pytest.raises(UsageError, match="threshold=2 must be"):
        LabelSetClassifier(threshold=2).fit(X, Y)
    with pytest.raises(UsageError, match="labels names 2 labels, and y has 3"):
        LabelSetClassifier(labels=["a", "b"]).fit(X, Y)
    with pytest.raises(DataError, match="120 texts and 119"):
        LabelSetClassifier().fit(X, Y[1:])


class OneLabel(LabelSetClassifier):
    """Takes a column of classes as sets of one, and answers the most probable: for the checks."""

    def fit(self, X, y=None):
        self.one_ = y is not None and getattr(np.asarray(y), "ndim", 1) < 2
        if not self.one_:
            return super().fit(X, y)
        X, y = check_X_y(X, y, accept_sparse="csr", estimator=self)
        check_classification_targets(y)
        self.names_, codes = np.unique(y, return_inverse=True)
        super().fit(X, np.eye(len(self.names_), dtype=int)[codes])
        self.classes_ = self.names_
        return self

    def predict(self, X):
        if not getattr(self, "one_", False):
            return super().predict(X)
        return self.names_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X):
        chances = super().predict_proba(X)
        return chances / chances.sum(axis=1, keepdims=True) if self.one_ else chances

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = True
        return tags


EXPECTED_FAILURES = {
    "check_supervised_y_2d": "a matrix is an indicator of several labels, never a column of classes"
}


@parametrize_with_checks(
    [OneLabel(threshold=0.5)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
    xfail_strict=True,
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
