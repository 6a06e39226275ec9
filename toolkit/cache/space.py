"""One vector space on disk: an SQLite index beside a plain matrix.

``index.sqlite`` maps keys to rows, ``vectors.f32`` is a row-major matrix of little-endian float32
and nothing else. A writer takes the index's write lock, writes rows behind the last committed
one, flushes the matrix to disk (``fsync``), enters the keys and commits (``synchronous=FULL``): so
a row that the index knows is on disk, and what a crash leaves behind the last known row is
overwritten by the next writer. Readers never wait: they see the index as it was when they looked,
and rows are never changed once they are known.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.cache import database, memory
from toolkit.cache.rows import KEY_DTYPE, as_keys, bad_rows, unit_rows
from toolkit.errors import CacheCorruptedError, CacheError
from toolkit.identity import ModelIdentity

__all__ = ["Space"]

INDEX = "index.sqlite"
MATRIX = "vectors.f32"
READ_ROWS = 4096
"""Rows gathered at a time when they are cut on the way."""


class Space:
    """The vectors of one model on disk, shared by threads, processes and forks.

    Objects hold a path; connections and the index in memory belong to the process.

    Parameters
    ----------
    path : str or path
        The space's folder.

    Raises
    ------
    CacheError
        If it is of a newer format, or cannot be opened.
    CacheCorruptedError
        If index and matrix contradict each other.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with self._reading() as connection:
            meta = dict(connection.execute("SELECT key, value FROM meta"))
        try:
            self.identity = ModelIdentity.from_dict(json.loads(meta["identity"]))
        except (KeyError, ValueError, TypeError) as error:
            raise CacheCorruptedError(
                f"the index of the vector space {self.path} has no readable identity ({error!r}); "
                "move the folder away to begin a new one"
            ) from error

    @classmethod
    def create(cls, path: Path, identity: ModelIdentity) -> Space:
        """Make a new, empty space; the folder appears as a whole."""
        database.create(path, INDEX, identity)
        space = cls(path)
        space.record(identity)
        return space

    def __repr__(self) -> str:
        return f"Space({str(self.path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Space, (str(self.path),)

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def dimension(self) -> int:
        """Length of a full vector."""
        return self.identity.dimension

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of the matrix."""
        return 4 * self.dimension

    def __len__(self) -> int:
        with self._reading() as connection:
            return database.row_count(connection)

    # --- reading ---------------------------------------------------------------------------------

    def lookup(self, keys: Any) -> NDArray[np.int64]:
        """Return the row of each key, shape (n,), -1 where it is not there."""
        return memory.find_rows(self.path / INDEX, as_keys(keys))

    def read(self, rows: NDArray[np.int64], dimensions: int | None = None) -> NDArray[np.float32]:
        """Return vectors by row, shape (n, dimensions).

        Raises
        ------
        CacheCorruptedError
            If a row is beyond the end of the matrix.
        """
        rows = np.asarray(rows, dtype=np.int64)
        matrix = self.matrix()
        if len(rows) and int(rows.max()) >= len(matrix):
            raise CacheCorruptedError(
                f"the matrix {self.path / MATRIX} has {len(matrix):,} rows, and the index knows "
                f"row {int(rows.max()):,}: it was cut off. Move the folder {self.path} away to "
                "begin a new one"
            )
        if dimensions is None or dimensions >= self.dimension:
            return np.asarray(matrix[rows])
        out = np.empty((len(rows), dimensions), dtype=np.float32)
        for start in range(0, len(rows), READ_ROWS):
            part = slice(start, start + READ_ROWS)
            out[part] = unit_rows(np.ascontiguousarray(matrix[rows[part], :dimensions]))
        return out

    def get(
        self, keys: Any, dimensions: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of the keys that are there, and which are."""
        rows = self.lookup(keys)
        found = rows >= 0
        return self.read(rows[found], dimensions), found

    def matrix(self) -> NDArray[np.float32]:
        """Return all rows, shape (len, dimension), memory-mapped and read-only."""
        file = self.path / MATRIX
        try:
            size = file.stat().st_size
        except FileNotFoundError:
            size = 0
        rows = size // self.row_bytes
        if not rows:
            return np.empty((0, self.dimension), dtype=np.float32)
        return np.memmap(file, dtype="<f4", mode="r", shape=(rows, self.dimension))

    def keys(self) -> NDArray[np.void]:
        """Return the keys, in the order of their rows."""
        with self._reading() as connection:
            found = connection.execute("SELECT key FROM entries ORDER BY row").fetchall()
        return np.frombuffer(b"".join(key for (key,) in found), dtype=KEY_DTYPE)

    # --- writing ---------------------------------------------------------------------------------

    def put(self, keys: Any, vectors: NDArray[Any], prompt: str) -> int:
        """Store vectors; keys that are there already are passed over.

        Parameters
        ----------
        keys : ndarray of shape (n,) of 16 bytes
        vectors : ndarray of shape (n, dimension)
            Full-length unit vectors.
        prompt : str
            Template the texts were rendered with, for the statistics.

        Returns
        -------
        int
            How many rows are new.

        Raises
        ------
        CacheError
            If a vector is not finite or not of length 1 (then nothing is stored), or the disk
            is full or cannot be written (then nothing is stored half).
        """
        known = as_keys(keys)
        data = np.ascontiguousarray(vectors, dtype="<f4")
        if len(known) != len(data):
            raise CacheError(f"{len(known)} keys for {len(data)} vectors")
        if problem := bad_rows(data, self.dimension):
            raise CacheError(f"these vectors are not stored: {problem}")
        with self._writing() as connection:
            new = self._new_positions(connection, known)
            if not len(new):
                return 0
            start = database.row_count(connection)
            rows = data[new]
            self._append(start, rows)
            template = database.prompt_id(connection, prompt)
            connection.executemany(
                "INSERT INTO entries (row, key, checksum, prompt) VALUES (?, ?, ?, ?)",
                [
                    (start + i, key, zlib.crc32(row), template)
                    for i, (key, row) in enumerate(zip(known[new].tolist(), rows, strict=True))
                ],
            )
        return len(new)

    def record(self, identity: ModelIdentity) -> None:
        """Note that this model, on this version of its engine, gives this space."""
        now = time.time()
        text = json.dumps(identity.with_canary(None).to_dict(), sort_keys=True)
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO sightings (identity, first_seen, last_seen) VALUES (?, ?, ?) "
                "ON CONFLICT (identity) DO UPDATE SET last_seen = excluded.last_seen",
                (text, now, now),
            )

    def sightings(self) -> list[ModelIdentity]:
        """Return every identity that was found to give this space."""
        with self._reading() as connection:
            found = connection.execute("SELECT identity FROM sightings ORDER BY first_seen")
            return [ModelIdentity.from_dict(json.loads(text)) for (text,) in found]

    def counts(self) -> dict[str, int]:
        """Return the number of rows by prompt."""
        with self._reading() as connection:
            return dict(
                connection.execute(
                    "SELECT template, count(*) FROM entries JOIN prompts ON prompt = prompts.id "
                    "GROUP BY template ORDER BY template"
                )
            )

    # --- inside ----------------------------------------------------------------------------------

    def _new_positions(self, connection: Connection, keys: NDArray[np.void]) -> NDArray[np.intp]:
        """Return the positions of keys that are not there, each key once."""
        _, first = np.unique(keys.view(np.uint64).reshape(-1, 2), axis=0, return_index=True)
        wanted = keys.tolist()
        there: set[bytes] = set()
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            # The only thing formatted in is a number of question marks.
            sql = f"SELECT key FROM entries WHERE key IN ({marks})"  # noqa: S608
            there.update(key for (key,) in connection.execute(sql, part))
        return np.array(sorted(i for i in first.tolist() if wanted[i] not in there), dtype=np.intp)

    def _append(self, start: int, rows: NDArray[np.float32]) -> None:
        """Write rows behind the last committed one, and wait until the disk has them."""
        file = os.open(self.path / MATRIX, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if os.fstat(file).st_size < start * self.row_bytes:
                raise CacheCorruptedError(
                    f"the matrix {self.path / MATRIX} is shorter than the index says: it was cut "
                    f"off. Move the folder {self.path} away to begin a new one"
                )
            view = memoryview(rows.tobytes())
            offset = start * self.row_bytes
            while view:
                written = os.pwrite(file, view, offset)
                view, offset = view[written:], offset + written
            os.fsync(file)
        finally:
            os.close(file)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database.reading(self.path / INDEX) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with database.writing(self.path / INDEX) as connection:
            yield connection
