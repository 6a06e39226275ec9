"""Texts that show what a cluster is: central, different from each other, and on its border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.cluster.geometry import NOISE, Labels, cluster_centers, unit_rows

__all__ = ["Exemplar", "find_exemplars", "noise_examples"]

KINDS = ("central", "diverse", "borderline")


@dataclass(frozen=True)
class Exemplar:
    """A text that stands for its cluster, or for its border.

    Parameters
    ----------
    position : int
        Position in the input, from 0.
    kind : {"central", "diverse", "borderline"}
        Nearest to the centroid; different from the central ones and from each other, but well
        inside; or nearly as close to another cluster.
    similarity : float
        Cosine to its own cluster's centroid.
    other : int or None
        The cluster whose centroid is nearest among the others.
    other_similarity : float
        Cosine to that one; NaN if there is only one cluster.
    """

    position: int
    kind: str
    similarity: float
    other: int | None
    other_similarity: float


def find_exemplars(
    X: NDArray[np.floating],
    labels: Labels,
    *,
    texts: Sequence[str] | None = None,
    n_central: int = 3,
    n_diverse: int = 3,
    n_borderline: int = 3,
) -> list[list[Exemplar]]:
    """Choose texts that show what each cluster is.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Vectors.
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1, -1 for noise.
    texts : sequence of str, of length n, optional
        To take only one of equal texts (up to case and spaces).
    n_central, n_diverse, n_borderline : int, default=3
        How many of each kind, as far as there are so many.

    Returns
    -------
    list of list of Exemplar
        Of each cluster: central ones (nearest first), diverse ones, borderline ones (smallest
        margin first). No text is there twice.

    Notes
    -----
    Diverse ones are found by going to the farthest point each time (Gonzalez 1985), among the
    half of the cluster that is nearer to its centroid: far ones would be its outliers.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1, 0], [1, 0.1], [1, 0.9], [0, 1], [0.1, 1]])
    >>> found = find_exemplars(X, np.array([0, 0, 0, 1, 1]), n_central=1, n_diverse=0,
    ...                        n_borderline=1)
    >>> [(e.position, e.kind) for e in found[0]]
    [(1, 'central'), (2, 'borderline')]
    """
    vectors = unit_rows(X)
    centers = cluster_centers(vectors, labels).astype(np.float32)
    k = len(centers)
    found: list[list[Exemplar]] = []
    for cluster in range(k):
        rows = np.flatnonzero(labels == cluster)
        similarity = vectors[rows] @ centers.T
        own = similarity[:, cluster].copy()
        similarity[:, cluster] = -np.inf
        other = similarity.argmax(axis=1)
        best = similarity[np.arange(len(rows)), other]
        order = np.argsort(-own, kind="stable")
        if texts is not None:
            order = _distinct(order, rows, texts)
        central = order[:n_central]
        diverse = _farthest(vectors[rows], central, order[: max(1, len(order) // 2)], n_diverse)
        taken = np.concatenate([central, diverse])
        rest = order[~np.isin(order, taken)] if k > 1 else order[:0]
        border = rest[np.argsort((own - best)[rest], kind="stable")[:n_borderline]]
        chosen = zip(KINDS, (central.tolist(), diverse.tolist(), border.tolist()), strict=True)
        found.append(
            [
                Exemplar(
                    position=int(rows[i]),
                    kind=kind,
                    similarity=float(own[i]),
                    other=int(other[i]) if k > 1 else None,
                    other_similarity=float(best[i]) if k > 1 else float("nan"),
                )
                for kind, members in chosen
                for i in members
            ]
        )
    return found


def _distinct(
    order: NDArray[np.intp], rows: NDArray[np.intp], texts: Sequence[str]
) -> NDArray[np.intp]:
    seen: set[str] = set()
    kept = []
    for i in order:
        text = " ".join(texts[rows[i]].lower().split())
        if text not in seen:
            seen.add(text)
            kept.append(i)
    return np.asarray(kept, dtype=np.intp)


def _farthest(
    vectors: NDArray[np.float32],
    start: NDArray[np.intp],
    candidates: NDArray[np.intp],
    size: int,
) -> NDArray[np.intp]:
    """Return up to ``size`` candidates, each the least similar to all before it."""
    pool = np.setdiff1d(candidates, start)
    if len(pool) == 0 or size == 0:
        return np.empty(0, dtype=np.intp)
    nearest = (
        (vectors[pool] @ vectors[start].T).max(axis=1)
        if len(start)
        else np.full(len(pool), -1.0, dtype=np.float32)
    )
    chosen: list[int] = []
    for _ in range(min(size, len(pool))):
        i = int(nearest.argmin())
        chosen.append(int(pool[i]))
        nearest = np.maximum(nearest, vectors[pool] @ vectors[pool[i]])
        nearest[i] = np.inf
    return np.asarray(chosen, dtype=np.intp)


def noise_examples(labels: Labels, size: int = 5, random_state: int | None = 0) -> list[int]:
    """Return positions of a few noise texts, drawn at random and in the order of the input.

    Examples
    --------
    >>> import numpy as np
    >>> noise_examples(np.array([0, -1, 0, -1]))
    [1, 3]
    """
    rows = np.flatnonzero(labels == NOISE)
    drawn = np.random.default_rng(random_state).choice(
        rows, size=min(size, len(rows)), replace=False
    )
    return [int(i) for i in np.sort(drawn)]
