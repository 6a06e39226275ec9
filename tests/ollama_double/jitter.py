"""Random waits that let requests overtake one another, as they do on a busy machine.

``TOOLKIT_TEST_JITTER="100 7"`` is at most 100 ms with seed 7; not set, nothing waits.
"""

from __future__ import annotations

import os
import random
import threading
import time

VARIABLE = "TOOLKIT_TEST_JITTER"


class Jitter:
    """Waits of at most so many milliseconds: most are short, some are long."""

    def __init__(self, milliseconds: float, seed: int = 0) -> None:
        self._seconds = milliseconds / 1000
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    @classmethod
    def from_environment(cls) -> Jitter:
        """Return what the variable asks for."""
        milliseconds, _, seed = os.environ.get(VARIABLE, "0").partition(" ")
        return cls(float(milliseconds), int(seed or 0))

    def wait(self) -> None:
        if self._seconds:
            with self._lock:
                share = self._random.random() ** 4
            time.sleep(share * self._seconds)
