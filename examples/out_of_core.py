"""
More texts than fit into memory
===============================

A stream of texts is embedded a block at a time, and only the cache on disk keeps anything. Then
``MiniBatchKMeans`` and ``SGDClassifier`` learn from slices of the cache's memory-mapped matrix. The
small built-in model makes the vectors here (extra ``embedded``); with Ollama running, leave out
``backend=``.
"""

import tempfile
from itertools import islice

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import v_measure_score

from toolkit import EmbeddingCache, EmbeddingGemmaVectorizer
from toolkit.datasets import load

LIMIT = 4_000  # texts of the stream; None for all 18,959
BLOCK = 500

emoji = load("emoji_multilingual")
order = np.random.default_rng(0).permutation(len(emoji.data))[:LIMIT]


def stream():
    """Yield texts one by one, as from a file or a database."""
    for row in order:
        yield str(emoji.data[row])


# %%
# Into the cache. An interrupted run goes on where it stopped: what is there is not embedded again.
folder = tempfile.TemporaryDirectory()
vectorizer = EmbeddingGemmaVectorizer(backend="embedded", cache=folder.name)
texts, embedded = stream(), 0
while block := list(islice(texts, BLOCK)):
    vectorizer.transform(block)
    embedded += vectorizer.report_.embedded
print(f"{len(order):,} texts, {embedded:,} of them distinct and embedded")

# %%
# The matrix has a row for each distinct text, in the order they were embedded. It is mapped, not
# read: a slice costs the memory of the slice.
(space,) = EmbeddingCache(folder.name).spaces()
matrix = space.matrix()
print(f"the matrix: {matrix.shape[0]:,} x {matrix.shape[1]}, {matrix.nbytes / 1e6:.0f} MB on disk")

kmeans = MiniBatchKMeans(8, random_state=0, n_init=3)
for start in range(0, len(matrix), BLOCK):
    kmeans.partial_fit(matrix[start : start + BLOCK])

# %%
# For labels, ask the vectorizer a block at a time: it finds the rows in the cache, whatever the
# order of the texts, and embeds nothing.
classifier = SGDClassifier(loss="log_loss", alpha=1e-5, random_state=0)
train, test = order[: -len(order) // 5], order[-len(order) // 5 :]
for _ in range(5):
    for start in range(0, len(train), BLOCK):
        rows = train[start : start + BLOCK]
        X = vectorizer.transform(emoji.data[rows])
        classifier.partial_fit(X, emoji.target[rows], classes=emoji.target_names)

X = vectorizer.transform(emoji.data[test])
print("last block:", vectorizer.report_)
accuracy = classifier.score(X, emoji.target[test])
print(f"SGDClassifier: accuracy {accuracy:.3f} on {len(test):,} others, 8 groups")
agreement = v_measure_score(emoji.target[test], kmeans.predict(X))
print(f"MiniBatchKMeans: V-measure {agreement:.3f} with the groups")
# Before the folder goes, so does the map; Windows deletes no file that is mapped.
del matrix
folder.cleanup()
