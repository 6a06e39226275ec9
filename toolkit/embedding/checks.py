"""Every vector is checked before it is stored or returned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.rows import NORM_TOLERANCE
from toolkit.errors import InvalidVectorsError

__all__ = ["check_vectors"]


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
