"""Opening a table's bytes as text: compression, encodings, and errors that say where."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["STDIN", "check_encoding", "open_bytes", "open_lines"]

STDIN = "-"
"""The name that stands for standard input."""

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def check_encoding(name: str) -> str:
    """Return the codec for an encoding; UTF-8 accepts and drops a byte order mark.

    Raises
    ------
    UsageError
        If Python knows no text encoding of that name.

    Examples
    --------
    >>> check_encoding("UTF8"), check_encoding("latin1")
    ('utf-8-sig', 'iso8859-1')
    """
    try:
        codec = codecs.lookup(name)
        b"\0\0\0\0".decode(name)  # refuses codecs that are not text encodings, like base64
    except (LookupError, ValueError):
        raise UsageError(
            f"there is no text encoding {name!r}; give for example --encoding utf-8, latin-1, "
            "cp1252, utf-16, shift_jis or gb18030"
        ) from None
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


class _CountedBytes(io.BufferedIOBase):
    """Bytes passing by, counted with their line ends, so that an error can say where it is."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self.count = 0
        self.beginning = b""
        self.lines_before = 0
        self._last = b""

    def readable(self) -> bool:
        return True

    def read1(self, size: int | None = -1, /) -> bytes:
        self.lines_before += self._last.count(b"\n")
        read = getattr(self._inner, "read1", self._inner.read)
        self._last = cast(bytes, read(-1 if size is None else size))
        self.beginning = self.beginning or self._last[:4]
        self.count += len(self._last)
        return self._last

    def read(self, size: int | None = -1, /) -> bytes:
        return self.read1(size)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        raise io.UnsupportedOperation("readinto")


@contextmanager
def open_bytes(source: str | Path) -> Generator[BinaryIO]:
    """Open a file, a gzip file by its ``.gz``, or standard input, for reading bytes.

    Raises
    ------
    UsageError
        If there is no such file, or it is a folder.
    """
    if str(source) == STDIN:
        yield sys.stdin.buffer
        return
    path = Path(source)
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise UsageError(f"there is no file {str(source)!r}") from None
    except IsADirectoryError:
        raise UsageError(f"{str(source)!r} is a folder; give a file") from None
    with file:
        if path.suffix.lower() == ".gz":
            with gzip.open(file) as unpacked:
                yield cast(BinaryIO, unpacked)
        else:
            yield file


@contextmanager
def open_lines(source: str | Path, encoding: str = "utf-8") -> Generator[Iterator[str]]:
    r"""Open a source as lines of text, which keep their line ends.

    While they are read, bytes that are not of the encoding and damaged gzip data raise
    :class:`~toolkit.errors.DataError`, which names the line and the byte.

    Parameters
    ----------
    source : str or Path
        A file, or ``-`` for standard input.
    encoding : str, default="utf-8"
        Name of the encoding.

    Raises
    ------
    UsageError
        If the encoding or the file does not exist.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.txt")
    ...     _ = path.write_bytes(b"caf\xe9\n")
    ...     with open_lines(path, "latin-1") as lines:
    ...         print(*lines, end="")
    café
    """
    codec = check_encoding(encoding)
    with open_bytes(source) as raw:
        counted = _CountedBytes(raw)
        yield _lines(counted, codec, "standard input" if str(source) == STDIN else str(source))


def _lines(counted: _CountedBytes, codec: str, name: str) -> Iterator[str]:
    # Closing this closes the counter, not the source: standard input stays open.
    wrapper = io.TextIOWrapper(cast(Any, counted), encoding=codec, newline="")
    try:
        yield from wrapper
    except UnicodeDecodeError as error:
        raise _decoding_error(error, counted, codec, name) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{name}: the gzip data are damaged or cut off ({error}); fetch or make the "
            "file anew, or drop the .gz from its name if it is not compressed"
        ) from None


def _decoding_error(
    error: UnicodeDecodeError, counted: _CountedBytes, codec: str, name: str
) -> DataError:
    # What the decoder was given ends where the bytes read so far end.
    at = counted.count - len(error.object) + error.start
    where = f"byte {at:,}"
    if not codec.startswith(("utf-16", "utf-32")):
        line = counted.lines_before + error.object[: error.start].count(b"\n") + 1
        where = f"line {line:,}, {where}"
    said = codec.removesuffix("-sig")
    return DataError(
        f"{name}: {where}: the bytes {error.object[error.start : error.start + 4].hex(' ')} "
        f"are not {said} ({error.reason}). {_guess(counted.beginning)}"
    )


def _guess(beginning: bytes) -> str:
    for mark, name in _BYTE_ORDER_MARKS.items():
        if beginning.startswith(mark):
            return f"The file begins like {name}: give --encoding {name}"
    if beginning.startswith(b"\x1f\x8b"):
        return "The file is gzip data: end its name in .gz, or unpack it"
    if beginning.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "The file is a spreadsheet or an archive: save it as CSV (UTF-8)"
    return (
        "If the file is in another encoding, name it: --encoding cp1252 (Western Windows), "
        "latin-1, shift_jis, gb18030, …"
    )
