"""What each row's nearest neighbours say about it: duplicates, contradictions, outliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Neighbours", "find_neighbours"]

_BLOCK_VALUES = 1 << 23
"""Similarities held at once: 32 MB of them."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest neighbours of every row, by cosine.

    Parameters
    ----------
    distance : ndarray of shape (n,)
        Mean cosine distance (1 less the cosine) to the nearest other rows.
    rival : ndarray of shape (n,), int
        The nearest row of another label.
    rival_similarity : ndarray of shape (n,)
        Cosine to it; -2 if there is none.
    twin : ndarray of shape (n,), int
        The nearest row of another part (of a split into training and test rows).
    twin_similarity : ndarray of shape (n,)
        Cosine to it; -2 if there is none.
    majority : ndarray of shape (n,), int
        The label that most near-duplicates of the row have, itself among them; -1 for a draw.
    repeated : int
        How many rows have a near-duplicate.
    """

    distance: NDArray[np.float64]
    rival: NDArray[np.intp]
    rival_similarity: NDArray[np.float64]
    twin: NDArray[np.intp]
    twin_similarity: NDArray[np.float64]
    majority: NDArray[np.intp]
    repeated: int


def find_neighbours(
    X: NDArray[Any],
    codes: NDArray[np.integer[Any]],
    parts: NDArray[np.integer[Any]] | None = None,
    *,
    n_neighbors: int = 5,
    duplicate_similarity: float = 0.97,
) -> Neighbours:
    """Compare every row with every other, a block of rows at a time.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Vectors; only their directions count.
    codes : ndarray of shape (n,), int
        Labels from 0.
    parts : ndarray of shape (n,), int, optional
        The part of a split each row is in.
    n_neighbors : int, default=5
        How many neighbours ``distance`` is the mean of.
    duplicate_similarity : float, default=0.97
        From which cosine on two rows are near-duplicates.

    Returns
    -------
    Neighbours

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [1.0, 0.001], [1.0, 0.002], [0.0, 1.0]])
    >>> found = find_neighbours(X, np.array([0, 0, 1, 1]), n_neighbors=1)
    >>> found.rival.tolist(), found.majority.tolist(), found.repeated
    ([2, 2, 1, 1], [0, 0, 0, 1], 3)
    """
    n = len(X)
    norms = np.linalg.norm(X, axis=1, keepdims=True)
    rows = (X / np.where(norms > 0, norms, 1)).astype(np.float32)
    k = min(n_neighbors, n - 1)
    onehot = np.eye(int(codes.max()) + 1, dtype=np.float32)[codes]
    distance, nearest = np.zeros(n), np.zeros(n)
    rival, rival_similarity = np.zeros(n, dtype=np.intp), np.full(n, -2.0)
    twin, twin_similarity = np.zeros(n, dtype=np.intp), np.full(n, -2.0)
    majority = np.full(n, -1, dtype=np.intp)
    step = max(1, _BLOCK_VALUES // n)
    for start in range(0, n, step):
        here = np.arange(start, min(start + step, n))
        similar = rows[here] @ rows.T
        np.clip(similar, -1, 1, out=similar)
        similar[here - start, here] = 1.0  # a row is always a duplicate of itself
        votes = (similar >= duplicate_similarity).astype(np.float32) @ onehot
        best = votes.max(axis=1)
        decided = (votes == best[:, None]).sum(axis=1) == 1
        majority[here[decided]] = votes[decided].argmax(axis=1)
        similar[here - start, here] = -2.0
        if k:
            top = np.partition(similar, n - k, axis=1)[:, n - k :]
            distance[here] = 1 - top.mean(axis=1, dtype=np.float64)
            nearest[here] = top.max(axis=1)
        rival[here], rival_similarity[here] = _best(similar, codes[here, None] != codes)
        if parts is not None:
            twin[here], twin_similarity[here] = _best(similar, parts[here, None] != parts)
    repeated = int((nearest >= duplicate_similarity).sum())
    return Neighbours(distance, rival, rival_similarity, twin, twin_similarity, majority, repeated)


def _best(
    similar: NDArray[np.float32], wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    among = np.where(wanted, similar, np.float32(-2.0))
    best = among.argmax(axis=1)
    return best, among[np.arange(len(best)), best]
