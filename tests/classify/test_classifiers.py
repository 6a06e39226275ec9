from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import Normalizer

from tests.classify.examples import WordBackend, labelled_texts
from toolkit.classify.classifiers import CLASSIFIERS, describe_classifier, make_classifier
from toolkit.errors import UsageError


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_named_classifier_learns_and_has_probabilities(name: str):
    texts, labels = labelled_texts()
    X = WordBackend().embed(texts)
    model = make_classifier(name).fit(X, labels)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (60, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert model.score(X, labels) > 0.85
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(X)).all()


def test_default_is_the_one_the_figures_are_published_for():
    assert repr(make_classifier()) == "LogisticRegression(C=10, max_iter=2000)"


def test_an_estimator_is_cloned_and_keeps_its_seed():
    mine = LogisticRegression(C=3, random_state=7)
    made = make_classifier(mine, random_state=1)
    assert made is not mine
    assert made.get_params() == mine.get_params()


@pytest.mark.parametrize("separator", [".", ":"])
def test_import_paths_get_the_seed_where_they_take_one(separator: str):
    made = make_classifier(f"sklearn.ensemble{separator}RandomForestClassifier", random_state=3)
    assert made.random_state == 3
    assert isinstance(make_classifier("sklearn.naive_bayes.GaussianNB"), GaussianNB)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("logistic", "choose one of 'logistic_regression'"),
        ("sklearn.nothing.Here", "cannot be imported"),
        ("sklearn.linear_model.Here", "cannot be imported"),
        ("sklearn.linear_model.LinearRegression", "not a scikit-learn classifier"),
        ("sklearn.metrics.accuracy_score", "not a class"),
        ("sklearn.multiclass.OneVsRestClassifier", "needs parameters"),
        (LogisticRegression, "give an instance, LogisticRegression()"),
        (Normalizer(), "must be a scikit-learn classifier"),
        (3, "must be a scikit-learn classifier"),
    ],
)
def test_what_is_no_classifier_is_refused_with_the_way_out(wrong: object, says: str):
    with pytest.raises(UsageError, match=says.replace("(", r"\(").replace(")", r"\)")):
        make_classifier(wrong)  # type: ignore[arg-type]


def test_description_names_only_what_was_changed_in_plain_values():
    name, parameters = describe_classifier(make_classifier("linear_svm"))
    assert name == "calibrated LinearSVC"
    assert parameters == {
        "estimator": "LinearSVC(dual=True, random_state=0, tol=0.01)",
        "method": "temperature",
        "cv": 3,
        "ensemble": False,
    }
