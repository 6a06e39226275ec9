"""A backend with its model held in memory for several requests, where it knows how."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from toolkit.backends.base import Backend

__all__ = ["kept_loaded"]


@contextmanager
def kept_loaded(backend: Backend) -> Iterator[Backend]:
    """Yield the backend to use for several requests.

    Parameters
    ----------
    backend : Backend
        With ``kept_loaded()``, it says itself which; without, it is used as it is.
    """
    if not hasattr(backend, "kept_loaded"):
        yield backend
        return
    with backend.kept_loaded() as kept:
        yield kept
