"""How long a text is in tokens, guessed: no embedding server says it beforehand."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

__all__ = ["estimate_tokens", "split_pieces"]

CHARACTERS_PER_TOKEN = 4.0
"""Latin text, measured on EmbeddingGemma's tokenizer and the reference texts: 2.4 (code) to 4.9."""

CHARACTERS_PER_TOKEN_OTHER = 1.4
"""Scripts beyond Latin, measured on the reference texts: 1.4 (Chinese) to 4.3 (Hindi)."""

LONGEST_TOKEN = 256
"""No token has nearly so many characters (the longest are runs of blanks or dashes): a text of
more than this times the limit is too long for certain, and need not be sent to find out."""

OVERLAP = 0.1
"""Share of a piece that is repeated at the beginning of the next."""

_SENTENCE_END = re.compile(r"(?<=[.!?…。！？।؟])\s+|(?<=[。！？])|\n+")
_SPACE = re.compile(r"\s+")


def estimate_tokens(text: str) -> float:
    """Return a guess at a text's number of tokens: within a factor of two for most texts.

    Examples
    --------
    >>> estimate_tokens("why is the sky blue?")
    5.0
    """
    if text.isascii():
        return len(text) / CHARACTERS_PER_TOKEN
    # A sample is enough for a guess; encoding tells Latin (2 bytes at most) from the rest.
    sample = text[:2000]
    other = sum(character > "\u024f" for character in sample) / len(sample)
    per_token = CHARACTERS_PER_TOKEN_OTHER * other + CHARACTERS_PER_TOKEN * (1 - other)
    return len(text) / per_token


def split_pieces(text: str, most_characters: int) -> list[str]:
    """Split a text into overlapping pieces at sentence ends, else at spaces, else anywhere.

    Parameters
    ----------
    text : str
        A text.
    most_characters : int
        Most characters of a piece, at least 2.

    Returns
    -------
    list of str
        Pieces that cover the text; each but the first begins with about a tenth of its length of
        the end of the one before.

    Examples
    --------
    >>> split_pieces("One two. Three four. Five six.", 22)
    ['One two. Three four. ', 'Five six.']
    """
    if len(text) <= most_characters:
        return [text]
    ends = np.array([m.end() for m in _SENTENCE_END.finditer(text)] + [len(text)])
    spaces = np.array([m.end() for m in _SPACE.finditer(text)] + [len(text)])
    overlap = int(most_characters * OVERLAP)
    pieces = []
    start = 0
    while start < len(text):
        limit = start + most_characters
        if limit >= len(text):
            pieces.append(text[start:])
            break
        end = _last(ends, start + most_characters // 2, limit)
        end = end or _last(spaces, start + most_characters // 2, limit)
        end = end or _whole_character(text, limit, start)
        pieces.append(text[start:end])
        # The next piece begins at a word a little before this one's end, if there is one.
        start = _last(spaces, max(end - overlap, start + 1), end - 1) or end
    return pieces


def _last(marks: np.ndarray, low: int, high: int) -> int:
    """Return the last mark in [low, high], or 0."""
    position = int(np.searchsorted(marks, high, side="right")) - 1
    return int(marks[position]) if position >= 0 and marks[position] >= low else 0


def _whole_character(text: str, limit: int, start: int) -> int:
    """Step back so that no combining mark or joiner is cut off its base."""
    end = limit
    while end > start + 1 and (
        unicodedata.combining(text[end]) or text[end] in "\u200d\ufe0f" or text[end - 1] == "\u200d"
    ):
        end -= 1
    return end if end > start + 1 else limit
