"""How long to wait for what another process is embedding."""

from __future__ import annotations

import time

__all__ = ["Patience"]

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.25

LONGEST_WAIT = 120.0
"""Seconds without anything new: more than a slow machine needs for one batch."""


class Patience:
    """Sleeps between two looks, for longer each time that nothing happened.

    Examples
    --------
    >>> patience = Patience()
    >>> patience.wait(progress=True)
    >>> patience.is_over
    False
    """

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._pause = FIRST_PAUSE

    @property
    def is_over(self) -> bool:
        """Whether nothing happened for so long that it is better to embed it oneself."""
        return time.monotonic() - self._since > LONGEST_WAIT

    def wait(self, *, progress: bool) -> None:
        """Sleep a little.

        Parameters
        ----------
        progress : bool
            Whether something happened since the last time.
        """
        if progress:
            self._since = time.monotonic()
            self._pause = FIRST_PAUSE
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
