"""SQLite connections: pooled per process, closed around a fork, errors in the project's words."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

from toolkit.errors import CacheCorruptedError, CacheError
from toolkit.identity import ModelIdentity

__all__ = ["FORMAT", "create", "prompt_id", "reading", "row_count", "writing"]

FORMAT = 1
BUSY_SECONDS = 60.0
"""A writer holds the lock for milliseconds; this long means that something hangs."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE prompts (id INTEGER PRIMARY KEY, template TEXT NOT NULL UNIQUE);
CREATE TABLE entries (
    row INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    checksum INTEGER NOT NULL,
    prompt INTEGER NOT NULL REFERENCES prompts (id)
);
CREATE TABLE sightings (
    identity TEXT PRIMARY KEY,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL
) WITHOUT ROWID;
"""

_pool: dict[Path, list[tuple[int, Connection]]] = {}
_active = 0
_gate = threading.Condition(threading.RLock())


def create(folder: Path, name: str, identity: ModelIdentity) -> None:
    """Make a folder with an empty index in it; it appears as a whole or not at all."""
    with _words(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
        try:
            connection = sqlite3.connect(temporary / name)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_SCHEMA)
                connection.executemany(
                    "INSERT INTO meta VALUES (?, ?)",
                    [
                        ("format", str(FORMAT)),
                        ("dimension", str(identity.dimension)),
                        ("identity", json.dumps(identity.to_dict(), sort_keys=True)),
                        ("created", str(time.time())),
                    ],
                )
                connection.commit()
            finally:
                connection.close()
            temporary.chmod(0o755)
            temporary.rename(folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


@contextmanager
def reading(file: Path) -> Iterator[Connection]:
    """Lend a connection for reading; what it sees does not change before it is given back."""
    with _lent(file) as connection:
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")


@contextmanager
def writing(file: Path) -> Iterator[Connection]:
    """Lend a connection that holds the write lock; commit at the end, or undo on an error."""
    with _lent(file) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk may have ended it already
                connection.execute("ROLLBACK")
            raise


def row_count(connection: Connection) -> int:
    """Return the number of committed rows; rows are numbered from 0 without gaps."""
    (last,) = connection.execute("SELECT max(row) FROM entries").fetchone()
    return 0 if last is None else last + 1


def prompt_id(connection: Connection, template: str) -> int:
    """Return the number of a prompt's template, entered if it is new."""
    connection.execute("INSERT OR IGNORE INTO prompts (template) VALUES (?)", (template,))
    (number,) = connection.execute(
        "SELECT id FROM prompts WHERE template = ?", (template,)
    ).fetchone()
    return int(number)


# --- connections ---------------------------------------------------------------------------------


@contextmanager
def _lent(file: Path) -> Iterator[Connection]:
    global _active
    with _words(file):
        inode = file.stat().st_ino
        with _gate:
            _active += 1
        connection = None
        try:
            connection = _take(file, inode)
            yield connection
        except BaseException:
            if connection is not None:
                connection.close()
                connection = None
            raise
        finally:
            with _gate:
                if connection is not None:
                    _pool.setdefault(file, []).append((inode, connection))
                _active -= 1
                _gate.notify_all()


def _take(file: Path, inode: int) -> Connection:
    """Take a connection out of the pool, or open one; one to a deleted file is closed."""
    with _gate:
        free = _pool.get(file, [])
        while free:
            made_for, connection = free.pop()
            if made_for == inode:
                return connection
            connection.close()
    return _open(file)


def _open(file: Path) -> Connection:
    uri = file.resolve().as_uri()
    # On a read-only file system the shared memory of the write-ahead log cannot be made, and
    # the file has to be taken as one that nobody changes.
    for mode in ("mode=rw", "immutable=1"):
        connection = sqlite3.connect(
            f"{uri}?{mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
            _check_format(connection, file)
            return connection
        except sqlite3.OperationalError as error:
            connection.close()
            unwritable = "readonly" in str(error) or "unable to open" in str(error)
            if mode == "immutable=1" or not unwritable or os.access(file, os.W_OK):
                raise
        except BaseException:
            connection.close()
            raise
    raise AssertionError("unreachable")


def _check_format(connection: Connection, file: Path) -> None:
    found = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    if found is None or not str(found[0]).isdigit():
        raise CacheCorruptedError(f"{file} is not the index of an embedding cache")
    if int(found[0]) > FORMAT:
        raise CacheError(
            f"the embedding cache {file.parent} has format {found[0]}, and this version reads "
            f"{FORMAT}. Update with `pip install --upgrade embeddinggemma-toolkit`, or use another "
            "folder: cache='...' (--cache) or TOOLKIT_CACHE_DIR"
        )


@contextmanager
def _words(file: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into the project's own."""
    try:
        yield
    except FileNotFoundError as error:
        raise CacheError(f"there is no embedding cache at {file}") from error
    except sqlite3.OperationalError as error:
        if "disk is full" in str(error) or "disk I/O" in str(error):
            raise CacheError(f"the disk of the embedding cache {file} is full: {error}") from error
        if "locked" in str(error):
            raise CacheError(
                f"the embedding cache {file} was locked by another process for {BUSY_SECONDS:.0f} "
                "seconds"
            ) from error
        raise CacheError(f"the embedding cache {file} cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise CacheCorruptedError(
            f"the index {file} of the embedding cache is damaged: {error}. Move its folder away "
            "to begin a new one"
        ) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        reason = "is full" if full else f"cannot be used: {error}"
        raise CacheError(f"the disk of the embedding cache {file} {reason}") from error


def _before_fork() -> None:
    # SQLite's connections must not cross a fork: wait until none is lent, close the others,
    # and let nobody begin until the fork is done.
    _gate.acquire()
    while _active:
        _gate.wait()
    for free in _pool.values():
        for _, connection in free:
            connection.close()
    _pool.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_gate.release, after_in_child=_gate.release
    )
