"""What there is to say of a cache, for `cache info` and `doctor`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError

__all__ = ["cache_facts", "describe_cache", "opened_cache", "size"]


def opened_cache(folder: bool | str) -> Any:
    """Return the cache for the ``cache`` parameter of a vectorizer.

    Raises
    ------
    UsageError
        If it is False: no cache.
    """
    from toolkit.cache import EmbeddingCache

    if folder is False:
        raise UsageError("--cache off is no cache to look at; give a folder, or nothing")
    return EmbeddingCache(None if folder is True else folder)


def cache_facts(folder: bool | str) -> dict[str, Any]:
    """Return where a cache is and what it holds.

    Parameters
    ----------
    folder : bool or str
        The ``cache`` parameter of a vectorizer.

    Returns
    -------
    dict
        Keys ``path``, ``writable``, ``entries``, ``bytes``, ``spaces`` and ``errors`` (of spaces
        that cannot be opened).
    """
    cache = opened_cache(folder)
    spaces = cache.stats()
    return {
        "path": str(cache.path),
        "writable": _writable(cache.path),
        "entries": sum(space["entries"] or 0 for space in spaces),
        "bytes": sum(space["bytes"] for space in spaces),
        "spaces": spaces,
        "errors": [space["error"] for space in spaces if space["error"]],
    }


def describe_cache(facts: dict[str, Any]) -> str:
    """Return one line on a cache.

    Examples
    --------
    >>> describe_cache({"path": "/c", "entries": 1200, "bytes": 4_000_000, "spaces": [{}]})
    '/c: 1,200 vectors in 1 space, 4.0 MB'
    """
    if not facts["spaces"]:
        return f"{facts['path']}: empty"
    spaces = len(facts["spaces"])
    return (
        f"{facts['path']}: {facts['entries']:,} vectors in {spaces} space{'s' * (spaces > 1)}, "
        f"{size(facts['bytes'])}"
    )


def size(count: float) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> size(900), size(4_200_000)
    ('900 bytes', '4.2 MB')
    """
    if count < 1000:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"


def _writable(path: Path) -> bool:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.is_dir() and os.access(path, os.W_OK)
