"""Groups inside a cluster, where there are any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans

from toolkit.cluster.choose_k import Candidate, choose_n_clusters
from toolkit.cluster.describing import describe_clusters, word_settings
from toolkit.cluster.first_names import first_names
from toolkit.cluster.geometry import cluster_centers, order_by_size, unit_rows
from toolkit.cluster.result import ClusterResult
from toolkit.cluster.threads import few_threads
from toolkit.errors import UsageError

__all__ = ["SubGroup", "Substructure", "find_substructure"]

_NUMBERS = (2, 3, 4)
_FEWEST_TEXTS = 20
_SMALLEST_SHARE = 0.1
_LOOKED_AT = 1000
_STABLE = 0.6
_OF_THE_WAY = 1 / 3
_FURTHER_APART = 0.02


@dataclass(frozen=True)
class SubGroup:
    """A part of a cluster.

    Parameters
    ----------
    name : str
        Its first keywords.
    size : int
        Number of its texts.
    share : float
        Of the cluster's texts.
    keywords : tuple of str
        Terms that tell it from the rest of the cluster.
    example : int
        Position of its most central text.
    """

    name: str
    size: int
    share: float
    keywords: tuple[str, ...]
    example: int


@dataclass(frozen=True)
class Substructure:
    """The parts a cluster falls into.

    Parameters
    ----------
    groups : tuple of SubGroup
        The largest first.
    stability : float
        Mean adjusted Rand index between divisions of overlapping subsamples into as many groups.
    chance : float
        The same of vectors that form no groups.
    """

    groups: tuple[SubGroup, ...]
    stability: float
    chance: float


def find_substructure(
    result: ClusterResult,
    X: ArrayLike,
    *,
    random_state: int | None = 0,
    progress: Callable[[str], None] | None = None,
) -> dict[int, Substructure]:
    """Find clusters that fall into two to four groups themselves.

    Any set of texts can be divided. A division counts only if

    - divisions of overlapping subsamples agree on it (adjusted Rand index 0.6 or more),
    - its groups are further apart than those of vectors without groups (silhouette, by 0.02),
    - one of the two is at least a third of the way from what such vectors reach to 1, and
    - no group has less than a tenth of the cluster.

    Parameters
    ----------
    result : ClusterResult
        A clustering. Keywords of the groups have its stop words and as many words.
    X : array-like of shape (n, d)
        The vectors it is of.
    random_state : int or None, default=0
        Seed of the draws and clusterings.
    progress : callable, optional
        Told what is being done.

    Returns
    -------
    dict of int to Substructure
        By cluster; clusters that are of one piece, or have fewer than 20 texts, are left out.

    Raises
    ------
    UsageError
        If there are not as many vectors as texts.

    Examples
    --------
    >>> from toolkit.cluster import cluster_texts
    >>> from toolkit.datasets import load, load_vectors
    >>> texts = load("sdg").data
    >>> X = load_vectors("sdg", task="clustering", dimensions=128)
    >>> found = find_substructure(cluster_texts(texts, X, n_clusters=5, stability=0), X)
    >>> all(2 <= len(one.groups) <= 4 for one in found.values())
    True
    """
    vectors = unit_rows(X)
    if len(vectors) != len(result.texts):
        raise UsageError(f"there are {len(vectors):,} vectors for {len(result.texts):,} texts")
    rng, words = np.random.default_rng(random_state), word_settings(result.provenance)
    found = {}
    for cluster in range(result.n_clusters):
        rows = np.flatnonzero(result.labels == cluster)
        if len(rows) < _FEWEST_TEXTS:
            continue
        if progress is not None:
            progress(f"looking into cluster {cluster + 1} of {result.n_clusters}")
        parts = _divide(vectors[rows], [result.texts[i] for i in rows], rows, rng, words)
        if parts is not None:
            found[cluster] = parts
    return found


def _divide(
    vectors: NDArray[np.float32],
    texts: list[str],
    rows: NDArray[np.intp],
    rng: np.random.Generator,
    words: dict[str, Any],
) -> Substructure | None:
    if len(np.unique(vectors.round(4), axis=0)) < _FEWEST_TEXTS:
        return None  # copies of a few texts
    seed = int(rng.integers(2**31 - 1))
    tried = choose_n_clusters(
        vectors, candidates=_NUMBERS, max_texts=_LOOKED_AT, random_state=seed
    ).candidates
    supported = [one for one in tried if _is_supported(one)]
    if not supported:
        return None
    best = max(supported, key=_of_the_way)
    with few_threads(vectors):
        made = KMeans(best.n_clusters, n_init=10, random_state=seed).fit_predict(vectors)
    labels, _ = order_by_size(made)
    sizes = np.bincount(labels)
    if sizes.min() < _SMALLEST_SHARE * len(rows):
        return None
    keywords, _ = describe_clusters(texts, labels, n_keywords=6, **words)
    centers = cluster_centers(vectors, labels)
    names = first_names(keywords, texts, labels)
    groups = []
    for group, size in enumerate(sizes.tolist()):
        members = np.flatnonzero(labels == group)
        central = members[(vectors[members] @ centers[group]).argmax()]
        terms = tuple(word.term for word in keywords[group])
        groups.append(SubGroup(names[group], size, size / len(rows), terms, int(rows[central])))
    return Substructure(tuple(groups), best.stability, best.chance_stability)


def _is_supported(one: Candidate) -> bool:
    return (
        one.stability >= _STABLE
        and _of_the_way(one) >= _OF_THE_WAY
        and one.silhouette - one.chance_silhouette >= _FURTHER_APART
    )


def _of_the_way(one: Candidate) -> float:
    """Return how far stability, or silhouette if that is further, is from chance (0) to 1.

    Differences would not do: two groups far apart make a long cloud, and any long cloud is cut
    across in the same place each time; then only the gap between them tells.
    """
    return max(
        (reached - chance) / max(1 - chance, 1e-9)
        for reached, chance in (
            (one.stability, one.chance_stability),
            (one.silhouette, one.chance_silhouette),
        )
    )
