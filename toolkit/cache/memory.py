"""The index of a space in memory: loaded once per process, then only what is new."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit.cache import database
from toolkit.cache.rows import KEY_DTYPE, KeyIndex

__all__ = ["find_rows"]

FEW = 200
"""Loading pays when a lookup asks for more than one key in so many rows."""

_loaded: dict[tuple[Path, int], _Loaded] = {}
_lock = threading.Lock()
# A thread may hold the lock at the moment of a fork; the child, which has no such thread, begins
# with one of its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


class _Loaded:
    """Sorted pieces of an index; each at least twice the size of the next."""

    def __init__(self) -> None:
        self.rows = 0
        self._pieces: list[tuple[NDArray[np.void], NDArray[np.int64], KeyIndex]] = []

    def add(self, keys: NDArray[np.void]) -> None:
        rows = np.arange(self.rows, self.rows + len(keys), dtype=np.int64)
        self.rows += len(keys)
        # Merging with neighbours of like size keeps few pieces, and each key is merged only a
        # handful of times.
        while self._pieces and len(self._pieces[-1][0]) < 2 * len(keys):
            before, their_rows, _ = self._pieces.pop()
            keys = np.concatenate([before, keys])
            rows = np.concatenate([their_rows, rows])
        self._pieces.append((keys, rows, KeyIndex(keys, rows)))

    def find(self, keys: NDArray[np.void]) -> NDArray[np.int64]:
        found = np.full(len(keys), -1, dtype=np.int64)
        for _, _, piece in self._pieces:
            todo = np.flatnonzero(found < 0)
            found[todo] = piece.find(keys[todo])
        return found


def find_rows(file: Path, keys: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the row of each key in an index file, -1 where it is not there.

    Parameters
    ----------
    file : Path
        The SQLite index.
    keys : ndarray of shape (n,) of 16 bytes

    Returns
    -------
    ndarray of shape (n,), dtype int64
    """
    with database.reading(file) as connection:
        mark = (file, file.stat().st_ino)
        count = database.row_count(connection)
        with _lock:
            loaded = _loaded.get(mark)
            if loaded is not None or len(keys) * FEW >= count:
                if loaded is None:
                    loaded = _loaded[mark] = _Loaded()
                if loaded.rows < count:
                    new = connection.execute(
                        "SELECT key FROM entries WHERE row >= ? ORDER BY row", (loaded.rows,)
                    ).fetchall()
                    data = b"".join(key for (key,) in new)
                    loaded.add(np.frombuffer(data, dtype=KEY_DTYPE))
                return loaded.find(keys)
        found = np.full(len(keys), -1, dtype=np.int64)
        for position, key in enumerate(keys.tolist()):
            hit = connection.execute("SELECT row FROM entries WHERE key = ?", (key,)).fetchone()
            if hit is not None:
                found[position] = hit[0]
        return found
