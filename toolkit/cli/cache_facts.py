"""What there is to say of a cache, for `cache info` and `doctor`."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError
from toolkit.typography import counted

__all__ = ["cache_facts", "describe_cache", "describe_rest", "opened_cache", "size", "when"]


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
        Keys ``path``, ``writable``, ``entries``, ``bytes``, ``hits``, ``misses``, ``spaces``,
        ``errors`` (of spaces that cannot be opened), and what else is there: ``projections``
        (kept places of maps) and ``damaged`` (what `repair` moved aside), each with ``count``
        and ``bytes``.
    """
    from toolkit.cache.repair import DAMAGED
    from toolkit.visualize.kept import kept_places

    cache = opened_cache(folder)
    spaces = cache.stats()
    aside = cache.path / DAMAGED
    damaged = [f for f in aside.iterdir() if f.is_dir()] if aside.is_dir() else []
    return {
        "path": str(cache.path),
        "writable": _writable(cache.path),
        "entries": sum(space["entries"] or 0 for space in spaces),
        "bytes": sum(space["bytes"] for space in spaces),
        "hits": sum(space["hits"] or 0 for space in spaces),
        "misses": sum(space["misses"] or 0 for space in spaces),
        "projections": _counted(kept_places(cache.path)),
        "damaged": {
            "count": len(damaged),
            "bytes": sum(_counted(list(folder.iterdir()))["bytes"] for folder in damaged),
        },
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
    return (
        f"{facts['path']}: {counted(facts['entries'], 'vector')} in "
        f"{counted(len(facts['spaces']), 'space')}, "
        f"{size(facts['bytes'])}"
    )


def describe_rest(facts: dict[str, Any]) -> list[str]:
    """Return lines on what a cache holds besides vectors.

    Examples
    --------
    >>> describe_rest({"projections": {"count": 2, "bytes": 9_000}, "damaged": {"count": 0}})
    ['2 kept projections of maps, 9.0 kB']
    """
    lines = []
    if count := facts["projections"]["count"]:
        kept = counted(count, "kept projection")
        lines.append(f"{kept} of maps, {size(facts['projections']['bytes'])}")
    if count := facts["damaged"]["count"]:
        lines.append(
            f"{counted(count, 'damaged space')} that `repair` moved aside, "
            f"{size(facts['damaged']['bytes'])}: {facts['path']}/damaged; delete it when you like"
        )
    return lines


def when(last_used: float | None, now: float | None = None) -> str:
    """Return for people how long ago something was, in days of UTC.

    Examples
    --------
    >>> now = 1_800_000_000
    >>> when(now - 60, now), when(now - 86_400, now), when(now - 40 * 86_400, now), when(None)
    ('today', 'yesterday', '40 days ago', 'never')
    """
    if last_used is None:
        return "never"
    now = time.time() if now is None else now
    days = max(0, int(now // 86_400) - int(last_used // 86_400))
    return {0: "today", 1: "yesterday"}.get(days, f"{days:,} days ago")


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


def _counted(files: list[Path]) -> dict[str, int]:
    found = 0
    for file in files:
        with suppress(OSError):
            found += file.stat().st_size
    return {"count": len(files), "bytes": found}


def _writable(path: Path) -> bool:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.is_dir() and os.access(path, os.W_OK)
