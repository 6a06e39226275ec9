"""How many texts go into one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from toolkit.embedding.lengths import estimate_tokens

__all__ = ["BatchTuner", "Batches"]

MOST_CHARACTERS = 64_000
"""Of one request: about 16,000 tokens of Latin text, seconds of work on any machine."""

FIRST_CHARACTERS = 16_000
"""Of a request before anything is known: 32 paragraphs."""

SUSPECT_SHARE = 0.5
"""A text guessed at more than this share of the limit may be over it: guesses err by so much."""

LESSON = 0.8
"""Share of the guess at a refused text from which on others are suspected too: a step so large that
a job takes few of them."""


@dataclass
class BatchTuner:
    """Finds the number of texts and of characters a request from how long requests take.

    A request has a cost of its own (about 30 ms measured with Ollama, which reads the model's
    header anew each time), so few texts a request are slow; many make progress coarse, waste
    more when one fails and run into timeouts. Requests are steered to last about two seconds
    with two in flight, so about one second of computing each. Short texts are bounded by their
    number, long ones by their characters, and each bound learns from the requests it ended.

    Parameters
    ----------
    size : int
        Texts a request to begin with.
    fixed : bool, default=False
        Keep ``size`` as it is, and let no more than ``MOST_CHARACTERS`` bound it.

    Examples
    --------
    >>> tuner = BatchTuner(32)
    >>> tuner.observe(32, 1_600, 0.4)
    >>> tuner.size, tuner.characters
    (64, 16000)
    >>> tuner.observe(8, 16_000, 4.0)
    >>> tuner.size, tuner.characters
    (64, 8000)
    """

    size: int
    fixed: bool = False
    target_seconds: float = 2.0
    low: int = 4
    high: int = 128
    characters: int = field(init=False)

    def __post_init__(self) -> None:
        self.characters = MOST_CHARACTERS if self.fixed else FIRST_CHARACTERS

    def observe(self, texts: int, characters: int, seconds: float) -> None:
        """Learn from one request of ``texts`` texts of ``characters`` characters together."""
        if self.fixed:
            return
        pace = self.target_seconds / max(seconds, 1e-3)
        # A request much smaller than the aim says little of what the aim would take.
        if texts * 2 >= self.size:
            self.size = _step(self.size, texts * pace, self.low, self.high)
        if characters * 2 >= self.characters:
            least, most = MOST_CHARACTERS // 16, MOST_CHARACTERS
            self.characters = _step(self.characters, characters * pace, least, most)


def _step(now: int, wanted: float, low: int, high: int) -> int:
    # At most a factor of two a step: one slow request (a model being loaded) is no trend.
    return int(min(max(wanted, now / 2, low), now * 2, high))


@dataclass
class Batches:
    """The texts still to be sent, handed out a batch at a time.

    Parameters
    ----------
    texts : sequence of str
        Rendered texts.
    tuner : BatchTuner
        Says how many texts the next batch has.
    limit : int or None
        Most tokens of one text.
    """

    texts: Sequence[str]
    tuner: BatchTuner
    limit: int | None = None
    _lengths: NDArray[np.int32] = field(init=False, repr=False)
    _plain: NDArray[np.int32] = field(init=False, repr=False)
    _suspect: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count = len(self.texts)
        self._lengths = np.fromiter(map(len, self.texts), dtype=np.int32, count=count)
        self._plain = np.arange(count, dtype=np.int32)
        self._given = 0
        self._bound = np.inf
        self._suspect = []
        if self.limit is not None:
            self._suspect_from(self.limit * SUSPECT_SHARE)

    def refused(self, position: int) -> None:
        """Learn from a text that was too long: others guessed at about as much go alone too.

        So what the guess gets wrong (a server with a smaller context than the model's, texts of
        many tokens for their characters) costs a few batches and not all of them.
        """
        guess = estimate_tokens(self.texts[position])
        if guess < self._bound:
            self._suspect_from(guess * LESSON)

    def _suspect_from(self, bound: float) -> None:
        self._bound = bound
        left = self._plain[self._given :]
        # A text too short to matter, were every character a token, needs no guess.
        suspects = [
            position
            for position in left[self._lengths[left] > bound].tolist()
            if estimate_tokens(self.texts[position]) > bound
        ]
        self._plain = np.setdiff1d(left, np.array(suspects, dtype=np.int32), assume_unique=True)
        self._given = 0
        # Handed out from the end: the shortest first.
        every = [*self._suspect, *suspects]
        self._suspect = sorted(every, key=lambda p: (self._lengths[p], p), reverse=True)

    def __len__(self) -> int:
        return len(self._plain) - self._given + len(self._suspect)

    def characters(self, positions: Sequence[int]) -> int:
        """Return how many characters some texts have together."""
        return int(self._lengths[list(positions)].sum())

    def next(self) -> list[int]:
        """Return the positions of the next batch; empty when there are none left.

        Texts that may be too long come last and by themselves, so that no other text's batch
        fails with them.
        """
        positions: list[int] = self._plain[self._given : self._given + self.tuner.size].tolist()
        if not positions:
            return [self._suspect.pop()] if self._suspect else []
        room = np.cumsum(self._lengths[positions]) <= self.tuner.characters
        batch = positions[: max(int(room.sum()), 1)]
        self._given += len(batch)
        return batch
