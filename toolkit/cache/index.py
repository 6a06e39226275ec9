"""The index of a space: an SQLite file that says which row of the matrix a key has.

Format 1. ``meta``: ``format``; ``dimension``; ``identity`` (JSON, with canaries); ``matrix`` (name
of the matrix's file in the same folder; compaction may begin another); ``created`` (seconds since
1970). ``entries``: rows are numbered from 0 without gaps; ``checksum`` is that of
:func:`toolkit.cache.rows.row_checksums`, little-endian. ``prompts``: the templates. ``sightings``:
identities without canaries that were found to give this space, and when. Later versions may add
tables and keys of ``meta`` within format 1.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

from toolkit.cache.connections import readable_errors
from toolkit.errors import CacheCorruptedError, CacheError
from toolkit.identity import ModelIdentity

__all__ = [
    "FORMAT",
    "INDEX",
    "MATRIX",
    "create",
    "interpreted",
    "note_sighting",
    "prompt_id",
    "read_identity",
    "state",
    "sync_folder",
]

FORMAT = 1
INDEX = "index.sqlite"
MATRIX = "vectors.f32"

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE prompts (id INTEGER PRIMARY KEY, template TEXT NOT NULL UNIQUE);
CREATE TABLE entries (
    row INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    checksum BLOB NOT NULL,
    prompt INTEGER NOT NULL REFERENCES prompts (id)
);
CREATE TABLE sightings (
    identity TEXT PRIMARY KEY,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL
) WITHOUT ROWID;
"""


def create(folder: Path, identity: ModelIdentity, *, seen: bool) -> None:
    """Make the folder of an empty space; it appears as a whole or not at all.

    ``seen`` says whether the identity was met on this machine, and is to be known again.
    """
    with readable_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
        try:
            (temporary / MATRIX).touch()
            connection = sqlite3.connect(temporary / INDEX)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_SCHEMA)
                connection.executemany(
                    "INSERT INTO meta VALUES (?, ?)",
                    [
                        ("format", str(FORMAT)),
                        ("dimension", str(identity.dimension)),
                        ("identity", json.dumps(identity.to_dict(), sort_keys=True)),
                        ("matrix", MATRIX),
                        ("created", str(time.time())),
                    ],
                )
                if seen:
                    note_sighting(connection, identity)
                connection.commit()
            finally:
                connection.close()
            temporary.chmod(0o755)
            temporary.rename(folder)
            for made in (folder, folder.parent):
                sync_folder(made)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk, where the system can say so."""
    if os.name == "nt":  # Windows opens no folders, and needs no flush for names
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def interpreted(folder: Path) -> Iterator[None]:
    """Turn what happens when a damaged index is made sense of into the project's error.

    SQLite has no checksums: a damaged file may answer with values of any type.

    Raises
    ------
    CacheCorruptedError
        For any error of type, value, key or range within the block.
    """
    try:
        yield
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise CacheCorruptedError(
            f"{folder / INDEX} is not the index of an embedding cache, or is damaged ({error}). "
            "Run `toolkit cache repair`, which keeps what is sound and deletes nothing"
        ) from error


def read_identity(connection: Connection, folder: Path) -> ModelIdentity:
    """Return what a space is of, after a look at its format.

    Raises
    ------
    CacheError
        If it is of a newer format.
    CacheCorruptedError
        If it is not the index of a space.
    """
    with interpreted(folder):
        try:
            meta = dict(connection.execute("SELECT key, value FROM meta"))
        except sqlite3.OperationalError as error:  # no such table
            raise ValueError(str(error)) from error
        version = int(meta["format"])
        if version <= FORMAT:
            identity = ModelIdentity.from_dict(json.loads(meta["identity"]))
            if identity.dimension != int(meta["dimension"]) or identity.dimension < 1:
                raise ValueError(f"dimension {meta['dimension']} is not that of the identity")
            return identity
    raise CacheError(
        f"the vector space {folder} has format {version}, and this version reads {FORMAT}. Update "
        "with `pip install --upgrade embeddinggemma-toolkit`, or use another cache: cache='...' "
        "(--cache) or TOOLKIT_CACHE_DIR"
    )


def state(connection: Connection) -> tuple[str, int]:
    """Return the matrix's file name and the number of committed rows.

    Raises
    ------
    TypeError, ValueError
        If the name is not one (see :func:`interpreted`).
    """
    name, last = connection.execute(
        "SELECT (SELECT value FROM meta WHERE key = 'matrix'), (SELECT max(row) FROM entries)"
    ).fetchone()
    if re.fullmatch(r"[\w-]+\.f32", name) is None:
        raise ValueError(f"{name!r} is not the name of a matrix")
    return name, 0 if last is None else int(last) + 1


def prompt_id(connection: Connection, template: str) -> int:
    """Return the number of a prompt's template, entered if it is new."""
    template = template.encode("utf-8", "replace").decode()  # SQLite takes no lone surrogates
    connection.execute("INSERT OR IGNORE INTO prompts (template) VALUES (?)", (template,))
    (number,) = connection.execute(
        "SELECT id FROM prompts WHERE template = ?", (template,)
    ).fetchone()
    return int(number)


def note_sighting(connection: Connection, identity: ModelIdentity) -> None:
    """Note that a model, on this version of its engine, gives this space."""
    now = time.time()
    text = json.dumps(identity.with_canary(None).to_dict(), sort_keys=True)
    connection.execute(
        "INSERT INTO sightings (identity, first_seen, last_seen) VALUES (?, ?, ?) "
        "ON CONFLICT (identity) DO UPDATE SET last_seen = excluded.last_seen",
        (text, now, now),
    )
