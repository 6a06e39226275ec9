"""Clusters of texts that are empty: nothing in them can name them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolkit.cluster.geometry import Labels
from toolkit.typography import is_visible

__all__ = ["mostly_empty", "name_empty"]


def mostly_empty(texts: Sequence[str], labels: Labels) -> dict[int, int]:
    """Return the clusters of which more than half of the texts are empty, and how many are.

    Parameters
    ----------
    texts : sequence of str, of length n
        The texts; one of which nothing can be seen is empty.
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1, -1 for noise.

    Returns
    -------
    dict of int to int

    Examples
    --------
    >>> mostly_empty(["tea", "", "", "ice"], np.array([0, 1, 1, 1]))
    {1: 2}
    """
    unseen = np.fromiter((not is_visible(text) for text in texts), dtype=bool, count=len(texts))
    sizes = np.bincount(labels[labels >= 0])
    empty = np.bincount(labels[unseen & (labels >= 0)], minlength=len(sizes))
    return {int(cluster): int(empty[cluster]) for cluster in np.flatnonzero(2 * empty > sizes)}


def name_empty(names: Sequence[str], texts: Sequence[str], labels: Labels) -> list[str]:
    """Return names of clusters, of which those of empty texts are called that.

    Their keywords, if any, are those of the few other texts.

    Parameters
    ----------
    names : sequence of str, of length k
        By keywords, or by what else there is.
    texts, labels
        As for :func:`mostly_empty`.

    Examples
    --------
    >>> name_empty(["tea", "no keywords"], ["tea", "", ""], np.array([0, 1, 1]))
    ['tea', 'empty texts']
    """
    found = list(names)
    for cluster, n in mostly_empty(texts, labels).items():
        whole = n == np.count_nonzero(labels == cluster)
        found[cluster] = "empty texts" if whole else "mostly empty texts"
    return found
