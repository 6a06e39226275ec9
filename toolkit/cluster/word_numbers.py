"""Numbers of words, for thousands of words at a time and without a Python object for each.

A short word of ASCII is one integer of 64 bits or a few: exactly, so that two words are never
taken for one. Such integers are kept in hash tables of arrays, in which numpy looks up many at
once. Python's own dictionary reads memory in three places for each word, one after the other.
"""

from __future__ import annotations

import secrets
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LONGEST_WORD", "WordNumbers"]

_WIDTHS = (1, 2, 4)
"""Integers of a key: a table for each, since most words are short."""

LONGEST_WORD = 8 * _WIDTHS[-1]
"""Bytes of a word that is kept as integers, at most."""

_FIRST_BYTES = np.array([2 ** (8 * size) - 1 for size in range(9)], dtype=np.uint64)
_ODD = np.uint64(secrets.randbits(64) | 1)
"""Another in each process, as of Python's own hashes: no texts can be made to collide."""

_HALF = np.uint64(32)

Keys = list[NDArray[np.uint64]]
Positions = NDArray[np.intp]


class WordNumbers:
    """Numbers words from 0 on, in whatever order they are found.

    Examples
    --------
    >>> import numpy as np
    >>> numbers = WordNumbers()
    >>> found = numbers.of_runs(b"sea hill sea", np.array([0, 4, 9]), np.array([3, 4, 3]))
    >>> bool(found[0] == found[2] != found[1])
    True
    >>> numbers.words(found), len(numbers)
    (['sea', 'hill', 'sea'], 2)
    """

    def __init__(self) -> None:
        self._tables = [_Table(width) for width in _WIDTHS]
        self._others: list[str] = []
        self._numbers_of_others = array("i")
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def of_runs(self, data: bytes, starts: Positions, lengths: Positions) -> NDArray[np.intc]:
        """Return the numbers of words of ASCII, runs of 1 to 32 bytes in some data."""
        data += bytes(LONGEST_WORD)
        # The eight bytes from any place on.
        eights: NDArray[np.uint64] = np.ndarray(
            len(data) - 7, dtype="<u8", buffer=data, strides=(1,)
        )
        numbers = np.empty(len(starts), dtype=np.intc)
        shortest = 1
        for width, table in zip(_WIDTHS, self._tables, strict=True):
            those = np.flatnonzero((lengths >= shortest) & (lengths <= 8 * width))
            first, sizes = starts[those], lengths[those]
            keys = [
                eights[first + 8 * i] & _FIRST_BYTES[np.clip(sizes - 8 * i, 0, 8)]
                for i in range(width)
            ]
            numbers[those], new = table.numbers(keys, self._size)
            self._size += new
            shortest = 8 * width + 1
        return numbers

    def of_words(self, words: list[str]) -> NDArray[np.intc]:
        """Return the numbers of words; none that is long, or not of ASCII, may come twice."""
        short = np.fromiter(
            (word.isascii() and len(word) <= LONGEST_WORD for word in words), bool, len(words)
        )
        numbers = np.empty(len(words), dtype=np.intc)
        runs = [word for word, is_short in zip(words, short, strict=True) if is_short]
        lengths = np.fromiter(map(len, runs), dtype=np.intp, count=len(runs))
        numbers[short] = self.of_runs("".join(runs).encode(), np.cumsum(lengths) - lengths, lengths)
        numbers[~short] = np.arange(self._size, self._size + len(words) - len(runs))
        self._size += len(words) - len(runs)
        self._others += [word for word, is_short in zip(words, short, strict=True) if not is_short]
        self._numbers_of_others.frombytes(numbers[~short].tobytes())
        return numbers

    def words(self, numbers: NDArray[np.integer]) -> list[str]:
        """Return the words that have these numbers."""
        found = np.empty(len(numbers), dtype=object)
        for table in self._tables:
            where, at = _those_of(table.known, numbers)
            found[where] = table.words(at)
        where, at = _those_of(np.array(self._numbers_of_others, dtype=np.intc), numbers)
        found[where] = [self._others[i] for i in at.tolist()]
        words: list[str] = found.tolist()
        return words


def _those_of(known: NDArray[np.intc], numbers: NDArray[np.integer]) -> tuple[Positions, Positions]:
    """Return which of the numbers are known, and where they are among these, which ascend."""
    at = np.searchsorted(known, numbers)
    where = np.flatnonzero(np.append(known, -1)[at] == numbers)
    return where, at[where]


class _Table:
    """Numbers of keys of so many integers, by hashes of the keys with open addressing.

    A place that holds 0 is free: no word has the first key, which is zero.
    """

    def __init__(self, width: int) -> None:
        self._keys: Keys = [np.zeros(1, dtype=np.uint64) for _ in range(width)]
        self._numbers = np.full(1, -1, dtype=np.intc)
        self._size = 1
        self._places = np.zeros(2, dtype=np.intc)

    def numbers(self, keys: Keys, next_number: int) -> tuple[NDArray[np.intc], int]:
        """Return the numbers of keys, and how many of them are new and have the next numbers."""
        self._make_room(len(keys[0]))
        before = self._size
        places = self._first_places(keys)
        found = self._places[places]
        left = np.flatnonzero(self._differ(found, keys))
        while len(left):
            here, wanted = places[left], [key[left] for key in keys]
            heard = self._claim(here)
            end = self._size + len(heard)
            self._places[here[heard]] = np.arange(self._size, end)
            for mine, key in zip(self._keys, wanted, strict=True):
                mine[self._size : end] = key[heard]
            self._size = end
            found[left] = at = self._places[here]
            others = self._differ(at, wanted)
            left = left[others]
            places[left] = self._next(here[others])
        new = self._size - before
        self._numbers[before : self._size] = np.arange(next_number, next_number + new)
        return self._numbers[found], new

    @property
    def known(self) -> NDArray[np.intc]:
        """The numbers given so far; they ascend. The first, -1, is of no key."""
        return self._numbers[: self._size]

    def words(self, at: Positions) -> list[str]:
        """Return the words at these places of the numbers known."""
        keys = np.stack([key[at] for key in self._keys], axis=-1).astype("<u8", copy=False)
        words: list[str] = keys.view(f"S{8 * len(self._keys)}").ravel().astype(str).tolist()
        return words

    def _differ(self, found: NDArray[np.intc], keys: Keys) -> NDArray[np.bool_]:
        differ: NDArray[np.bool_] = self._keys[0][found] != keys[0]
        for mine, key in zip(self._keys[1:], keys[1:], strict=True):
            differ |= mine[found] != key
        return differ

    def _claim(self, places: Positions) -> Positions:
        """Return which of these places are free, each once however often it is there."""
        free = np.flatnonzero(self._places[places] == 0)
        wanted = places[free]
        claims = np.arange(len(free), dtype=np.intc)
        self._places[wanted] = claims  # of several for one place, one is written last
        heard: Positions = free[self._places[wanted] == claims]
        return heard

    def _make_room(self, more: int) -> None:
        """Have memory for so many more keys, and at least half of all places free then."""
        most = self._size + more
        if most > len(self._numbers):
            room = most // 8 + more
            self._keys = [_longer(key[: self._size], room) for key in self._keys]
            self._numbers = _longer(self._numbers[: self._size], room)
        if 2 * most > len(self._places):
            self._places = np.zeros(2 ** (2 * most - 1).bit_length(), dtype=np.intc)
            left = np.arange(1, self._size, dtype=np.intc)
            places = self._first_places([key[1 : self._size] for key in self._keys])
            while len(left):
                heard = self._claim(places)
                self._places[places[heard]] = left[heard]
                others = self._places[places] != left
                left, places = left[others], self._next(places[others])

    def _first_places(self, keys: Keys) -> Positions:
        """Return where keys are, if nothing else was there before them."""
        mixed = np.zeros_like(keys[0])
        for key in keys:
            mixed ^= key
            mixed *= _ODD
            mixed ^= mixed >> _HALF
        mixed *= _ODD
        bits = len(self._places).bit_length() - 1
        return (mixed >> np.uint64(64 - bits)).astype(np.intp)

    def _next(self, places: Positions) -> Positions:
        return (places + 1) & (len(self._places) - 1)


def _longer(values: NDArray[Any], room: int) -> NDArray[Any]:
    return np.concatenate([values, np.zeros(room, dtype=values.dtype)])
