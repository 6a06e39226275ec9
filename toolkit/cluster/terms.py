"""Counts of words by document, and by cluster.

Texts are counted once, in a sparse matrix of documents by terms; a cluster's counts are a row of
``onehot(labels).T @ counts``, so that no cluster's texts are ever joined into one string, and
clustering again costs one product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from toolkit.cluster.geometry import NOISE, Labels
from toolkit.cluster.tokenizer import tokenize
from toolkit.errors import UsageError

__all__ = ["TermCounts", "count_terms", "sum_by_cluster"]


@dataclass(frozen=True, eq=False)
class TermCounts:
    """How often each term occurs in each document.

    Parameters
    ----------
    counts : csr_array of shape (n_documents, n_terms)
        The counts.
    terms : ndarray of shape (n_terms,), dtype object
        The terms, in alphabetical order.
    """

    counts: sparse.csr_array
    terms: NDArray[np.object_]


def count_terms(
    texts: Iterable[str],
    *,
    tokenizer: Callable[[str], list[str]] = tokenize,
    ngram_range: tuple[int, int] = (1, 1),
    min_df: int | float = 2,
    max_df: int | float = 1.0,
    stop_words: Iterable[str] = (),
    max_terms: int | None = None,
) -> TermCounts:
    """Count the terms of each text.

    Parameters
    ----------
    texts : iterable of str, of length n
        The documents.
    tokenizer : callable, default=tokenize
        From a text to its words.
    ngram_range : (int, int), default=(1, 1)
        Fewest and most words in a term.
    min_df : int or float, default=2
        Fewest *documents* (or share of them) a term must occur in. A term of one document says
        nothing about a cluster. Where no term reaches it, all terms are kept.
    max_df : int or float, default=1.0
        Most documents (or share of them).
    stop_words : iterable of str, optional
        Words to leave out. No language is assumed, so none are by default.
    max_terms : int, optional
        Keep the most frequent only.

    Returns
    -------
    TermCounts

    Examples
    --------
    >>> found = count_terms(["to be or not", "to do"], min_df=1)
    >>> list(found.terms)
    ['be', 'do', 'not', 'or', 'to']
    >>> found.counts.toarray()
    array([[1, 0, 1, 1, 1],
           [0, 1, 0, 0, 1]], dtype=int32)
    """
    left_out = frozenset(stop_words)
    low, high = ngram_range
    if not 1 <= low <= high:
        raise UsageError(f"ngram_range={ngram_range} is not (fewest, most) words of a term")

    def analyze(text: str) -> list[str]:
        words = [word for word in tokenizer(text) if word not in left_out]
        terms = words if low == 1 else []
        for size in range(max(low, 2), high + 1):
            pieces = (words[start:] for start in range(size))
            terms = terms + [" ".join(group) for group in zip(*pieces, strict=False)]
        return terms

    # The usual case, where nothing is left out and a word is a term, is spared two more lists.
    plain = not left_out and ngram_range == (1, 1)
    documents = list(texts)
    vectorizer = CountVectorizer(
        analyzer=tokenizer if plain else analyze,
        min_df=min_df,
        max_df=max_df,
        max_features=max_terms,
        dtype=np.int32,
    )
    try:
        counts = vectorizer.fit_transform(documents)
    except ValueError:
        # Few or very short texts: nothing is in two documents, or there are no words at all.
        vectorizer.set_params(min_df=1, max_df=1.0)
        try:
            counts = vectorizer.fit_transform(documents)
        except ValueError:
            nothing = np.empty((len(documents), 0), dtype=np.int32)
            return TermCounts(sparse.csr_array(nothing), np.empty(0, dtype=object))
    return TermCounts(sparse.csr_array(counts), vectorizer.get_feature_names_out())


def sum_by_cluster(
    matrix: sparse.csr_array, labels: Labels, n_clusters: int | None = None
) -> sparse.csr_array:
    """Add up the rows of each cluster: ``onehot(labels).T @ matrix``.

    Parameters
    ----------
    matrix : csr_array of shape (n, n_terms)
        A row for each document.
    labels : ndarray of shape (n,)
        Cluster numbers; documents of -1 are left out.
    n_clusters : int, optional
        Number of clusters; by default one more than the largest label.

    Returns
    -------
    csr_array of shape (n_clusters, n_terms)

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> sum_by_cluster(sparse.csr_array([[1, 0], [2, 1], [0, 5]]), np.array([0, 0, -1])).toarray()
    array([[3, 1]])
    """
    k = int(labels.max(initial=NOISE)) + 1 if n_clusters is None else n_clusters
    rows = np.flatnonzero(labels != NOISE)
    ones = np.ones(len(rows), dtype=matrix.dtype)
    onehot = sparse.csr_array((ones, (labels[rows], rows)), shape=(k, matrix.shape[0]))
    summed: sparse.csr_array = sparse.csr_array(onehot @ matrix)
    return summed
