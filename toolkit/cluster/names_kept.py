"""Answers of chat models kept on disk: the same question to the same model is asked once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from toolkit.cache import cache_root

__all__ = ["load_answer", "store_answer"]

_LONGEST = 10_000
_MOST = 2_000


def load_answer(
    asked: Mapping[str, Any], cache: str | os.PathLike[str] | None = None
) -> dict[str, Any] | None:
    """Return a kept answer; None if there is none or the file is damaged.

    Parameters
    ----------
    asked : mapping of str to JSON values
        All that decides the answer: model digest, question, seed.
    cache : str or path, optional
        Folder of the cache; by default the one of the vectors.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     store_answer({"digest": "1", "user": "a"}, {"name": "b"}, folder)
    ...     load_answer({"digest": "1", "user": "a"}, folder)
    ...     load_answer({"digest": "2", "user": "a"}, folder)
    {'name': 'b'}
    """
    path = _path(asked, cache)
    try:
        if path.stat().st_size > _LONGEST:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    with suppress(OSError):
        os.utime(path)  # the ones not used for longest go first
    return found if isinstance(found, dict) else None


def store_answer(
    asked: Mapping[str, Any],
    answer: Mapping[str, Any],
    cache: str | os.PathLike[str] | None = None,
) -> None:
    """Keep an answer, and no more than the 2,000 used last.

    Nothing is kept, and nothing said, where the disk is full or cannot be written: it would only
    save time.
    """
    path = _path(asked, cache)
    content = json.dumps(dict(answer))
    if len(content) > _LONGEST:
        return
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(
            "w", dir=path.parent, suffix=".part", delete=False, encoding="utf-8"
        ) as file:
            temporary = Path(file.name)
            file.write(content)
        temporary.replace(path)
        kept = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime)
        for old in kept[:-_MOST]:
            old.unlink(missing_ok=True)


def _path(asked: Mapping[str, Any], cache: str | os.PathLike[str] | None) -> Path:
    key = sha256(json.dumps(dict(asked), sort_keys=True).encode()).hexdigest()
    return cache_root(cache) / "names" / f"{key}.json"
