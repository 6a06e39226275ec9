"""
Hand vectors to a colleague
===========================

Whoever has a graphics card embeds once and exports a *pack*: one file with vectors, the digests
their texts are found by, and what made them; no texts. A colleague imports it and works with
``backend="cache"``: no server, no model. So does a CI job. Two cache folders stand for two machines
here, and the small built-in model (extra ``embedded``) makes the vectors.
"""

import tempfile
from pathlib import Path

from toolkit import CacheBackend, EmbeddingCache, EmbeddingGemmaVectorizer
from toolkit.datasets import load
from toolkit.errors import CacheMissError

texts = load("assist_intents", subset="en").data.tolist()
folder = tempfile.TemporaryDirectory()
mine, yours, pack = (Path(folder.name) / name for name in ("mine", "yours", "en.safetensors"))

# %%
# Here: embed, and export what the cache holds. Half precision halves the file, and moves no value
# by more than 0.00012.
vectorizer = EmbeddingGemmaVectorizer(backend="embedded", cache=mine)
X = vectorizer.fit_transform(texts)
print("embedded:", vectorizer.report_.embedded)
count = EmbeddingCache(mine).export(pack, dtype="float16")
print(f"exported: {count} vectors, {pack.stat().st_size / 1e6:.2f} MB")

# %%
# The texts are not in the file: a vector is found by a digest of its text.
content = pack.read_bytes()
found = [text for text in texts if len(text) > 10 and text.encode() in content]
print("texts in the pack:", len(found))

# %%
# There: import, and work. EmbeddingGemma's vectors need neither ``model=`` nor ``task=``.
imported = EmbeddingCache(yours).import_(pack)
print(f"imported: {imported.added} vectors into {imported.space.identity.model}")
model = "universal-sentence-encoder-multilingual-3"
theirs = EmbeddingGemmaVectorizer(model=model, backend=CacheBackend(), task=None, cache=yours)
Z = theirs.fit_transform(texts)
print("from the cache:", theirs.report_.hits)
print(f"largest difference: {abs(X - Z).max():.5f}")

# %%
# A text that nobody embedded is an error that names it, never a guess.
try:
    theirs.transform([*texts[:2], "a text nobody has embedded"])
except CacheMissError as error:
    print(f"{type(error).__name__}: {error}")
folder.cleanup()
