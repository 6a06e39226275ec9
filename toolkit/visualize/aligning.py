"""One map laid over another of the same texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["align"]


def align(points: NDArray[np.floating], reference: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a map turned, mirrored, moved and scaled as a whole to lie over another.

    The least-squares similarity transform (orthogonal Procrustes with scale; Gower 1975). It
    changes no neighbourhood and no ratio of distances.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        The map to lay.
    reference : ndarray of shape (n, 2)
        The map to lay it over, of the same texts.

    Returns
    -------
    ndarray of shape (n, 2)

    Examples
    --------
    >>> square = np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]])
    >>> turned = 3 * square @ np.array([[0.0, 1], [-1, 0]]) + 7
    >>> np.allclose(align(turned, square), square)
    True
    """
    moved = np.asarray(points, dtype=np.float64)
    wanted = np.asarray(reference, dtype=np.float64)
    here, there = moved.mean(axis=0), wanted.mean(axis=0)
    moved = moved - here
    spread = float((moved**2).sum())
    if spread == 0:
        return np.asarray(moved + there)
    left, weights, right = np.linalg.svd(moved.T @ (wanted - there))
    return np.asarray(weights.sum() / spread * (moved @ (left @ right)) + there)
