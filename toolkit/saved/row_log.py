"""Answers written down as they are made, so that an interrupted run goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

from toolkit.embedding.keys import encode_text
from toolkit.errors import UsageError

__all__ = ["RowLog", "logged"]

FORMAT = "embeddinggemma-toolkit rows 1"


class RowLog:
    """A file of finished rows beside an output that is not finished yet.

    The first line says what made it; each further line holds one chunk of rows and a digest of
    its texts, and is on disk before the next chunk is begun. A repeated run takes chunks from it
    as long as their texts are the same, in the same order; from the first that differs, or was
    cut off, the log is begun anew.

    Parameters
    ----------
    path : path
        The file.
    made_by : mapping of str to JSON values
        What decides a row: the model's digest, threshold, ... A file that was made by
        something else is begun anew.

    Attributes
    ----------
    taken : int
        Rows taken from the file so far.
    other : bool
        Whether there was a file made by something else.

    Raises
    ------
    UsageError
        If the file is somebody else's, which is never overwritten.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for run in range(2):
    ...         with RowLog(Path(folder, "out.csv.part"), {"model": "a"}) as log:
    ...             found = log.take(["some text"])
    ...             if found is None:
    ...                 log.put(["some text"], [("fruit", 0.9)])
    >>> found
    [('fruit', 0.9)]
    """

    def __init__(self, path: str | Path, made_by: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.made_by = dict(made_by)
        self.taken = 0
        self.other = False
        self._file: BinaryIO | None = None
        self._replaying = False

    def __enter__(self) -> Self:
        head = json.dumps({"format": FORMAT, **self.made_by}).encode() + b"\n"
        mode = "r+b" if self.path.exists() else "w+b"
        self._file = file = cast("BinaryIO", self.path.open(mode))
        first = file.readline()
        if first and f'"{FORMAT}"'.encode() not in first:
            file.close()
            raise UsageError(
                f"{self.path} is in the way: it was not made by this program. Move it, or give "
                "another name for the output"
            )
        self._replaying = first == head
        if not self._replaying:
            self.other = bool(first)
            file.seek(0)
            file.truncate()
            self._append(head)
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def take(self, texts: Sequence[Any]) -> list[tuple[Any, ...]] | None:
        """Return the rows of the next chunk if they are there for just these texts."""
        if not self._replaying:
            return None
        file = self._open()
        place = file.tell()
        line = file.readline()
        found = _read(line, _digest(texts)) if line.endswith(b"\n") else None
        if found is None or len(found) != len(texts):
            self._replaying = False
            file.seek(place)
            file.truncate()
            return None
        self.taken += len(found)
        return found

    def put(self, texts: Sequence[Any], rows: Sequence[tuple[Any, ...]]) -> None:
        """Write down the rows of the next chunk: tuples, also within tuples, of JSON values."""
        self._append(json.dumps({"texts": _digest(texts), "rows": rows}).encode() + b"\n")

    def remove(self) -> None:
        """Remove the file: the output is whole."""
        self.path.unlink(missing_ok=True)

    def _append(self, line: bytes) -> None:
        file = self._open()
        file.write(line)
        file.flush()
        os.fsync(file.fileno())

    def _open(self) -> BinaryIO:
        if self._file is None:
            raise UsageError("open the log with `with` first")
        return self._file


def logged(
    texts: Iterable[Any],
    answer: Callable[[Sequence[Any], int], Sequence[tuple[Any, ...]]],
    log: RowLog | None,
    *,
    chunk_size: int = 1024,
) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each text, by way of a log.

    Parameters
    ----------
    texts : iterable
        Of any length; read a chunk at a time.
    answer : callable
        From a chunk of texts and the position of its first to its rows.
    log : RowLog or None
        Open; what it knows is not asked for again.
    chunk_size : int, default=1024
        Texts at once.

    Yields
    ------
    tuple

    Examples
    --------
    >>> list(logged("abc", lambda chunk, start: [(start, len(chunk))] * len(chunk), None,
    ...             chunk_size=2))
    [(0, 2), (0, 2), (2, 1)]
    """
    rows = iter(texts)
    start = 0
    while chunk := list(islice(rows, chunk_size)):
        found: Sequence[tuple[Any, ...]] | None = None if log is None else log.take(chunk)
        if found is None:
            found = answer(chunk, start)
            if log is not None:
                log.put(chunk, found)
        start += len(chunk)
        yield from found


def _digest(texts: Sequence[Any]) -> str:
    digest = blake2b(digest_size=16)
    for text in texts:
        piece = b"" if text is None else encode_text(str(text))
        digest.update((-1 if text is None else len(piece)).to_bytes(8, "little", signed=True))
        digest.update(piece)
    return digest.hexdigest()


def _read(line: bytes, digest: str) -> list[tuple[Any, ...]] | None:
    try:
        data = json.loads(line)
        if data["texts"] != digest or not all(isinstance(row, list) for row in data["rows"]):
            return None
        return [_frozen(row) for row in data["rows"]]
    except (ValueError, KeyError, TypeError):
        return None


def _frozen(value: Any) -> Any:
    """Return a list, which is what JSON makes of a tuple, as a tuple again."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
