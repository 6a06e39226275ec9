"""Making a damaged space usable again without deleting anything.

The sound rows of a damaged space are copied to a new one, and the damaged folder is moved to
``damaged/``, as it is. The new space has a new name: files that a running process still has open
under the old one can never be mixed with it (SQLite removes a write-ahead log by its path).
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from toolkit.cache import index
from toolkit.cache.connections import close_free, make_folder, readable_errors, reading, writing
from toolkit.cache.folders import REMOVED
from toolkit.cache.index import INDEX, sync_folder
from toolkit.cache.settling import writing_rows
from toolkit.cache.space import Space
from toolkit.cache.verify import SpaceReport, examine, verify_space
from toolkit.errors import CacheCorruptedError, CacheError
from toolkit.identity import ModelIdentity

__all__ = ["DAMAGED", "Repair", "remove_leftovers", "repair_space"]

DAMAGED = "damaged"
"""The folder in the cache that damaged spaces are moved to."""

_UNFINISHED = ".repair-"


@dataclass(frozen=True)
class Repair:
    """What was done with a space.

    Parameters
    ----------
    report : SpaceReport
        What was found.
    new_space : str, optional
        Identifier of the space that has the sound rows now; None if the space was left where
        it is, or nothing of it could be kept.
    moved_to : Path, optional
        Where the damaged folder is now.
    kept : int
        Rows that can be read.
    lost : int
        Rows that will be embedded again when they are needed, as far as that is known.
    cut_bytes : int
        Bytes that a killed writer left behind the last row, and that were cut off.
    """

    report: SpaceReport
    new_space: str | None = None
    moved_to: Path | None = None
    kept: int = 0
    lost: int = 0
    cut_bytes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as data that JSON can hold."""
        return {
            **self.report.to_dict(),
            "new_space": self.new_space,
            "moved_to": None if self.moved_to is None else str(self.moved_to),
            "kept": self.kept,
            "lost": self.lost,
            "cut_bytes": self.cut_bytes,
        }


def repair_space(folder: Path, new_folder: Callable[[ModelIdentity], Path]) -> Repair:
    """Repair one space; the cache's lock is held.

    Parameters
    ----------
    folder : Path
        The space's folder.
    new_folder : callable
        Gives the folder for a new space of an identity.

    Returns
    -------
    Repair

    Raises
    ------
    CacheError
        If the cache cannot be written.
    """
    report = verify_space(folder)
    if report.error is not None:
        return Repair(report)
    if not report.damaged:
        return Repair(report, kept=report.good, cut_bytes=_cut_tail(report))
    unfinished = folder.with_name(_UNFINISHED + uuid.uuid4().hex)
    try:
        return _rebuild(folder, unfinished, new_folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def remove_leftovers(spaces: Path) -> None:
    """Remove what killed repairs had begun and killed deletions not ended; the lock is held."""
    for beginning in (_UNFINISHED, REMOVED):
        for folder in spaces.glob(f"{beginning}*"):
            shutil.rmtree(folder, ignore_errors=True)


def _rebuild(folder: Path, unfinished: Path, new_folder: Callable[[ModelIdentity], Path]) -> Repair:
    def rebuild(connection: Connection) -> Repair:
        report = SpaceReport(folder.name, folder)
        new = _copy(connection, report, unfinished)
        target = None if new is None else new_folder(new.identity)
        if target is not None:
            # First the new one, then the old one away: killed between the two, nothing is lost.
            close_free()  # of the copy: its write-ahead log is merged now
            unfinished.rename(target)
            sync_folder(target.parent)
        return Repair(
            report,
            new_space=None if target is None else target.name,
            moved_to=_move_aside(folder),
            kept=report.good if target is not None else 0,
            lost=sum(report.reasons.values()),
        )

    done: Repair | None = None
    with readable_errors(folder):
        for lent in (writing, reading):  # what nobody can write to any more needs no lock
            try:
                with lent(folder / INDEX) as connection:
                    done = rebuild(connection)
            except CacheError as error:
                # A damaged index may not even let go of its lock: then it is done all the same.
                corrupted = isinstance(error, CacheCorruptedError)
                if done is None and not corrupted and (folder / INDEX).is_file():
                    raise
            if done is not None:
                return done
            shutil.rmtree(unfinished, ignore_errors=True)
        report = verify_space(folder)
        return Repair(report, moved_to=_move_aside(folder))


def _copy(connection: Connection, report: SpaceReport, target: Path) -> Space | None:
    """Copy the sound rows and what is known of the space; None if there are none."""
    try:
        identity = index.read_identity(connection, report.path)
    except (CacheCorruptedError, sqlite3.DatabaseError):
        examine(connection, report)
        return None
    new = Space.create(target, identity, seen=False)
    examine(connection, report, new.put)
    with suppress(sqlite3.DatabaseError, UnicodeDecodeError):
        seen = connection.execute("SELECT identity, first_seen, last_seen FROM sightings")
        rows = [row for row in seen.fetchall() if _is_sighting(row)]
        with writing(target / INDEX) as writer:
            writer.executemany("INSERT OR IGNORE INTO sightings VALUES (?, ?, ?)", rows)
    return new if report.good else None


def _is_sighting(row: tuple[Any, ...]) -> bool:
    with suppress(TypeError, ValueError, KeyError, AttributeError):
        ModelIdentity.from_dict(json.loads(row[0]))
        return all(isinstance(value, float) for value in row[1:])
    return False


def _cut_tail(report: SpaceReport) -> int:
    """Cut off what is behind the last row, while no writer is at work."""
    if not report.tail_bytes:
        return 0
    dimension = Space(report.path).dimension
    with writing_rows(report.path, dimension) as (_, name, rows), readable_errors(report.path):
        end = 4 * dimension * rows
        cut = (report.path / name).stat().st_size - end
        if cut > 0:
            os.truncate(report.path / name, end)
        return max(0, cut)


def _move_aside(folder: Path) -> Path:
    """Move a space's folder to ``damaged/`` under the date."""
    aside = folder.parents[1] / DAMAGED
    make_folder(aside)
    name = f"{time.strftime('%Y-%m-%dT%H-%M-%S')}-{folder.name}"
    target, count = aside / name, 1
    while target.exists():
        count += 1
        target = aside / f"{name}-{count}"
    folder.rename(target)
    for changed in (aside, folder.parent):
        sync_folder(changed)
    return target
