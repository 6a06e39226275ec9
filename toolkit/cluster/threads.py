"""How many threads numeric libraries use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

__all__ = ["few_threads"]

_ONE_THREAD_BELOW = 8_000_000


@contextmanager
def few_threads(X: NDArray[Any]) -> Iterator[None]:
    """Hold numeric libraries to one thread on a matrix of fewer than 8 million values.

    On small matrices threads wait for each other, and on a machine whose cores are shared they
    do so for long: choosing k on 1,670 vectors took 84 s with two threads beside other work, and
    19 s with one.

    Parameters
    ----------
    X : ndarray
        What will be worked on.
    """
    with threadpool_limits(limits=1 if X.size < _ONE_THREAD_BELOW else None):
        yield
