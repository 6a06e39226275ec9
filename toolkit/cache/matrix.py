"""The matrix of a space: rows appended and flushed, gathered and checked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.rows import checked_columns, row_checksums, unit_rows
from toolkit.errors import CacheCorruptedError

__all__ = ["appended_rows", "map_rows", "read_rows"]

CHUNK = 256
"""Rows gathered at a time, so that they are checked while they are in the processor's cache."""

MOST_MAPPED = 8

REPAIR = "Run `toolkit cache repair`, which keeps what is sound and deletes nothing"

_mapped: dict[Path, tuple[int, NDArray[np.float32]]] = {}


@contextmanager
def appended_rows(file: Path, start: int, vectors: NDArray[np.float32]) -> Iterator[None]:
    """Write rows behind the first ``start`` ones; at the end of the block the disk has them.

    The block is the time to enter their keys, which are committed after it: the disk is at work
    meanwhile. What a killed writer left there, or one whose block failed, is overwritten: the file
    is never cut off, since others may have mapped it.

    Raises
    ------
    CacheCorruptedError
        If the file is shorter than that.
    OSError
        If the disk is full or cannot be written.
    """
    offset = 4 * vectors.shape[1] * start
    with _opened(file, "r+b") as handle:
        if handle.seek(0, os.SEEK_END) < offset:
            raise _too_short(file)
        handle.seek(offset)
        left = vectors.data.cast("B")
        while left:
            left = left[handle.write(left) :]
        if hasattr(os, "posix_fadvise"):
            # Linux begins to write pages that are said not to be needed, and keeps those it has to
            # write. A hint only: the flush is what counts, and has less left to wait for.
            os.posix_fadvise(handle.fileno(), offset, vectors.nbytes, os.POSIX_FADV_DONTNEED)
        yield
        os.fsync(handle.fileno())


def map_rows(file: Path, count: int, dimension: int) -> NDArray[np.float32]:
    """Return the first ``count`` rows, memory-mapped and read-only.

    Raises
    ------
    CacheCorruptedError
        If the file has fewer.
    """
    if count == 0:
        return np.empty((0, dimension), dtype=np.float32)
    try:
        found = file.stat()
    except FileNotFoundError as error:
        raise _missing(file) from error
    if found.st_size < 4 * dimension * count:
        raise _too_short(file)
    # A new mapping is slow to read at first (a page fault each few rows), so it is kept.
    inode, rows = _mapped.get(file, (-1, np.empty((0, dimension), dtype=np.float32)))
    if inode != found.st_ino or len(rows) < count:
        shape = (found.st_size // (4 * dimension), dimension)
        rows = np.asarray(np.memmap(file, dtype="<f4", mode="r", shape=shape))
        # Single operations on a dict, which threads may mix as they like.
        _mapped.pop(file, None)
        _mapped[file] = (found.st_ino, rows)
        for oldest in list(_mapped)[:-MOST_MAPPED]:
            _mapped.pop(oldest, None)
    return rows[:count]


def read_rows(
    file: Path,
    rows: NDArray[np.int64],
    checksums: NDArray[np.uint32],
    dimension: int,
    dimensions: int | None,
) -> NDArray[np.float32]:
    """Gather rows, compare them with their checksums, cut them to ``dimensions``.

    Parameters
    ----------
    file : Path
        The matrix.
    rows : ndarray of shape (n,)
        Rows the index knows.
    checksums : ndarray of shape (n, ceil(dimension / 128))
        Theirs.
    dimension : int
        Length of a full vector.
    dimensions : int or None
        Columns to return, scaled to unit length again; None for all, as they are stored.

    Returns
    -------
    ndarray of shape (n, dimensions), dtype float32

    Raises
    ------
    CacheCorruptedError
        If the file is too short, or a row is not what was stored.
    """
    wanted = dimension if dimensions is None else min(dimensions, dimension)
    out = np.empty((len(rows), wanted), dtype=np.float32)
    if not len(rows):
        return out
    read = checked_columns(wanted, dimension)
    try:
        stored = map_rows(file, int(rows.max()) + 1, dimension)
    except OSError:
        stored = None  # a file system without memory mapping
    for start in range(0, len(rows), CHUNK):
        part, target = rows[start : start + CHUNK], out[start : start + CHUNK]
        if stored is None:
            chunk = _read_unmapped(file, part, dimension)[:, :read]
        elif read < dimension and dimension % read == 0:
            # Beginnings of rows, as whole rows of a narrower matrix: gathered in one piece each.
            narrow = stored.reshape(-1, read)
            chunk = np.take(narrow, part * (dimension // read), axis=0, mode="clip")
        elif read < dimension:
            chunk = stored[part, :read]
        else:
            # "clip" only spares numpy a copy: the rows are inside.
            chunk = np.take(
                stored, part, axis=0, mode="clip", out=target if wanted == dimension else None
            )
        sums = row_checksums(chunk)
        expected = checksums[start : start + CHUNK, : sums.shape[1]]
        if not np.array_equal(sums, expected):
            bad = int(part[np.flatnonzero((sums != expected).any(axis=1))[0]])
            raise CacheCorruptedError(
                f"row {bad:,} of the matrix {file} is not what was stored (its checksum differs). "
                + REPAIR
            )
        if wanted < dimension:
            target[:] = unit_rows(chunk[:, :wanted])
        elif chunk is not target:
            target[:] = chunk
    return out


def _read_unmapped(file: Path, rows: NDArray[np.int64], dimension: int) -> NDArray[np.float32]:
    out = np.empty((len(rows), dimension), dtype="<f4")
    with _opened(file, "rb") as handle:
        for position, row in enumerate(rows.tolist()):
            handle.seek(4 * dimension * row)
            if handle.readinto(out[position]) != 4 * dimension:
                raise _too_short(file)
    return out


def _opened(file: Path, mode: Literal["rb", "r+b"]) -> FileIO:
    try:
        return file.open(mode, buffering=0)
    except FileNotFoundError as error:
        raise _missing(file) from error


def _missing(file: Path) -> CacheCorruptedError:
    return CacheCorruptedError(f"the matrix {file} is not there, and its index is. " + REPAIR)


def _too_short(file: Path) -> CacheCorruptedError:
    return CacheCorruptedError(
        f"the matrix {file} has fewer rows than its index knows: it was cut off. " + REPAIR
    )
