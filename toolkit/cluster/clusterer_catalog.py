"""The standard clusterers by name, with parameters fit for unit vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from sklearn.base import BaseEstimator
from sklearn.cluster import (
    HDBSCAN,
    AgglomerativeClustering,
    BisectingKMeans,
    KMeans,
    MiniBatchKMeans,
)

from toolkit.cluster.spectral import NeighborSpectralClustering
from toolkit.errors import UsageError

__all__ = ["CLUSTERERS", "QUADRATIC_LIMIT", "ClustererInfo", "Wish", "clusterer_info", "folded"]

QUADRATIC_LIMIT = 20_000
"""Texts up to which clusterers that compare all pairs are used: 3 GB of distances there."""


@dataclass(frozen=True)
class Wish:
    """What a clusterer is made for; None where unknown or left to it."""

    n_clusters: int | None
    n_samples: int | None
    min_cluster_size: int | None
    random_state: int | None


@dataclass(frozen=True)
class ClustererInfo:
    """What there is to know about a clusterer before making it.

    Parameters
    ----------
    name : str
        What to ask for.
    make : callable
        From a :class:`Wish` to an estimator.
    takes_n_clusters : bool
        Whether the number of clusters is given to it; else it finds its own.
    reduce : bool, default=False
        Whether it wants the vectors reduced to a few dimensions (by UMAP) first.
    quadratic : bool, default=False
        Whether memory grows with the square of the number of texts.
    """

    name: str
    make: Callable[[Wish], BaseEstimator]
    takes_n_clusters: bool
    reduce: bool = False
    quadratic: bool = False


def _kmeans(wish: Wish) -> BaseEstimator:
    # On unit vectors squared distance is 2 - 2 cosine: k-means there is spherical in effect.
    return KMeans(wish.n_clusters, n_init=10, random_state=wish.random_state)


def _minibatch(wish: Wish) -> BaseEstimator:
    return MiniBatchKMeans(
        wish.n_clusters, batch_size=2048, n_init=3, random_state=wish.random_state
    )


def _bisecting(wish: Wish) -> BaseEstimator:
    # Splitting what is least tight, not what is largest, lets clusters differ in size.
    return BisectingKMeans(
        wish.n_clusters,
        n_init=5,
        bisecting_strategy="biggest_inertia",
        random_state=wish.random_state,
    )


def _agglomerative(wish: Wish) -> BaseEstimator:
    # Ward on unit vectors; average linkage on cosines chains texts into one giant cluster.
    return AgglomerativeClustering(wish.n_clusters, linkage="ward")


def _spectral(wish: Wish) -> BaseEstimator:
    n = wish.n_samples
    neighbors = 15 if n is None else max(2, min(15, n - 1))
    return NeighborSpectralClustering(
        wish.n_clusters or 1, n_neighbors=neighbors, random_state=wish.random_state
    )


def _hdbscan(wish: Wish) -> BaseEstimator:
    # Half the square root: 12 of 615 texts, 71 of 20,000. There is no right value, but one that
    # does not grow gives thousands of clusters of a large collection.
    n, size = wish.n_samples, wish.min_cluster_size
    if size is None:
        size = 15 if n is None else max(5, round(n**0.5 / 2))
    # More neighbours than texts are an error; parts of them are clustered, too.
    samples = 5 if n is None else max(1, min(5, n // 2))
    if find_spec("hdbscan") is None:
        return HDBSCAN(min_cluster_size=size, min_samples=samples, copy=True)
    # The package of that name is several times faster on many texts; the extra "hdbscan".
    import hdbscan

    made: BaseEstimator = hdbscan.HDBSCAN(
        min_cluster_size=size, min_samples=samples, core_dist_n_jobs=1
    )
    return made


CLUSTERERS: Mapping[str, ClustererInfo] = {
    info.name: info
    for info in (
        ClustererInfo("kmeans", _kmeans, takes_n_clusters=True),
        ClustererInfo("minibatch-kmeans", _minibatch, takes_n_clusters=True),
        ClustererInfo("bisecting-kmeans", _bisecting, takes_n_clusters=True),
        ClustererInfo("agglomerative", _agglomerative, takes_n_clusters=True, quadratic=True),
        ClustererInfo("spectral", _spectral, takes_n_clusters=True),
        ClustererInfo("hdbscan", _hdbscan, takes_n_clusters=False, reduce=True),
        ClustererInfo("umap-kmeans", _kmeans, takes_n_clusters=True, reduce=True),
    )
}
"""The standard clusterers by name."""


def clusterer_info(name: str) -> ClustererInfo:
    """Return what is known of a named clusterer; underscores and case do not matter.

    Raises
    ------
    UsageError
        If there is none of that name.

    Examples
    --------
    >>> clusterer_info("MiniBatch_KMeans").takes_n_clusters
    True
    """
    found = CLUSTERERS.get(folded(name))
    if found is None:
        raise UsageError(
            f"no clusterer is called {name!r}; choose one of {', '.join(CLUSTERERS)}, or give the "
            "import path of a class, for example sklearn.cluster.Birch"
        )
    return found


def folded(name: object) -> str:
    """Return a name as it is looked up: lower case, with hyphens."""
    return str(name).lower().replace("_", "-")
