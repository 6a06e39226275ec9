"""How many texts go into one request."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

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
    _plain: deque[int] = field(init=False, repr=False)
    _suspect: deque[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        bound = float("inf") if self.limit is None else self.limit * SUSPECT_SHARE
        # A guess per text costs a tenth of a microsecond; a text too short to matter costs none.
        short = 0 if self.limit is None else int(bound)
        suspects = {
            position
            for position, text in enumerate(self.texts)
            if len(text) > short and estimate_tokens(text) > bound
        }
        self._suspect = deque(sorted(suspects, key=lambda p: len(self.texts[p])))
        self._plain = deque(p for p in range(len(self.texts)) if p not in suspects)

    def __len__(self) -> int:
        return len(self._plain) + len(self._suspect)

    def next(self) -> list[int]:
        """Return the positions of the next batch; empty when there are none left.

        Texts that may be too long come last and by themselves, so that no other text's batch
        fails with them.
        """
        if not self._plain:
            return [self._suspect.popleft()] if self._suspect else []
        batch: list[int] = []
        characters = 0
        while self._plain and len(batch) < self.tuner.size:
            characters += len(self.texts[self._plain[0]])
            if batch and characters > MOST_CHARACTERS:
                break
            batch.append(self._plain.popleft())
        return batch
