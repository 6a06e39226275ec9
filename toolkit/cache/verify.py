"""Looking at every row of a space: checksums, lengths, index against matrix."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.cache import index
from toolkit.cache.connections import readable_errors, reading
from toolkit.cache.index import INDEX
from toolkit.cache.rows import (
    KEY_BYTES,
    KEY_DTYPE,
    NORM_TOLERANCE,
    checksum_width,
    row_checksums,
)
from toolkit.errors import CacheCorruptedError, CacheError
from toolkit.identity import ModelIdentity

__all__ = ["Keep", "SpaceReport", "examine", "verify_space"]

AT_ONCE = 2048
"""Rows in memory at a time."""

MOST_LISTED = 100

Keep = Callable[[NDArray[np.void], NDArray[np.float32], str], object]
"""Takes sound rows: their keys, vectors and prompt template."""

_ENTRIES = (
    "SELECT row, key, checksum, CAST(template AS BLOB) FROM entries "
    "LEFT JOIN prompts ON prompt = prompts.id WHERE row >= ? AND row < ? ORDER BY row"
)


@dataclass
class SpaceReport:
    """What was found in a space.

    Parameters
    ----------
    space : str
        Its identifier.
    path : Path
        Its folder.
    rows : int
        Rows that were looked at.
    good : int
        Rows that are what was stored.
    reasons : dict of str to int
        Rows that are not, counted by what is wrong.
    bad_rows : list of (int, str)
        The first 100 of them, with what is wrong.
    problems : list of str
        What is wrong with the index or the files as a whole.
    tail_bytes : int
        Bytes of the matrix behind the last known row: a batch being written, or what a killed
        writer left. No damage; the next writer overwrites them.
    error : str, optional
        Why it could not be looked at although nothing says that it is damaged: a newer format,
        no permission.
    """

    space: str
    path: Path
    rows: int = 0
    good: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    bad_rows: list[tuple[int, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    tail_bytes: int = 0
    error: str | None = None

    @property
    def damaged(self) -> bool:
        """Whether anything is wrong with its rows or files."""
        return bool(self.reasons or self.problems)

    def to_dict(self) -> dict[str, Any]:
        """Return it as data that JSON can hold."""
        return {
            "space": self.space,
            "path": str(self.path),
            "damaged": self.damaged,
            "rows": self.rows,
            "good": self.good,
            "bad": sum(self.reasons.values()),
            "reasons": dict(self.reasons),
            "bad_rows": [{"row": row, "reason": reason} for row, reason in self.bad_rows],
            "problems": self.problems,
            "tail_bytes": self.tail_bytes,
            "error": self.error,
        }

    def note(self, row: int, reason: str, count: int = 1) -> None:
        """Count bad rows; the first is listed."""
        self.rows += count
        self.reasons[reason] += count
        if len(self.bad_rows) < MOST_LISTED:
            self.bad_rows.append((row, reason))


def verify_space(folder: Path) -> SpaceReport:
    """Read everything of a space and compare it; nothing is changed.

    Parameters
    ----------
    folder : Path
        The space's folder.

    Returns
    -------
    SpaceReport
    """
    while True:
        before = _matrix(folder)
        report = _verified(folder)
        # A matrix that is not there, or not that of the index, may just have been pruned.
        if not report.damaged or _matrix(folder) == before:
            return report


def _matrix(folder: Path) -> str | None:
    with suppress(CacheError), reading(folder / INDEX) as connection, index.interpreted(folder):
        return index.state(connection)[0]
    return None


def _verified(folder: Path) -> SpaceReport:
    report = SpaceReport(folder.name, folder)
    if not (folder / INDEX).is_file():
        report.problems.append("the index is not there")
        return report
    try:
        with reading(folder / INDEX) as connection:
            examine(connection, report)
    except CacheCorruptedError as error:
        report.problems.append(str(error.__cause__ or error))
    except CacheError as error:
        report.error = str(error)
    return report


def examine(
    connection: Connection, report: SpaceReport, keep: Keep | None = None
) -> ModelIdentity | None:
    """Look at every row; sound ones are handed on.

    Parameters
    ----------
    connection : Connection
        To the index, in a transaction.
    report : SpaceReport
        Filled in.
    keep : callable, optional
        Called with the sound rows, by parts.

    Returns
    -------
    ModelIdentity or None
        None if the index does not say what the space is of; then no row was looked at.

    Raises
    ------
    CacheError
        If it is of a newer format, or the matrix cannot be read.
    """
    try:
        identity = index.read_identity(connection, report.path)
    except CacheCorruptedError as error:
        report.problems.append(f"the index does not say what it is of ({error.__cause__})")
        return None
    except sqlite3.DatabaseError as error:
        report.problems.append(f"the index cannot be read: {error}")
        return None
    _check_index(connection, report)
    name, known = _state(connection, report)
    file = report.path / name
    row_bytes = 4 * identity.dimension
    with readable_errors(file):
        try:
            handle = file.open("rb")
        except FileNotFoundError:
            report.problems.append(f"the matrix {name} is not there")
            if known:
                report.note(0, "not in the matrix", known)
            return identity
        with handle:
            stored = file.stat().st_size
            whole = stored // row_bytes
            for start in range(0, min(known, whole), AT_ONCE):
                end = min(start + AT_ONCE, known, whole)
                handle.seek(start * row_bytes)
                data = np.frombuffer(handle.read((end - start) * row_bytes), dtype="<f4")
                vectors = data.reshape(end - start, identity.dimension)
                _check_rows(connection, report, start, vectors, keep)
    if known > whole:
        report.problems.append(f"the matrix {name} was cut off after {whole:,} rows")
        report.note(whole, "behind the end of the matrix", known - whole)
    report.tail_bytes = max(0, stored - known * row_bytes)
    return identity


def _check_index(connection: Connection, report: SpaceReport) -> None:
    try:
        found = connection.execute("PRAGMA integrity_check(5)").fetchall()
        connection.execute("SELECT identity, first_seen, last_seen FROM sightings").fetchall()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        found = [(str(error),)]
    if found != [("ok",)]:
        report.problems += [f"the index is damaged: {text}" for (text,) in found]


def _state(connection: Connection, report: SpaceReport) -> tuple[str, int]:
    """Return the matrix's name and how many rows to look for, whatever can be read of them."""
    try:
        return index.state(connection)
    except (sqlite3.DatabaseError, TypeError, ValueError, OverflowError) as error:
        report.problems.append(f"the index does not say how many rows there are: {error}")
    file = report.path / index.MATRIX
    size = file.stat().st_size if file.is_file() else 0
    with_identity = json.loads(
        connection.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()[0]
    )
    return index.MATRIX, size // (4 * int(with_identity["dimension"]))


def _check_rows(
    connection: Connection,
    report: SpaceReport,
    start: int,
    vectors: NDArray[np.float32],
    keep: Keep | None,
) -> None:
    end = start + len(vectors)
    try:
        entries = connection.execute(_ENTRIES, (start, end)).fetchall()
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        report.note(start, "its entry cannot be read", len(vectors))
        return
    if len(entries) < len(vectors):
        missing = sorted(set(range(start, end)) - {entry[0] for entry in entries})
        report.note(missing[0], "the index does not know it", len(missing))
    expected = np.zeros((len(vectors), checksum_width(vectors.shape[1])), dtype="<u4")
    good: dict[bytes, list[int]] = {}
    keys: dict[int, bytes] = {}
    with np.errstate(invalid="ignore", over="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
        unit = np.abs(norms - 1.0) <= NORM_TOLERANCE
    for row, key, checksum, template in entries:
        if not isinstance(key, bytes) or len(key) != KEY_BYTES:
            report.note(row, "its key is damaged")
        elif not isinstance(checksum, bytes) or len(checksum) != 4 * expected.shape[1]:
            report.note(row, "its checksum is damaged")
        elif not isinstance(template, bytes):
            report.note(row, "its prompt is not known")
        else:
            expected[row - start] = np.frombuffer(checksum, dtype="<u4")
            keys[row] = key
            good.setdefault(template, []).append(row)
    differing = (row_checksums(vectors) != expected).any(axis=1)
    for template, rows in good.items():
        sound = []
        for row in rows:
            if differing[row - start]:
                report.note(row, "not what was stored: its checksum differs")
            elif not unit[row - start]:
                report.note(row, "not finite or not of length 1")
            else:
                sound.append(row)
        report.rows += len(sound)
        report.good += len(sound)
        if sound and keep is not None:
            found = np.frombuffer(b"".join(keys[row] for row in sound), dtype=KEY_DTYPE)
            keep(found, vectors[np.asarray(sound) - start], template.decode("utf-8", "replace"))
