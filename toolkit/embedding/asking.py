"""One request to a backend, sent once: by a thread, another process or another machine."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.backends.base import Backend
from toolkit.embedding.host_pool import Lease
from toolkit.embedding.identities import embed_unchanged
from toolkit.errors import ToolkitError
from toolkit.identity import ModelIdentity

__all__ = ["Outcome", "Request", "ask"]


@dataclass(frozen=True)
class Request:
    """Texts that go to the backend together.

    Parameters
    ----------
    positions : tuple of int
        Of the texts in the job.
    attempt : int, default=1
        How often these texts are asked for together, this time included.
    stage : int, default=0
        0 as planned; 1 alone after a bad vector; 2 alone after unloading the model.
    avoid : int, optional
        The host that failed it before.
    """

    positions: tuple[int, ...]
    attempt: int = 1
    stage: int = 0
    avoid: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What one request gave: vectors or an error."""

    request: Request
    host: int
    vectors: NDArray[np.float32] | None
    error: ToolkitError | None
    seconds: float


def ask(
    backend: Backend, request: Request, texts: list[str], expected: ModelIdentity, lease: Lease
) -> Outcome:
    """Send one request, once; return what came of it.

    Runs in a thread, in another process or on another machine.
    """
    start = time.perf_counter()
    vectors, error = None, None
    try:
        vectors = embed_unchanged(backend, texts, expected)
    except ToolkitError as raised:
        error = raised
    finally:
        lease.give_back()
    return Outcome(request, lease.host, vectors, error, time.perf_counter() - start)
