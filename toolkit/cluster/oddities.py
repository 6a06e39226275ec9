"""Texts that stand out of their cluster, and texts that are there more than once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.cluster.geometry import NOISE, Labels
from toolkit.cluster.same_texts import distinct_rows, first_of_same

__all__ = ["Outlier", "Repeat", "find_outliers", "find_repeats"]

_FEWEST = 8


@dataclass(frozen=True)
class Outlier:
    """A text far from the middle of its cluster.

    Parameters
    ----------
    position : int
        Of the text.
    cluster : int
        Its cluster.
    similarity : float
        Cosine to the cluster's centroid.
    typical : float
        The median of that over the cluster.
    deviation : float
        How many median absolute deviations (times 1.4826, one standard deviation of a normal
        distribution) it lies below.
    """

    position: int
    cluster: int
    similarity: float
    typical: float
    deviation: float


@dataclass(frozen=True)
class Repeat:
    """A text that is there more than once, up to case and spaces.

    Parameters
    ----------
    positions : tuple of int
        Where.
    clusters : tuple of int
        The clusters it is in; -1 is noise.
    """

    positions: tuple[int, ...]
    clusters: tuple[int, ...]


def find_outliers(
    labels: Labels,
    similarity: NDArray[np.floating],
    same: NDArray[np.intp] | None = None,
    *,
    limit: float = 3.0,
    most: int = 20,
    most_of_one: int = 5,
) -> list[Outlier]:
    """Return texts that are far from the middle of their cluster, compared with its others.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Cluster of each text; noise is not looked at, nor clusters of fewer than 8 texts.
    similarity : ndarray of shape (n,)
        Cosine of each text to its cluster's centroid.
    same : ndarray of shape (n,), optional
        The first text that is the same (:func:`~toolkit.cluster.same_texts.first_of_same`), to
        return a text that is odd in a cluster more than once only once.
    limit : float, default=3.0
        Deviations below the median from which a text is one (Leys et al. 2013).
    most : int, default=20
        How many at most.
    most_of_one : int, default=5
        How many at most of one cluster: where half of one is alike, all the rest of it is odd.

    Returns
    -------
    list of Outlier
        The farthest off first.

    References
    ----------
    Leys, Ley, Klein, Bernard and Licata (2013), "Detecting outliers: Do not use standard deviation
    around the mean, use absolute deviation around the median", J. Exp. Soc. Psychol. 49.

    Examples
    --------
    >>> similarity = np.array([0.9, 0.91, 0.89, 0.9, 0.92, 0.88, 0.9, 0.3])
    >>> [one.position for one in find_outliers(np.zeros(8, dtype=int), similarity)]
    [7]
    """
    found = []
    for cluster in range(int(labels.max(initial=NOISE)) + 1):
        rows = np.flatnonzero(labels == cluster)
        if len(rows) < _FEWEST:
            continue
        own = similarity[rows].astype(np.float64)
        middle = float(np.median(own))
        spread = 1.4826 * float(np.median(np.abs(own - middle)))
        # Half a cluster of copies has no spread; then any other text would be infinitely odd.
        if spread < 1e-6:
            continue
        odd = rows[middle - own > limit * spread]
        odd = odd if same is None else distinct_rows(odd, same)
        lowest = odd[np.argsort(similarity[odd], kind="stable")][:most_of_one]
        for row in lowest.tolist():
            value = float(similarity[row])
            found.append(Outlier(row, cluster, value, middle, (middle - value) / spread))
    return sorted(found, key=lambda one: -one.deviation)[:most]


def find_repeats(texts: Sequence[str], labels: Labels) -> list[Repeat]:
    """Return texts that are there more than once, up to case and spaces.

    Parameters
    ----------
    texts : sequence of str, of length n
        The texts.
    labels : ndarray of shape (n,)
        Cluster of each.

    Returns
    -------
    list of Repeat
        The most frequent first.

    Examples
    --------
    >>> find_repeats(["Good  day", "good day", "Bye"], np.array([0, 1, 1]))
    [Repeat(positions=(0, 1), clusters=(0, 1))]
    """
    same = first_of_same(texts)
    often = np.bincount(same, minlength=len(same))
    places: dict[int, list[int]] = {}
    for position in np.flatnonzero(often[same] > 1).tolist():
        places.setdefault(int(same[position]), []).append(position)
    found = [
        Repeat(tuple(rows), tuple(sorted({int(labels[row]) for row in rows})))
        for rows in places.values()
    ]
    return sorted(found, key=lambda one: -len(one.positions))
