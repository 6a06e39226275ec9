"""Acts in the middle of a job, and what the cache holds after it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from toolkit.cache import EmbeddingCache
from toolkit.embedding.keys import hash_texts
from toolkit.prompts import Prompt


def held() -> int:
    """Return how many vectors the cache holds."""
    return sum(len(space) for space in EmbeddingCache().spaces())


def wait_until_held(count: int, seconds: float = 300.0) -> None:
    """Wait until the cache shows that a job is so far."""
    deadline = time.monotonic() + seconds
    while held() < count:
        assert time.monotonic() < deadline, f"the job does not come to {count} texts"
        time.sleep(0.01)


def in_the_middle(
    *actions: Callable[[], object], first: int = 40, apart: int = 80
) -> threading.Thread:
    """Do things one after another as soon as the cache holds so many vectors."""

    def act() -> None:
        for number, action in enumerate(actions):
            wait_until_held(first + apart * number)
            action()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def assert_cache_is_right(
    texts: Sequence[str], prompt: Prompt, right: Any, count: int | None = None
) -> None:
    """Assert that the cache holds right vectors of these texts, and nothing else."""
    (space,) = EmbeddingCache().spaces()
    vectors, found = space.get(hash_texts(texts, prompt))
    assert len(space) == found.sum(), "nothing else is in the cache"
    assert np.array_equal(vectors, right[found])
    if count is not None:
        assert found.sum() == count
