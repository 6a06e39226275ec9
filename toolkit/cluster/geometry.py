"""Unit rows, cluster numbers and centroids: what every other part of clustering starts from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from toolkit.errors import UsageError
from toolkit.finite import refuse_gaps

__all__ = [
    "NOISE",
    "Labels",
    "check_labels",
    "check_numbered",
    "cluster_centers",
    "cluster_means",
    "is_unit",
    "of_unit_length",
    "order_by_size",
    "own_similarity",
    "rows_by_cluster",
    "unit_rows",
    "vectors_of_clustering",
]

_BLOCK = 128
"""Rows at a time: 0.4 MB of 768 dimensions, which stay in a processor's cache."""

_SUMMED_AT_ONCE = 512
"""Rows added up at a time: 3 MB of 768 dimensions in double precision."""

NOISE = -1
"""The label of texts in no cluster, as in scikit-learn."""

Labels = NDArray[np.intp]


def unit_rows(X: ArrayLike) -> NDArray[np.float32]:
    """Return vectors as float32 rows of length 1; rows of zeros stay so.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Vectors.

    Returns
    -------
    ndarray of shape (n, d), dtype float32

    Raises
    ------
    DataError
        If a vector holds NaN or infinity.

    Examples
    --------
    >>> unit_rows([[3, 4], [0, 0]])
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    vectors: NDArray[np.float32] = check_array(X, dtype=np.float32, ensure_all_finite=False)
    return of_unit_length(vectors)


def of_unit_length(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return rows of length 1: the array itself if they are; rows of zeros stay so.

    Raises
    ------
    DataError
        If a vector holds NaN or infinity.
    """
    if is_unit(vectors):  # and therefore finite
        return vectors
    refuse_gaps(vectors)
    rows: NDArray[Any] = normalize(vectors)
    return rows


def is_unit(vectors: NDArray[np.floating]) -> bool:
    """Return whether all rows have length 1, so that no copy of length 1 need be made."""
    # float32 is five times as fast; rows it is not sure of, mostly none, are looked at again.
    squares = np.einsum("ij,ij->i", vectors, vectors)
    rest = vectors[~(np.abs(squares - 1) < 1e-6)]
    for start in range(0, len(rest), _BLOCK):
        block = rest[start : start + _BLOCK]
        squares = np.einsum("ij,ij->i", block, block, dtype=np.float64)
        if not np.abs(squares - 1).max() < 1e-6:
            return False
    return True


def own_similarity(
    vectors: NDArray[np.floating], centers: NDArray[np.floating], labels: Labels
) -> NDArray[np.floating]:
    """Return the cosine of each text to the centroid of its cluster; NaN for noise.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Of length 1.
    centers : ndarray of shape (k, d)
        Of length 1.
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1, and -1 for noise.

    Returns
    -------
    ndarray of shape (n,), dtype of the vectors

    Examples
    --------
    >>> own_similarity(np.eye(2), np.eye(2), np.array([1, NOISE]))
    array([ 0., nan])
    """
    found = np.empty(len(vectors), dtype=vectors.dtype)
    for start in range(0, len(vectors), _BLOCK) if len(centers) else ():
        part = slice(start, start + _BLOCK)
        # No product by BLAS, whose threads would wait for each other on so little.
        found[part] = np.einsum("ij,ij->i", vectors[part], centers[labels[part]])
    found[labels == NOISE] = np.nan
    return found


def rows_by_cluster(labels: Labels, n_clusters: int | None = None) -> list[NDArray[np.intp]]:
    """Return the positions of each cluster's texts, in their order; those of noise are left out.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1, and -1 for noise.
    n_clusters : int, optional
        Number of clusters; by default one more than the largest label.

    Returns
    -------
    list of ndarray of int

    Examples
    --------
    >>> rows_by_cluster(np.array([1, NOISE, 0, 1]))
    [array([2]), array([0, 3])]
    """
    order = np.argsort(labels, kind="stable")
    k = int(labels.max(initial=NOISE)) + 1 if n_clusters is None else n_clusters
    ends = np.searchsorted(labels[order], np.arange(k + 1))
    return [order[first:last] for first, last in pairwise(ends.tolist())]


def check_labels(labels: ArrayLike, n: int | None = None) -> Labels:
    """Return cluster labels as integers, or say what is wrong with them.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Cluster numbers 0, 1, ... and -1 for noise.
    n : int, optional
        How many there must be.

    Returns
    -------
    ndarray of shape (n,), dtype intp

    Raises
    ------
    UsageError
        If they are not such numbers, or their count is wrong.
    """
    given = np.asarray(labels)
    if given.ndim != 1 or given.dtype.kind not in "iu" or (given < NOISE).any():
        raise UsageError(
            "cluster labels are integers from 0 up, and -1 for noise, in one dimension; "
            f"got {given.dtype} of shape {given.shape}. examine_labels takes others"
        )
    if n is not None and len(given) != n:
        raise UsageError(f"there are {len(given)} labels for {n} vectors or texts")
    return given.astype(np.intp, copy=False)


def vectors_of_clustering(X: ArrayLike, n: int, dimension: int | None) -> NDArray[np.float32]:
    """Return vectors as :func:`unit_rows` does, which must be as many and as long as these were.

    Raises
    ------
    UsageError
        If they are not.
    """
    vectors = unit_rows(X)
    if vectors.shape != (n, dimension):
        raise UsageError(
            f"X is of shape {vectors.shape}, and the clustering is of {n:,} texts and {dimension} "
            "dimensions"
        )
    return vectors


def check_numbered(labels: ArrayLike, n: int | None = None) -> Labels:
    """Return cluster labels 0 to k-1 without gaps, or say what is wrong with them.

    Parameters and result are those of :func:`check_labels`.

    Raises
    ------
    UsageError
        If they are not such numbers, their count is wrong, or a number is left out.

    Examples
    --------
    >>> check_numbered([1, 0, -1])
    array([ 1,  0, -1])
    """
    given = check_labels(labels, n)
    found = np.unique(given[given != NOISE])
    if len(found) and found[-1] != len(found) - 1:
        empty = int(np.flatnonzero(found != np.arange(len(found)))[0])
        raise UsageError(
            f"cluster {empty} of 0 to {found[-1]} is empty; number without gaps, or give the "
            "labels to examine_labels, which does"
        )
    return given


def order_by_size(labels: ArrayLike) -> tuple[Labels, Labels]:
    """Give clusters numbers by size: 0 is the largest. -1 stays -1.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Cluster numbers in any order, with or without gaps, and -1 for noise.

    Returns
    -------
    labels : ndarray of shape (n,)
        The new numbers 0, 1, ..., k-1 without gaps.
    old : ndarray of shape (k,)
        The old number of each new one.

    Examples
    --------
    >>> order_by_size([7, 2, 2, -1])
    (array([ 1,  0,  0, -1]), array([2, 7]))
    """
    given = check_labels(labels)
    placed = given != NOISE
    old, which, counts = np.unique(given[placed], return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    new = np.full(len(given), NOISE, dtype=np.intp)
    new[placed] = np.argsort(order)[which]
    return new, old[order]


def cluster_means(X: NDArray[np.floating], labels: Labels) -> NDArray[np.float64]:
    """Return the mean vector of each cluster.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Vectors.
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1 without gaps, and -1 for noise.

    Returns
    -------
    ndarray of shape (k, d), dtype float64
    """
    sizes = np.bincount(labels[labels != NOISE])
    if not sizes.all():
        check_numbered(labels)  # says which is empty
    sums = np.zeros((len(sizes), X.shape[1]))
    for start in range(0, len(X), _SUMMED_AT_ONCE):
        part = labels[start : start + _SUMMED_AT_ONCE]
        placed = part != NOISE
        ends = np.concatenate([[0], np.cumsum(placed)])
        # In double precision: what copies differ by is told from rounding.
        ones = np.ones(ends[-1])
        onehot = sparse.csc_array((ones, part[placed], ends), shape=(len(sizes), len(part)))
        sums += onehot @ X[start : start + _SUMMED_AT_ONCE]
    return sums / sizes[:, None]


def cluster_centers(X: NDArray[np.floating], labels: Labels) -> NDArray[np.float64]:
    """Return the direction of each cluster's mean: its spherical centroid, of length 1.

    Parameters and shape are those of :func:`cluster_means`.

    Examples
    --------
    >>> import numpy as np
    >>> cluster_centers(np.array([[1.0, 0], [0, 1.0], [0, 1.0]]), np.array([0, 1, 1]))
    array([[1., 0.],
           [0., 1.]])
    """
    means = cluster_means(X, labels)
    centers: NDArray[np.float64] = normalize(means) if len(means) else means
    return centers
