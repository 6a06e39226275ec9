"""Texts with several labels, one or none, whose words tell them."""

from __future__ import annotations

import numpy as np

from tests.classify.examples import WORDS


def tagged_texts(n: int = 120, seed: int = 0) -> tuple[list[str], list[list[str]]]:
    """Return texts of up to three topics and their labels; every 15th label is wrong."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for i in range(n):
        topics = [topic for topic in WORDS if rng.random() < 0.45]
        words = [str(rng.choice(WORDS[topic])) for topic in topics for _ in range(2)]
        texts.append(f"number {i}: " + " and ".join(words or ["nothing of it"]))
        labels.append(topics if i % 15 else ["fruit"])
    return texts, labels
