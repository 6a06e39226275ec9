"""When rows were used, and how often a cache had what was asked for: notes that may be lost.

``usage.sqlite`` in the folder of a space. ``days``: for each generation of the matrix (see
:mod:`toolkit.cache.index`) one blob of unsigned 16-bit integers, little-endian: the day, counted
from 1970-01-01 in UTC, on which a row of each block of 64 rows was last stored or read; 0 where
that was never noted. ``tasks``: hits, misses and the time of the last call, by prompt.

A process gathers notes in memory and writes them at its first use of a space, then every five
seconds of use at the most, and at its end. Nothing waits for a disk or for another process, and
nothing fails: where notes cannot be written (a read-only or full disk, a busy file), they are kept
for later, and are lost with the process. A file that is damaged is begun anew.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.util import Finalize
from pathlib import Path
from sqlite3 import Connection

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.connections import reading, writing_soon
from toolkit.cache.memory import ROW_BITS
from toolkit.errors import CacheCorruptedError, CacheError

__all__ = [
    "BLOCK",
    "SECONDS_A_DAY",
    "USAGE",
    "TaskUse",
    "flush",
    "note_call",
    "note_rows",
    "read_days",
    "read_tasks",
    "today",
    "write_days",
]

USAGE = "usage.sqlite"

BLOCK = 64
"""Rows that share a day: 196 kB of vectors; two bytes each."""

BETWEEN_WRITES = 5.0
"""Seconds."""

PATIENCE = 0.02
"""Seconds to wait for another process that is writing."""

LAST_PATIENCE = 5.0
"""The same at the end of a process, which cannot try again later."""

MOST_SPACES = 64

SECONDS_A_DAY = 86_400

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS days (generation INTEGER PRIMARY KEY, stamps BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tasks (prompt TEXT PRIMARY KEY, hits INTEGER NOT NULL, "
    "misses INTEGER NOT NULL, last_used REAL NOT NULL) WITHOUT ROWID",
)


@dataclass
class TaskUse:
    """How often the texts of one prompt were found.

    Parameters
    ----------
    hits : int
        Texts that were in the cache, each distinct one of a call counted once.
    misses : int
        Texts that were not.
    last_used : float
        When, in seconds since 1970.
    """

    hits: int = 0
    misses: int = 0
    last_used: float = 0.0

    def add(self, hits: int, misses: int, now: float) -> None:
        """Count a call."""
        self.hits += hits
        self.misses += misses
        self.last_used = max(self.last_used, now)


@dataclass
class _Notes:
    """What this process has to note of a space."""

    day: int = 0
    generation: int = -1
    seen: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """Blocks used today, by this process: written or waiting."""
    waiting: bool = False
    tasks: dict[str, TaskUse] = field(default_factory=dict)
    tried: float = -BETWEEN_WRITES


_spaces: dict[Path, _Notes] = {}
_lock = threading.Lock()
_registered = False


def today() -> int:
    """Return the day in UTC, counted from 1970-01-01."""
    return int(time.time() // SECONDS_A_DAY)


def note_rows(space: Path, numbers: NDArray[np.int64]) -> None:
    """Note that rows were stored or read today.

    Parameters
    ----------
    space : Path
        The space's folder.
    numbers : ndarray of shape (n,)
        Row numbers.
    """
    if not len(numbers):
        return
    generation = int(numbers[0]) >> ROW_BITS
    blocks = numbers if not generation else numbers - (generation << ROW_BITS)
    blocks = blocks // BLOCK
    with _lock:
        notes = _notes_of(space)
        if (notes.day, notes.generation) != (today(), generation):
            _write(space, notes)  # what could not be written counts as used today, if it is there
            if not notes.waiting or notes.generation != generation:
                notes.seen = np.zeros(0, dtype=bool)
            notes.day, notes.generation = today(), generation
        most = int(blocks.max()) + 1
        if most > len(notes.seen):
            notes.seen = np.concatenate([notes.seen, np.zeros(most, dtype=bool)])
        if not notes.seen[blocks].all():
            notes.seen[blocks] = True
            notes.waiting = True
        _write_if_due(space, notes)


def note_call(space: Path, prompt: str, hits: int, misses: int) -> None:
    """Count the texts of a call that were there, and those that were not."""
    with _lock:
        notes = _notes_of(space)
        prompt = prompt.encode("utf-8", "replace").decode()  # SQLite takes no lone surrogates
        notes.tasks.setdefault(prompt, TaskUse()).add(hits, misses, time.time())
        _write_if_due(space, notes)


def flush(space: Path | None = None, *, seconds: float = PATIENCE) -> None:
    """Write what this process has noted, of one space or of all.

    Parameters
    ----------
    space : Path, optional
        The space's folder; None for all.
    seconds : float
        How long to wait for another process that is writing; it is tried again later.
    """
    with _lock:
        for path, notes in list(_spaces.items()):
            if space is None or path == space:
                _write(path, notes, seconds)


def read_tasks(space: Path) -> dict[str, TaskUse] | None:
    """Return the counts of each prompt; None if they cannot be read."""
    flush(space)
    if not (space / USAGE).is_file():
        return {}
    with suppress(CacheError, TypeError, ValueError), reading(space / USAGE) as connection:
        if not _has_tables(connection):
            return {}
        rows = connection.execute("SELECT prompt, hits, misses, last_used FROM tasks")
        return {str(prompt): TaskUse(int(h), int(m), float(used)) for prompt, h, m, used in rows}
    return None


def read_days(space: Path, generation: int, blocks: int, otherwise: int) -> NDArray[np.int64]:
    """Return the day on which a row of each block was last used.

    Parameters
    ----------
    space : Path
        The space's folder.
    generation : int
        Of its matrix.
    blocks : int
        How many there are.
    otherwise : int
        The day for those of which nothing is known.

    Returns
    -------
    ndarray of shape (blocks,)
        None is later than today: a clock that was wrong must not keep rows for ever.
    """
    flush(space)
    days = np.zeros(blocks, dtype=np.int64)
    if (space / USAGE).is_file():
        with suppress(CacheError, TypeError, ValueError), reading(space / USAGE) as connection:
            if _has_tables(connection):
                known = _stamps(connection, generation)[:blocks]
                days[: len(known)] = known
    days[days == 0] = otherwise
    return np.minimum(days, today())


def write_days(space: Path, generation: int, days: NDArray[np.int64]) -> None:
    """Keep the days of a new generation of the matrix, and of the one before it.

    The one before is still valid: the new one is not yet committed.
    """
    with suppress(CacheError, OSError), _opened(space, seconds=1.0) as connection:
        connection.execute("DELETE FROM days WHERE generation < ?", (generation - 1,))
        _store(connection, generation, days.astype("<u2"))


# --- inside --------------------------------------------------------------------------------------


def _notes_of(space: Path) -> _Notes:
    global _registered
    if not _registered:
        # Runs at the end of ordinary processes and of the workers of joblib and multiprocessing.
        Finalize(None, flush, kwargs={"seconds": LAST_PATIENCE}, exitpriority=10)
        _registered = True
    notes = _spaces.get(space)
    if notes is None:
        notes = _spaces[space] = _Notes()
        while len(_spaces) > MOST_SPACES:
            oldest = next(iter(_spaces))
            _write(oldest, _spaces.pop(oldest))
    return notes


def _write_if_due(space: Path, notes: _Notes) -> None:
    if (notes.waiting or notes.tasks) and time.monotonic() - notes.tried >= BETWEEN_WRITES:
        _write(space, notes)


def _write(space: Path, notes: _Notes, seconds: float = PATIENCE) -> None:
    if not notes.waiting and not notes.tasks:
        return
    notes.tried = time.monotonic()
    try:
        with _opened(space, seconds) as connection:
            if notes.waiting:
                stamps = _stamps(connection, notes.generation)
                if len(stamps) < len(notes.seen):
                    more = np.zeros(len(notes.seen) - len(stamps), dtype="<u2")
                    stamps = np.concatenate([stamps, more])
                used = np.flatnonzero(notes.seen)
                if (stamps[used] != notes.day).any():
                    stamps[used] = notes.day
                    _store(connection, notes.generation, stamps)
            connection.executemany(
                "INSERT INTO tasks VALUES (?, ?, ?, ?) ON CONFLICT (prompt) DO UPDATE SET "
                "hits = hits + excluded.hits, misses = misses + excluded.misses, "
                "last_used = max(last_used, excluded.last_used)",
                [(p, use.hits, use.misses, use.last_used) for p, use in notes.tasks.items()],
            )
    except CacheCorruptedError:
        with suppress(OSError):
            (space / USAGE).unlink()  # notes only, and of no use
    except (CacheError, OSError):
        pass
    else:
        notes.waiting = False
        notes.tasks = {}


@contextmanager
def _opened(space: Path, seconds: float) -> Iterator[Connection]:
    """Open the file for writing, made if need be."""
    if not (space / USAGE).exists():
        (space / USAGE).touch()  # an empty file is an empty database
    with writing_soon(space / USAGE, seconds) as connection:
        for statement in _SCHEMA:
            connection.execute(statement)
        yield connection


def _has_tables(connection: Connection) -> bool:
    found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('days', 'tasks')")
    return bool(found.fetchone() == (2,))


def _stamps(connection: Connection, generation: int) -> NDArray[np.uint16]:
    row = connection.execute(
        "SELECT stamps FROM days WHERE generation = ?", (generation,)
    ).fetchone()
    data = row[0] if row is not None and isinstance(row[0], bytes) else b""
    return np.frombuffer(data[: len(data) // 2 * 2], dtype="<u2").copy()


def _store(connection: Connection, generation: int, stamps: NDArray[np.uint16]) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO days VALUES (?, ?)", (generation, stamps.astype("<u2").tobytes())
    )


def _forget() -> None:
    """In a fork: the notes are the parent's to write, and the lock may be another thread's."""
    global _lock, _registered
    _lock = threading.Lock()
    _spaces.clear()
    _registered = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
