"""What a server does with a text that is too long: refuse it, or cut it and say nothing.

LM Studio, TEI with its default ``--auto-truncate``, Ollama behind a proxy and several others cut.
The protocol has no word for it, but vectors tell: if a text and the same text with something put
behind it have one vector, the end was not read. So a server is tried once with a text over its
limit. One that refuses it is trusted; with any other, each text long enough to be cut is asked
for a second time with something behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toolkit.backends.openai_errors import token_counts
from toolkit.errors import BackendError, TextTooLongError
from toolkit.identity import CANARY_COSINE

__all__ = ["USUAL_LIMIT", "Lengths", "find_cut", "learn_lengths"]

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

USUAL_LIMIT = 2048
"""EmbeddingGemma's; what servers that tell no limit are tried with."""

_BEYOND = 16
_SMALLEST = 32
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_OTHERS = ("apple", "river", "stone", "cloud", "house", "train", "music", "paper", "green", "night")


@dataclass(frozen=True)
class Lengths:
    """What is known about long texts on a server.

    Parameters
    ----------
    limit : int, optional
        Most tokens of one text, special tokens included.
    safe : int, optional
        Texts of at most so many bytes are read to their end; None if the server refuses texts
        that are too long, so that none need be doubted.
    """

    limit: int | None = None
    safe: int | None = None


def learn_lengths(embed: Embed, stated: int | None) -> Lengths:
    """Try what a server does with a text over its limit.

    Parameters
    ----------
    embed : callable
        Returns unit vectors of texts, without any check.
    stated : int or None
        The limit the server tells, in tokens.

    Returns
    -------
    Lengths

    Raises
    ------
    BackendError
        If the server cannot be asked.
    """
    # A word is a token at least, so these fill the limit with any tokenizer.
    words = stated or USUAL_LIMIT
    try:
        if not _is_cut(embed, words):
            return Lengths(stated, safe=words)
    except TextTooLongError as refusal:
        return Lengths(_limit_of(refusal) or stated)
    except BackendError as error:
        if error.retryable or error.fatal:
            raise
        return Lengths(stated)  # refused in words of its own
    size = words
    while size > _SMALLEST:
        size //= 2
        if not _is_cut(embed, size):
            # A word may be several tokens, so twice as many words may still be within the limit.
            limit = stated if stated and stated <= 2 * size else 2 * size
            return Lengths(limit, size)
    return Lengths(_SMALLEST, safe=_SMALLEST // 2)


def find_cut(
    embed: Embed, texts: Sequence[str], vectors: NDArray[np.float32], lengths: Lengths
) -> tuple[list[int], Lengths]:
    """Return which texts were cut by the server, and what was learned on the way.

    Parameters
    ----------
    embed : callable
        As for :func:`learn_lengths`.
    texts : sequence of str, of length n
        Texts that the server accepted.
    vectors : ndarray of shape (n, d)
        Their unit vectors.
    lengths : Lengths
        What is known of the server.
    """
    if lengths.safe is None:
        return [], lengths
    doubtful = [i for i, text in enumerate(texts) if len(text.encode()) > lengths.safe]
    if not doubtful:
        return [], lengths
    try:
        longer = embed([f"{texts[i]} {_ending(len(texts[i]))}" for i in doubtful])
    except TextTooLongError as refusal:
        # It refuses after all: then it has read what it accepted.
        return [], replace(lengths, limit=_limit_of(refusal) or lengths.limit, safe=None)
    same = _cosines(vectors[doubtful], longer) >= CANARY_COSINE
    return [i for i, cut in zip(doubtful, same, strict=True) if cut], lengths


def _is_cut(embed: Embed, words: int) -> bool:
    """Return whether the server leaves out what follows so many words."""
    begin = " ".join(_WORDS[i % len(_WORDS)] for i in range(words))
    more = max(_BEYOND, words // 10)
    ends = [" ".join(some[i % len(some)] for i in range(more)) for some in (_WORDS, _OTHERS)]
    a, b = (embed([f"{begin} {end}"]) for end in ends)
    return bool(_cosines(a, b)[0] >= CANARY_COSINE)


def _ending(characters: int) -> str:
    """Return words enough to move the vector of a text of so many characters."""
    return " ".join(_OTHERS[i % len(_OTHERS)] for i in range(max(64, characters // 40)))


def _cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    cosines: NDArray[np.float64] = np.einsum("ij,ij->i", a, b, dtype=np.float64)
    return cosines


def _limit_of(refusal: TextTooLongError) -> int | None:
    return token_counts(str(refusal))[1]
