"""Taking rows out of a space while others read and write.

The rows that stay are copied to a new matrix, each compared with its checksum, while everybody
goes on. Then, holding the write lock: what was added meanwhile is copied too, the new matrix is
flushed (``fsync``), and one transaction deletes the entries, numbers the others anew and names the
new matrix. Killed before the commit, nothing has changed but for a file that nobody knows; killed
after it, the old matrix is that file. The next pruning removes it, once it is certain which of the
two it was (:mod:`toolkit.cache.settling`).

Readers are never given another row in the place of one they looked up: row numbers carry the
generation of the matrix (:mod:`toolkit.cache.memory`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from sqlite3 import Connection

import numpy as np
from numpy.typing import NDArray

from toolkit.cache import index, usage
from toolkit.cache.connections import readable_errors, reading, shrink, writing
from toolkit.cache.index import INDEX
from toolkit.cache.rows import checksum_width, row_checksums
from toolkit.cache.settling import settle
from toolkit.errors import CacheCorruptedError, CacheError, RowsMovedError

__all__ = ["Removal", "compact", "remove_orphans"]

AT_ONCE = 2048
"""Rows in memory at a time."""


@dataclass(frozen=True)
class Removal:
    """Which blocks of a space go.

    Parameters
    ----------
    folder : Path
        The space's folder.
    matrix : str
        Name of its matrix when this was decided.
    rows : int
        How many there were then; later ones stay.
    dimension : int
        Length of a vector.
    days : ndarray of shape (ceil(rows / 64),)
        When each block was last used.
    drop : ndarray of shape (ceil(rows / 64),), dtype bool
        Which go.
    """

    folder: Path
    matrix: str
    rows: int
    dimension: int
    days: NDArray[np.int64]
    drop: NDArray[np.bool_]

    def runs(self, *, dropped: bool) -> list[tuple[int, int]]:
        """Return the first row and the end of each run of rows that go, or that stay.

        Examples
        --------
        >>> drop = np.array([True, True, False])
        >>> removal = Removal(Path("s"), "vectors.f32", 150, 8, np.zeros(3, dtype=int), drop)
        >>> removal.runs(dropped=True), removal.runs(dropped=False)
        ([(0, 128)], [(128, 150)])
        """
        edges = np.flatnonzero(np.diff(np.pad((self.drop == dropped).astype(np.int8), 1)))
        ends = np.minimum(edges * usage.BLOCK, self.rows).tolist()
        return list(zip(ends[::2], ends[1::2], strict=True))

    def count(self, *, dropped: bool) -> int:
        """Return how many rows go, or stay."""
        return sum(end - start for start, end in self.runs(dropped=dropped))


def compact(removal: Removal) -> int:
    """Take rows out of a space; return how many are left.

    The lock of pruning is held: nobody else begins another matrix.

    Raises
    ------
    RowsMovedError
        If the space was replaced since the decision.
    CacheCorruptedError
        If a row that stays is not what was stored; nothing is changed.
    CacheError
        If the cache cannot be written, or the disk has no place for the copy; nothing is changed.
    """
    folder, file = removal.folder, removal.folder / INDEX
    old = folder / removal.matrix
    generation = index.generation(removal.matrix) + 1
    new = folder / index.matrix_name(generation)
    try:
        with readable_errors(new), old.open("rb", buffering=0) as source, _made(new) as target:
            with reading(file) as connection, index.interpreted(folder):
                _check_unmoved(connection, removal)
                for start, end in removal.runs(dropped=False):
                    _copy(connection, removal, source, target, start, end)
            os.fsync(target.fileno())  # the most of it, before anybody has to wait
            with writing(file) as connection, index.interpreted(folder):
                rows = _check_unmoved(connection, removal)
                _copy(connection, removal, source, target, removal.rows, rows)
                os.fsync(target.fileno())
                index.sync_folder(folder)
                usage.write_days(folder, generation, _days_left(removal, rows))
                _renumber(connection, removal, rows)
                connection.execute("UPDATE meta SET value = ? WHERE key = 'matrix'", (new.name,))
    finally:
        with suppress(CacheError):
            remove_orphans(folder)  # the old matrix, or the new one
    shrink(file)
    return rows - removal.count(dropped=True)


def remove_orphans(folder: Path) -> None:
    """Remove the matrices that prunings left; the lock of pruning is held.

    Raises
    ------
    CacheError
        If the cache cannot be written.
    """
    files = list(folder.glob("vectors*.f32"))
    if len(files) < 2:
        return
    settle(folder)  # one may be of a pruning that ended in its commit: no error says how that went
    with reading(folder / INDEX) as connection, index.interpreted(folder):
        name, _ = index.state(connection)
    for file in files:
        if file.name != name:
            with suppress(OSError):  # Windows keeps a file that others have open: the next time
                file.unlink()


# --- inside --------------------------------------------------------------------------------------


def _made(file: Path) -> FileIO:
    return file.open("wb", buffering=0)


def _check_unmoved(connection: Connection, removal: Removal) -> int:
    """Return the number of rows, after a look whether the space is still the same one."""
    name, rows = index.state(connection)
    if name != removal.matrix or rows < removal.rows:
        raise RowsMovedError(f"the vector space {removal.folder} was replaced meanwhile")
    return rows


def _copy(
    connection: Connection, removal: Removal, source: FileIO, target: FileIO, start: int, end: int
) -> None:
    """Copy rows from ``start`` to ``end``, after a comparison with their checksums."""
    width = checksum_width(removal.dimension)
    for first, last in _parts(start, end):
        found = connection.execute(
            "SELECT checksum FROM entries WHERE row >= ? AND row < ? ORDER BY row", (first, last)
        ).fetchall()
        sums = np.frombuffer(b"".join([checksum for (checksum,) in found]), dtype="<u4")
        source.seek(4 * removal.dimension * first)
        data = np.empty((last - first, removal.dimension), dtype="<f4")
        if (
            source.readinto(data) != data.nbytes  # type: ignore[arg-type]
            or len(sums) != (last - first) * width
            or (row_checksums(data) != sums.reshape(-1, width)).any()
        ):
            raise CacheCorruptedError(
                f"rows {first:,} to {last:,} of {removal.folder / removal.matrix} are not all "
                "what was stored, so nothing was pruned. Run `toolkit cache repair`, which keeps "
                "what is sound and deletes nothing"
            )
        left = data.data.cast("B")
        while left:
            left = left[target.write(left) :]


def _parts(start: int, end: int) -> Iterator[tuple[int, int]]:
    for first in range(start, end, AT_ONCE):
        yield first, min(first + AT_ONCE, end)


def _renumber(connection: Connection, removal: Removal, rows: int) -> None:
    """Delete the entries of rows that go, and number the others without gaps.

    A new table, whose index of keys is made at the end: others wait several times shorter than if
    the keys, which are in random order, were taken out one by one.
    """
    connection.execute(
        "CREATE TABLE kept (row INTEGER PRIMARY KEY, key BLOB NOT NULL, checksum BLOB NOT NULL, "
        "prompt INTEGER NOT NULL REFERENCES prompts (id))"
    )
    place = 0
    for start, end in [*removal.runs(dropped=False), (removal.rows, rows)]:
        connection.execute(
            "INSERT INTO kept SELECT row - ?, key, checksum, prompt FROM entries "
            "WHERE row >= ? AND row < ? ORDER BY row",
            (start - place, start, end),
        )
        place += end - start
    connection.execute("DROP TABLE entries")
    connection.execute("ALTER TABLE kept RENAME TO entries")
    connection.execute("CREATE UNIQUE INDEX entry_of_key ON entries (key)")
    connection.execute("DELETE FROM prompts WHERE id NOT IN (SELECT DISTINCT prompt FROM entries)")


def _days_left(removal: Removal, rows: int) -> NDArray[np.int64]:
    """Return the days of the blocks that stay, and of those added meanwhile."""
    generation = index.generation(removal.matrix)
    # Read again: what was used since the decision.
    latest = usage.read_days(removal.folder, generation, len(removal.days), otherwise=0)
    kept = np.maximum(removal.days, latest)[~removal.drop]
    left = removal.count(dropped=False)
    blocks = -(-(left + rows - removal.rows) // usage.BLOCK)
    days = np.full(blocks, usage.today(), dtype=np.int64)
    # A last block that is not full takes in the first of the rows that were added.
    whole = len(kept) if rows == removal.rows else left // usage.BLOCK
    days[:whole] = kept[:whole]
    return days
