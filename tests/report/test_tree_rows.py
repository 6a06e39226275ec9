"""The tree of clusters as rows with their pieces of the drawing."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.cluster import ClusterTree, cluster_tree
from toolkit.report.tree_rows import tree_rows


def tree_of(seed: int, k: int) -> ClusterTree:
    return cluster_tree(np.random.default_rng(seed).normal(size=(k, 5)), np.arange(k))


def verticals(lines: str) -> dict[int, set[str]]:
    """Return which halves of the row each vertical line goes through, by its place."""
    found: dict[int, set[str]] = {}
    for x, bend, y0, y1 in re.findall(r"M(\d+) (?:5H(\d+)|(\d+))V(\d+)", lines):
        start, end = sorted((5 if bend else int(y0), int(y1)))
        halves = found.setdefault(int(bend or x), set())
        if start == 0:
            halves.add("upper")
        if end == 10:
            halves.add("lower")
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 25))
def test_each_branch_stands_between_its_parts_and_no_line_breaks_off(seed: int, k: int):
    tree = tree_of(seed, k)
    rows = tree_rows(tree)
    assert [row.cluster for row in rows[::2]] == tree.leaves
    assert sorted(row.branch.node for row in rows[1::2]) == list(range(k, 2 * k - 1))
    for i, row in enumerate(rows):
        if row.branch is None:
            assert row.size == 1
            continue
        left, right = row.sides
        assert rows[i - 1].cluster == left[-1]
        assert rows[i + 1].cluster == right[0]
        assert [*left, *right] == list(row.branch.clusters)
    # What leaves a row downwards comes into the next one from above, at the same places.
    drawn = [verticals(row.lines) for row in rows]
    below = [{x for x, halves in row.items() if "lower" in halves} for row in drawn]
    above = [{x for x, halves in row.items() if "upper" in halves} for row in drawn]
    assert below[:-1] == above[1:]
    assert not above[0]
    assert not below[-1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 25))
def test_nothing_is_drawn_between_a_joint_and_its_words(seed: int, k: int):
    for row in tree_rows(tree_of(seed, k)):
        if row.branch is not None:
            joint = int(row.joint[1:].split()[0])
            assert max(verticals(row.lines)) == joint


def test_the_farther_left_the_higher():
    tree = tree_of(3, 12)
    places = {row.branch.node: int(row.joint[1:].split()[0]) for row in tree_rows(tree)[1::2]}
    ordered = [places[branch.node] for branch in tree.branches]
    assert ordered == sorted(ordered, reverse=True)
    assert ordered[-1] == 8
    assert max(ordered) < 400


@pytest.mark.parametrize("k", [1, 2])
def test_one_cluster_is_a_row_and_two_are_three(k: int):
    rows = tree_rows(tree_of(0, k))
    assert len(rows) == 2 * k - 1
    assert rows[0].depth == k - 1


def test_clusters_at_one_place_are_drawn_all_the_same():
    tree = cluster_tree(np.ones((4, 3)), np.arange(4))
    assert [row.cluster for row in tree_rows(tree)[::2]] == tree.leaves


def test_a_chain_of_hundreds_of_clusters_is_walked():
    angles = np.cumsum(0.001 * 1.02 ** np.arange(200))
    X = np.column_stack([np.cos(angles), np.sin(angles)])
    rows = tree_rows(cluster_tree(X, np.arange(200)))
    assert len(rows) == 399
