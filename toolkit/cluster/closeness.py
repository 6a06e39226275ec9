"""How close texts are to the centroids: what examples and quality of clusters both go by."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from toolkit.cluster.geometry import NOISE, Labels, cluster_means

__all__ = ["Closeness", "measure_closeness"]

_PRODUCTS = 2**15
"""Products at a time: few enough to stay in a processor's cache."""

_NO_DISTANCE = 2e-6
"""Distances up to this are rounding: copies of a float32 vector can be a quarter as far apart."""

_MOST_THREADS = 4
"""More would wait for memory, and each has blocks of its own in it."""


@dataclass(frozen=True, eq=False)
class Closeness:
    """How close each text is to its own cluster and to the nearest other one.

    Parameters
    ----------
    centers : ndarray of shape (k, d), dtype float64
        Direction of each cluster's mean, of length 1.
    own : ndarray of shape (n,), dtype float32
        Cosine to the own centroid; NaN for noise.
    other : ndarray of shape (n,), dtype intp
        The cluster whose centroid is nearest among the others; -1 for noise and where there is
        no other.
    other_similarity : ndarray of shape (n,), dtype float32
        Cosine to that one; NaN where there is none.
    silhouette : ndarray of shape (n,), dtype float64
        As :func:`~toolkit.cluster.cosine_silhouette` defines it.
    """

    centers: NDArray[np.float64]
    own: NDArray[np.float32]
    other: NDArray[np.intp]
    other_similarity: NDArray[np.float32]
    silhouette: NDArray[np.float64]


def measure_closeness(vectors: NDArray[np.floating], labels: Labels) -> Closeness:
    """Compare each text with all centroids, once.

    Products with the clusters' means give both: divided by the mean's length they are cosines to
    its centroid, and 1 minus them is the mean distance to its members.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Of length 1.
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1 without gaps, and -1 for noise.

    Returns
    -------
    Closeness

    Examples
    --------
    >>> import numpy as np
    >>> found = measure_closeness(np.eye(2), np.array([1, 0]))
    >>> found.own, found.other, found.silhouette
    (array([1., 1.], dtype=float32), array([0, 1]), array([0., 0.]))
    """
    n = len(vectors)
    means = cluster_means(vectors, labels)
    k = len(means)
    lengths = np.linalg.norm(means, axis=1)
    # A mean of zeros has no direction, and is as far from everything.
    scales = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    found = Closeness(
        centers=means * scales[:, None],
        own=np.full(n, np.nan, dtype=np.float32),
        other=np.full(n, NOISE, dtype=np.intp),
        other_similarity=np.full(n, np.nan, dtype=np.float32),
        silhouette=np.full(n, np.nan),
    )
    sizes = np.bincount(labels[labels != NOISE], minlength=k)
    against = means.T.astype(vectors.dtype)
    step = max(64, _PRODUCTS // max(1, k))

    def compare_block(start: int) -> None:
        block = vectors[start : start + step]
        part = labels[start : start + step]
        placed = np.flatnonzero(part != NOISE)
        products = block @ against
        # A text is at distance 0 from itself; its own length is not exactly 1 in float32.
        itself = 1 - np.einsum("ij,ij->i", block, block)
        _compare(
            products[placed], itself[placed], placed + start, part[placed], sizes, scales, found
        )

    # A block for each thread: threads of BLAS would wait for each other longer than such products
    # take.
    threads = ThreadPoolExecutor(min(cpu_count(), _MOST_THREADS))
    with threadpool_limits(limits=1, user_api="blas"), threads:
        for _ in threads.map(compare_block, range(0, n if k else 0, step)):
            pass  # an error is raised here
    return found


def _compare(
    products: NDArray[np.floating],
    itself: NDArray[np.floating],
    rows: NDArray[np.intp],
    own: Labels,
    sizes: NDArray[np.intp],
    scales: NDArray[np.float64],
    found: Closeness,
) -> None:
    """Write down what the products of some rows with all means say."""
    here = np.arange(len(rows))
    inside = products[here, own].astype(np.float64)
    found.own[rows] = inside * scales[own]
    if len(scales) < 2:
        return
    products[here, own] = -np.inf
    between = 1 - products.max(axis=1).astype(np.float64)
    n_own = sizes[own]
    # A text does not count among its neighbours.
    within = ((1 - inside) * n_own - itself) / np.maximum(n_own - 1, 1)
    larger = np.maximum(within, between)
    value = np.divide(
        between - within, larger, out=np.zeros(len(rows)), where=larger > _NO_DISTANCE
    )
    found.silhouette[rows] = np.where(n_own > 1, value, 0.0)
    products[here, own] = 0.0
    products *= scales.astype(products.dtype)
    products[here, own] = -np.inf
    nearest = products.argmax(axis=1)
    found.other[rows] = nearest
    found.other_similarity[rows] = products[here, nearest]
