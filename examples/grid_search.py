"""
Search over dimensions and C, and embed nothing twice
=====================================================

A grid search fits the pipeline once for each fold and each setting, and each fit asks for the
vectors again. Here every text is embedded once: the other requests, at every dimension, are
answered by the cache. The first part searches on vectors that come with the project. The second
counts what a model is really asked for.
"""

import tempfile
import warnings
from collections import Counter

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline

from toolkit import EmbeddedBackend, EmbeddingGemmaVectorizer
from toolkit.datasets import load
from toolkit.errors import EmbeddingWarning

sdg = load("sdg")
folds = StratifiedKFold(5, shuffle=True, random_state=0)


def make_pipeline(**where):
    """Return the pipeline; ``where`` says where the vectors come from."""
    return Pipeline(
        [
            ("vectorizer", EmbeddingGemmaVectorizer(task="classification", **where)),
            ("classifier", LogisticRegression(max_iter=2000)),
        ]
    )


# %%
# Four dimensions, three values of C and five folds are 60 fits, and one more for the best. For
# texts of your own, leave out ``backend="cache"`` and have Ollama running.
search = GridSearchCV(
    make_pipeline(backend="cache"),
    {"vectorizer__dimensions": [128, 256, 512, 768], "classifier__C": [1, 10, 100]},
    cv=folds,
)
search.fit(sdg.data, sdg.target)
best = search.best_params_
print(f"best: {best['vectorizer__dimensions']} dimensions, C={best['classifier__C']}")
print(f"accuracy: {search.best_score_:.3f}")
for dimensions in (128, 256, 512, 768):
    rows = search.cv_results_["param_vectorizer__dimensions"] == dimensions
    print(f"  {dimensions} dimensions: {search.cv_results_['mean_test_score'][rows].max():.3f}")

# %%
# ``report_`` tells what the last call did: here, the final fit on all rows.
print("final fit:", search.best_estimator_["vectorizer"].report_)


# %%
# Is it true? This backend is the small built-in model (extra ``embedded``), and counts what it is
# asked for.
sent = Counter()


class CountingBackend(EmbeddedBackend):
    """The built-in model, with a count of the times each text was sent to it."""

    def embed(self, texts):
        """Embed, and count."""
        sent.update(texts)
        return super().embed(texts)


# Three of the goals. The built-in model was not trained to be cut, and would say so at each fit.
rows = np.isin(sdg.target, sdg.target_names[:3])
texts, labels = sdg.data[rows], sdg.target[rows]
with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    warnings.simplefilter("ignore", EmbeddingWarning)
    counted = GridSearchCV(
        make_pipeline(backend=CountingBackend(), cache=folder),
        {"vectorizer__dimensions": [128, 256, 512], "classifier__C": [1, 10, 100]},
        cv=folds,
    )
    counted.fit(texts, labels)
    first = sum(sent[text] for text in texts)
    other_folds = StratifiedKFold(5, shuffle=True, random_state=1)
    counted.set_params(cv=other_folds).fit(texts, labels)
    second = sum(sent[text] for text in texts) - first
print(f"\n{len(texts)} texts, {5 * 9 + 1} fits: {first} texts sent to the model")
print(f"the same search with other folds: {second} more")
