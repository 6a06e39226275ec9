"""When to try again, and when to give up."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from toolkit.errors import BackendError, ServerUnavailableError

__all__ = ["RetryPolicy"]


@dataclass
class RetryPolicy:
    """Exponential backoff with jitter, bounded per request, per job and in time.

    Parameters
    ----------
    attempts : int, default=3
        Most times one request is sent before it is split or given up.
    first_delay, longest_delay : float, default=0.2 and 5.0
        Seconds before the second attempt, doubled each time, and their bound.
    patience : float, default=15.0
        Seconds without any answer (a server that is down or being restarted) after which the
        job ends.
    most_in_a_row : int, default=15
        Failed requests in a row after which the job ends: then it is the server, not a text.
    """

    attempts: int = 3
    first_delay: float = 0.2
    longest_delay: float = 5.0
    patience: float = 15.0
    most_in_a_row: int = 15
    _in_a_row: int = field(default=0, init=False)
    _down_since: float | None = field(default=None, init=False)
    # Jitter keeps clients of one server apart; it decides no result, so it is not seeded.
    _random: random.Random = field(default_factory=random.Random, init=False, repr=False)

    def succeeded(self) -> None:
        """Note a request that was answered."""
        self._in_a_row = 0
        self._down_since = None

    def failed(self, error: BackendError) -> None:
        """Note a failed request.

        Raises
        ------
        BackendError
            The error itself, where the job must end: nothing else would go better.
        """
        if error.fatal:
            raise error
        if not error.retryable:
            return
        self._in_a_row += 1
        if isinstance(error, ServerUnavailableError) or error.broken:
            now = time.monotonic()
            self._down_since = self._down_since if self._down_since is not None else now
            if now - self._down_since > self.patience:
                raise error
        elif self._in_a_row > self.most_in_a_row:
            raise error

    def delay(self, attempt: int, error: BackendError) -> float:
        """Return the seconds to wait before attempt number ``attempt`` (2 for the second)."""
        if error.retry_after is not None:
            return min(error.retry_after, self.patience)
        bound = min(self.first_delay * 2.0 ** (attempt - 2), self.longest_delay)
        return bound * self._random.uniform(0.5, 1.0)
