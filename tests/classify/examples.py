"""Small labelled texts, and a stateless vectorizer from scikit-learn that needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from toolkit import EmbeddingGemmaVectorizer
from toolkit.classify import TrainingResult, train_classifier
from toolkit.datasets import load
from toolkit.identity import Canary, ModelIdentity

WORDS = {
    "fruit": ("apple", "pear", "plum", "cherry"),
    "vehicle": ("car", "lorry", "tram", "bicycle"),
    "weather": ("rain", "snow", "sunshine", "fog"),
}


def labelled_texts(per_class: int = 20) -> tuple[list[str], list[str]]:
    """Return texts whose words tell their label, with a few that do not."""
    rng = np.random.default_rng(0)
    texts, labels = [], []
    for label, words in WORDS.items():
        for i in range(per_class):
            others = WORDS[rng.choice(list(WORDS))] if i % 7 == 0 else words
            texts.append(f"number {i}: {rng.choice(others)} and {rng.choice(words)}, {label[0]}{i}")
            labels.append(label)
    return texts, labels


@cache
def sdg_result() -> TrainingResult:
    """Return the published training run, made once a process: TF-IDF takes its ten seconds."""
    data = load("sdg")
    return train_classifier(
        data.data,
        data.target,
        vectorizer=EmbeddingGemmaVectorizer(backend="cache", cache=False),
        source="dataset:sdg",
        command="toolkit train dataset:sdg --backend cache",
    )


def hashing() -> HashingVectorizer:
    return HashingVectorizer(n_features=256, alternate_sign=False)


@dataclass(frozen=True)
class WordBackend:
    """A third party's backend: each word has a direction of its own."""

    name: str = "word-directions"
    dimension: int = 64
    max_tokens: int | None = None
    preferred_batch: int = 16
    uses_prompts: bool = False
    headers: dict[str, str] | None = None
    base_url: str | None = None

    def identify(self) -> ModelIdentity:
        return ModelIdentity("words", self.name, self.dimension, engine="tests", engine_version="1")

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = []
        for text in texts:
            row = np.full(self.dimension, 1e-3, dtype=np.float64)
            for word in text.lower().split():
                seed = sum(ord(c) * 31**i for i, c in enumerate(self.name + word)) % 2**32
                row += np.random.default_rng(seed).normal(size=self.dimension)
            rows.append(row / np.linalg.norm(row))
        return np.asarray(rows, dtype=np.float32)


def identity_with_canary(seed: int = 0) -> ModelIdentity:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(4, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    canary = Canary.of({f"text-{i}": row for i, row in enumerate(vectors)})
    return ModelIdentity("ollama", "embeddinggemma", 8, weights="ab" * 32, canary=canary)


class FixedSplits:
    """A splitter that gives the splits it was given."""

    def __init__(self, splits):
        self.splits = splits

    def split(self, X, y=None, groups=None):
        yield from self.splits
