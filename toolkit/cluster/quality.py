"""How good a clustering is by its own vectors, cluster by cluster and overall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.cluster.closeness import Closeness, measure_closeness
from toolkit.cluster.geometry import NOISE, Labels, check_numbered, rows_by_cluster, unit_rows
from toolkit.cluster.same_texts import distinct_rows, first_of_same

__all__ = [
    "ClusterQuality",
    "Quality",
    "assess_quality",
    "cosine_silhouette",
    "quality_of",
]


@dataclass(frozen=True)
class ClusterQuality:
    """How good one cluster is.

    Parameters
    ----------
    cluster : int
        Its number.
    size : int
        Number of texts.
    share : float
        Of all texts, noise included.
    cohesion : float
        Mean cosine of its texts to its centroid, up to 1.
    separation : float
        Cosine distance (1 - cosine) of its centroid to the nearest other one; NaN if there is
        none.
    nearest : int or None
        The cluster that one belongs to.
    silhouette : float
        Mean silhouette of its texts by cosine distance, -1 to 1.
    below_zero : float
        Share of its texts that are nearer to another cluster (silhouette below 0).
    duplicates : int or None
        How many of its texts repeat another one of it; None if the texts were not given.
    """

    cluster: int
    size: int
    share: float
    cohesion: float
    separation: float
    nearest: int | None
    silhouette: float
    below_zero: float
    duplicates: int | None = None


@dataclass(frozen=True, eq=False)
class Quality:
    """How good a clustering is.

    Parameters
    ----------
    clusters : tuple of ClusterQuality
        By cluster.
    silhouette : float
        Mean over the texts in clusters; NaN with fewer than two clusters.
    below_zero : float
        Share of the texts in clusters that are nearer to another cluster.
    noise : int
        Number of texts in no cluster.
    coverage : float
        Share of texts in a cluster.
    samples : ndarray of shape (n,)
        Silhouette of each text; NaN for noise.
    """

    clusters: tuple[ClusterQuality, ...]
    silhouette: float
    below_zero: float
    noise: int
    coverage: float
    samples: NDArray[np.float64]


def cosine_silhouette(X: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    r"""Return the silhouette of each text by cosine distance, exactly and without sampling.

    The mean cosine distance of *x* to the members of a cluster is 1 minus its product with the
    cluster's mean vector, so that all pairs need not be compared:
    :math:`\frac{1}{n_c}\sum_{y \in c}(1 - x \cdot y) = 1 - x \cdot \bar{y}_c`. The cost is
    n x k x d instead of n x n x d, and the value is that of
    ``sklearn.metrics.silhouette_samples(X, labels, metric="cosine")``.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Vectors.
    labels : array-like of shape (n,)
        Cluster numbers 0 to k-1, -1 for noise.

    Returns
    -------
    ndarray of shape (n,)
        -1 to 1; 0 in a cluster of one text, NaN for noise, and all NaN with fewer than two
        clusters. Noise counts neither as a cluster nor as a neighbour.

    References
    ----------
    Rousseeuw (1987), "Silhouettes: a graphical aid to the interpretation and validation of
    cluster analysis", J. Comput. Appl. Math. 20.

    Examples
    --------
    >>> cosine_silhouette([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], [0, 0, 1, 1]).round(3)
    array([0.995, 0.994, 0.995, 0.994])
    """
    vectors = unit_rows(X)
    return measure_closeness(vectors, check_numbered(labels, len(vectors))).silhouette


def assess_quality(X: ArrayLike, labels: ArrayLike, texts: Sequence[str] | None = None) -> Quality:
    """Measure how good a clustering is by its own vectors.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Vectors.
    labels : array-like of shape (n,)
        Cluster numbers 0 to k-1, -1 for noise.
    texts : sequence of str, of length n, optional
        To count duplicates.

    Returns
    -------
    Quality

    Examples
    --------
    >>> found = assess_quality([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [-1, 0]], [0, 0, 1, 1, -1])
    >>> round(found.silhouette, 3), found.coverage, found.clusters[0].nearest
    (0.994, 0.8, 1)
    """
    vectors = unit_rows(X)
    given = check_numbered(labels, len(vectors))
    same = None if texts is None else first_of_same(texts)
    return quality_of(measure_closeness(vectors, given), given, same)


def quality_of(close: Closeness, labels: Labels, same: NDArray[np.intp] | None = None) -> Quality:
    """Return how good a clustering is, from what has been measured.

    Parameters
    ----------
    close : Closeness
        Of the texts to the clusters.
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1, -1 for noise.
    same : ndarray of shape (n,), optional
        The first text that is the same (:func:`~toolkit.cluster.same_texts.first_of_same`), to
        count duplicates.

    Returns
    -------
    Quality
    """
    centers, samples = close.centers, close.silhouette
    k, n = len(centers), len(labels)
    clusters = []
    for cluster, rows in enumerate(rows_by_cluster(labels)):
        # Not by BLAS, whose threads would wait for each other on so little.
        between = np.einsum("ij,j->i", centers, centers[cluster])
        between[cluster] = -np.inf
        nearest = int(between.argmax()) if k > 1 else None
        own = samples[rows]
        clusters.append(
            ClusterQuality(
                cluster=cluster,
                size=len(rows),
                share=len(rows) / n,
                cohesion=float(close.own[rows].mean(dtype=np.float64)),
                separation=float(1 - between[nearest]) if k > 1 else float("nan"),
                nearest=nearest,
                silhouette=float(own.mean()),
                below_zero=float((own < 0).mean()) if k > 1 else float("nan"),
                duplicates=None if same is None else len(rows) - len(distinct_rows(rows, same)),
            )
        )
    members = labels != NOISE
    known = samples[members]
    measured = len(known) > 0 and k > 1
    return Quality(
        clusters=tuple(clusters),
        silhouette=float(known.mean()) if measured else float("nan"),
        below_zero=float((known < 0).mean()) if measured else float("nan"),
        noise=int((~members).sum()),
        coverage=float(members.mean()),
        samples=samples,
    )
