"""Clusters of texts that are empty: nothing in them can name them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from toolkit.cluster.geometry import Labels
from toolkit.typography import is_visible

__all__ = ["count_empty", "name_empty"]


def count_empty(texts: Sequence[str], labels: Labels) -> NDArray[np.intp]:
    r"""Return how many texts of each cluster have nothing in them that can be seen.

    Parameters
    ----------
    texts : sequence of str, of length n
        The texts.
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1, -1 for noise.

    Returns
    -------
    ndarray of shape (k,)

    Examples
    --------
    >>> count_empty(["a", "", " \n", ""], np.array([0, 0, 1, -1]))
    array([1, 1])
    """
    empty = np.fromiter((not is_visible(text) for text in texts), dtype=bool, count=len(texts))
    of = labels[empty]
    return np.bincount(of[of >= 0], minlength=int(labels.max(initial=-1)) + 1)


def name_empty(names: Sequence[str], texts: Sequence[str], labels: Labels) -> list[str]:
    """Return names of clusters, of which those of empty texts are called that.

    Their keywords, if any, are those of the few other texts.

    Parameters
    ----------
    names : sequence of str, of length k
        By keywords.
    texts, labels
        As for :func:`count_empty`.

    Examples
    --------
    >>> name_empty(["tea", "no keywords"], ["tea", "", ""], np.array([0, 1, 1]))
    ['tea', 'empty texts']
    """
    empty = count_empty(texts, labels)
    sizes = np.bincount(labels[labels >= 0], minlength=len(names))
    return [
        name if 2 * n <= size else "empty texts" if n == size else "mostly empty texts"
        for name, n, size in zip(names, empty.tolist(), sizes.tolist(), strict=True)
    ]
