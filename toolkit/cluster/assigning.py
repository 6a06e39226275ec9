"""Clusters for any number of new texts, at constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from toolkit.cluster.geometry import NOISE, unit_rows
from toolkit.embedding.positions import counted_from
from toolkit.errors import InputTypeError, UsageError

__all__ = ["Assignment", "assign_texts"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a new text belongs.

    Parameters
    ----------
    cluster : int or None
        Number of the cluster; -1 if it belongs to none; None if the text has no vector
        (``on_error="nan"``).
    similarity : float or None
        Cosine to the centre of that cluster; for -1, of the nearest one.
    """

    cluster: int | None
    similarity: float | None


def assign_texts(
    clustering: Pipeline,
    texts: Iterable[str],
    *,
    max_distance: float | None = None,
    chunk_size: int = 1024,
    start: int = 0,
) -> Iterator[Assignment]:
    """Yield the cluster of each text, in order.

    Texts are read, embedded and forgotten a chunk at a time.

    Parameters
    ----------
    clustering : Pipeline
        As :func:`~toolkit.cluster.load_clustering` returns it.
    texts : iterable of str
        Of any length; a generator is consumed as assignments are asked for.
    max_distance : float, optional
        Largest cosine distance from the centre, 0 to 2, at which a text still belongs to a
        cluster, beside the clusterer's own limits.
    chunk_size : int, default=1024
        Texts at once.
    start : int, default=0
        Position of the first text, for messages.

    Yields
    ------
    Assignment

    Raises
    ------
    UsageError
        If the clustering is no pipeline that takes texts, or ``max_distance`` is out of range.
    MissingTextError, InputTypeError, EmbeddingError
        As the vectorizer raises them, with positions counted over all texts.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit import EmbeddingGemmaVectorizer
    >>> from toolkit.cluster import cluster_texts, save_clustering
    >>> from toolkit.datasets import load
    >>> texts = load("sdg").data
    >>> vectorizer = EmbeddingGemmaVectorizer("clustering", backend="cache", cache=False)
    >>> X = vectorizer.fit_transform(texts)
    >>> result = cluster_texts(texts, X, n_clusters=5, stability=0)
    >>> folder = save_clustering(result, tempfile.mkdtemp() + "/goals", vectorizer=vectorizer)
    >>> from toolkit.cluster import load_clustering
    >>> found = [one.cluster for one in assign_texts(load_clustering(folder), texts[:3])]
    >>> found == result.labels[:3].tolist()
    True
    """
    if isinstance(texts, str | bytes):
        raise InputTypeError("texts is a single text; pass a list of texts, for example [text]")
    if max_distance is not None and not 0 < max_distance <= 2:
        raise UsageError(f"max_distance={max_distance} is not above 0 and up to 2")
    if not isinstance(clustering, Pipeline):
        raise UsageError(
            f"clustering is a {type(clustering).__name__}; give what load_clustering returns, or a "
            "fitted pipeline of a vectorizer and a CentroidClusterer"
        )
    if len(clustering.steps) < 2:
        raise UsageError(
            "this clustering was saved without a vectorizer and takes vectors: use predict"
        )
    return _assignments(clustering, iter(texts), max_distance, chunk_size, start)


def _assignments(
    clustering: Pipeline,
    texts: Iterator[str],
    max_distance: float | None,
    chunk_size: int,
    start: int,
) -> Iterator[Assignment]:
    while chunk := list(islice(texts, chunk_size)):
        with counted_from(start, len(chunk)):
            vectors = clustering[:-1].transform(chunk)
        yield from _placed(clustering[-1], vectors, max_distance)
        start += len(chunk)


def _placed(clusterer: Any, vectors: Any, max_distance: float | None) -> Iterator[Assignment]:
    there = np.isfinite(vectors).all(axis=1)
    labels = np.full(len(vectors), NOISE, dtype=np.intp)
    nearest = np.zeros(len(vectors))
    if there.any():
        labels[there] = clusterer.predict(vectors[there])
        similarity = unit_rows(vectors[there]) @ clusterer.cluster_centers_.T
        own = np.where(labels[there] == NOISE, similarity.argmax(axis=1), labels[there])
        nearest[there] = np.take_along_axis(similarity, own[:, None], axis=1)[:, 0]
    if max_distance is not None:
        labels[1 - nearest > max_distance] = NOISE
    for found, label, cosine in zip(there.tolist(), labels.tolist(), nearest.tolist(), strict=True):
        yield Assignment(label, round(cosine, 6)) if found else Assignment(None, None)
