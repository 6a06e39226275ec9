"""How far two sets of vectors of the same texts agree on which texts are near."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_random_state

from toolkit.errors import DataError, UsageError
from toolkit.finite import refuse_gaps
from toolkit.visualize.quality import EXACT_LIMIT

__all__ = ["NeighbourOverlap", "neighbour_overlap"]

_BLOCK_VALUES = 4_000_000


@dataclass(frozen=True)
class NeighbourOverlap:
    """How many of a text's nearest neighbours are the same in two spaces.

    Parameters
    ----------
    mean : float
        0 to 1: share of each text's *k* nearest neighbours in one space that are among its *k*
        nearest in the other, over the texts asked.
    n_neighbors : int
        The *k*.
    n_points : int
        How many texts there are.
    rows : ndarray of shape (n_sampled,)
        Which of them were asked.
    shares : ndarray of shape (n_sampled,)
        The share of each.
    """

    mean: float
    n_neighbors: int
    n_points: int
    rows: NDArray[np.intp] = field(repr=False)
    shares: NDArray[np.float64] = field(repr=False)

    @property
    def chance(self) -> float:
        """Overlap of two spaces that have nothing to do with each other."""
        return self.n_neighbors / (self.n_points - 1)

    def to_dict(self) -> dict[str, float | int]:
        """Return the figures by name."""
        return {
            "mean": self.mean,
            "chance": self.chance,
            "n_neighbors": self.n_neighbors,
            "n_points": self.n_points,
            "n_sampled": len(self.rows),
        }

    def __str__(self) -> str:
        asked = (
            f"all {self.n_points:,} texts"
            if len(self.rows) == self.n_points
            else f"a sample of {len(self.rows):,} of {self.n_points:,} texts"
        )
        return (
            f"{self.mean:.0%} of each text's {self.n_neighbors} nearest neighbours are the same "
            f"in both (by chance {self.chance:.1%}), measured on {asked}, by the vectors, not by "
            "the pictures."
        )


def neighbour_overlap(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    n_neighbors: int = 15,
    n_samples: int | None = None,
    random_state: int | np.random.RandomState | None = 0,
) -> NeighbourOverlap:
    """Measure how many nearest neighbours are the same in two spaces, by cosine.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Vectors of the texts.
    Y : array-like of shape (n, e)
        Other vectors of the same texts: of another model, with another prompt, or shorter.
    n_neighbors : int, default=15
        Size of a neighbourhood, less than n.
    n_samples : int, optional
        How many texts to ask for their neighbours among all. By default all up to 5,000, and
        fewer the more there are.
    random_state : int, RandomState or None, default=0
        Chooses the sample.

    Returns
    -------
    NeighbourOverlap

    Raises
    ------
    DataError
        If there are fewer than three texts.
    UsageError
        If the lengths differ, or ``n_neighbors`` is not at least 1 and less than n.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(60, 8))
    >>> neighbour_overlap(X, X).mean
    1.0
    >>> round(neighbour_overlap(X, X[:, :4]).mean, 2)
    0.55
    """
    first, second = (_unit(A) for A in (X, Y))
    if len(first) != len(second):
        raise UsageError(
            f"{len(first)} and {len(second)} vectors cannot be compared; both must be of the same "
            "texts in the same order"
        )
    n = len(first)
    if n < 3:
        raise DataError(f"neighbourhoods need at least 3 texts, not {n}")
    if not 1 <= n_neighbors < n:
        raise UsageError(f"n_neighbors={n_neighbors} must be at least 1 and less than n = {n}")
    if n_samples is None:
        n_samples = n if n <= EXACT_LIMIT else max(500, EXACT_LIMIT**2 // n)
    rows = np.arange(n)
    if n_samples < n:
        rows = np.sort(check_random_state(random_state).choice(n, n_samples, replace=False))
    shares = np.empty(len(rows))
    step = max(1, _BLOCK_VALUES // n)
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        a, b = (_nearest(vectors, part, n_neighbors) for vectors in (first, second))
        # Both hold different positions in each row, so what is there twice is in both.
        both = np.sort(np.hstack([a, b]), axis=1)
        shares[start : start + step] = (both[:, 1:] == both[:, :-1]).sum(axis=1) / n_neighbors
    return NeighbourOverlap(float(shares.mean()), n_neighbors, n, rows, shares)


def _unit(X: ArrayLike) -> NDArray[np.float32]:
    vectors: NDArray[np.float32] = check_array(X, dtype=np.float32, ensure_all_finite=False)
    refuse_gaps(vectors)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1))


def _nearest(vectors: NDArray[np.float32], rows: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    similarity = vectors[rows] @ vectors.T
    similarity[np.arange(len(rows)), rows] = -np.inf
    return np.argpartition(-similarity, k - 1, axis=1)[:, :k]
