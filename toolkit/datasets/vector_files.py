"""Writing vectors chunk by chunk: NumPy files, Parquet, JSON Lines and vector packs."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from toolkit.datasets.output_files import check_output, output_file
from toolkit.datasets.table_readers import import_pyarrow
from toolkit.datasets.table_writers import open_writer
from toolkit.embedding.keys import hash_texts, unique_texts
from toolkit.errors import DataError, UsageError
from toolkit.identity import ModelIdentity
from toolkit.prompts import Prompt

__all__ = ["VECTOR_ENDINGS", "VectorWriter", "check_vector_output", "open_vector_writer"]

VECTOR_ENDINGS = (".npy", ".npz", ".parquet", ".jsonl", ".safetensors")
_TABLES = (".parquet", ".jsonl", ".jsonl.gz")
PROVENANCE_LIMIT = 200


class VectorWriter(Protocol):
    """What takes vectors and what belongs to them, in chunks."""

    def write(
        self,
        vectors: NDArray[np.float32],
        texts: Sequence[str | None],
        columns: Mapping[str, Sequence[Any]],
    ) -> None:
        """Write some rows."""
        ...

    def describe(self, identity: ModelIdentity, prompt: str) -> None:
        """Say, before the end, what made the vectors."""
        ...


def check_vector_output(path: str | Path | None, *, force: bool = False) -> str:
    """Check, before any work is done, that vectors can be written there.

    Parameters
    ----------
    path : str or Path, optional
        The file; None or ``-`` for JSON Lines on standard output.
    force : bool, default=False
        Whether a file that is there may be overwritten.

    Returns
    -------
    str
        The ending, which tells the format.

    Raises
    ------
    UsageError
        If the ending is unknown or the file is there without ``force``.
    OptionalDependencyError
        If it is Parquet and pyarrow is not installed.

    Examples
    --------
    >>> check_vector_output("-")
    '.jsonl'
    """
    if path is None or str(path) == "-":
        return ".jsonl"
    name = Path(path).name.lower()
    ending = ".jsonl.gz" if name.endswith(".jsonl.gz") else Path(name).suffix
    if ending not in (*VECTOR_ENDINGS, ".jsonl.gz"):
        raise UsageError(
            f"cannot tell the format of {str(path)!r} from its name; end it in .npy (the matrix "
            "alone), .npz (with what made it), .parquet or .jsonl (with texts and columns), or "
            ".safetensors (a vector pack, to hand on)"
        )
    if ending == ".parquet":
        import_pyarrow("writing")
    check_output(path, force=force)
    return ending


@contextmanager
def open_vector_writer(
    path: str | Path | None, *, force: bool = False, with_texts: bool = True
) -> Generator[VectorWriter]:
    """Open a file for vectors; it appears when the block ends well.

    Memory does not grow with the number of vectors, except for ``.safetensors``.

    Parameters
    ----------
    path : str or Path, optional
        The file, whose ending tells the format; None or ``-`` for JSON Lines on standard output.
    force : bool, default=False
        Whether a file that is there may be overwritten.
    with_texts : bool, default=True
        Whether ``.parquet`` and ``.jsonl`` hold the texts, too.

    Yields
    ------
    VectorWriter

    Raises
    ------
    UsageError
        As :func:`check_vector_output`.
    """
    ending = check_vector_output(path, force=force)
    if ending in _TABLES:
        with open_writer(path, ending.split(".")[1], force=force) as table:
            yield _TableWriter(table, lists=ending != ".parquet", with_texts=with_texts)
        return
    assert path is not None  # noqa: S101 - standard output is JSON Lines
    with output_file(path, force=force) as place, ExitStack() as stack:
        if ending == ".npy":
            matrix = _NpyWriter(stack.enter_context(place.open("wb+")))
            yield matrix
            matrix.finish()
            return
        # The rows go to a file beside it first: their number is known at the end only.
        beside = place.with_name(f"{place.name}.npy")
        stack.callback(_remove, beside)
        with beside.open("wb+") as file:
            if ending == ".npz":
                writer: _NpzWriter | _PackWriter = _NpzWriter(file)
            else:
                writer = _PackWriter(file)
            yield writer
            writer.matrix.finish()
        writer.collect(beside, place)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


class _TableWriter:
    def __init__(self, table: Any, *, lists: bool, with_texts: bool) -> None:
        self._table = table
        self._lists = lists
        self._with_texts = with_texts

    def write(
        self,
        vectors: NDArray[np.float32],
        texts: Sequence[str | None],
        columns: Mapping[str, Sequence[Any]],
    ) -> None:
        cells: dict[str, Any] = {"text": texts} if self._with_texts else {}
        cells |= columns
        cells["vector"] = [_json_vector(row) for row in vectors] if self._lists else vectors
        self._table.write(cells)

    def describe(self, identity: ModelIdentity, prompt: str) -> None:
        """Nothing: a table says what its columns are, and no more."""


def _json_vector(row: NDArray[np.float32]) -> list[float] | None:
    """Return a vector's shortest decimal numbers, or None if it has none."""
    if not np.isfinite(row).all():
        return None
    return [float(str(value)) for value in row]


class _NpyWriter:
    """A ``.npy`` file that grows: its header has room for the number of rows."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._width: int | None = None
        self.rows = 0

    def write(
        self,
        vectors: NDArray[np.float32],
        texts: Sequence[str | None] = (),
        columns: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        if self._width is None:
            self._width = vectors.shape[1]
            self._header()
        self._file.write(np.ascontiguousarray(vectors, dtype="<f4").data)
        self.rows += len(vectors)

    def describe(self, identity: ModelIdentity, prompt: str) -> None:
        """Nothing: the format holds a matrix and no more."""

    def finish(self) -> None:
        if self._width is None:
            self._width = 0
        self._file.seek(0)
        self._header()
        self._file.seek(0, os.SEEK_END)
        self._file.flush()

    def _header(self) -> None:
        # numpy pads the header so that the first dimension can grow to 21 digits in place.
        head = {"descr": "<f4", "fortran_order": False, "shape": (self.rows, self._width)}
        np.lib.format.write_array_header_1_0(self._file, head)


class _NpzWriter:
    """The matrix, and what made it as JSON, in a ``.npz``."""

    def __init__(self, file: BinaryIO) -> None:
        self.matrix = _NpyWriter(file)
        self._metadata = "{}"

    def write(
        self,
        vectors: NDArray[np.float32],
        texts: Sequence[str | None],
        columns: Mapping[str, Sequence[Any]],
    ) -> None:
        self.matrix.write(vectors)

    def describe(self, identity: ModelIdentity, prompt: str) -> None:
        described = {"identity": identity.to_dict(), "prompt": prompt}
        self._metadata = json.dumps(described, ensure_ascii=False)

    def collect(self, beside: Path, place: Path) -> None:
        with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
            archive.write(beside, "vectors.npy")
            buffer = io.BytesIO()
            np.save(buffer, np.array(self._metadata), allow_pickle=False)
            archive.writestr("metadata.npy", buffer.getvalue())


class _PackWriter:
    """Full vectors under their keys: what the cache, too, knows them by."""

    def __init__(self, file: BinaryIO) -> None:
        self.matrix = _NpyWriter(file)
        self._keys: list[NDArray[np.void]] = []
        self._described: tuple[ModelIdentity, str] | None = None

    def write(
        self,
        vectors: NDArray[np.float32],
        texts: Sequence[str | None],
        columns: Mapping[str, Sequence[Any]],
    ) -> None:
        if self._described is None:
            raise UsageError("describe() comes before write() of a pack: keys need the prompt")
        found = np.flatnonzero(np.isfinite(vectors).all(axis=1))
        kept = [texts[row] or "" for row in found.tolist()]
        self._keys.append(hash_texts(kept, Prompt(self._described[1])))
        self.matrix.write(vectors[found])

    def describe(self, identity: ModelIdentity, prompt: str) -> None:
        self._described = identity, prompt

    def collect(self, beside: Path, place: Path) -> None:
        from toolkit.cache.packs import write_pack

        if self._described is None or not self.matrix.rows:
            raise DataError("there is no vector to put in the pack")
        identity, prompt = self._described
        keys = np.concatenate(self._keys)
        first, _ = unique_texts(keys)
        vectors = np.load(beside, mmap_mode="r")
        write_pack(
            place,
            keys[first],
            vectors if len(first) == len(vectors) else vectors[first],
            identity,
            prompt,
            provenance=identity.describe()[:PROVENANCE_LIMIT],
        )
