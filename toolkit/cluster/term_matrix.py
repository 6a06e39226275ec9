"""The matrix of documents by terms: columns kept, documents counted, clusters added up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from toolkit.cluster.geometry import NOISE, Labels, check_labels

__all__ = ["document_frequency", "keep_columns", "sum_along", "sum_by_cluster"]

_ROWS_AT_ONCE = 512

_COUNTED_AT_ONCE = 2**16
"""Numbers of terms; numpy makes a copy of 64 bits of what it counts."""


def keep_columns(matrix: sparse.csr_array, kept: NDArray[np.intp]) -> sparse.csr_array:
    """Return some columns in this order, in the memory of the matrix, which is used up.

    ``matrix[:, kept]`` would be a second matrix beside it.
    """
    numbers = np.full(matrix.shape[1], -1, dtype=matrix.indices.dtype)
    numbers[kept] = np.arange(len(kept))
    first = filled = 0
    for start in range(0, matrix.shape[0], _ROWS_AT_ONCE):
        ends = matrix.indptr[start + 1 : start + 1 + _ROWS_AT_ONCE]
        last = int(ends[-1])
        renumbered = numbers[matrix.indices[first:last]]
        stay = renumbered >= 0
        before = np.concatenate([[0], np.cumsum(stay)])
        ends[:] = filled + before[ends - first]
        until = int(ends[-1])
        matrix.indices[filled:until] = renumbered[stay]
        matrix.data[filled:until] = matrix.data[first:last][stay]
        first, filled = last, until
    parts = (matrix.data[:filled], matrix.indices[:filled], matrix.indptr)
    return sparse.csr_array(parts, shape=(matrix.shape[0], len(kept)))


def document_frequency(matrix: sparse.csr_array) -> NDArray[np.intp]:
    """Return how many documents have each term.

    Parameters
    ----------
    matrix : csr_array of shape (n, n_terms)
        A row for each document, a column no more than once in it.

    Returns
    -------
    ndarray of shape (n_terms,)

    Examples
    --------
    >>> from scipy import sparse
    >>> document_frequency(sparse.csr_array([[3, 0], [1, 1]]))
    array([2, 1])
    """
    found = np.zeros(matrix.shape[1], dtype=np.intp)
    for start in range(0, len(matrix.indices), _COUNTED_AT_ONCE):
        part = matrix.indices[start : start + _COUNTED_AT_ONCE]
        found += np.bincount(part, minlength=len(found))
    return found


def sum_along(matrix: sparse.csr_array, axis: int) -> NDArray[np.float64]:
    """Return the sums of columns (axis 0) or of rows (axis 1), dense."""
    return np.asarray(matrix.sum(axis=axis), dtype=np.float64).ravel()


def sum_by_cluster(
    matrix: sparse.csr_array, labels: Labels, n_clusters: int | None = None
) -> sparse.csr_array:
    """Add up the rows of each cluster: ``onehot(labels).T @ matrix``.

    Parameters
    ----------
    matrix : csr_array of shape (n, n_terms)
        A row for each document.
    labels : ndarray of shape (n,)
        Cluster numbers; documents of -1 are left out.
    n_clusters : int, optional
        Number of clusters; by default one more than the largest label.

    Returns
    -------
    csr_array of shape (n_clusters, n_terms)

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> sum_by_cluster(sparse.csr_array([[1, 0], [2, 1], [0, 5]]), np.array([0, 0, -1])).toarray()
    array([[3, 1]])
    """
    labels = check_labels(labels, matrix.shape[0])
    k = int(labels.max(initial=NOISE)) + 1 if n_clusters is None else n_clusters
    # Indices of the matrix's own type: of another, scipy would copy those of the matrix.
    kind = matrix.indices.dtype
    rows = np.argsort(labels, kind="stable").astype(kind)
    ends = np.searchsorted(labels[rows], np.arange(k + 1)).astype(kind)
    ones = np.ones(ends[-1], dtype=matrix.dtype)[ends[0] :]
    onehot = sparse.csr_array(
        (ones, rows[ends[0] : ends[-1]], ends - ends[0]), shape=(k, matrix.shape[0])
    )
    summed: sparse.csr_array = sparse.csr_array(onehot @ matrix)
    return summed
