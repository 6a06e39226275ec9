"""Vectors with known clusters, and a clustering of them with everything a report can show."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN

from toolkit.cluster import ClusterResult, cluster_texts
from toolkit.datasets import load, load_vectors

WORDS = ("harbour ship sail", "mountain peak climb", "oven bread flour", "guitar drum song")
HOSTILE = (
    "<script>window.hurt = 1</script>",
    "</script><img src=x onerror='window.hurt = 2'>",
    '"><svg onload="window.hurt = 3">',
    "{{ 7 * 7 }} {% raw %} \u2028 <!-- --> ]]>",
    "<a href='javascript:window.hurt=4'>press me</a>",
    "\u202eright to left\u202c",
    "javascript:window.hurt=5//</title></style><base href='http://evil.invalid'>",
    "<iframe src='http://evil.invalid'></iframe><link rel=stylesheet href=//evil.invalid>",
)


def blobs(
    sizes: tuple[int, ...] = (30, 20, 10), dimension: int = 12, spread: float = 0.08, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return unit vectors around orthogonal directions, and which direction."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    X = np.eye(dimension)[labels] + rng.normal(0, spread, (len(labels), dimension))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32), labels


def worded_texts(labels: NDArray[np.intp], seed: int = 0) -> list[str]:
    """Return texts whose words tell their cluster, among words that do not."""
    rng = np.random.default_rng(seed)
    return [
        f"the {rng.choice(WORDS[label].split())} and a {rng.choice(WORDS[label].split())} "
        f"of number {i}"
        for i, label in enumerate(labels)
    ]


def noisy() -> tuple[list[str], NDArray[np.float32], list[str | None]]:
    """Return texts, vectors with some far from everything, and labels, one missing."""
    X, labels = blobs((30, 25, 20, 15), spread=0.05)
    rng = np.random.default_rng(1)
    far = rng.normal(0, 1, (6, X.shape[1])).astype(np.float32)
    texts = [*worded_texts(labels), *(f"stray {i}" for i in range(6))]
    known: list[str | None] = [f"kind {label}" for label in labels] + ["kind 0"] * 5 + [None]
    return texts, np.vstack([X, far / np.linalg.norm(far, axis=1, keepdims=True)]), known


@cache
def noisy_result() -> ClusterResult:
    texts, X, known = noisy()
    return cluster_texts(
        texts,
        X,
        clusterer=HDBSCAN(min_cluster_size=8, min_samples=5, copy=True),
        labels_true=known,
        stability=4,
        source="stray.csv",
        command="toolkit cluster stray.csv",
    )


@cache
def sdg_result() -> ClusterResult:
    """Return the passages under the clustering prompt in 17 clusters, made once a process."""
    data = load("sdg")
    return cluster_texts(
        data.data,
        load_vectors("sdg", task="clustering"),
        n_clusters=17,
        labels_true=data.target,
        stability=3,
        source="dataset:sdg",
    )
