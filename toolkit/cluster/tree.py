"""Which clusters belong together: a tree of clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.hierarchy import cut_tree, leaves_list

from toolkit.cluster.branch_words import branch_words
from toolkit.cluster.geometry import (
    NOISE,
    Labels,
    check_labels,
    check_numbered,
    cluster_centers,
    order_by_size,
    unit_rows,
)
from toolkit.cluster.linkage import ward_linkage
from toolkit.cluster.term_matrix import sum_by_cluster
from toolkit.cluster.terms import TermCounts
from toolkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Branch", "ClusterTree", "cluster_tree", "grow_tree"]

Parts = tuple[list[int], list[int]]
"""The clusters of the two parts of a branch."""


@dataclass(frozen=True)
class Branch:
    """An inner node of a tree of clusters: two clusters or branches, and all that is in them.

    Parameters
    ----------
    node : int
        Its number in the linkage matrix: the first merge of k clusters is k.
    left, right : int
        What it is made of: numbers of clusters (below k) or of branches.
    height : float
        What is lost by taking the two for one, as in the linkage matrix.
    separation : float
        Cosine distance between the middles of the two.
    clusters : tuple of int
        Its clusters, in the order of the leaves.
    size : int
        Number of its texts.
    keywords : tuple of str
        Terms that are more frequent in both parts than in all other clusters.
    """

    node: int
    left: int
    right: int
    height: float
    separation: float
    clusters: tuple[int, ...]
    size: int
    keywords: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ClusterTree:
    """Which clusters belong together, from pairs up to all.

    Parameters
    ----------
    linkage : ndarray of shape (k - 1, 4)
        As scipy's ``linkage`` gives it, for its ``dendrogram``, ``fcluster`` and so on: what was
        merged, at which height, how many clusters. Leaves are in optimal order.
    branches : tuple of Branch
        The inner nodes, one for each row of the matrix; the last holds all clusters.
    sizes : tuple of int
        Number of texts of each cluster.
    """

    linkage: NDArray[np.float64]
    branches: tuple[Branch, ...]
    sizes: tuple[int, ...]

    @cached_property
    def leaves(self) -> list[int]:
        """The clusters in the order of the leaves: similar ones beside each other."""
        if not self.branches:
            return list(range(len(self.sizes)))
        return [int(leaf) for leaf in leaves_list(self.linkage)]

    def cut(self, n: int, labels: ArrayLike | None = None) -> Labels:
        """Return the group of each cluster when the tree is cut into n groups.

        Parameters
        ----------
        n : int
            How many, from 1 to the number of clusters.
        labels : array-like of int, optional
            Cluster of each text; their groups are returned instead, -1 for noise.

        Returns
        -------
        ndarray of shape (k,), or of the shape of the labels
            0 is the group of the most texts.

        Raises
        ------
        UsageError
            If there are not that many groups, or a label is no cluster of the tree.
        """
        k = len(self.sizes)
        if not 1 <= n <= k:
            raise UsageError(f"n={n}; {k} clusters can be cut into 1 to {k} groups")
        raw = (
            cut_tree(self.linkage, n_clusters=[n]).ravel() if k > 1 else np.zeros(1, dtype=np.intp)
        )
        groups: Labels = np.empty(k, dtype=np.intp)
        # Numbered as clusters are: by the texts in them.
        _, by_size = order_by_size(np.repeat(raw, self.sizes))
        for new, old in enumerate(by_size):
            groups[raw == old] = new
        if labels is None:
            return groups
        given = check_labels(labels)
        if given.max(initial=NOISE) >= k:
            raise UsageError(f"there is a label {given.max()}; the tree has clusters 0 to {k - 1}")
        return np.append(groups, NOISE)[given]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each branch.

        Returns
        -------
        DataFrame
            Indexed by node; columns ``left``, ``right``, ``height``, ``separation``,
            ``n_clusters``, ``clusters``, ``size``, ``keywords``.
        """
        import pandas as pd

        rows = [
            {
                "node": branch.node,
                "left": branch.left,
                "right": branch.right,
                "height": branch.height,
                "separation": branch.separation,
                "n_clusters": len(branch.clusters),
                "clusters": ", ".join(map(str, branch.clusters)),
                "size": branch.size,
                "keywords": ", ".join(branch.keywords),
            }
            for branch in self.branches
        ]
        columns = ["node", "left", "right", "height", "separation", "n_clusters", "clusters"]
        return pd.DataFrame(rows, columns=[*columns, "size", "keywords"]).set_index("node")


def cluster_tree(
    X: ArrayLike, labels: ArrayLike, *, counts: TermCounts | None = None, n_keywords: int = 5
) -> ClusterTree:
    r"""Join the clusters of texts to a tree, the most similar first.

    Ward's criterion: those two are joined whose texts lose least when they share one middle. Of
    clusters a and b with :math:`n_a` and :math:`n_b` texts around the unit vectors :math:`c_a` and
    :math:`c_b` that is

    .. math:: h(a, b) = \sqrt{\frac{2 n_a n_b}{n_a + n_b}}\; \lVert c_a - c_b \rVert

    for clusters, and follows for what is joined from the formula of Lance and Williams. It is the
    tree that scipy's ``linkage(..., "ward")`` makes of the texts if each stood in the middle of its
    cluster: clusters count by their size, which scipy's cannot.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Vectors; only directions count.
    labels : array-like of shape (n,)
        Cluster numbers 0 to k-1 without gaps, and -1 for noise, which is left out.
    counts : TermCounts, optional
        Terms of the texts (:func:`~toolkit.cluster.count_terms`), for the keywords of branches.
    n_keywords : int, default=5
        Most keywords of a branch.

    Returns
    -------
    ClusterTree

    Raises
    ------
    UsageError
        If there is no cluster, or the labels are not such numbers.

    References
    ----------
    Ward (1963), "Hierarchical grouping to optimize an objective function", Journal of the American
    Statistical Association 58; Lance and Williams (1967), "A general theory of classificatory
    sorting strategies", The Computer Journal 9; Bar-Joseph, Gifford and Jaakkola (2001), "Fast
    optimal leaf ordering for hierarchical clustering", Bioinformatics 17, for the order.

    Examples
    --------
    >>> from toolkit.cluster import count_terms
    >>> texts = ["red wine", "a wine, red", "white wine", "a wine, white", "rye bread", "bread"]
    >>> X = [[10, 1, 0], [9, 1, 0], [9, 3, 0], [8, 3, 0], [0, 1, 9], [0, 2, 9]]
    >>> tree = cluster_tree(X, [0, 0, 1, 1, 2, 2], counts=count_terms(texts))
    >>> tree.leaves, tree.cut(2)
    ([0, 1, 2], array([0, 0, 1]))
    >>> tree.branches[0].clusters, tree.branches[0].keywords
    ((0, 1), ('wine',))
    >>> print(tree.to_frame()[["left", "right", "n_clusters", "size"]])
          left  right  n_clusters  size
    node
    3        0      1           2     4
    4        3      2           3     6
    """
    vectors = unit_rows(X)
    given = check_numbered(labels, len(vectors))
    if (given == NOISE).all():
        raise UsageError("all texts are noise; a tree needs a cluster")
    words = None
    if counts is not None:
        summed, terms = sum_by_cluster(counts.counts, given), counts.terms
        words = partial(branch_words, summed, terms, n_keywords=n_keywords)
    return grow_tree(cluster_centers(vectors, given), np.bincount(given[given != NOISE]), words)


def grow_tree(
    centers: NDArray[np.floating],
    sizes: NDArray[np.intp],
    words: Callable[[list[Parts]], list[tuple[str, ...]]] | None = None,
) -> ClusterTree:
    """Return the tree of clusters of which middles and sizes are known.

    Parameters
    ----------
    centers : ndarray of shape (k, d)
        Direction of each cluster's mean, of length 1.
    sizes : ndarray of shape (k,)
        Number of texts of each cluster.
    words : callable, optional
        From the clusters of the two parts of each branch to its keywords.

    Returns
    -------
    ClusterTree
    """
    k = len(centers)
    linkage = ward_linkage(centers, sizes)
    below: list[list[int]] = [[cluster] for cluster in range(k)]
    middles = list(centers.astype(np.float64) * np.asarray(sizes)[:, None])
    parts: list[Parts] = []
    for left, right in linkage[:, :2].astype(int).tolist():
        parts.append((below[left], below[right]))
        below.append(below[left] + below[right])
        middles.append(middles[left] + middles[right])
    keywords = [()] * len(parts) if words is None else words(parts)
    branches = tuple(
        Branch(
            node=k + step,
            left=int(left),
            right=int(right),
            height=height,
            separation=_cosine_distance(middles[int(left)], middles[int(right)]),
            clusters=tuple(below[k + step]),
            size=int(sizes[below[k + step]].sum()),
            keywords=keywords[step],
        )
        for step, (left, right, height, _) in enumerate(linkage.tolist())
    )
    return ClusterTree(linkage, branches, tuple(int(size) for size in sizes))


def _cosine_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    # What has no direction is at distance 1 from everything.
    return float(np.clip(1 - a @ b / lengths, 0, 2)) if lengths > 0 else 1.0
