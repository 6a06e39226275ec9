"""The figures the project publishes for its shipped vectors, measured again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from toolkit.datasets import load, load_vectors

CLASSIFIER = LogisticRegression(C=10, max_iter=2000)
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


@pytest.fixture(autouse=True)
def _one_blas_thread() -> Iterator[None]:
    # Sixty times faster on two shared cores: the matrices are too small to share out.
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.mark.parametrize(
    ("dimensions", "accuracy"), [(768, 0.774), (512, 0.767), (256, 0.761), (128, 0.704)]
)
def test_sdg_accuracy(dimensions: int, accuracy: float):
    X = load_vectors("sdg", task="classification", dimensions=dimensions)
    y = load("sdg").target
    assert np.mean(cross_val_score(CLASSIFIER, X, y, cv=FOLDS)) == pytest.approx(
        accuracy, abs=0.005
    )


@pytest.mark.slow
def test_sdg_accuracy_of_tfidf():
    X, y = load("sdg", return_X_y=True)
    baseline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), CLASSIFIER)
    assert np.mean(cross_val_score(baseline, X, y, cv=FOLDS)) == pytest.approx(0.696, abs=0.005)


@pytest.mark.parametrize(("language", "accuracy"), [("de", 0.845), ("zh-CN", 0.858)])
def test_intents_from_english(language: str, accuracy: float):
    english = load("assist_intents", subset="en").target
    other = load("assist_intents", subset=language).target
    X = load_vectors("assist_intents", task="classification", subset="en")
    model = LogisticRegression(C=10, max_iter=2000).fit(X, english)
    Z = load_vectors("assist_intents", task="classification", subset=language)
    assert model.score(Z, other) == pytest.approx(accuracy, abs=0.005)
