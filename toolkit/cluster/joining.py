"""Keywords of unspaced scripts, put together again from their pairs of characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from toolkit.cluster.keywords import Keyword
from toolkit.cluster.tokenizer import fold, is_unspaced

__all__ = ["join_pairs"]

_MOST_TEXTS = 2000
_TOGETHER = 0.8
_LONGEST = 12


def join_pairs(keywords: Sequence[Keyword], texts: Iterable[str]) -> list[Keyword]:
    """Join overlapping pairs that mostly occur as parts of one longer string.

    The tokenizer gives scripts without spaces as overlapping pairs of characters: 可持 持续 续发
    发展. Two pairs are joined when at least 80% of the texts that have the better one have the
    joined string.

    Parameters
    ----------
    keywords : sequence of Keyword
        Of one cluster, the best first; give more than are wanted in the end.
    texts : iterable of str
        Texts of the cluster; of more than 2,000 the first 2,000 are looked at, and none where no
        keyword is of such a script.

    Returns
    -------
    list of Keyword
        The joined ones in the place of their best part, with its score; the share outside is that
        of the rarest part, which the true one cannot exceed. Words of other scripts stay as they
        are.

    Examples
    --------
    >>> words = [Keyword(term, 1.0, 1.0, 0.0, 2) for term in ("持续", "续发", "可持", "sdg")]
    >>> [word.term for word in join_pairs(words, ["可持续发展 SDG", "可持续发展目标"])]
    ['可持续发', 'sdg']
    """
    if not any(is_unspaced(word.term) for word in keywords):
        return list(keywords)
    looked_at = list(islice(texts, _MOST_TEXTS))
    # The pairs cannot be in the others.
    folded = [fold(text) for text in looked_at if not text.isascii()]
    pool = [word for word in keywords if is_unspaced(word.term)]
    joined: list[Keyword] = []
    taken: set[str] = set()
    for word in keywords:
        if word.term in taken:
            continue
        taken.add(word.term)
        if not is_unspaced(word.term):
            joined.append(word)
            continue
        term, parts = _grow(word, pool, folded, taken)
        if len(parts) == 1:
            joined.append(word)
            continue
        share = sum(term in text for text in folded) / len(looked_at)
        joined.append(
            replace(
                word,
                term=term,
                inside=share,
                outside=min(part.outside for part in parts),
                documents=round(share * word.documents / word.inside),
            )
        )
    return joined


def _grow(
    word: Keyword, pool: Sequence[Keyword], folded: Sequence[str], taken: set[str]
) -> tuple[str, list[Keyword]]:
    """Return the longest string around a pair that mostly stands for it, and its parts."""
    term, parts = word.term, [word]
    wanted = _TOGETHER * sum(term in text for text in folded)
    grown = True
    while grown and len(term) < _LONGEST:
        grown = False
        for other in pool:
            if other.term in taken:
                continue
            for longer in _overlapped(term, other.term):
                if sum(longer in text for text in folded) >= max(wanted, 1):
                    term = longer
                    parts.append(other)
                    taken.add(other.term)
                    grown = True
                    break
    return term, parts


def _overlapped(a: str, b: str) -> list[str]:
    """Return a and b laid over each other, whichever comes first.

    Examples
    --------
    >>> _overlapped("持续", "续发"), _overlapped("持续", "可持"), _overlapped("持续", "发展")
    (['持续发'], ['可持续'], [])
    """
    found = []
    for first, second in ((a, b), (b, a)):
        for size in range(min(len(first), len(second)) - 1, 0, -1):
            if first.endswith(second[:size]):
                found.append(first + second[size:])
                break
    return found
