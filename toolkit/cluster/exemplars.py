"""Texts that show what a cluster is: central, different from each other, and on its border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.cluster.closeness import Closeness, measure_closeness
from toolkit.cluster.geometry import NOISE, Labels, check_numbered, rows_by_cluster, unit_rows
from toolkit.cluster.same_texts import distinct_rows, first_of_same

__all__ = ["Exemplar", "exemplars_of", "find_exemplars", "noise_examples"]

_BLOCK = 128

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
    given = check_numbered(labels, len(vectors))
    return exemplars_of(
        vectors,
        given,
        measure_closeness(vectors, given),
        None if texts is None else first_of_same(texts),
        (n_central, n_diverse, n_borderline),
    )


def exemplars_of(
    vectors: NDArray[np.float32],
    labels: Labels,
    close: Closeness,
    same: NDArray[np.intp] | None = None,
    numbers: tuple[int, int, int] = (3, 3, 3),
) -> list[list[Exemplar]]:
    """Choose texts that show what each cluster is, from what has been measured.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Of length 1.
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1, -1 for noise.
    close : Closeness
        Of the texts to the clusters.
    same : ndarray of shape (n,), optional
        The first text that is the same (:func:`~toolkit.cluster.same_texts.first_of_same`).
    numbers : (int, int, int), default=(3, 3, 3)
        How many central, diverse and borderline ones.

    Returns
    -------
    list of list of Exemplar
    """
    n_central, n_diverse, n_borderline = numbers
    k = len(close.centers)
    found: list[list[Exemplar]] = []
    for members in rows_by_cluster(labels):
        order = members[np.argsort(-close.own[members], kind="stable")]
        if same is not None:
            order = distinct_rows(order, same)
        central = order[:n_central]
        diverse = _farthest(vectors, central, order[n_central : max(1, len(order) // 2)], n_diverse)
        rest = order[n_central:] if k > 1 else order[:0]
        rest = rest[~np.isin(rest, diverse)]
        margins = close.own[rest] - close.other_similarity[rest]
        border = rest[np.argsort(margins, kind="stable")[:n_borderline]]
        chosen = zip(KINDS, (central.tolist(), diverse.tolist(), border.tolist()), strict=True)
        found.append(
            [
                Exemplar(
                    position=i,
                    kind=kind,
                    similarity=float(close.own[i]),
                    other=int(close.other[i]) if k > 1 else None,
                    other_similarity=float(close.other_similarity[i]),
                )
                for kind, rows in chosen
                for i in rows
            ]
        )
    return found


def _farthest(
    vectors: NDArray[np.float32],
    start: NDArray[np.intp],
    pool: NDArray[np.intp],
    size: int,
) -> NDArray[np.intp]:
    """Return up to ``size`` of a pool, each the least similar to all before it."""
    # Equal ones are taken in the order of the input.
    pool = np.sort(pool)
    chosen: list[int] = []
    # No more than how similar each is to the nearest of those before.
    nearest = np.full(len(pool), -np.inf, dtype=np.float32)
    while len(chosen) < min(size, len(pool)):
        before = vectors[[*start.tolist(), *chosen]]
        order = np.argsort(nearest, kind="stable")
        least = np.inf
        for first in range(0, len(pool) if len(before) else 0, _BLOCK):
            part = order[first : first + _BLOCK]
            if nearest[part[0]] > least:
                break  # nor is any of the others less similar
            block = vectors[pool[part]]
            for vector in before:
                # Not by BLAS, whose threads would wait for each other on so little.
                closest = np.einsum("ij,j->i", block, vector)
                nearest[part] = np.maximum(nearest[part], closest)
            least = min(least, nearest[part].min())
        i = int(nearest.argmin())
        chosen.append(int(pool[i]))
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
