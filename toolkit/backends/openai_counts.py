"""Which texts a server cut, told by the number of tokens it says it has read: Ollama's.

``/v1/embeddings`` of Ollama cuts a text at the model's limit and says nothing, and
``usage.prompt_tokens`` counts what was left, for a whole request. Yet a text that was cut counts
as the limit. So a request that counts less holds no such text, and a text by itself that counts
as much is counted again in two parts.

What cannot be known: the parts are two texts, so a token across the seam is two. Where that makes
a text too long by a token, other seams are tried; a text without a space within a token of its
limit may still be taken for too long, which warns of one and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import InvalidVectorsError, TextTooLongError

__all__ = ["TokenCounts", "embed_whole", "learn_counts"]

Ask = Callable[[Sequence[str]], tuple[NDArray[np.float32], int | None]]
"""Embeds texts in one request; returns their vectors and how many tokens were read, all told."""

SLACK = 4
"""Tokens that a cut text may count less than the limit: it is cut between tokens, and made text
again and read again; three bytes of a character may be lost on the way."""

SEAMS = 6
"""Places a text is parted at before it is taken for too long by a token or two: two of them before
a space, where tokens begin, and the others next to each other."""

BYTES_PER_TOKEN = 3
"""Texts go together up to so many bytes a token of the limit; a guess, which the count corrects."""

_BEYOND = 64


@dataclass(frozen=True)
class TokenCounts:
    """How a server counts.

    Parameters
    ----------
    limit : int
        Most tokens of one text, special tokens included.
    special : int
        Special tokens around a text.
    """

    limit: int
    special: int

    def may_be_cut(self, read: int | None) -> bool:
        """Return whether a request that read so many tokens may hold a text that was cut."""
        if read is None:
            raise InvalidVectorsError("the server does not say how many tokens it has read")
        return read >= self.limit - SLACK


def learn_counts(ask: Ask, words: int) -> TokenCounts | None:
    """Find out what a server that cuts counts.

    Parameters
    ----------
    ask : callable
        Embeds texts.
    words : int
        The limit as far as it is known: a text of more words than this is sent.

    Returns
    -------
    TokenCounts or None
        None if the server does not count, or does not cut.

    Raises
    ------
    BackendError
        If the server cannot be asked.
    """
    one, two = (ask([text])[1] for text in (" one", " one one"))
    if not one or not two or not 0 <= 2 * one - two < one:
        return None
    try:
        # A word is a token at least, so all of these are more than the limit.
        read = ask([" one" * (words + _BEYOND)])[1]
    except TextTooLongError:
        return None
    if read is None or read >= words + _BEYOND:
        return None
    return TokenCounts(words if abs(words - read) <= SLACK else read, 2 * one - two)


def embed_whole(ask: Ask, texts: Sequence[str], counts: TokenCounts) -> NDArray[np.float32]:
    """Return vectors of texts of which none was cut.

    Parameters
    ----------
    ask : callable
        Embeds texts.
    texts : sequence of str, of length n, at least 1
        Texts.
    counts : TokenCounts
        How the server counts.

    Returns
    -------
    ndarray of shape (n, d)

    Raises
    ------
    TextTooLongError
        If one of them is over the limit.
    """
    rows: list[NDArray[np.float32]] = []
    order: list[int] = []
    for group, certain in _groups(texts, counts):
        sent = [texts[i] for i in group]
        vectors, read = ask(sent)
        if not certain and counts.may_be_cut(read):
            if len(group) > 1:
                vectors = np.concatenate([embed_whole(ask, [text], counts) for text in sent])
            elif _is_over(ask, sent[0], counts):
                raise TextTooLongError(
                    f"a text is longer than the model's context ({counts.limit} tokens), and "
                    "the server cut it without saying so"
                )
        rows.append(vectors)
        order += group
    if len({part.shape[1] for part in rows}) > 1:
        raise InvalidVectorsError("the server sent vectors of unequal lengths")
    return np.concatenate(rows)[np.argsort(order)]


def _groups(texts: Sequence[str], counts: TokenCounts) -> Iterator[tuple[list[int], bool]]:
    """Yield positions of texts to send together, and whether all fit for certain.

    No text has more tokens than bytes.
    """
    sizes = [len(text.encode()) for text in texts]
    fits = counts.limit - counts.special - SLACK
    certain = [i for i, size in enumerate(sizes) if size < fits]
    if certain:
        yield certain, True
    group: list[int] = []
    for i in (i for i, size in enumerate(sizes) if size >= fits):
        if group and sum(sizes[j] for j in group) + sizes[i] > counts.limit * BYTES_PER_TOKEN:
            yield group, False
            group = []
        group.append(i)
    if group:
        yield group, False


def _is_over(ask: Ask, text: str, counts: TokenCounts) -> bool:
    """Return whether a text that counts as the limit, or nearly, is over it."""
    room = counts.limit - counts.special
    for seam in _seams(text):
        parts = [ask([part])[1] for part in (text[seam:], text[:seam])]
        if any(counts.may_be_cut(read) for read in parts):
            if parts[0] is None or parts[0] - counts.special > SLACK:
                return True
            continue  # the end that was taken off is too little to tell
        together = sum(read - counts.special for read in parts if read is not None)
        if together <= room:
            return False
        if together > room + 2:
            return True
    return True


def _seams(text: str) -> Iterator[int]:
    """Yield places to part a text at, the last eighth from the rest."""
    place = max(1, len(text) - max(1, len(text) // 8))
    for number in range(SEAMS):
        space = text.rfind(" ", len(text) // 2, place) if number < 2 else -1
        place = space if space > 0 else place - 1
        if place < 1:
            return
        yield place
