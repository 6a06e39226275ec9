"""Which vectors are copies of others: both maps and spectral clustering take each once."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

__all__ = ["distinct_vectors"]


def distinct_vectors(
    vectors: NDArray[np.floating],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the distinct ones among vectors, and which of them each vector is.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        The vectors.

    Returns
    -------
    first : ndarray of shape (m,)
        Position of the first of each kind, in their order.
    kind : ndarray of shape (n,)
        For each vector a position in ``first``.

    Examples
    --------
    >>> first, kind = distinct_vectors(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    >>> first.tolist(), kind.tolist()
    ([0, 1], [0, 1, 0])
    """
    kinds: dict[bytes, int] = {}
    first: list[int] = []
    kind = np.empty(len(vectors), dtype=np.intp)
    for position, row in enumerate(np.ascontiguousarray(vectors)):
        # The vectors themselves as keys would be held in memory twice.
        known = kinds.setdefault(blake2b(row, digest_size=16).digest(), len(kinds))
        if known == len(first):
            first.append(position)
        kind[position] = known
    return np.array(first, dtype=np.intp), kind
