"""Who owns what the index does not know: rows behind the last one, matrices it does not name.

SQLite commits in two steps: the change is written to the write-ahead log and flushed; then shared
memory says so to the others. A process killed between the two leaves a change that nobody at work
sees, yet that is found when the log is read from the disk, after the last of them has ended
without closing. Its rows, or its matrix if it pruned, must still be there then. So before anybody
overwrites or deletes what the index does not know, a change of their own is committed: in the log
it takes the place of one that was never announced, and what follows in the log no longer fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from sqlite3 import Connection

from toolkit.cache import index
from toolkit.cache.connections import writing
from toolkit.cache.index import INDEX

__all__ = ["settle", "writing_rows"]

_COUNT = (
    "INSERT INTO meta VALUES ('settled', '1') "
    "ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
)


def settle(folder: Path) -> int:
    """Make sure that no change is in the log that was never announced.

    Returns
    -------
    int
        How often that was done in this space: a later number is somebody else's.

    Raises
    ------
    CacheError
        If the cache cannot be written.
    """
    with writing(folder / INDEX) as connection, index.interpreted(folder):
        connection.execute(_COUNT)
        return _settled(connection)


@contextmanager
def writing_rows(folder: Path, dimension: int) -> Iterator[tuple[Connection, str, int]]:
    """Lend a connection that holds the write lock, and the matrix behind its last known row.

    Commits at the end of the block, as :func:`toolkit.cache.connections.writing` does.

    Parameters
    ----------
    folder : Path
        The space's folder.
    dimension : int
        Length of a vector.

    Yields
    ------
    connection : Connection
    name : str
        The matrix's file name.
    start : int
        Number of known rows. What lies behind them may be overwritten, or cut off.

    Raises
    ------
    CacheError
        If the cache cannot be written.
    """
    mine = None
    while True:
        with writing(folder / INDEX) as connection, index.interpreted(folder):
            name, start = index.state(connection)
            # Whoever else writes into what is left behind the last row has settled it before.
            if _size(folder / name) <= 4 * dimension * start or _settled(connection) == mine:
                yield connection, name, start
                return
        mine = settle(folder)


def _settled(connection: Connection) -> int:
    found = connection.execute("SELECT value FROM meta WHERE key = 'settled'").fetchone()
    return int(found[0]) if found else 0


def _size(file: Path) -> int:
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0
