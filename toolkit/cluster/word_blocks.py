"""Words of many texts at a time, without a Python object for each.

A block of texts is one run of bytes, in which numpy finds where words start and end. It knows words
of ASCII letters and digits, with apostrophes inside. A piece of text between two spaces that has
anything else in it goes to :func:`~toolkit.cluster.tokenizer.tokenize`, once however often it
comes. No word goes across white space, so the words of a text are those of its pieces.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from toolkit.cluster.tokenizer import tokenize
from toolkit.cluster.word_numbers import LONGEST_WORD, WordNumbers

__all__ = ["number_words"]

MOST_PIECES = 120_000
"""Pieces of text remembered at a time, about 20 MB; and a tenth of the words of pieces."""

LONGEST_PIECE = 64
"""Characters of a piece worth remembering; longer ones hardly come again."""

CHARACTERS_AT_ONCE = 2**17
"""Few enough that what is made of them stays in a processor's cache."""

_MOST_BYTES = 1.6
"""For each character, where it is worth looking for words of ASCII."""

_END = b"\xff"
"""What is between texts: no text has such a byte in UTF-8."""

_EDGES = '.,;:!?()[]{}"-'
"""What around a word of ASCII is no part of it; "+", "#", "&" and "'" can be."""

_STRANGE, _SPACE, _APOSTROPHE, _POINT = b"! '."
_ZERO = ord("0")

Positions = NDArray[np.intp]
Numbers = NDArray[np.intc]


def _kinds() -> bytes:
    """Return what each byte counts as: letters and digits, and they alone, are "0" or above."""
    kinds = bytearray(256)
    for code in range(256):
        character = chr(code)
        if code >= 128 or character in "+#&_":
            kinds[code] = _STRANGE
        elif character.isspace():
            kinds[code] = _SPACE
        elif character.isalnum():
            kinds[code] = ord(character.lower())
    kinds[_END[0]] = _SPACE
    kinds[ord("'")] = _APOSTROPHE
    kinds[ord(".")] = kinds[ord(",")] = _POINT
    return bytes(kinds)


_KINDS = _kinds()
_ONE_SPACE = bytes(ord(" ") if kind == _SPACE else code for code, kind in enumerate(_KINDS))


def number_words(texts: Iterable[str]) -> tuple[array[int], array[int], WordNumbers]:
    """Return the words of texts as numbers: those that ``tokenize`` finds, and as often.

    Parameters
    ----------
    texts : iterable of str, of length n
        The texts.

    Returns
    -------
    numbers : array of C ints
        Of all words, text by text; those of a text are in any order.
    ends : array of 64-bit ints, of length n + 1
        Where the numbers of each text end; the first is 0.
    words : WordNumbers
        What the numbers stand for.

    Examples
    --------
    >>> numbers, ends, words = number_words(["Blue sea", "", "The sea!"])
    >>> words.words(np.array(numbers)), list(ends)
    (['blue', 'sea', 'the', 'sea'], [0, 2, 2, 4])
    """
    words, pieces = WordNumbers(), _Pieces()
    numbers, ends = array("i"), array("q", [0])
    for some in _blocks(texts):
        pieces.make_room()
        block = _joined(some)
        # In most other scripts nearly all words are for the tokenizer.
        if len(block) > _MOST_BYTES * sum(map(len, some)):
            found, until = _numbers_of_pieces(some, pieces)
        else:
            found, until = _numbers_in(block, words, pieces)
        ends.extend((until + len(numbers)).tolist())
        numbers.frombytes(found.tobytes())
    from_pieces = list(pieces.words)
    del pieces  # before more memory is asked for
    if from_pieces:
        others = words.of_words(from_pieces)
        everything = np.frombuffer(numbers, dtype=np.intc)
        for start in range(0, len(numbers), CHARACTERS_AT_ONCE):
            part = everything[start : start + CHARACTERS_AT_ONCE]
            where = np.flatnonzero(part < 0)
            part[where] = others[~part[where]]
    return numbers, ends, words


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield several texts at a time."""
    some: list[str] = []
    size = 0
    for text in texts:
        some.append(text)
        size += len(text)
        if size >= CHARACTERS_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _joined(texts: list[str]) -> bytes:
    """Return texts in UTF-8, with an end before and after each."""
    try:
        return _END.join([b"", *map(str.encode, texts), b""])
    except UnicodeEncodeError:  # halves of surrogate pairs, which are in no word
        return _END.join([b"", *(text.encode("utf-8", "surrogatepass") for text in texts), b""])


def _numbers_of_pieces(texts: list[str], pieces: _Pieces) -> tuple[Numbers, Positions]:
    """Return the numbers of the words of texts, and where those of each text end."""
    codes, ends = array("q"), array("q")
    for text in texts:
        # At once, while the pieces are in a processor's cache.
        codes.extend(map(pieces.__getitem__, text.split()))
        ends.append(len(codes))
    numbers, sizes = pieces.words_of(np.array(codes, dtype=np.intp))
    return numbers, np.concatenate([[0], np.cumsum(sizes)])[np.array(ends, dtype=np.intp)]


def _numbers_in(block: bytes, words: WordNumbers, pieces: _Pieces) -> tuple[Numbers, Positions]:
    """Return the numbers of the words of a block, and where those of each text end."""
    lower = block.translate(_KINDS)
    kinds = np.frombuffer(lower, dtype=np.uint8)
    given = np.frombuffer(block, dtype=np.uint8)
    starts, lengths, strange = _plain_words(kinds)
    ends = np.flatnonzero(given == _END[0])[1:]
    if len(strange) == 0:
        return words.of_runs(lower, starts, lengths), np.searchsorted(starts, ends)
    spaces = np.flatnonzero(kinds == _SPACE)
    is_strange = np.zeros(len(spaces), dtype=bool)
    is_strange[np.searchsorted(spaces, strange)] = True
    which = np.flatnonzero(is_strange)
    first, last = spaces[which - 1] + 1, spaces[which] + 1
    theirs = given[_ranges(first, last - first)].tobytes().translate(_ONE_SPACE)
    some = theirs.decode("utf-8", "surrogatepass").split(" ")[:-1]
    codes = np.fromiter(map(pieces.__getitem__, some), dtype=np.intp, count=len(some))
    others, sizes = pieces.words_of(codes)
    start, stop = np.searchsorted(starts, first), np.searchsorted(starts, last)
    plain = np.ones(len(starts), dtype=bool)
    plain[_ranges(start, stop - start)] = False
    starts, lengths = starts[plain], lengths[plain]
    numbers = words.of_runs(lower, starts, lengths)
    # Each piece's words where the piece was.
    where = np.repeat(np.searchsorted(starts, first), sizes)
    starts = np.insert(starts, where, np.repeat(first, sizes))
    return np.insert(numbers, where, others), np.searchsorted(starts, ends)


def _plain_words(kinds: NDArray[np.uint8]) -> tuple[Positions, Positions, Positions]:
    """Return where words start and how long they are, and where something strange is.

    Words in pieces that have something strange in them are not to be trusted.
    """
    inside = kinds >= _ZERO
    marks = np.flatnonzero(kinds == _APOSTROPHE)
    inside[marks] = inside[marks - 1] & inside[marks + 1]
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts = edges[::2]
    lengths = edges[1::2] - starts
    is_strange = kinds == _STRANGE
    points = np.flatnonzero(kinds == _POINT)
    before, after = kinds[points - 1] - _ZERO, kinds[points + 1] - _ZERO
    strange = (
        np.flatnonzero(is_strange[1:] > is_strange[:-1]) + 1,
        points[(before < 10) & (after < 10)],  # 3.5; what is no digit is 10 or more
        starts[lengths > LONGEST_WORD],
    )
    words = np.flatnonzero(lengths > 1)
    return starts[words], lengths[words], np.concatenate(strange)


def _ranges(starts: Positions, lengths: Positions) -> Positions:
    """Return start, start + 1, ... of each, one after the other."""
    skipped = starts - (np.cumsum(lengths) - lengths)
    ranges: Positions = np.arange(lengths.sum()) + np.repeat(skipped, lengths)
    return ranges


class _Pieces(dict[str, int]):
    """Which words are in pieces of text, found out when a piece first comes."""

    def __init__(self) -> None:
        super().__init__()
        self.words: dict[str, int] = {}
        # Of the pieces remembered: their words, and where those of each end.
        self._members, self._ends = array("i"), array("q", [0])

    def __missing__(self, piece: str) -> int:
        words = self.words
        core = piece.strip(_EDGES)
        # One word, which is what tokenize would say; a letter alone is none.
        plain = core.isascii() and core.isalnum()
        found = [core.lower()] * (len(core) > 1) if plain else tokenize(piece)
        self._members.extend([words.setdefault(word, len(words)) for word in found])
        self._ends.append(len(self._members))
        code = len(self._ends) - 2
        if len(piece) <= LONGEST_PIECE:
            self[piece] = code
        return code

    def make_room(self) -> None:
        """Forget all pieces if they are many; codes found before mean nothing afterwards."""
        if max(len(self), len(self._members) / 10) > MOST_PIECES:
            self.clear()
            self._members, self._ends = array("i"), array("q", [0])

    def words_of(self, codes: Positions) -> tuple[Numbers, Positions]:
        """Return the words of pieces, -1 minus their number here, and how many each has."""
        # Views, which are gone before the next word comes: copies would take ever longer.
        ends = np.frombuffer(self._ends, dtype=np.int64)
        sizes = ends[codes + 1] - ends[codes]
        if not sizes.any():
            return np.empty(0, dtype=np.intc), sizes
        return ~np.frombuffer(self._members, dtype=np.intc)[_ranges(ends[codes], sizes)], sizes
