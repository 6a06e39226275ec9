"""What a number of clusters reaches on some vectors, and on vectors without clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from toolkit.cluster.clusterers import clusterer_info, make_clusterer
from toolkit.cluster.geometry import NOISE, Labels, check_labels, order_by_size, unit_rows
from toolkit.cluster.neighborhood import modularity, nearest_neighbors
from toolkit.cluster.quality import cosine_silhouette
from toolkit.cluster.threads import few_threads

__all__ = ["Tried", "cluster_space", "figures", "without_clusters"]

_FEWEST_AXES = 50
"""Principal axes that numbers of clusters are tried on: k clusters lie in k - 1 directions."""


@dataclass(frozen=True, eq=False)
class Tried:
    """Vectors on which numbers of clusters are tried, with what is needed for each of them.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Unit vectors; silhouettes and neighbours go by them.
    space : ndarray of shape (n, m)
        What is clustered.
    neighbors : ndarray of shape (n, p)
        Rows of the nearest other vectors of each.
    """

    vectors: NDArray[np.float32]
    space: NDArray[np.floating]
    neighbors: NDArray[np.intp]

    @classmethod
    def of(cls, vectors: NDArray[np.float32], reducer: BaseEstimator | None, most: int) -> Tried:
        """Return unit vectors ready for numbers of clusters up to ``most``."""
        with few_threads(vectors):
            space = cluster_space(vectors, reducer, most)
            return cls(vectors, space, nearest_neighbors(vectors))


def cluster_space(
    vectors: NDArray[np.float32], reducer: BaseEstimator | None, most: int
) -> NDArray[np.floating]:
    """Return what is clustered: by the reducer, or else the first principal axes.

    The axes hold what clusters are apart by, and cost a fraction of hundreds of dimensions.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Unit vectors.
    reducer : transformer or None
        Cloned and fitted.
    most : int
        The highest number of clusters to be tried: there are at least as many axes.

    Returns
    -------
    ndarray of shape (n, m)

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 300)).astype(np.float32)
    >>> cluster_space(X, None, 20).shape
    (200, 50)
    """
    if reducer is not None:
        return np.asarray(clone(reducer).fit_transform(vectors))
    axes = max(_FEWEST_AXES, most)
    if axes >= min(vectors.shape):
        return vectors
    return np.asarray(PCA(axes, random_state=0).fit_transform(vectors), dtype=np.float32)


def without_clusters(vectors: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return as many unit vectors of one normal distribution of the same mean and covariance.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Unit vectors.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray of shape (n, d)
    """
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    # A random mixture of the rows has their covariance, without a decomposition of it.
    mixed = rng.standard_normal((len(vectors), len(vectors)), dtype=np.float32) @ centred
    return unit_rows(mixed / np.sqrt(len(vectors), dtype=np.float32) + mean)


def figures(
    clusterer: str,
    k: int,
    data: Tried,
    draws: Sequence[NDArray[np.intp]],
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Return what one number of clusters reaches.

    Parameters
    ----------
    clusterer : str
        Name of a clusterer that takes a number of clusters.
    k : int
        The number.
    data : Tried
        The vectors.
    draws : sequence of ndarray
        Rows of each subsample; at least two.
    rng : numpy.random.Generator
        Source of seeds.

    Returns
    -------
    silhouette, neighbors, stability : float
        Mean cosine silhouette; :func:`~toolkit.cluster.neighborhood.modularity`; mean adjusted
        Rand index between the clusterings of the subsamples, each pair on what both have.
    """
    with few_threads(data.space):
        labels, _ = order_by_size(_fit(clusterer, k, data.space, _seed(rng)))
        samples = cosine_silhouette(data.vectors, labels)[labels != NOISE]
        return (
            float(samples.mean()),
            modularity(data.neighbors, labels),
            _agreement(clusterer, k, data.space, draws, rng),
        )


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31 - 1))


def _fit(clusterer: str, k: int, space: NDArray[np.floating], seed: int) -> Labels:
    # The reduction is done already: a name that asks for one gets a reducer that does nothing.
    made = make_clusterer(
        "kmeans" if clusterer_info(clusterer).name == "umap-kmeans" else clusterer,
        k,
        n_samples=len(space),
        random_state=seed,
    )
    if "n_init" in made.get_params():
        # Numbers are compared on average over several runs, so each may be less thorough.
        made.set_params(n_init=3)
    return check_labels(made.fit_predict(space))


def _agreement(
    clusterer: str,
    k: int,
    space: NDArray[np.floating],
    draws: Sequence[NDArray[np.intp]],
    rng: np.random.Generator,
) -> float:
    found = []
    for rows in draws:
        labels = np.full(len(space), NOISE - 1, dtype=np.intp)
        labels[rows] = _fit(clusterer, k, space[rows], _seed(rng))
        found.append(labels)
    aris = []
    for a, b in combinations(found, 2):
        shared = (a > NOISE - 1) & (b > NOISE - 1)
        aris.append(adjusted_rand_score(a[shared], b[shared]))
    return float(np.mean(aris))
