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

SUSPECT_SHARE = 0.5
"""A text guessed at more than this share of the limit may be over it: guesses err by so much."""


@dataclass
class BatchTuner:
    """Finds the number of texts a request from how long requests take.

    A request has a cost of its own (about 30 ms measured with Ollama, which reads the model's
    header anew each time), so few texts a request are slow; many make progress coarse, waste
    more when one fails and run into timeouts. Requests are steered to last about two seconds
    with two in flight, so about one second of computing each.

    Parameters
    ----------
    size : int
        Texts a request to begin with.
    fixed : bool, default=False
        Keep ``size`` as it is.
    """

    size: int
    fixed: bool = False
    target_seconds: float = 2.0
    low: int = 4
    high: int = 256

    def observe(self, texts: int, seconds: float) -> None:
        """Learn from one request of ``texts`` texts."""
        # A request much smaller than the aim says little of what the aim would take.
        if self.fixed or texts * 2 < self.size:
            return
        wanted = texts * self.target_seconds / max(seconds, 1e-3)
        # At most a factor of two a step: one slow request (a model being loaded) is no trend.
        stepped = min(max(wanted, self.size / 2), self.size * 2)
        self.size = int(min(max(stepped, self.low), self.high))


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
    _lengths: NDArray[np.int64] = field(init=False, repr=False)
    _plain: NDArray[np.intp] = field(init=False, repr=False)
    _suspect: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count = len(self.texts)
        self._lengths = np.fromiter(map(len, self.texts), dtype=np.int64, count=count)
        suspects: list[int] = []
        if self.limit is not None:
            bound = self.limit * SUSPECT_SHARE
            # A text too short to matter, were every character a token, needs no guess.
            suspects = [
                position
                for position in np.flatnonzero(self._lengths > bound).tolist()
                if estimate_tokens(self.texts[position]) > bound
            ]
        # Handed out from the end: the shortest first.
        self._suspect = sorted(suspects, key=lambda p: (self._lengths[p], p), reverse=True)
        self._plain = np.setdiff1d(np.arange(count), suspects, assume_unique=True)
        self._given = 0

    def __len__(self) -> int:
        return len(self._plain) - self._given + len(self._suspect)

    def next(self) -> list[int]:
        """Return the positions of the next batch; empty when there are none left.

        Texts that may be too long come last and by themselves, so that no other text's batch
        fails with them.
        """
        positions: list[int] = self._plain[self._given : self._given + self.tuner.size].tolist()
        if not positions:
            return [self._suspect.pop()] if self._suspect else []
        room = np.cumsum(self._lengths[positions]) <= MOST_CHARACTERS
        batch = positions[: max(int(room.sum()), 1)]
        self._given += len(batch)
        return batch
