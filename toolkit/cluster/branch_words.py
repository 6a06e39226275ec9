"""What the clusters of a branch have in common, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from toolkit.cluster.joining import join_pairs
from toolkit.cluster.keywords import Keyword, term_rarity
from toolkit.cluster.term_matrix import sum_along

__all__ = ["branch_words"]

_MORE_OFTEN = 2.0
_FEWEST = 2
_DEVIATIONS = 2.0
"""Of a Poisson distribution: in a few texts any frequent word can be there twice as often."""


def branch_words(
    cluster_counts: sparse.csr_array,
    terms: NDArray[np.object_],
    parts: Sequence[tuple[Sequence[int], Sequence[int]]],
    *,
    n_keywords: int = 5,
    texts: Sequence[Sequence[str]] = (),
) -> list[tuple[str, ...]]:
    """Return the terms that the two parts of each branch have in common.

    By c-TF-IDF of all texts of the branch together, among the terms that are at least twice as
    frequent in either part as in all clusters outside of the branch, and more so than chance
    explains (two standard deviations). What one part alone has is a keyword of that one.

    Parameters
    ----------
    cluster_counts : csr_array of shape (k, n_terms)
        As :func:`~toolkit.cluster.sum_by_cluster` makes them.
    terms : ndarray of shape (n_terms,)
        The terms.
    parts : sequence of (sequence of int, sequence of int)
        Clusters of the two parts of each branch.
    n_keywords : int, default=5
        Most terms of a branch.
    texts : sequence of sequence of str, optional
        Some texts of each cluster, by which pairs of characters of unspaced scripts are joined.

    Returns
    -------
    list of tuple of str
        Of each branch, the heaviest first. None of the branch that holds all clusters: there is
        nothing to tell it from.

    Examples
    --------
    >>> counts = sparse.csr_array([[4, 3, 0, 5], [4, 0, 2, 5], [0, 0, 9, 5]])
    >>> branch_words(counts, np.array(["sea", "sail", "ski", "the"]), [([0], [1]), ([0, 1], [2])])
    [('sea',), ()]
    """
    everywhere = sum_along(cluster_counts, axis=0)
    rarity = term_rarity(cluster_counts)
    found: list[tuple[str, ...]] = []
    for left, right in parts:
        a, b = (sum_along(cluster_counts[list(part)], axis=0) for part in (left, right))
        both, counts = (*left, *right), a + b
        rest = everywhere - counts
        if not rest.any():
            found.append(())
            continue
        shared = np.flatnonzero((a >= _FEWEST) & (b >= _FEWEST))
        for part in (a, b):
            expected = rest[shared] / rest.sum() * part.sum()
            shared = shared[part[shared] >= _least(expected)]
        scores = counts[shared] * rarity[shared]
        best = shared[np.lexsort((shared, -scores))[: 4 * n_keywords]]
        # Only the order matters for joining, not the figures.
        chosen = [Keyword(str(terms[term]), 1.0, 1.0, 0.0, 1) for term in best]
        some = [text for cluster in both for text in (texts[cluster] if len(texts) else ())]
        found.append(tuple(word.term for word in join_pairs(chosen, some)[:n_keywords]))
    return found


def _least(expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least count of a word that is not as frequent as expected, nor so by chance."""
    return np.maximum(_MORE_OFTEN * expected, expected + _DEVIATIONS * np.sqrt(expected))
