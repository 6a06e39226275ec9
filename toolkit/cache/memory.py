"""The index of a space in memory: loaded once per process, then only what is new.

Rows are handed out as *row numbers*: the row in the lower 40 bits, above them how often the space
was pruned (its generation). So a number that was looked up before rows were moved is known as
such, and never answered with the row that has its place now.
"""

from __future__ import annotations

import threading
from pathlib import Path
from sqlite3 import Connection

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.connections import reading
from toolkit.cache.index import INDEX, generation, interpreted, state
from toolkit.cache.rows import KEY_DTYPE, KeyIndex
from toolkit.errors import CacheCorruptedError, RowsMovedError

__all__ = ["ROW_BITS", "find_checksums", "find_rows", "rows_moved"]

FEW = 200
"""Loading pays when more than one key or row is asked for in so many."""

ROW_BITS = 40

READ_AT_ONCE = 20_000

MOST_LOADED = 8
"""Spaces whose index a process keeps."""

# SQLite finds the row in one tree; the key is read from the other, to be compared.
_ROW_OF_KEY = (
    "SELECT row, (SELECT key FROM entries AS there WHERE there.row = entries.row) "
    "FROM entries WHERE key = ?"
)

_loaded: dict[tuple[object, ...], _Loaded] = {}
# Taken only while a connection is lent; a fork waits for the end of that (see connections).
_lock = threading.Lock()


class _Loaded:
    """What a process knows of an index; grows at the end and never changes otherwise."""

    def __init__(self, width: int) -> None:
        self.rows = 0
        self._pieces: tuple[tuple[NDArray[np.void], NDArray[np.int64], KeyIndex], ...] = ()
        self._checksums = np.empty((0, width), dtype=np.uint32)

    def add(self, keys: NDArray[np.void], checksums: NDArray[np.uint32]) -> None:
        start, end = self.rows, self.rows + len(keys)
        if end > len(self._checksums):
            grown = np.empty((max(end, 2 * start), checksums.shape[1]), dtype=np.uint32)
            grown[:start] = self._checksums[:start]
            self._checksums = grown
        self._checksums[start:end] = checksums
        # Each piece is at least twice the size of the next, so that there are few and each key
        # is merged only a handful of times.
        rows, pieces = np.arange(start, end, dtype=np.int64), list(self._pieces)
        while pieces and len(pieces[-1][0]) < 2 * len(keys):
            before, their_rows, _ = pieces.pop()
            keys, rows = np.concatenate([before, keys]), np.concatenate([their_rows, rows])
        self._pieces = (*pieces, (keys, rows, KeyIndex(keys, rows)))
        self.rows = end  # last: other threads read without the lock

    def find(self, keys: NDArray[np.void]) -> NDArray[np.int64]:
        found = np.full(len(keys), -1, dtype=np.int64)
        for _, _, piece in self._pieces:
            todo = np.flatnonzero(found < 0)
            found[todo] = piece.find(keys[todo])
        return found

    def checksums(self, rows: NDArray[np.int64]) -> NDArray[np.uint32]:
        return self._checksums[rows]


def find_rows(space: Path, keys: NDArray[np.void], width: int) -> NDArray[np.int64]:
    """Return the row number of each key in a space, -1 where it is not there.

    Parameters
    ----------
    space : Path
        The space's folder.
    keys : ndarray of shape (n,) of 16 bytes
    width : int
        Checksums per row.

    Returns
    -------
    ndarray of shape (n,), dtype int64
    """
    with reading(space / INDEX) as connection, interpreted(space):
        matrix, count = state(connection)
        loaded = _load(connection, space, matrix, count, len(keys), width)
        first = generation(matrix) << ROW_BITS
        if loaded is None:
            found = np.full(len(keys), -1, dtype=np.int64)
            for position, key in enumerate(keys.tolist()):
                hit = connection.execute(_ROW_OF_KEY, (key,)).fetchone()
                if hit is not None:
                    if hit[1] != key:
                        raise ValueError("its tables contradict each other")
                    found[position] = first + hit[0]
            return found
    found = loaded.find(keys)
    if first:
        found[found >= 0] += first
    return found


def find_checksums(
    space: Path, numbers: NDArray[np.int64], width: int
) -> tuple[str, NDArray[np.int64], NDArray[np.uint32]]:
    """Return the name of the matrix's file, and the rows in it and checksums of row numbers.

    Raises
    ------
    RowsMovedError
        If the space was pruned after they were looked up.
    CacheCorruptedError
        If the index does not know one of the rows.
    """
    with reading(space / INDEX) as connection, interpreted(space):
        matrix, count = state(connection)
        first = generation(matrix) << ROW_BITS
        rows = numbers - first if first else numbers
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < count:
            if 0 <= int(numbers.min()) < first:
                raise rows_moved(space)
            raise CacheCorruptedError(
                f"the vector space {space} has {count:,} rows, and rows {rows.min():,} to "
                f"{rows.max():,} were asked for"
            )
        loaded = _load(connection, space, matrix, count, len(rows), width)
        if loaded is None:
            sql = "SELECT checksum FROM entries WHERE row = ?"
            data = [connection.execute(sql, (row,)).fetchone() for row in rows.tolist()]
            return matrix, rows, _unpack([found[0] for found in data if found], len(rows), width)
    return matrix, rows, loaded.checksums(rows)


def rows_moved(space: Path) -> RowsMovedError:
    """Return the error for row numbers from before a space was pruned."""
    return RowsMovedError(
        f"the vector space {space} was pruned after these rows were looked up; look their keys up "
        "again"
    )


def _load(
    connection: Connection, space: Path, matrix: str, count: int, asked: int, width: int
) -> _Loaded | None:
    """Return the index in memory, brought up to date; None if that would not pay."""
    (created,) = connection.execute("SELECT value FROM meta WHERE key = 'created'").fetchone()
    mark = (space, (space / INDEX).stat().st_ino, created, matrix)
    with _lock:
        loaded = _loaded.pop(mark, None)
        if loaded is None or loaded.rows > count:  # fewer than before: another file, put here
            if asked * FEW < count:
                return None
            loaded = _Loaded(width)
        if loaded.rows < count:
            loaded.add(*_read_entries(connection, loaded.rows, count, width))
        _loaded[mark] = loaded
        while len(_loaded) > MOST_LOADED:
            del _loaded[next(iter(_loaded))]
    return loaded


def _read_entries(
    connection: Connection, start: int, end: int, width: int
) -> tuple[NDArray[np.void], NDArray[np.uint32]]:
    """Return the keys and checksums of rows, read by parts: objects take several times more."""
    entries = connection.execute(
        "SELECT key, checksum FROM entries WHERE row >= ? ORDER BY row", (start,)
    )
    keys, checksums = [b""], [np.empty((0, width), dtype=np.uint32)]
    while part := entries.fetchmany(READ_AT_ONCE):
        keys.append(b"".join([key for key, _ in part]))
        checksums.append(_unpack([checksum for _, checksum in part], len(part), width))
    known = np.concatenate(checksums)
    if len(known) != end - start:
        raise ValueError("rows are missing")
    return np.frombuffer(b"".join(keys), dtype=KEY_DTYPE), known


def _unpack(data: list[bytes], expected: int, width: int) -> NDArray[np.uint32]:
    joined = b"".join(data)
    if len(data) != expected or len(joined) != 4 * width * expected:
        raise ValueError("rows are missing, or have no checksum")
    return np.frombuffer(joined, dtype="<u4").astype(np.uint32).reshape(expected, width)
