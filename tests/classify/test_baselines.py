from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from tests.classify.examples import labelled_texts
from toolkit.classify.baselines import majority_baseline, tfidf_baseline, unspaced_share
from toolkit.classify.classifiers import CLASSIFIERS, make_classifier
from toolkit.classify.splitting import make_splits, make_splitter
from toolkit.classify.validation import cross_validate_matrix


def test_word_tfidf_is_scikit_learns_own_with_two_grams():
    texts, _ = labelled_texts()
    pipeline, description = tfidf_baseline(texts, make_classifier())
    assert description == "TF-IDF of word 1- and 2-grams + LogisticRegression"
    assert pipeline[0].get_params() == TfidfVectorizer(ngram_range=(1, 2)).get_params()
    assert repr(pipeline[1]) == repr(make_classifier())


@pytest.mark.parametrize(
    "texts",
    [
        ["打开客厅的灯", "现在几点了"],
        ["電気をつけて", "今何時ですか"],
        ["🎉 🎂", "🚗"],
        ["a b", "c"],
    ],
    ids=["Chinese", "Japanese", "emoji", "single letters"],
)
def test_characters_are_counted_where_there_are_no_words_to_count(texts: list[str]):
    pipeline, description = tfidf_baseline(texts, make_classifier())
    assert "character" in description
    assert len(pipeline.fit(texts, ["x", "y"])[0].vocabulary_) > 1


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_baseline_runs_with_every_named_classifier(name: str):
    texts, labels = labelled_texts()
    pipeline, _ = tfidf_baseline(texts, make_classifier(name))
    y = np.array(labels, dtype=object)
    splits, _ = make_splits(make_splitter(), y)
    found = cross_validate_matrix(texts, y, pipeline, splits)
    assert found.scores["accuracy"].mean > 0.7


def test_a_classifier_that_takes_no_sparse_matrix_is_replaced_and_named():
    pipeline, description = tfidf_baseline(["a red house"], HistGradientBoostingClassifier())
    assert isinstance(pipeline[1], LogisticRegression)
    assert "HistGradientBoostingClassifier takes no sparse matrix" in description


def test_majority_answers_the_most_frequent():
    model = majority_baseline().fit([[0]] * 5, ["b", "a", "b", "a", "b"])
    assert model.predict([[9]]).tolist() == ["b"]


def test_unspaced_share_counts_letters_only():
    assert unspaced_share(["ab 你好 123 !"]) == 0.5
    assert unspaced_share(["123"]) == 0.0
