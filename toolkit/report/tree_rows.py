"""A tree of clusters as rows of a table, with the piece of the drawing that is in each row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from toolkit.cluster.tree import Branch, ClusterTree

__all__ = ["TreeRow", "tree_rows"]

_LEFT, _RIGHT = 8, 400
_TOP, _MIDDLE, _BOTTOM = 0, 5, 10


@dataclass(frozen=True)
class TreeRow:
    """A cluster or a branch.

    Parameters
    ----------
    cluster : int or None
        The cluster; None for a branch.
    branch : Branch or None
        The branch; None for a cluster.
    sides : tuple of (list of int, list of int)
        Clusters above and below the branch's row; of a cluster both are empty.
    size : int
        Number of texts.
    depth : int
        How many branches it is in.
    lines : str
        SVG path of the tree's lines in this row, in a box of 400 by 10.
    leader : str
        SVG path from the joint of a branch to its words; empty for a cluster.
    joint : str
        SVG path of no length where the branch's two parts meet; empty for a cluster.
    """

    cluster: int | None
    branch: Branch | None
    sides: tuple[list[int], list[int]]
    size: int
    depth: int
    lines: str
    leader: str = ""
    joint: str = ""


def tree_rows(tree: ClusterTree) -> list[TreeRow]:
    """Return the tree from top to bottom, each branch between its two parts.

    So each branch has a row of its own, and nothing is drawn between its joint and the words at
    the end of that row.

    Parameters
    ----------
    tree : ClusterTree
        The tree.

    Returns
    -------
    list of TreeRow, of length 2k - 1

    Examples
    --------
    >>> from toolkit.cluster import cluster_tree
    >>> rows = tree_rows(cluster_tree([[3, 0], [3, 1], [0, 3]], [0, 1, 2]))
    >>> [row.cluster for row in rows]
    [0, None, 1, None, 2]
    >>> [row.depth for row in rows]
    [2, 1, 2, 0, 1]
    """
    k = len(tree.sizes)
    order, depths = _in_order(tree)
    row_of = {node: row for row, node in enumerate(order)}
    top = tree.branches[-1].height if tree.branches else 0.0
    x = dict.fromkeys(range(k), _RIGHT)
    for branch in tree.branches:
        share = branch.height / top if top > 0 else 0.0
        x[branch.node] = round(_RIGHT - share * (_RIGHT - _LEFT))
    lines: dict[int, list[str]] = defaultdict(list)
    for branch in tree.branches:
        at = x[branch.node]
        first, last = row_of[branch.left], row_of[branch.right]
        lines[first].append(f"M{x[branch.left]} {_MIDDLE}H{at}V{_BOTTOM}")
        lines[last].append(f"M{x[branch.right]} {_MIDDLE}H{at}V{_TOP}")
        for row in range(first + 1, last):
            lines[row].append(f"M{at} {_TOP}V{_BOTTOM}")
    rows = []
    for row, node in enumerate(order):
        drawn = "".join(lines[row])
        if node < k:
            rows.append(TreeRow(node, None, ([], []), tree.sizes[node], depths[node], drawn))
            continue
        branch = tree.branches[node - k]
        split = 1 if branch.left < k else len(tree.branches[branch.left - k].clusters)
        members = list(branch.clusters)
        rows.append(
            TreeRow(
                cluster=None,
                branch=branch,
                sides=(members[:split], members[split:]),
                size=branch.size,
                depth=depths[node],
                lines=drawn,
                leader=f"M{x[node]} {_MIDDLE}H{_RIGHT}",
                joint=f"M{x[node]} {_MIDDLE}h0",
            )
        )
    return rows


def _in_order(tree: ClusterTree) -> tuple[list[int], dict[int, int]]:
    """Return all nodes, a branch between its two parts, and how many branches each is in."""
    k = len(tree.sizes)
    order: list[int] = []
    node, depth = k + len(tree.branches) - 1 if tree.branches else 0, 0
    depths: dict[int, int] = {}
    waiting: list[int] = []
    while True:
        depths[node] = depth
        if node >= k:
            waiting.append(node)
            node, depth = tree.branches[node - k].left, depth + 1
            continue
        order.append(node)
        if not waiting:
            return order, depths
        above = waiting.pop()
        order.append(above)
        node, depth = tree.branches[above - k].right, depths[above] + 1
