"""Counts of words by document, and by cluster.

Texts are counted once, in a sparse matrix of documents by terms; a cluster's counts are a row of
``onehot(labels).T @ counts``, so that no cluster's texts are ever joined into one string, and
clustering again costs one product.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from toolkit.cluster.stop_words import StopWords, stop_word_set
from toolkit.cluster.term_matrix import document_frequency, keep_columns
from toolkit.cluster.tokenizer import tokenize
from toolkit.cluster.word_blocks import number_words
from toolkit.embedding.texts import check_texts
from toolkit.errors import UsageError

__all__ = ["TermCounts", "check_counting", "count_terms"]


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

    Raises
    ------
    UsageError
        If a parameter is not as above.
    InputTypeError, MissingTextError
        If these are no texts.

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
    low, high = check_counting(ngram_range, min_df, max_df, tokenizer)
    if max_terms is not None and not _is_whole(max_terms):
        raise UsageError(f"max_terms={max_terms!r} is not a whole number from 1")
    texts = check_texts(texts).texts
    limits = (min_df, max_df, max_terms)
    if tokenizer is tokenize and not left_out and high == 1:
        numbers, ends, words = number_words(texts)
        return _limited(_counted(numbers, ends, len(words)), words.words, *limits)
    numbers, ends, terms = _number_terms(texts, _analyzer(tokenizer, left_out, low, high))
    return _limited(
        _counted(numbers, ends, len(terms)), lambda some: [terms[i] for i in some.tolist()], *limits
    )


def check_counting(
    ngram_range: tuple[int, int],
    min_df: int | float = 1,
    max_df: int | float = 1.0,
    tokenizer: Callable[[str], list[str]] = tokenize,
) -> tuple[int, int]:
    """Return the fewest and most words of a term, or say which parameter cannot be used.

    Examples
    --------
    >>> check_counting([1, 2])
    (1, 2)
    """
    pair = list(ngram_range) if isinstance(ngram_range, Iterable) else []
    if len(pair) != 2 or not all(map(_is_whole, pair)) or pair[0] > pair[1]:
        raise UsageError(
            f"ngram_range={ngram_range!r} is not the fewest and most words of a term, such as "
            "(1, 2)"
        )
    for name, value in (("min_df", min_df), ("max_df", max_df)):
        is_share = isinstance(value, Real) and not isinstance(value, Integral) and 0 <= value <= 1
        if not is_share and not _is_whole(value):
            raise UsageError(
                f"{name}={value!r} is neither a whole number of texts from 1 nor a share of them "
                "from 0.0 to 1.0"
            )
    if not callable(tokenizer):
        raise UsageError(f"tokenizer={tokenizer!r} cannot be called with a text")
    return int(pair[0]), int(pair[1])


def _is_whole(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return False
    return bool(value >= 1)


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


def _number_terms(
    texts: Iterable[str], analyze: Callable[[str], list[str]]
) -> tuple[array[int], array[int], list[str]]:
    """Return the numbers of all terms of all texts, where each text ends, and the terms."""
    known: dict[str, int] = {}
    numbers, ends = array("i"), array("q", [0])
    for text in texts:
        numbers.extend([known.setdefault(term, len(known)) for term in analyze(text)])
        ends.append(len(numbers))
    return numbers, ends, list(known)


def _counted(numbers: array[int], ends: array[int], n_terms: int) -> sparse.csr_array:
    """Return the counts of term numbers, text by text."""
    found = np.frombuffer(numbers, dtype=np.intc) if len(numbers) else np.empty(0, dtype=np.intc)
    # Both of 32 bits where that is enough: scipy makes them the same, at the larger size.
    wide = len(found) > np.iinfo(np.intc).max
    until: NDArray[Any] = np.frombuffer(ends, dtype=np.int64).astype(
        np.int64 if wide else np.intc, copy=False
    )
    counts = sparse.csr_array(
        (np.ones(len(found), dtype=np.int32), found, until), shape=(len(ends) - 1, n_terms)
    )
    counts.sum_duplicates()
    return counts


def _limited(
    counts: sparse.csr_array,
    spelled: Callable[[NDArray[np.intp]], list[str]],
    min_df: int | float,
    max_df: int | float,
    max_terms: int | None,
) -> TermCounts:
    """Keep terms of enough and not too many documents, the most frequent; sort them."""
    n = counts.shape[0]
    documents = document_frequency(counts)
    least = min_df if isinstance(min_df, Integral) else min_df * n
    most = max_df if isinstance(max_df, Integral) else max_df * n
    kept = np.flatnonzero((documents >= least) & (documents <= most))
    if not len(kept):
        # Few or very short texts: nothing is in two documents.
        kept = np.arange(len(documents))
    terms = np.array([*spelled(kept), None], dtype=object)[:-1]
    order = np.array(sorted(range(len(kept)), key=terms.__getitem__), dtype=np.intp)
    if max_terms is not None and len(kept) > max_terms:
        frequency = np.asarray(counts.sum(axis=0)).ravel()[kept[order]]
        order = order[np.sort(np.argsort(-frequency, kind="stable")[:max_terms])]
    return TermCounts(keep_columns(counts, kept[order]), terms[order])
