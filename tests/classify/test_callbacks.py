"""scikit-learn's callbacks (1.9, experimental, fit only) around this project's estimators.

The vectorizer takes none itself: its ``fit`` embeds nothing, so there is no progress to tell of,
and the pipeline's own bar shows its step. scikit-learn says so of every estimator without
callbacks, most of its own among them.
"""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from tests.classify.examples import WordBackend, labelled_texts
from toolkit import EmbeddingGemmaVectorizer

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")


def pipeline():
    vectorizer = EmbeddingGemmaVectorizer(backend=WordBackend(), cache=False)
    return make_pipeline(vectorizer, LogisticRegression())


NOT_PASSED_ON = pytest.mark.filterwarnings(
    "ignore:The estimator EmbeddingGemmaVectorizer does not support callbacks:UserWarning"
)


@NOT_PASSED_ON
def test_a_progress_bar_follows_pipeline_and_search(capsys):
    texts, labels = labelled_texts()
    plain = pipeline().fit(texts, labels)
    followed = pipeline().set_callbacks(callback.ProgressBar()).fit(texts, labels)
    np.testing.assert_array_equal(followed.predict(texts), plain.predict(texts))
    search = GridSearchCV(pipeline(), {"logisticregression__C": [0.1, 1]}, cv=3)
    search.set_callbacks(callback.ProgressBar()).fit(texts, labels)
    said = capsys.readouterr().out
    assert "Pipeline" in said
    assert "GridSearchCV" in said


@NOT_PASSED_ON
def test_callbacks_leave_clones_and_pickles_alone():
    texts, labels = labelled_texts()
    model = pipeline().set_callbacks(callback.ProgressBar()).fit(texts, labels)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(texts), model.predict(texts))
    assert repr(clone(model)) == repr(model)
