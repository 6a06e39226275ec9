"""Counts of words by document, and by cluster.

Texts are counted once, in a sparse matrix of documents by terms; a cluster's counts are a row of
``onehot(labels).T @ counts``, so that no cluster's texts are ever joined into one string, and
clustering again costs one product.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from toolkit.cluster.stop_words import StopWords, stop_word_set
from toolkit.cluster.term_matrix import document_frequency, keep_columns
from toolkit.cluster.tokenizer import tokenize
from toolkit.errors import UsageError

__all__ = ["TermCounts", "count_terms"]

MOST_PIECES = 300_000
"""Spellings of words remembered at a time: about 40 MB."""

LONGEST_PIECE = 64
"""Characters of a piece worth remembering; longer ones hardly come again."""

_TEXTS_AT_ONCE = 512

_EDGES = '.,;:!?()[]{}"-'
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
    stop_words: StopWords = (),
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
    stop_words : "english" or iterable of str, optional
        Words to leave out; ``"english"`` is scikit-learn's list. No language is assumed, so none
        are by default.
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
    left_out = stop_word_set(stop_words)
    low, high = ngram_range
    if not 1 <= low <= high:
        raise UsageError(f"ngram_range={ngram_range} is not (fewest, most) words of a term")
    if tokenizer is tokenize and not left_out and ngram_range == (1, 1):
        found = _count_words(texts)
    else:
        found = _count_analyzed(texts, _analyzer(tokenizer, left_out, low, high))
    return _limited(found, min_df, max_df, max_terms)


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
    indices, ends = _read(rows)
    return _counted(indices, ends, np.array([*numbers, None], dtype=object)[:-1])


def _count_words(texts: Iterable[str]) -> TermCounts:
    """Count words; what stands between two spaces is looked at once, however often it comes.

    No word goes across white space, so the words of a text are those of its pieces: this takes a
    third of the time.
    """
    pieces = _Pieces()
    indices, ends = array("i"), array("q", [0])
    waiting = iter(texts)
    while some := list(islice(waiting, _TEXTS_AT_ONCE)):
        codes, until = _read(map(pieces.__getitem__, text.split()) for text in some)
        numbers, stops = pieces.numbers(codes, until)
        ends.extend((stops[1:] + len(indices)).tolist())
        indices.frombytes(numbers.tobytes())
    terms = np.array([*pieces.terms, None], dtype=object)[:-1]
    del pieces  # before the matrix comes
    return _counted(indices, ends, terms)


class _Pieces(dict[str, int]):
    """The codes of pieces of text, found out when they are first asked for.

    The code of a piece of one word is the word's number; that of a piece of none or several is -1
    minus the number of their group. A word of ASCII letters and digits is a piece itself, and is
    here once as both; the few other words are in a dictionary of their own, since a piece that
    looks like one of them may be several words.
    """

    def __init__(self) -> None:
        super().__init__()
        self.terms: list[str] = []
        self._others: dict[str, int] = {}
        # Group 0 has no words.
        self._members, self._ends = array("i"), array("q", [0, 0])
        self._remembered = 0

    def __missing__(self, piece: str) -> int:
        core = piece.strip(_EDGES)
        if core.isascii() and core.isalnum():
            # One word, which is what tokenize would say; a letter alone is none.
            word = core.lower()
            known = self.get(word) if len(word) > 1 else -1
            if known is None:
                # Most words that are new (numbers, names) never come again: as a word it is kept
                # anyway, in this spelling only next time.
                known = self[word] = len(self.terms)
                self.terms.append(word)
                return known
            code = known
        else:
            found = [self._number(word) for word in tokenize(piece)]
            code = found[0] if len(found) == 1 else self._group(found)
        if len(piece) <= LONGEST_PIECE:
            if self._remembered >= MOST_PIECES:
                self.clear()
                self.update((word, i) for i, word in enumerate(self.terms) if _is_plain(word))
                self._remembered = 0
            self[piece] = code
            self._remembered += 1
        return code

    def _number(self, word: str) -> int:
        known = self if _is_plain(word) else self._others
        number = known.get(word)
        if number is None:
            number = known[word] = len(self.terms)
            self.terms.append(word)
        return number

    def _group(self, numbers: list[int]) -> int:
        if not numbers:
            return -1
        self._members.extend(numbers)
        self._ends.append(len(self._members))
        return -(len(self._ends) - 1)

    def numbers(
        self, codes: array[int], ends: array[int]
    ) -> tuple[NDArray[np.intc], NDArray[np.int64]]:
        """Return the numbers of words instead of codes of pieces, and where each row ends."""
        given, until = np.array(codes, dtype=np.intc), np.array(ends, dtype=np.int64)
        groups = np.flatnonzero(given < 0)
        if len(groups) == 0:
            return given, until
        # Views, which are gone before the next word comes: copies would take ever longer.
        stops = np.frombuffer(self._ends, dtype=np.int64)
        which = -1 - given[groups]
        lengths = stops[which + 1] - stops[which]
        sizes = np.ones(len(given), dtype=np.int64)
        sizes[groups] = lengths
        numbers = np.repeat(given, sizes)
        # Each group's words, one after the other.
        first = np.cumsum(lengths) - lengths
        places = np.arange(lengths.sum()) + np.repeat(stops[which] - first, lengths)
        if len(places):
            numbers[numbers < 0] = np.frombuffer(self._members, dtype=np.intc)[places]
        return numbers, np.concatenate([[0], np.cumsum(sizes)])[until]


def _is_plain(word: str) -> bool:
    return word.isascii() and word.isalnum()


def _read(rows: Iterable[Iterable[int]]) -> tuple[array[int], array[int]]:
    """Return the numbers of all rows, and where each row ends."""
    indices, ends = array("i"), array("q", [0])
    for row in rows:
        indices.extend(row)
        ends.append(len(indices))
    return indices, ends


def _counted(indices: array[int], ends: array[int], terms: NDArray[np.object_]) -> TermCounts:
    """Return the counts of term numbers."""
    found = np.frombuffer(indices, dtype=np.intc) if len(indices) else np.empty(0, dtype=np.intc)
    # Both of 32 bits where that is enough: scipy makes them the same, at the larger size.
    wide = len(found) > np.iinfo(np.intc).max
    until: NDArray[Any] = np.frombuffer(ends, dtype=np.int64).astype(
        np.int64 if wide else np.intc, copy=False
    )
    counts = sparse.csr_array(
        (np.ones(len(found), dtype=np.int32), found, until),
        shape=(len(ends) - 1, len(terms)),
    )
    counts.sum_duplicates()
    return TermCounts(counts, terms)


def _limited(
    found: TermCounts, min_df: int | float, max_df: int | float, max_terms: int | None
) -> TermCounts:
    """Keep terms of enough and not too many documents, the most frequent; sort them."""
    n = found.counts.shape[0]
    documents = document_frequency(found.counts)
    least = min_df if isinstance(min_df, Integral) else min_df * n
    most = max_df if isinstance(max_df, Integral) else max_df * n
    kept = np.flatnonzero((documents >= least) & (documents <= most))
    if not len(kept):
        # Few or very short texts: nothing is in two documents.
        kept = np.arange(len(found.terms))
    kept = np.array(sorted(kept.tolist(), key=found.terms.__getitem__), dtype=np.intp)
    if max_terms is not None and len(kept) > max_terms:
        frequency = np.asarray(found.counts.sum(axis=0)).ravel()[kept]
        kept = kept[np.sort(np.argsort(-frequency, kind="stable")[:max_terms])]
    return TermCounts(keep_columns(found.counts, kept), found.terms[kept])
