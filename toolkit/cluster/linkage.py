"""Clusters joined two by two, each counting by its size."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.hierarchy import optimal_leaf_ordering
from scipy.spatial.distance import squareform

__all__ = ["cosine_distances", "ward_linkage"]


def cosine_distances(centers: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return 1 minus the cosine of each two centres of length 1, shape (k, k).

    A centre of zeros, which has no direction, is at distance 1 from all others.
    """
    units = centers.astype(np.float64)
    distances: NDArray[np.float64] = np.clip(1 - units @ units.T, 0, 2)
    np.fill_diagonal(distances, 0)
    return distances


def ward_linkage(centers: NDArray[np.floating], sizes: ArrayLike) -> NDArray[np.float64]:
    """Return the linkage matrix of clusters by Ward's criterion.

    Parameters
    ----------
    centers : ndarray of shape (k, d)
        Direction of each cluster's mean.
    sizes : array-like of shape (k,)
        Number of texts of each cluster.

    Returns
    -------
    ndarray of shape (k - 1, 4)
        As of scipy's ``linkage`` for vectors of which ``sizes`` are at each centre, without the
        merges of those at one place; in optimal order by cosine distance, from the end where the
        larger branch is.

    Examples
    --------
    >>> centers = np.array([[1, 0], [0.6, 0.8], [0, 1]])
    >>> ward_linkage(centers, [1, 1, 1]).round(2)
    array([[2.  , 1.  , 0.63, 2.  ],
           [3.  , 0.  , 1.32, 3.  ]])
    >>> ward_linkage(centers, [1, 9, 9]).round(2)  # two large ones are costly to join
    array([[0.  , 1.  , 1.2 , 2.  ],
           [3.  , 2.  , 2.15, 3.  ]])
    """
    k = len(centers)
    weights = np.asarray(sizes, dtype=np.float64).copy()
    if k < 2:
        return np.empty((0, 4))
    units = centers.astype(np.float64)
    lengths = np.square(units).sum(axis=1)
    # Squares of the heights: what Lance and Williams' formula is about.
    squares = np.maximum(lengths[:, None] + lengths - 2 * (units @ units.T), 0)
    squares *= 2 * np.outer(weights, weights) / (weights[:, None] + weights)
    np.fill_diagonal(squares, np.inf)
    nearest = squares.argmin(axis=1)
    rows, members, nodes = np.arange(k), np.ones(k), np.arange(k)
    merges = np.empty((k - 1, 4))
    for step in range(k - 1):
        i = int(squares[rows, nearest].argmin())
        j = int(nearest[i])
        height = squares[i, j]
        members[i] += members[j]
        merges[step] = (*sorted((nodes[i], nodes[j])), np.sqrt(height), members[i])
        nodes[i] = k + step
        joined = (weights[i] + weights) * squares[i] + (weights[j] + weights) * squares[j]
        joined = (joined - weights * height) / (weights[i] + weights[j] + weights)
        weights[i] += weights[j]
        joined[i] = np.inf
        squares[i], squares[:, i] = joined, joined
        squares[j], squares[:, j] = np.inf, np.inf
        # A merged cluster is never nearer than the nearer of the two was.
        stale = (nearest == i) | (nearest == j)
        stale[[i, j]] = True
        nearest[stale] = squares[stale].argmin(axis=1)
    merges[:, 2] = np.maximum.accumulate(merges[:, 2])  # against rounding
    ordered: NDArray[np.float64] = optimal_leaf_ordering(
        merges, squareform(cosine_distances(centers), checks=False)
    )
    # An order is as good from its other end: the larger branch comes first.
    texts = np.append(np.asarray(sizes, dtype=np.float64), np.zeros(k - 1))
    for step, (a, b) in enumerate(ordered[:, :2].astype(int)):
        texts[k + step] = texts[a] + texts[b]
    first, second = texts[ordered[-1, :2].astype(int)]
    if first < second:
        ordered[:, :2] = ordered[:, 1::-1]
    return ordered
