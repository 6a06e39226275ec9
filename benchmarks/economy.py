"""What a grid search asks of a model, and what vectors take on disk. About a minute; no server.

    python benchmarks/economy.py [--texts 50000] [--out FILE]

The search is of 200 texts over 4 values of C with 5 folds, and the refit; then once more with the
folds shuffled otherwise. Counted are the texts that reach the backend, which is the small built-in
model here: without a cache, with scikit-learn's own ``Pipeline(memory=)``, and with the cache. What
is asked for to know the model by (canaries) is not counted. For the disk, random unit vectors of
EmbeddingGemma's length go into a cache, and into packs of both precisions.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import results_file, write_record
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline

from toolkit import EmbeddedBackend, EmbeddingCache, EmbeddingGemmaVectorizer
from toolkit.cache.connections import close_free
from toolkit.datasets import load
from toolkit.embedding.keys import hash_texts
from toolkit.identity import CANARY_NAMES, Canary, ModelIdentity
from toolkit.prompts import resolve_prompt

TEXTS = 200
FOLDS = 5
CS = (1, 3, 10, 30)
DIMENSION = 768
BATCH = 64
sent: Counter[str] = Counter()


class CountingBackend(EmbeddedBackend):
    """The built-in model, with a count of what reaches it."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        sent.update(texts)
        return super().embed(texts)


def search(texts: Any, labels: Any, *, cache: Any, memory: str | None) -> list[int]:
    """Return how many texts a search sends, and another with other folds after it."""
    sent.clear()
    pipeline = Pipeline(
        [
            ("vectorizer", EmbeddingGemmaVectorizer(backend=CountingBackend(), cache=cache)),
            ("classifier", LogisticRegression(max_iter=2000)),
        ],
        memory=memory,
    )
    counts = []
    for seed in (0, 1):
        before = total(texts)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        GridSearchCV(pipeline, {"classifier__C": CS}, cv=folds).fit(texts, labels)
        counts.append(total(texts) - before)
    return counts


def total(texts: Iterable[str]) -> int:
    return sum(sent[text] for text in texts)


def searches() -> dict[str, list[int]]:
    intents = load("assist_intents", subset="en")
    # Four intents of fifty texts would be too few; the most frequent ones, until there are 200.
    frequent = [label for label, _ in Counter(intents.target).most_common(8)]
    rows = np.flatnonzero(np.isin(intents.target, frequent))[:TEXTS]
    texts, labels = intents.data[rows], intents.target[rows]
    assert len(set(texts)) == TEXTS
    with tempfile.TemporaryDirectory() as memory, tempfile.TemporaryDirectory() as cache:
        return {
            "no cache": search(texts, labels, cache=False, memory=None),
            "Pipeline(memory=)": search(texts, labels, cache=False, memory=memory),
            "the toolkit's cache": search(texts, labels, cache=cache, memory=None),
        }


def unit_vectors(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    vectors = rng.standard_normal((count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def disk(count: int) -> dict[str, float]:
    """Return bytes a text, in the cache and in packs."""
    rng = np.random.default_rng(0)
    prompt = resolve_prompt("embeddinggemma", "classification")
    identity = ModelIdentity(
        backend="ollama",
        model="embeddinggemma",
        dimension=DIMENSION,
        canary=Canary(CANARY_NAMES, unit_vectors(rng, len(CANARY_NAMES)).astype(np.float16)),
    )
    with tempfile.TemporaryDirectory() as folder:
        cache = EmbeddingCache(folder)
        space, _ = cache.resolve(identity)
        for start in range(0, count, BATCH):
            size = min(BATCH, count - start)
            keys = hash_texts([f"text {at}" for at in range(start, start + size)], prompt)
            space.put(keys, unit_vectors(rng, size), prompt.template)
        assert len(space) == count
        close_free()  # merges the log of the last batches, as the end of a process does
        found = {"cache": size_of(Path(folder) / "spaces") / count}
        for precision in ("float32", "float16"):
            pack = Path(folder) / f"{precision}.safetensors"
            cache.export(pack, space, dtype=precision)
            found[f"pack, {precision}"] = pack.stat().st_size / count
    return {name: round(size, 1) for name, size in found.items()}


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=int, default=50_000, help="vectors for the disk")
    parser.add_argument("--out", type=Path, default=results_file("economy"))
    options = parser.parse_args()
    counted = searches()
    for way, (first, second) in counted.items():
        print(f"{way:20} {first:6,} texts sent, {second:6,} by a second search")
    bytes_a_text = disk(options.texts)
    for place, size in bytes_a_text.items():
        print(f"{place:20} {size:8,.0f} bytes a text")
    record = {
        "benchmark": "economy",
        "what": "texts that reach the model in a grid search and in a second one; bytes on disk",
        "search": {"texts": TEXTS, "folds": FOLDS, "values_of_C": len(CS), "sent": counted},
        "disk": {"vectors": options.texts, "dimension": DIMENSION, "bytes_a_text": bytes_a_text},
    }
    write_record(options.out, record, packages=("scikit-learn", "numpy", "embeddinggemma-toolkit"))
    return int(counted["the toolkit's cache"] != [TEXTS, 0])


if __name__ == "__main__":
    sys.exit(main())
