"""Acts in the middle of a job, and what the cache holds after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from toolkit.cache import EmbeddingCache, Space
from toolkit.embedding.keys import hash_texts
from toolkit.prompts import Prompt

MOST_AHEAD = 64


def held() -> int:
    """Return how many vectors the cache holds."""
    return sum(len(space) for space in EmbeddingCache().spaces())


def wait_until_held(count: int, seconds: float = 300.0) -> None:
    """Wait until the cache shows that a job is so far."""
    deadline = time.monotonic() + seconds
    while held() < count:
        assert time.monotonic() < deadline, f"the job does not come to {count} texts"
        time.sleep(0.01)


@contextmanager
def in_the_middle(
    *actions: Callable[[], object], first: int = 40, apart: int = 80
) -> Iterator[None]:
    """Do things one after another as soon as the cache holds so many vectors.

    The job settles nothing meanwhile, so it cannot end before they are done, nor lose its patience;
    what it has on its way goes on, and ``MOST_AHEAD`` texts more.
    """
    left, put = list(actions), Space.put

    def put_and_act(self: Space, *arguments: Any) -> int:
        stored = put(self, *arguments)
        if left and len(self) >= first + apart * (len(actions) - len(left)):
            left.pop(0)()
        return stored

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Space, "put", put_and_act)
        patch.setattr("toolkit.embedding.job.MOST_WAITING", MOST_AHEAD * 768 * 4)
        yield
    assert not left, "the job did not come so far"


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
