"""How far a projection can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length, check_random_state

from toolkit.errors import DataError, UsageError
from toolkit.finite import refuse_gaps

__all__ = ["ProjectionQuality", "projection_quality"]

EXACT_LIMIT = 5_000
_BLOCK_VALUES = 4_000_000


@dataclass(frozen=True)
class ProjectionQuality:
    """How well a projection keeps neighbourhoods.

    Parameters
    ----------
    trustworthiness : float
        0 to 1: do neighbours in the picture belong together? 1 if every one of the *k* nearest
        points in the picture is among the *k* nearest vectors; points that only look near
        lower it, the more the farther away they really are.
    neighbour_preservation : float
        0 to 1: share of each text's *k* nearest vectors that are among its *k* nearest points.
    n_neighbors : int
        The *k* of both.
    n_points : int
        How many points the picture has.
    n_sampled : int
        How many of them were asked for their neighbours (among all points).
    n_copies : int, default=0
        How many more points the picture has, which are copies of others: they were left out, as
        which of many copies are the nearest is chance.
    """

    trustworthiness: float
    neighbour_preservation: float
    n_neighbors: int
    n_points: int
    n_sampled: int
    n_copies: int = 0

    @property
    def chance(self) -> float:
        """Neighbour preservation of points placed at random."""
        return self.n_neighbors / (self.n_points - 1)

    def to_dict(self) -> dict[str, float | int]:
        """Return the figures by name."""
        return {
            "trustworthiness": self.trustworthiness,
            "neighbour_preservation": self.neighbour_preservation,
            "chance": self.chance,
            "n_neighbors": self.n_neighbors,
            "n_points": self.n_points,
            "n_sampled": self.n_sampled,
            "n_copies": self.n_copies,
        }

    def __str__(self) -> str:
        texts = "different texts" if self.n_copies else "texts"
        asked = (
            f"all {self.n_points:,} {texts}"
            if self.n_sampled == self.n_points
            else f"a sample of {self.n_sampled:,} of {self.n_points:,} {texts}"
        )
        return (
            f"Trustworthiness {self.trustworthiness:.2f}; {self.neighbour_preservation:.0%} of "
            f"each text's {self.n_neighbors} nearest neighbours kept (by chance "
            f"{self.chance:.1%}), measured on {asked}."
        )


def projection_quality(
    X: ArrayLike,
    points: ArrayLike,
    *,
    n_neighbors: int = 15,
    metric: str = "cosine",
    n_samples: int | None = None,
    random_state: int | np.random.RandomState | None = 0,
) -> ProjectionQuality:
    """Measure how well a projection keeps neighbourhoods.

    Up to 5,000 points every point is asked for its neighbours, and the trustworthiness is that
    of :func:`sklearn.manifold.trustworthiness` (Venna and Kaski 2001). Beyond, a random sample
    of the points is asked, but each among *all* points: sampling the neighbours too would
    measure coarser neighbourhoods than the picture shows.

    Parameters
    ----------
    X : array-like of shape (n, d)
        The vectors.
    points : array-like of shape (n, c)
        Their places in the projection.
    n_neighbors : int, default=15
        Size of a neighbourhood, less than n / 2.
    metric : {"cosine", "euclidean"}, default="cosine"
        Distance between vectors; between points it is Euclidean.
    n_samples : int, optional
        How many points to ask. By default all up to 5,000, and fewer the more there are.
    random_state : int, RandomState or None, default=0
        Chooses the sample.

    Returns
    -------
    ProjectionQuality

    Raises
    ------
    DataError
        If there are fewer than three points.
    UsageError
        If ``metric`` is unknown or ``n_neighbors`` is not at least 1 and less than n / 2.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> projection_quality(X, X, metric="euclidean").trustworthiness
    1.0
    """
    vectors = check_array(X, dtype=np.float32, ensure_all_finite=False)
    refuse_gaps(vectors)
    places = check_array(points, dtype=np.float64)
    check_consistent_length(vectors, places)
    n = len(vectors)
    if n < 3:
        raise DataError(f"neighbourhoods need at least 3 points, not {n}")
    if not 1 <= n_neighbors < n / 2:
        raise UsageError(
            f"n_neighbors={n_neighbors} must be at least 1 and less than n / 2 = {n / 2:g}"
        )
    if metric not in ("cosine", "euclidean"):
        raise UsageError(f"metric={metric!r} is not known; use 'cosine' or 'euclidean'")
    if metric == "cosine":
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(norms > 0, norms, 1)
    asked = _sample(n, n_samples, random_state)
    trust, kept = 0.0, 0.0
    step = max(1, _BLOCK_VALUES // n)
    for start in range(0, len(asked), step):
        rows = asked[start : start + step]
        penalty, share = _block(vectors, places, rows, n_neighbors)
        trust += penalty
        kept += share
    worst = n_neighbors * (2 * n - 3 * n_neighbors - 1)
    return ProjectionQuality(
        trustworthiness=float(1 - 2 * trust / (len(asked) * worst)),
        neighbour_preservation=float(kept / len(asked)),
        n_neighbors=n_neighbors,
        n_points=n,
        n_sampled=len(asked),
    )


def _sample(
    n: int, n_samples: int | None, random_state: int | np.random.RandomState | None
) -> NDArray[np.intp]:
    if n_samples is None:
        # About the work of 5,000 x 5,000 whatever n is, and never fewer than 200 points.
        n_samples = n if n <= EXACT_LIMIT else max(200, EXACT_LIMIT**2 // n)
    if n_samples >= n:
        return np.arange(n)
    chosen = check_random_state(random_state).choice(n, size=n_samples, replace=False)
    return np.sort(chosen)


def _block(
    vectors: NDArray[np.float32],
    places: NDArray[np.float64],
    rows: NDArray[np.intp],
    k: int,
) -> tuple[float, float]:
    """Return the sums of rank penalties and of shares of neighbours kept, over some rows."""
    here = np.arange(len(rows))
    far = _squared_distances(vectors, rows)
    far[here, rows] = -np.inf  # oneself has rank 0
    # Ranks as scikit-learn counts them: position in the order of distances.
    order = np.argsort(far, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(far.shape[1])[None], axis=1)
    near = _squared_distances(places, rows)
    near[here, rows] = np.inf
    neighbours = np.argpartition(near, k - 1, axis=1)[:, :k]
    excess = np.take_along_axis(ranks, neighbours, axis=1) - k
    return float(excess[excess > 0].sum()), float((excess <= 0).sum() / k)


def _squared_distances(
    points: NDArray[np.floating], rows: NDArray[np.intp]
) -> NDArray[np.floating]:
    squares = np.einsum("ij,ij->i", points, points)
    return np.asarray(squares[rows, None] - 2 * (points[rows] @ points.T) + squares[None])
