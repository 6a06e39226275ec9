"""Keys and rows: the pieces that spaces and packs share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CHECKSUM_COLUMNS",
    "KEY_BYTES",
    "KEY_DTYPE",
    "KeyIndex",
    "as_keys",
    "bad_rows",
    "checked_columns",
    "checksum_width",
    "cut_rows",
    "row_checksums",
    "unit_rows",
]

KEY_BYTES = 16
KEY_DTYPE = np.dtype((np.void, KEY_BYTES))

NORM_TOLERANCE = 1e-3
"""A vector normalised in float32, or rounded to float16 (largest error 1.2e-4 a value), is nearer
to length 1 than this."""

CHECKSUM_COLUMNS = 128
"""Columns under one checksum: the smallest dimension EmbeddingGemma is trained to be cut to."""


def as_keys(keys: Any) -> NDArray[np.void]:
    """Return keys as an array of shape (n,) of 16 bytes each.

    Parameters
    ----------
    keys : ndarray of shape (n,), dtype void of 16 bytes, or of shape (n, 16), dtype uint8

    Raises
    ------
    ValueError
        If the array is of neither form.

    Examples
    --------
    >>> import numpy as np
    >>> as_keys(np.zeros((3, 16), dtype=np.uint8)).shape
    (3,)
    """
    array = np.ascontiguousarray(keys)
    if array.dtype == np.uint8 and array.ndim == 2 and array.shape[1] == KEY_BYTES:
        return array.reshape(-1).view(KEY_DTYPE)
    if array.dtype == KEY_DTYPE and array.ndim == 1:
        return array
    raise ValueError(f"keys have shape {array.shape} and dtype {array.dtype}, not (n,) of 16 bytes")


class KeyIndex:
    """Finds rows by key: sorted halves of keys in numpy arrays, 24 bytes a key.

    A lookup is a binary search of the first eight bytes and a comparison of the others; keys
    are digests, so two of them share eight bytes about never, and where they do the search goes
    on.

    Parameters
    ----------
    keys : ndarray of shape (n,), dtype void of 16 bytes
        Distinct keys.
    rows : ndarray of shape (n,), dtype int64, optional
        Their rows; 0 to n - 1 if not given.

    Examples
    --------
    >>> import numpy as np
    >>> keys = as_keys(np.arange(48, dtype=np.uint8).reshape(3, 16))
    >>> KeyIndex(keys).find(keys[[2, 0]])
    array([2, 0])
    """

    def __init__(self, keys: NDArray[np.void], rows: NDArray[np.int64] | None = None) -> None:
        halves = _halves(keys)
        order = np.argsort(halves[:, 0], kind="stable")
        self._first = halves[order, 0]
        self._second = halves[order, 1]
        self._rows = order.astype(np.int64) if rows is None else np.asarray(rows)[order]

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, keys: NDArray[np.void]) -> NDArray[np.int64]:
        """Return the row of each key, -1 where it is not there."""
        found = np.full(len(keys), -1, dtype=np.int64)
        if not len(self) or not len(keys):
            return found
        halves = _halves(keys)
        # Ascending probes walk the sorted array in order, which is kind to the processor's cache.
        order = np.argsort(halves[:, 0])
        first, second = halves[order, 0], halves[order, 1]
        place = np.searchsorted(self._first, first)
        todo = np.arange(len(keys))
        while len(todo):
            inside = place[todo] < len(self)
            todo = todo[inside]
            at = place[todo]
            same_first = self._first[at] == first[todo]
            hit = same_first & (self._second[at] == second[todo])
            found[order[todo[hit]]] = self._rows[at[hit]]
            todo = todo[same_first & ~hit]
            place[todo] += 1
        return found


def bad_rows(vectors: NDArray[Any], dimension: int) -> str:
    """Return what is wrong with vectors that are to be stored; empty if nothing is.

    Examples
    --------
    >>> import numpy as np
    >>> bad_rows(np.array([[1.0, 0.0], [0.5, 0.0]]), 2)
    '1 of 2 vectors are not finite or not of length 1, the first at row 1'
    """
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        return f"vectors have shape {vectors.shape}, not (n, {dimension})"
    wide = vectors.astype(np.float32, copy=False)
    with np.errstate(invalid="ignore", over="ignore"):
        # In float32, which is precise to a thousandth of the tolerance.
        norms = np.sqrt(np.einsum("ij,ij->i", wide, wide))
        bad = np.flatnonzero(~(np.abs(norms - 1.0) <= NORM_TOLERANCE))
    if not len(bad):
        return ""
    return (
        f"{len(bad)} of {len(vectors)} vectors are not finite or not of length 1, the first at "
        f"row {bad[0]}"
    )


def checked_columns(dimensions: int, dimension: int) -> int:
    """Return how many columns must be read to check the first ``dimensions`` of them.

    Examples
    --------
    >>> checked_columns(100, 768), checked_columns(256, 768), checked_columns(500, 512)
    (128, 256, 512)
    """
    return min(-(-dimensions // CHECKSUM_COLUMNS) * CHECKSUM_COLUMNS, dimension)


def checksum_width(dimension: int) -> int:
    """Return the number of checksums of a row.

    Examples
    --------
    >>> checksum_width(768), checksum_width(100)
    (6, 1)
    """
    return -(-dimension // CHECKSUM_COLUMNS)


def row_checksums(vectors: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the checksums of rows, one for each 128 columns.

    The sum of the float32 values, taken as unsigned 32-bit integers, modulo 2**32. Fast enough to
    be compared on every read (a CRC would cost several times the read itself), and kept by
    blocks of columns, so that a read of fewer dimensions checks what it reads and no more. Any
    one flipped bit changes it; zeros, another row or anything else unrelated in the place of a
    block pass with a probability of 2**-32.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), dtype float32

    Returns
    -------
    ndarray of shape (n, ceil(d / 128)), dtype uint32

    Examples
    --------
    >>> import numpy as np
    >>> row_checksums(np.ones((2, 300), dtype=np.float32)).tolist()[0]
    [3221225472, 3221225472, 3925868544]
    """
    words = np.ascontiguousarray(vectors, dtype="<f4").view("<u4")
    n, d = words.shape
    if d % CHECKSUM_COLUMNS == 0:
        blocks = words.reshape(n, d // CHECKSUM_COLUMNS, CHECKSUM_COLUMNS)
        sums: NDArray[np.uint32] = blocks.sum(axis=2, dtype=np.uint32)
    else:
        starts = np.arange(0, d, CHECKSUM_COLUMNS)
        sums = np.add.reduceat(words, starts, axis=1, dtype=np.uint32)
    return sums


def cut_rows(vectors: NDArray[np.float32], dimensions: int | None) -> NDArray[np.float32]:
    """Return the first ``dimensions`` values of each vector, scaled to unit length again.

    Examples
    --------
    >>> import numpy as np
    >>> cut_rows(np.array([[0.6, 0.0, 0.8]], dtype=np.float32), 2)
    array([[1., 0.]], dtype=float32)
    """
    if dimensions is None or dimensions >= vectors.shape[1]:
        return vectors
    return unit_rows(np.ascontiguousarray(vectors[:, :dimensions]))


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors of unit length; a vector of zeros stays one."""
    wide = vectors.astype(np.float64)  # several times faster than einsum's own conversion
    norms: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, None]
    wide /= np.where(norms > 0, norms, 1.0)  # rounded once, at the end
    scaled: NDArray[np.float32] = wide.astype(np.float32)
    return scaled


def _halves(keys: NDArray[np.void]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(keys).view(np.uint64).reshape(-1, 2)
