"""Whether a clustering leaves nearest neighbours together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from toolkit.cluster.geometry import NOISE, Labels

__all__ = ["modularity", "nearest_neighbors"]


def nearest_neighbors(vectors: NDArray[np.float32], n_neighbors: int = 15) -> NDArray[np.intp]:
    """Return the nearest other vectors of each vector by cosine.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Unit vectors.
    n_neighbors : int, default=15
        How many; fewer of a small collection, a fifth of it.

    Returns
    -------
    ndarray of shape (n, m)
        Their rows, the nearest first.

    Examples
    --------
    >>> import numpy as np
    >>> angles = np.arange(12.0) ** 2 / 100
    >>> X = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> nearest_neighbors(X)[5].tolist()
    [4, 6]
    """
    m = max(1, min(n_neighbors, len(vectors) // 5))
    # On unit vectors the order by squared distance is that by cosine. Without X, kneighbors
    # leaves out each vector itself, also where it has copies.
    search = NearestNeighbors(n_neighbors=m, algorithm="brute").fit(vectors)
    found: NDArray[np.intp] = search.kneighbors(return_distance=False)
    return found


def modularity(neighbors: NDArray[np.intp], labels: Labels) -> float:
    r"""Return how many more neighbours share a cluster than if neighbours were drawn by chance.

    :math:`Q = \sum_c \left[\frac{e_c}{m} - \left(\frac{d_c}{2m}\right)^2\right]` over the graph of
    neighbours: of its :math:`m` edges :math:`e_c` are inside cluster :math:`c`, whose vectors have
    :math:`d_c` ends of edges. Few clusters share most neighbours by chance, many clusters cut
    neighbours apart: it is highest in between.

    Parameters
    ----------
    neighbors : ndarray of shape (n, m)
        Rows of the neighbours, from :func:`nearest_neighbors`.
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1; -1 for noise, of which each text is a cluster of its own.

    Returns
    -------
    float
        Below 1; 0 for one cluster.

    References
    ----------
    Newman and Girvan (2004), "Finding and evaluating community structure in networks", Physical
    Review E 69.

    Examples
    --------
    >>> import numpy as np
    >>> pairs = np.array([[1], [0], [3], [2]])
    >>> modularity(pairs, np.array([0, 0, 1, 1])), modularity(pairs, np.array([0, 0, 0, 0]))
    (0.5, 0.0)
    """
    n, m = neighbors.shape
    groups = labels.copy()
    alone = np.flatnonzero(labels == NOISE)
    groups[alone] = labels.max(initial=NOISE) + 1 + np.arange(len(alone))
    together = (groups[neighbors] == groups[:, None]).mean()
    # Each vector has m ends of its own edges, and one of each edge that leads to it.
    ends = m + np.bincount(neighbors.ravel(), minlength=n)
    shares = np.bincount(groups, weights=ends) / ends.sum()
    return float(together - (shares**2).sum())
