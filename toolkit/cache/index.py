"""The index of a space: an SQLite file that says which row of the matrix a key has.

Format 1. ``meta``: ``format``; ``dimension``; ``identity`` (JSON, with canaries); ``matrix`` (name
of the matrix's file in the same folder: ``vectors.f32``, or ``vectors-1.f32`` after it was pruned
once, and so on: the number is its *generation*); ``created`` (seconds since 1970); ``settled``
(a count, see :mod:`toolkit.cache.settling`; not always there). ``entries``:
rows are numbered from 0 without gaps; ``key`` has a unique index, its own or, after pruning,
``entry_of_key``; ``checksum`` is that of :func:`toolkit.cache.rows.row_checksums`, little-endian.
``prompts``: the templates. ``sightings``: identities without canaries that were found to give this
space, and when. Later versions may add tables and keys of ``meta`` within format 1.
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

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.connections import make_folder, readable_errors
from toolkit.cache.rows import KEY_DTYPE
from toolkit.errors import CacheCorruptedError, CacheError
from toolkit.identity import ModelIdentity

__all__ = [
    "FORMAT",
    "INDEX",
    "MATRIX",
    "MOST_GENERATIONS",
    "count_by_prompt",
    "create",
    "enter",
    "generation",
    "interpreted",
    "matrix_name",
    "new_positions",
    "note_sighting",
    "prompt_id",
    "read_identity",
    "read_sightings",
    "state",
    "stored_keys",
    "sync_folder",
    "undo",
]

FORMAT = 1
INDEX = "index.sqlite"
MATRIX = "vectors.f32"

MOST_GENERATIONS = 1 << 22
"""Fits, with row numbers of 40 bits, into 63 (see :mod:`toolkit.cache.memory`)."""

_MATRIX_NAME = re.compile(r"vectors(?:-([1-9][0-9]{0,6}))?\.f32")

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
        make_folder(folder.parent)
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
    generation(name)
    return name, 0 if last is None else int(last) + 1


def generation(name: str) -> int:
    """Return how often a space was pruned, by the name of its matrix.

    Raises
    ------
    ValueError
        If it is not the name of a matrix.

    Examples
    --------
    >>> generation("vectors.f32"), generation("vectors-12.f32")
    (0, 12)
    """
    found = _MATRIX_NAME.fullmatch(name)
    number = int(found[1] or 0) if found else MOST_GENERATIONS
    if number >= MOST_GENERATIONS:
        raise ValueError(f"{name!r} is not the name of a matrix")
    return number


def matrix_name(number: int) -> str:
    """Return the name of a matrix by its generation.

    Examples
    --------
    >>> matrix_name(0), matrix_name(12)
    ('vectors.f32', 'vectors-12.f32')
    """
    return f"vectors-{number}.f32" if number else MATRIX


def prompt_id(connection: Connection, template: str) -> int:
    """Return the number of a prompt's template, entered if it is new."""
    template = template.encode("utf-8", "replace").decode()  # SQLite takes no lone surrogates
    known = connection.execute("SELECT id FROM prompts WHERE template = ?", (template,)).fetchone()
    if known is None:
        new = connection.execute("INSERT INTO prompts (template) VALUES (?)", (template,))
        return int(new.lastrowid or 0)
    return int(known[0])


def note_sighting(connection: Connection, identity: ModelIdentity) -> None:
    """Note that a model, on this version of its engine, gives this space."""
    now = time.time()
    text = json.dumps(identity.with_canary(None).to_dict(), sort_keys=True)
    connection.execute(
        "INSERT INTO sightings (identity, first_seen, last_seen) VALUES (?, ?, ?) "
        "ON CONFLICT (identity) DO UPDATE SET last_seen = excluded.last_seen",
        (text, now, now),
    )


def read_sightings(connection: Connection) -> list[ModelIdentity]:
    """Return the identities that were found to give this space, without canaries."""
    found = connection.execute("SELECT identity FROM sightings ORDER BY first_seen")
    return [ModelIdentity.from_dict(json.loads(text)) for (text,) in found]


def count_by_prompt(connection: Connection) -> dict[str, int]:
    """Return the number of rows by prompt."""
    sql = "SELECT template, count(*) FROM entries JOIN prompts ON prompt = prompts.id "
    return dict(connection.execute(sql + "GROUP BY template ORDER BY template"))


def stored_keys(connection: Connection, prompt: str | None) -> NDArray[np.void]:
    """Return the keys in the order of their rows; of one prompt's template, or of all."""
    sql = "SELECT key FROM entries JOIN prompts ON prompt = prompts.id "
    sql += "WHERE ? IS NULL OR template = ? ORDER BY row"
    found = connection.execute(sql, (prompt, prompt)).fetchall()
    return np.frombuffer(b"".join([key for (key,) in found]), dtype=KEY_DTYPE)


def new_positions(connection: Connection, keys: list[bytes]) -> list[int]:
    """Return the positions of keys that are not there, each key once, in their order."""
    first: dict[bytes, int] = {}
    for position, key in enumerate(keys):
        first.setdefault(key, position)
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        # The only thing formatted in is a number of question marks.
        sql = f"SELECT key FROM entries WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608
        for (key,) in connection.execute(sql, part):
            first.pop(key, None)
    return sorted(first.values())


def enter(
    connection: Connection,
    start: int,
    keys: NDArray[np.void],
    checksums: NDArray[np.uint32],
    prompt: int,
) -> None:
    """Enter new keys as rows from ``start`` on.

    Parameters
    ----------
    connection : Connection
        That holds the write lock.
    start : int
        How many rows there are.
    keys : ndarray of shape (n,) of 16 bytes
    checksums : ndarray of shape (n, ceil(dimension / 128)), dtype uint32
    prompt : int
        As :func:`prompt_id` gives it.
    """
    packed, size = checksums.astype("<u4", copy=False).tobytes(), 4 * checksums.shape[1]
    connection.executemany(
        "INSERT INTO entries (row, key, checksum, prompt) VALUES (?, ?, ?, ?)",
        [
            (start + i, key, packed[size * i : size * (i + 1)], prompt)
            for i, key in enumerate(keys.tolist())
        ],
    )


def undo(connection: Connection, start: int) -> None:
    """Take out what was entered from row ``start`` on."""
    connection.execute("DELETE FROM entries WHERE row >= ?", (start,))
