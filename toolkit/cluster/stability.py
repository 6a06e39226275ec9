"""Whether the same clusters come out again: of a part of the texts, and from another seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import adjusted_rand_score

from toolkit.cluster.clusterers import parameters_named, with_seed
from toolkit.cluster.geometry import NOISE, Labels, check_labels, check_numbered, unit_rows
from toolkit.cluster.threads import few_threads
from toolkit.errors import UsageError

__all__ = [
    "STABLE",
    "WEAK",
    "ClusterStability",
    "Stability",
    "assess_stability",
    "best_jaccards",
    "check_sample_sizes",
    "verdict",
]


STABLE = 0.75
"""From this mean Jaccard similarity on a cluster comes out again, see :func:`verdict`."""

WEAK = 0.6
"""Below this mean Jaccard similarity a cluster is not to be trusted, see :func:`verdict`."""

_SMALLEST = 5


@dataclass(frozen=True)
class ClusterStability:
    """Whether one cluster comes out again.

    Parameters
    ----------
    cluster : int
        Its number.
    jaccard : float
        Mean over the subsamples of its Jaccard similarity to the most similar cluster found
        there, 0 to 1.
    low, high : float
        10th and 90th percentile over the subsamples.
    dissolved : float
        Share of the subsamples in which that similarity is at most 0.5: nothing there is more
        like it than not.
    """

    cluster: int
    jaccard: float
    low: float
    high: float
    dissolved: float

    @property
    def verdict(self) -> str:
        """One word, see :func:`verdict`."""
        return verdict(self.jaccard)


@dataclass(frozen=True)
class Stability:
    """Whether the clusters come out again.

    Parameters
    ----------
    clusters : tuple of ClusterStability
        By cluster.
    jaccard : float
        Mean over all texts in clusters of their cluster's value.
    seed_ari : float
        Mean adjusted Rand index between clusterings of all texts from different seeds; 1 if the
        clusterer uses no chance; NaN if not measured.
    seed_ari_low, seed_ari_high : float
        Smallest and largest of them.
    subsample_ari : float
        Mean adjusted Rand index between the clustering of a subsample and the whole one's there.
    n_resamples, n_seeds : int
        How many subsamples and other seeds; 0 seeds for a clusterer that uses no chance.
    share : float
        Size of a subsample.
    n_used : int
        How many texts were used: a sample of a large collection.
    """

    clusters: tuple[ClusterStability, ...]
    jaccard: float
    seed_ari: float
    seed_ari_low: float
    seed_ari_high: float
    subsample_ari: float
    n_resamples: int
    n_seeds: int
    share: float
    n_used: int

    @property
    def verdict(self) -> str:
        """One word for the whole, see :func:`verdict`.

        Of the mean over the texts and that over the clusters, the worse: one large cluster that
        comes out again says nothing of the others, nor the other way round.
        """
        found = np.array([cluster.jaccard for cluster in self.clusters])
        measured = found[~np.isnan(found)]
        return verdict(min(self.jaccard, float(measured.mean())) if len(measured) else np.nan)


def verdict(jaccard: float) -> str:
    """Return what a mean Jaccard similarity says, by Hennig's thresholds.

    Hennig's ``fpc::clusterboot``: from 0.85 highly stable, from 0.75 stable, from 0.6 a pattern
    whose members are doubtful, below it not to be trusted.

    Examples
    --------
    >>> verdict(0.9), verdict(0.8), verdict(0.7), verdict(0.4)
    ('very stable', 'stable', 'doubtful', 'unstable')
    """
    if np.isnan(jaccard):
        return "not measured"
    for limit, word in ((0.85, "very stable"), (STABLE, "stable"), (WEAK, "doubtful")):
        if jaccard >= limit:
            return word
    return "unstable"


def best_jaccards(labels: Labels, found: Labels, k: int) -> NDArray[np.float64]:
    """Return the Jaccard similarity of each cluster to the most similar one of another clustering.

    Parameters
    ----------
    labels : ndarray of shape (m,)
        Cluster numbers 0 to k-1 of some texts, -1 for noise.
    found : ndarray of shape (m,)
        Cluster numbers of the same texts in the other clustering, -1 for noise.
    k : int
        Number of clusters in ``labels``.

    Returns
    -------
    ndarray of shape (k,)
        Size of the intersection by size of the union; noise is no cluster. NaN for a cluster with
        none of these texts.

    Examples
    --------
    >>> import numpy as np
    >>> best_jaccards(np.array([0, 0, 1, 1]), np.array([5, 5, 5, 2]), 2).round(2)
    array([0.67, 0.5 ])
    """
    others = np.unique(found[found != NOISE])
    sizes = np.bincount(labels[labels != NOISE], minlength=k).astype(np.float64)
    shared = np.zeros((k, len(others)))
    both = (labels != NOISE) & (found != NOISE)
    np.add.at(shared, (labels[both], np.searchsorted(others, found[both])), 1)
    found_sizes = np.array([(found == other).sum() for other in others], dtype=np.float64)
    union = sizes[:, None] + found_sizes[None] - shared
    best = (shared / np.maximum(union, 1)).max(axis=1, initial=0.0)
    return np.where(sizes > 0, best, np.nan)


def assess_stability(
    X: ArrayLike,
    labels: ArrayLike,
    clusterer: BaseEstimator,
    *,
    n_resamples: int = 20,
    n_seeds: int = 5,
    share: float = 0.8,
    max_texts: int = 20_000,
    random_state: int | None = 0,
    progress: Callable[[str], None] | None = None,
) -> Stability:
    """Cluster again and see what comes out again.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Vectors.
    labels : array-like of shape (n,)
        The clustering to examine: numbers 0 to k-1, -1 for noise.
    clusterer : estimator
        Unfitted, what made it; a pipeline with a reducer is done again as a whole. Of a part of
        the texts it is asked for clusters that are smaller in proportion (``min_cluster_size``).
    n_resamples : int, default=20
        Subsamples drawn without replacement.
    n_seeds : int, default=5
        Clusterings of all texts with other seeds, compared with each other and with ``labels``.
        A clusterer without a ``random_state`` is not run again.
    share : float, default=0.8
        Size of a subsample.
    max_texts : int, default=20000
        Of a larger collection, a random sample of this size is examined; then the seeds are
        compared with each other only.
    random_state : int or None, default=0
        Seed of the draws and of the clusterings.
    progress : callable, optional
        Told what is being done.

    Returns
    -------
    Stability

    Raises
    ------
    UsageError
        If ``share`` is not a share, or a subsample has fewer texts than clusters are to be made.

    References
    ----------
    Hennig (2007), "Cluster-wise assessment of cluster stability", Computational Statistics & Data
    Analysis 52, with subsets as resampling scheme; thresholds as in his R package fpc.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import KMeans
    >>> X = np.repeat([[1.0, 0], [0, 1.0]], 10, axis=0) + np.linspace(0, 0.1, 20)[:, None]
    >>> found = assess_stability(X, np.repeat([0, 1], 10), KMeans(2, n_init=1))
    >>> found.jaccard, found.seed_ari, found.verdict
    (1.0, 1.0, 'very stable')
    """
    vectors = unit_rows(X)
    given = check_numbered(labels, len(vectors))
    check_sample_sizes(clusterer, len(vectors), share=share, max_texts=max_texts)
    rng = np.random.default_rng(random_state)
    n = len(vectors)
    k = int(given.max(initial=NOISE)) + 1
    whole = n <= max_texts
    if not whole:
        rows = np.sort(rng.choice(len(vectors), size=max_texts, replace=False))
        vectors, given = vectors[rows], given[rows]
    jaccards = np.full((n_resamples, k), np.nan)
    aris = np.full(n_resamples, np.nan)
    for i in range(n_resamples):
        if progress is not None:
            progress(f"stability: subsample {i + 1} of {n_resamples}")
        rows = rng.choice(len(vectors), size=_size(len(vectors), share), replace=False)
        found = _cluster(clusterer, vectors[rows], rng, n)
        jaccards[i] = best_jaccards(given[rows], found, k)
        aris[i] = adjusted_rand_score(given[rows], found)
    seeds = _seed_aris(
        clusterer,
        vectors,
        given if whole else None,
        of=n,
        n_seeds=n_seeds,
        rng=rng,
        progress=progress,
    )
    clusters = tuple(_summary(cluster, jaccards[:, cluster]) for cluster in range(k))
    sizes = np.bincount(given[given != NOISE], minlength=k)
    means = np.array([cluster.jaccard for cluster in clusters])
    measured = ~np.isnan(means) & (sizes > 0)
    return Stability(
        clusters=clusters,
        jaccard=float(np.average(means[measured], weights=sizes[measured]))
        if measured.any()
        else float("nan"),
        seed_ari=float(np.mean(seeds)) if seeds else float("nan"),
        seed_ari_low=min(seeds, default=float("nan")),
        seed_ari_high=max(seeds, default=float("nan")),
        subsample_ari=float(aris.mean()) if n_resamples else float("nan"),
        n_resamples=n_resamples,
        n_seeds=n_seeds if _uses_chance(clusterer) else 0,
        share=share,
        n_used=len(vectors),
    )


def check_sample_sizes(
    clusterer: BaseEstimator, n: int, *, share: float = 0.8, max_texts: int = 20_000
) -> None:
    """Refuse to measure stability where a subsample has fewer texts than there are clusters.

    Raises
    ------
    UsageError
        If it is so, or ``share`` is not a share.
    """
    if not 0 < share <= 1:
        raise UsageError(f"share={share}; it is the part of the texts to cluster again, up to 1")
    size = _size(min(n, max_texts), share)
    for number in parameters_named(clusterer, "n_clusters").values():
        if isinstance(number, Integral) and int(number) > size:
            raise UsageError(
                f"stability is measured on parts of {size:,} of {n:,} texts, too few for "
                f"{int(number):,} clusters; ask for fewer clusters, or leave it out with "
                "stability=0 (--stability 0)"
            )


def _size(n: int, share: float) -> int:
    return max(2, round(share * n))


def _cluster(
    clusterer: BaseEstimator, vectors: NDArray[np.float32], rng: np.random.Generator, of: int
) -> Labels:
    """Return the clusters of some of the vectors, from a seed drawn here."""
    made = with_seed(clusterer, int(rng.integers(2**31 - 1)))
    for name, value in parameters_named(made, "min_cluster_size").items():
        # A cluster has fewer texts in a part, and must not be too small there for that.
        if isinstance(value, Integral):
            smaller = max(_SMALLEST, round(int(value) * len(vectors) / of))
            made.set_params(**{name: min(int(value), smaller)})
    with few_threads(vectors):
        return check_labels(made.fit_predict(vectors), len(vectors))


def _seed_aris(
    clusterer: BaseEstimator,
    vectors: NDArray[np.float32],
    labels: Labels | None,
    *,
    of: int,
    n_seeds: int,
    rng: np.random.Generator,
    progress: Callable[[str], None] | None,
) -> list[float]:
    """Return the ARI of each pair of clusterings from different seeds."""
    if n_seeds == 0:
        return []
    if not _uses_chance(clusterer):
        return [1.0]
    runs = [] if labels is None else [labels]
    for i in range(n_seeds):
        if progress is not None:
            progress(f"stability: seed {i + 1} of {n_seeds}")
        runs.append(_cluster(clusterer, vectors, rng, of))
    return [float(adjusted_rand_score(a, b)) for a, b in combinations(runs, 2)]


def _uses_chance(clusterer: BaseEstimator) -> bool:
    return any(name.endswith("random_state") for name in clusterer.get_params(deep=True))


def _summary(cluster: int, values: NDArray[np.float64]) -> ClusterStability:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        nan = float("nan")
        return ClusterStability(cluster, nan, nan, nan, nan)
    low, high = np.percentile(known, [10, 90])
    return ClusterStability(
        cluster,
        jaccard=float(known.mean()),
        low=float(low),
        high=float(high),
        dissolved=float((known <= 0.5).mean()),
    )
