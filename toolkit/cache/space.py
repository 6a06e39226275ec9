"""One vector space on disk: an SQLite index beside a plain matrix.

``index.sqlite`` (:mod:`toolkit.cache.index`) maps keys to rows; ``vectors.f32`` is a row-major
matrix of little-endian float32 and nothing else. A writer takes the index's write lock (``BEGIN
IMMEDIATE``), writes rows behind the last committed one, enters their keys, flushes the matrix
(``fsync``) and commits (write-ahead log, ``synchronous=FULL``: another ``fsync``). So a row that
the index knows is on disk. What is behind the last known row (of a crash, or of a batch that
another writer had stored already) is overwritten by the next writer, once it is certain to be
nobody's (:mod:`toolkit.cache.settling`). Readers never wait: they see
the index as it was when they looked, and a row never changes once it is known. Every row read is
compared with its checksum. Pruning (:mod:`toolkit.cache.compaction`) begins another matrix, and row
numbers from before are refused.

Not for file systems shared between machines (NFS, SMB): SQLite's write-ahead log needs shared
memory. There, copy the folder, or travel with a vector pack.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from toolkit.cache import index, matrix, memory, usage
from toolkit.cache.claims import Claim, claim_keys
from toolkit.cache.connections import readable_errors, reading, writing
from toolkit.cache.index import INDEX
from toolkit.cache.rows import (
    as_keys,
    bad_rows,
    checksum_width,
    row_checksums,
)
from toolkit.cache.settling import writing_rows
from toolkit.errors import CacheCorruptedError, CacheError, RowsMovedError
from toolkit.identity import ModelIdentity

__all__ = ["Space"]

Found = TypeVar("Found")

PRUNED_IN_A_ROW = 10
"""Each time takes a prune between two lines of a reader."""


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

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.cache import EmbeddingCache, bundled_packs
    >>> space = EmbeddingCache(tempfile.mkdtemp()).import_(bundled_packs()[0]).space
    >>> vectors, found = space.get(space.keys()[:3], dimensions=256)
    >>> vectors.shape, found.tolist(), space.identity.model
    ((3, 256), [True, True, True], 'embeddinggemma')
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        with reading(self.path / INDEX) as connection:
            self.identity = index.read_identity(connection, self.path)

    @classmethod
    def create(cls, path: Path, identity: ModelIdentity, *, seen: bool = True) -> Space:
        """Make a new, empty space; the folder appears as a whole.

        Parameters
        ----------
        path : Path
            The new folder.
        identity : ModelIdentity
            With canaries.
        seen : bool, default=True
            Whether the identity was met on this machine, and is to be known again.
        """
        index.create(path, identity, seen=seen)
        return cls(path)

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

    def __len__(self) -> int:
        with self._reading() as connection:
            return index.state(connection)[1]

    # --- reading ---------------------------------------------------------------------------------

    def lookup(self, keys: Any) -> NDArray[np.int64]:
        """Return the row number of each key, shape (n,), -1 where it is not there.

        Row numbers are for :meth:`read`. Until the space is pruned, they are the rows of
        :meth:`matrix` too; :meth:`snapshot` says which row is whose at any time.

        Parameters
        ----------
        keys : ndarray of shape (n,) of 16 bytes
        """
        return memory.find_rows(self.path, as_keys(keys), checksum_width(self.dimension))

    def read(self, rows: NDArray[np.int64], dimensions: int | None = None) -> NDArray[np.float32]:
        """Return vectors by row, as they were stored.

        Parameters
        ----------
        rows : ndarray of shape (n,)
            As :meth:`lookup` gives them, none of them -1.
        dimensions : int, optional
            The first so many values, scaled to unit length again; None for all.

        Returns
        -------
        ndarray of shape (n, dimensions), dtype float32

        Raises
        ------
        RowsMovedError
            If the space was pruned after they were looked up: look the keys up again.
        CacheCorruptedError
            If a row is not what was stored, or is not there.
        """
        numbers = np.asarray(rows, dtype=np.int64)
        width = checksum_width(self.dimension)
        name, places, checksums = memory.find_checksums(self.path, numbers, width)
        file = self.path / name
        with self._of_matrix(name), readable_errors(file):
            found = matrix.read_rows(file, places, checksums, self.dimension, dimensions)
        usage.note_rows(self.path, numbers)
        return found

    def get(
        self, keys: Any, dimensions: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of the keys that are there, and which are.

        Parameters
        ----------
        keys : ndarray of shape (n,) of 16 bytes
        dimensions : int, optional
            The first so many values, scaled to unit length again; None for all.

        Returns
        -------
        vectors : ndarray of shape (number found, dimensions), dtype float32
        found : ndarray of shape (n,), dtype bool

        Raises
        ------
        CacheCorruptedError
            If a row is not what was stored.
        """
        known = as_keys(keys)
        rows, vectors = self._again_if_moved(lambda: self._look_up_and_read(known, dimensions))
        found: NDArray[np.bool_] = rows >= 0
        hits = int(found.sum())
        usage.note_call(self.path, "", hits, len(found) - hits)
        return vectors, found

    def matrix(self) -> NDArray[np.float32]:
        """Return all rows, shape (len, dimension), memory-mapped and read-only.

        For work on more vectors than fit into memory. Rows added later are not in it, and
        checksums are not compared. The rows are in the order of :meth:`keys`.
        """
        return self.snapshot()[1]

    def snapshot(self) -> tuple[NDArray[np.void], NDArray[np.float32]]:
        """Return the keys, shape (n,), and the matrix, shape (n, dimension), of one moment.

        They belong together whatever other processes add or prune meanwhile.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from toolkit.cache import bundled_spaces
        >>> pack = bundled_spaces()[0]
        >>> space = Space.create(Path(tempfile.mkdtemp()) / "space", pack.identity)
        >>> space.put(pack.keys()[:3], pack.read(np.arange(3)), "{text}")
        3
        >>> keys, matrix = space.snapshot()
        >>> keys.shape, matrix.shape
        ((3,), (3, 768))
        """
        name, found, rows = self._again_if_moved(self._snapshot)
        first = index.generation(name) << memory.ROW_BITS
        usage.note_rows(self.path, np.arange(first, first + len(rows), usage.BLOCK))
        return found, rows

    def keys(self, prompt: str | None = None) -> NDArray[np.void]:
        """Return the keys in the order of their rows; of one prompt's template, or of all."""
        with self._reading() as connection:
            return index.stored_keys(connection, prompt)

    def sightings(self) -> list[ModelIdentity]:
        """Return every identity that was found here to give this space, without canaries."""
        with self._reading() as connection:
            return index.read_sightings(connection)

    def counts(self) -> dict[str, int]:
        """Return the number of rows by prompt."""
        with self._reading() as connection:
            return index.count_by_prompt(connection)

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
        with np.errstate(over="ignore"):  # what overflows is refused below
            data = np.ascontiguousarray(vectors, dtype="<f4")
        if problem := bad_rows(data, self.dimension):
            raise CacheError(f"these vectors are not stored: {problem}")
        if len(known) != len(data):
            raise CacheError(f"{len(known)} keys for {len(data)} vectors")
        if not len(known):
            return 0
        with writing_rows(self.path, self.dimension) as (connection, name, start):
            template = index.prompt_id(connection, prompt)

            def enter(keys: NDArray[np.void], rows: NDArray[np.float32]) -> int:
                with matrix.appended_rows(self.path / name, start, rows):
                    index.enter(connection, start, keys, row_checksums(rows), template)
                return len(keys)

            try:  # nearly always all are new; to look first would take a tenth of the time
                count = enter(known, data)
            except sqlite3.IntegrityError:
                index.undo(connection, start)
                new = index.new_positions(connection, known.tolist())
                count = enter(known[new], data[new]) if new else 0
        if not count:
            return 0
        first = index.generation(name) << memory.ROW_BITS
        usage.note_rows(self.path, np.arange(first + start, first + start + count))
        return count

    def note_call(self, prompt: str, hits: int, misses: int) -> None:
        """Count the texts of a call for :meth:`EmbeddingCache.stats`; never fails or waits."""
        usage.note_call(self.path, prompt, hits, misses)

    def claim(self, keys: Any) -> Claim:
        """Say that these keys are being embedded, but for those that another caller claims.

        Parameters
        ----------
        keys : ndarray of shape (n,) of 16 bytes

        Returns
        -------
        Claim
            For a ``with`` statement: ``mine`` says which keys it has. It ends with the block or
            with the process, however that ends. Where nothing can be written, all are ``mine``.
        """
        return claim_keys(self.path, as_keys(keys))

    def record(self, identity: ModelIdentity) -> None:
        """Note that this model, on this version of its engine, gives this space."""
        with writing(self.path / INDEX) as connection:
            index.note_sighting(connection, identity)

    # --- inside ----------------------------------------------------------------------------------

    def _look_up_and_read(
        self, keys: NDArray[np.void], dimensions: int | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        rows = self.lookup(keys)
        return rows, self.read(rows[rows >= 0], dimensions)

    def _snapshot(self) -> tuple[str, NDArray[np.void], NDArray[np.float32]]:
        with self._reading() as connection:
            name, count = index.state(connection)
            found = index.stored_keys(connection, None)
        with self._of_matrix(name), readable_errors(self.path / name):
            return name, found, matrix.map_rows(self.path / name, count, self.dimension)

    def _again_if_moved(self, read: Callable[[], Found]) -> Found:
        for _ in range(PRUNED_IN_A_ROW):
            with suppress(RowsMovedError):
                return read()
        return read()

    @contextmanager
    def _of_matrix(self, name: str) -> Iterator[None]:
        """Tell a matrix that is damaged from one that pruning has replaced meanwhile."""
        try:
            yield
        except CacheCorruptedError:
            with self._reading() as connection:
                now, _ = index.state(connection)
            if now != name:
                raise memory.rows_moved(self.path) from None
            raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with reading(self.path / INDEX) as connection, index.interpreted(self.path):
            yield connection
