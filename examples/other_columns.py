"""
Embeddings beside word counts and other columns
===============================================

The vectorizer is an ordinary transformer: it takes a column of a frame in a ``ColumnTransformer``,
stands beside ``TfidfVectorizer`` in a ``FeatureUnion``, and gives named columns with
``set_output``. The question here is what part of the world a paragraph of the CIA World Factbook
is about, from its text and from the section it stands in. The vectors come with the project.
"""

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder

from toolkit import EmbeddingGemmaVectorizer
from toolkit.datasets import load

factbook = load("factbook", subset="sample")
frame = pd.DataFrame({"text": factbook.data, "section": factbook.target})
region = factbook.region

# %%
# A column by its name: ``"text"`` gives a Series, as TfidfVectorizer wants it; ``["text"]``, a
# frame of one column, works too. The section turns out to say nothing about the region.
gemma = EmbeddingGemmaVectorizer(task="clustering", backend="cache")
words = TfidfVectorizer(min_df=3, sublinear_tf=True)
section = (OneHotEncoder(handle_unknown="ignore"), ["section"])
columns = {
    "TF-IDF": make_column_transformer((words, "text")),
    "EmbeddingGemma": make_column_transformer((gemma, "text")),
    "both": make_column_transformer((make_union(gemma, words), "text")),
    "both and section": make_column_transformer((make_union(gemma, words), "text"), section),
}
for name, features in columns.items():
    model = make_pipeline(features, LogisticRegression(C=10, max_iter=2000))
    scores = cross_val_score(model, frame, region, cv=3)
    print(f"{name:17} accuracy {scores.mean():.3f}")

# %%
# Named columns, and the frame's own index.
named = make_column_transformer(
    (gemma, ["text"]), ("passthrough", ["section"]), verbose_feature_names_out=False
)
named.set_output(transform="pandas")
print()
print(named.fit_transform(frame.sample(3, random_state=0)).iloc[:, [0, 1, -2, -1]].to_string())
