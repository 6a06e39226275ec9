"""Counts of words by document, and by cluster.

Texts are counted once, in a sparse matrix of documents by terms; a cluster's counts are a row of
``onehot(labels).T @ counts``, so that no cluster's texts are ever joined into one string, and
clustering again costs one product.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from numbers import Integral

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from toolkit.cluster.geometry import NOISE, Labels
from toolkit.cluster.tokenizer import tokenize
from toolkit.errors import UsageError

__all__ = ["TermCounts", "count_terms", "sum_by_cluster"]

MOST_PIECES = 300_000
"""Pieces of text remembered at a time: about 60 MB."""

LONGEST_PIECE = 64
"""Characters of a piece worth remembering; longer ones hardly come again."""

_EDGES = ".,;:!?()[]{}\"-"
"""What around a word of ASCII is no part of it; "+", "#", "&" and "'" can be."""


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
    if tokenizer is tokenize and not left_out and ngram_range == (1, 1):
        found = _count_words(texts)
    else:
        found = _count_analyzed(texts, _analyzer(tokenizer, left_out, low, high))
    kept = _limited(found, min_df, max_df, max_terms)
    # Few or very short texts: nothing is in two documents.
    return kept if len(kept.terms) else _limited(found, 1, 1.0, max_terms)


def _analyzer(
    tokenizer: Callable[[str], list[str]], left_out: frozenset[str], low: int, high: int
) -> Callable[[str], list[str]]:
    def analyze(text: str) -> list[str]:
        words = [word for word in tokenizer(text) if word not in left_out]
        terms = words if low == 1 else []
        for size in range(max(low, 2), high + 1):
            pieces = (words[start:] for start in range(size))
            terms = terms + [" ".join(group) for group in zip(*pieces, strict=False)]
        return terms

    return analyze


def _count_analyzed(texts: Iterable[str], analyze: Callable[[str], list[str]]) -> TermCounts:
    numbers: dict[str, int] = {}
    rows = ([numbers.setdefault(term, len(numbers)) for term in analyze(text)] for text in texts)
    return _counted(rows, numbers)


def _count_words(texts: Iterable[str]) -> TermCounts:
    """Count words; what stands between two spaces is looked at once, however often it comes.

    No word goes across white space, so the words of a text are those of its pieces: this takes a
    third of the time.
    """
    pieces = _Pieces()
    rows = (chain.from_iterable(map(pieces.__getitem__, text.split())) for text in texts)
    return _counted(rows, pieces.numbers)


class _Pieces(dict[str, tuple[int, ...]]):
    """The numbers of the words of a piece of text, found out when they are first asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, int] = {}

    def __missing__(self, piece: str) -> tuple[int, ...]:
        numbers = self.numbers
        core = piece.strip(_EDGES)
        found: tuple[int, ...]
        if core.isascii() and core.isalnum():
            # One word, which is what tokenize would say; a letter alone is none.
            if len(core) == 1:
                return ()
            word = core.lower()
            number = numbers.setdefault(word, len(numbers))
            found = (number,)
            if number == len(numbers) - 1:
                # New; most such words (numbers, names) never come again. Remembered next time.
                return found
        else:
            found = tuple(numbers.setdefault(word, len(numbers)) for word in tokenize(piece))
        if len(piece) <= LONGEST_PIECE:
            if len(self) >= MOST_PIECES:
                self.clear()
            self[piece] = found
        return found


def _counted(rows: Iterable[Iterable[int]], numbers: dict[str, int]) -> TermCounts:
    """Return the counts of term numbers; ``numbers`` is complete once all rows are read."""
    indices, ends = array("i"), array("q", [0])
    for row in rows:
        indices.extend(row)
        ends.append(len(indices))
    found = np.frombuffer(indices, dtype=np.intc) if len(indices) else np.empty(0, dtype=np.intc)
    counts = sparse.csr_array(
        (np.ones(len(found), dtype=np.int32), found, np.frombuffer(ends, dtype=np.int64)),
        shape=(len(ends) - 1, len(numbers)),
    )
    counts.sum_duplicates()
    return TermCounts(counts, np.array([*numbers, None], dtype=object)[:-1])


def _limited(
    found: TermCounts, min_df: int | float, max_df: int | float, max_terms: int | None
) -> TermCounts:
    """Keep terms of enough and not too many documents, the most frequent; sort them."""
    n = found.counts.shape[0]
    documents = np.bincount(found.counts.indices, minlength=len(found.terms))
    least = min_df if isinstance(min_df, Integral) else min_df * n
    most = max_df if isinstance(max_df, Integral) else max_df * n
    kept = np.flatnonzero((documents >= least) & (documents <= most))
    terms = found.terms[kept]
    order = sorted(range(len(kept)), key=terms.__getitem__)
    kept = kept[order]
    if max_terms is not None and len(kept) > max_terms:
        frequency = np.asarray(found.counts.sum(axis=0)).ravel()[kept]
        kept = kept[np.sort(np.argsort(-frequency, kind="stable")[:max_terms])]
    return TermCounts(sparse.csr_array(found.counts[:, kept]), found.terms[kept])


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
