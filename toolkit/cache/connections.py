"""SQLite connections: lent from a pool per process, closed before a fork, errors made readable.

SQLite's connections must not cross a ``fork``, not even unused ones: a child would inherit the
record of locks that only its parent holds. So a fork waits until no connection is lent, closes the
free ones, and lets nobody begin until it is done.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import NamedTuple

from toolkit.errors import CacheCorruptedError, CacheError

__all__ = [
    "close_free",
    "exclusive",
    "make_folder",
    "readable_errors",
    "reading",
    "shrink",
    "writing",
    "writing_soon",
]

BUSY_SECONDS = 60.0
"""A writer holds the lock for milliseconds; this long means that something hangs."""

PAGES_OF_LOG = 4000
"""Of 4 KiB, before the write-ahead log is merged: small commits touch the same pages again and
again, and the longer the log, the more often a page is merged once for many of them."""

MOST_FREE = 16
"""Free connections kept open in a process."""


class _Free(NamedTuple):
    file: Path
    inode: int
    connection: Connection


_free: list[_Free] = []
_active = 0
_own = threading.local()
_gate = threading.Condition(threading.RLock())


@contextmanager
def reading(file: Path) -> Iterator[Connection]:
    """Lend a connection for reading; what it sees does not change before it is given back.

    Raises
    ------
    CacheError
        If there is no such file, or it cannot be read.
    CacheCorruptedError
        If it is not a sound SQLite database.
    """
    with _lent(file, write=False) as connection:
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")


@contextmanager
def writing(file: Path) -> Iterator[Connection]:
    """Lend a connection that holds the write lock; commit at the end, or undo on an error.

    A commit has been flushed to the disk when this returns (``synchronous=FULL``).

    Raises
    ------
    CacheError
        If the file cannot be written, its disk is full, or the lock is not to be had.
    CacheCorruptedError
        If it is not a sound SQLite database.
    """
    with _lent(file, write=True) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


@contextmanager
def writing_soon(file: Path, seconds: float) -> Iterator[Connection]:
    """Like :func:`writing`, for what may be lost: waits for the lock a moment, not for the disk.

    The connection is not kept.
    """
    with readable_errors(file), _counted():
        # autocommit, so that BEGIN and COMMIT are ours
        connection = sqlite3.connect(
            f"{file.resolve().as_uri()}?mode=rw", uri=True, timeout=seconds, isolation_level=None
        )
        with contextlib.closing(connection):  # what was not committed is undone
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")


def shrink(file: Path) -> None:
    """Give the free pages of a database back to the disk; as far as nobody is in the way."""
    with _counted(), contextlib.suppress(sqlite3.Error, OSError):
        connection = sqlite3.connect(
            f"{file.resolve().as_uri()}?mode=rw", uri=True, timeout=1.0, isolation_level=None
        )
        with contextlib.closing(connection):
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """Hold a lock that other processes respect, for as long as the block runs.

    The lock is one of SQLite's on a file made for it: the only lock that Python's standard
    library has on every system, and one that dies with its process.
    """
    with readable_errors(file), _counted():
        make_folder(file.parent)
        connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            yield
        finally:
            connection.close()


def make_folder(folder: Path) -> None:
    """Make a folder of the cache, and those above it.

    Raises
    ------
    CacheError
        If that is not possible there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise CacheError(
            f"the folder {folder} of the embedding cache cannot be made: {reason}. Name another "
            "one with cache='...' (--cache) or TOOLKIT_CACHE_DIR, or do without (--cache off)"
        ) from error


@contextmanager
def readable_errors(file: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into the project's own."""
    try:
        yield
    except FileNotFoundError as error:
        raise CacheError(f"there is no embedding cache at {file}") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        # An operational error is about the surroundings, but for a text that is none.
        if isinstance(error, sqlite3.OperationalError) and "decode" not in str(error):
            raise CacheError(f"the embedding cache {file} {_reason(str(error))}") from error
        raise CacheCorruptedError(
            f"the index {file} of the embedding cache is damaged: {error}. Run "
            "`toolkit cache repair`, which keeps what is sound and deletes nothing"
        ) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None), errno.EFBIG)
        reason = "cannot be written: its disk is full" if full else f"cannot be used: {error}"
        raise CacheError(f"the embedding cache {file} {reason}") from error


def _reason(message: str) -> str:
    if "disk is full" in message:
        return "cannot be written: its disk is full"
    if "locked" in message:
        return f"was locked by another process for more than {BUSY_SECONDS:.0f} seconds"
    if "readonly" in message:
        return "cannot be written: it is read-only"
    if "unable to open" in message or "locking protocol" in message:
        return (
            f"cannot be written: its write-ahead log cannot be opened there ({message}). The "
            "folder may be read-only or of a network drive; name one on a local disk: cache='...' "
            "(--cache) or TOOLKIT_CACHE_DIR"
        )
    if "disk I/O" in message:
        return f"cannot be used: {message} (is its disk full?)"
    return f"cannot be used: {message}"


# --- the pool ------------------------------------------------------------------------------------


@contextmanager
def _lent(file: Path, *, write: bool) -> Iterator[Connection]:
    with readable_errors(file), _counted():
        inode = file.stat().st_ino
        connection, keep = _take(file, inode, write=write)
        try:
            yield connection
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk may have ended it already
                connection.execute("ROLLBACK")
            connection.close()
            raise
        if keep:
            _give_back(_Free(file, inode, connection))
        else:
            connection.close()


@contextmanager
def _counted() -> Iterator[None]:
    """Count the use of a connection, for a fork to wait for its end."""
    global _active
    with _gate:
        _active += 1
        _own.active = getattr(_own, "active", 0) + 1
    try:
        yield
    finally:
        with _gate:
            _active -= 1
            _own.active -= 1
            _gate.notify_all()


def _take(file: Path, inode: int, *, write: bool) -> tuple[Connection, bool]:
    """Take a connection from the pool or open one; return it and whether it may be kept."""
    with _gate:
        for place in range(len(_free) - 1, -1, -1):
            if _free[place].file == file:
                free = _free.pop(place)
                if free.inode == inode:
                    return free.connection, True
                free.connection.close()  # its file was deleted, and there is another now
    return _open(file, write=write)


def _give_back(free: _Free) -> None:
    with _gate:
        _free.append(free)
        while len(_free) > MOST_FREE:
            _free.pop(0).connection.close()


def _open(file: Path, *, write: bool) -> tuple[Connection, bool]:
    try:
        return _connect(f"{file.resolve().as_uri()}?mode=rw"), True
    except sqlite3.OperationalError as error:
        if write or "locked" in str(error):
            raise
        # Beside the index, SQLite keeps the write-ahead log and its shared memory. Where they
        # are not there and cannot be made (a read-only or full disk), read what there is.
        return _open_as_it_is(file, error), False


def _open_as_it_is(file: Path, error: sqlite3.Error) -> Connection:
    log = file.with_name(file.name + "-wal")
    try:
        if not log.exists() or not log.stat().st_size:
            # Promises SQLite that nobody changes the file, so the connection is not kept.
            return _connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1")
        with tempfile.TemporaryDirectory() as folder:
            for name in (file, log):
                shutil.copyfile(name, Path(folder) / name.name)
            with contextlib.closing(sqlite3.connect(Path(folder) / file.name)) as copy:
                memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
                copy.backup(memory)
            return memory
    except sqlite3.OperationalError:
        raise error from None


def _connect(uri: str) -> Connection:
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_OF_LOG}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # reads the file
    except BaseException:
        connection.close()
        raise
    return connection


def close_free() -> None:
    """Close the connections that nobody uses; their write-ahead logs are merged with it."""
    with _gate:
        while _free:
            _free.pop().connection.close()


def _before_fork() -> None:
    _gate.acquire()
    # A thread that forks in the middle of its own use would wait for itself.
    while _active > getattr(_own, "active", 0):
        _gate.wait()
    close_free()


atexit.register(close_free)  # Python 3.13 warns of connections left open
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_gate.release, after_in_child=_gate.release
    )
