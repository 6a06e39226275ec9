"""Every vector is checked before it is stored or returned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import InvalidVectorsError

__all__ = ["NORM_TOLERANCE", "check_vectors", "cut"]

NORM_TOLERANCE = 1e-3
"""A vector normalised in float32 is far nearer to length 1 than this."""


def check_vectors(vectors: NDArray[Any], count: int, dimension: int) -> dict[int, str]:
    """Return what is wrong with a batch of vectors, by position.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Vectors as a backend gave them.
    count : int
        How many were asked for.
    dimension : int
        The length they should have; 0 if it is not known yet.

    Returns
    -------
    dict of int to str
        Empty if all are good.

    Raises
    ------
    InvalidVectorsError
        If their number or length is wrong: then none can be trusted to belong to its text.

    Examples
    --------
    >>> import numpy as np
    >>> check_vectors(np.array([[1.0, 0.0], [0.0, 0.0], [np.nan, 1.0]]), 3, 2)
    {1: 'all zeros', 2: 'not finite'}
    """
    if len(vectors) != count:
        raise InvalidVectorsError(f"the server sent {len(vectors)} vectors for {count} texts")
    if vectors.ndim != 2 or (dimension and vectors.shape[1] != dimension):
        raise InvalidVectorsError(
            f"the server sent vectors of length {vectors.shape[-1]} instead of {dimension}"
        )
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    bad: dict[int, str] = {}
    with np.errstate(invalid="ignore"):
        suspects = np.flatnonzero(~(np.abs(norms - 1.0) <= NORM_TOLERANCE))
    for position in suspects.tolist():
        norm = norms[position]
        if not np.isfinite(norm):
            bad[position] = "not finite"
        elif norm == 0.0:
            bad[position] = "all zeros"
        else:
            bad[position] = f"of length {norm:.4g} instead of 1"
    return bad


def cut(vectors: NDArray[np.float32], dimensions: int | None) -> NDArray[np.float32]:
    """Return the first ``dimensions`` values of each vector, normalised again.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Unit vectors of a model trained so that beginnings are vectors too (Matryoshka
        representation learning, Kusupati et al. 2022, arXiv:2205.13147).
    dimensions : int or None
        How many values to keep; None or d for all.

    Returns
    -------
    ndarray of shape (n, dimensions)

    Examples
    --------
    >>> import numpy as np
    >>> cut(np.array([[0.6, 0.0, 0.8]], dtype=np.float32), 2)
    array([[1., 0.]], dtype=float32)
    """
    if dimensions is None or dimensions == vectors.shape[1]:
        return vectors
    kept = np.ascontiguousarray(vectors[:, :dimensions], dtype=np.float32)
    norms = np.sqrt(np.einsum("ij,ij->i", kept, kept, dtype=np.float64))[:, None]
    # A vector whose beginning is zero has no direction there; it stays zero.
    result: NDArray[np.float32] = (kept / np.where(norms > 0, norms, 1.0)).astype(np.float32)
    return result
