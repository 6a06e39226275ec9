"""
When the model behind the name has changed
==========================================

A classifier is only right for the vectors it was trained on. Ollama has given three different sets
of vectors for one model name and one digest, so a fitted pipeline knows its model by the vectors of
seven fixed texts, and refuses any other. Here the other is the small built-in model (extra
``embedded``).
"""

import warnings

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from toolkit import EmbeddingGemmaVectorizer
from toolkit.datasets import load
from toolkit.errors import DriftWarning, ModelDriftError

train, test = load("assist_intents", subset="en"), load("assist_intents", subset="de")
# Cut to 512 values, as the other model has: the shapes fit, and only the vectors are wrong.
vectorizer = EmbeddingGemmaVectorizer(dimensions=512, backend="cache")
classifier = LogisticRegression(C=10, max_iter=2000)
model = Pipeline([("vectorizer", vectorizer), ("classifier", classifier)])
model.fit(train.data, train.target)
print(f"with its own model: accuracy {model.score(test.data, test.target):.3f}")
print("fitted on:", model["vectorizer"].identity_.describe())

# %%
# Another machine, an upgraded server, a name that points elsewhere: an error that names both.
model.set_params(vectorizer__backend="embedded")
try:
    model.predict(test.data)
except ModelDriftError as error:
    print(f"\n{type(error).__name__}: {error}\n")

# %%
# What the error saves you from, if it is turned into a warning.
model.set_params(vectorizer__on_drift="warn")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", DriftWarning)
    accuracy = model.score(test.data, test.target)
print(f"{caught[0].category.__name__}, and accuracy {accuracy:.3f}")

# %%
# The remedy: the old model, or a new fit with the new one.
model.set_params(vectorizer__on_drift="raise")
model.fit(train.data, train.target)
print(f"fitted anew: accuracy {model.score(test.data, test.target):.3f}, with the other model")
