"""Writing tables: CSV, TSV, JSON Lines and Parquet, in chunks."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

from toolkit.datasets.output_files import check_output, output_file
from toolkit.datasets.table_readers import import_pyarrow
from toolkit.datasets.tables import SUFFIXES
from toolkit.errors import DataError, UsageError

__all__ = [
    "OUTPUT_FORMATS",
    "TableWriter",
    "check_table_output",
    "open_writer",
    "output_format",
    "spreadsheet_safe",
    "write_table",
]

OUTPUT_FORMATS = ("csv", "tsv", "jsonl", "parquet")
_FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n")


class TableWriter(Protocol):
    """What takes the rows of a table in chunks."""

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Write some rows: the cells by column, the same columns each time."""
        ...


def spreadsheet_safe(value: Any) -> Any:
    """Return a cell that no spreadsheet runs as a formula: texts that look like one get a ``'``.

    Parameters
    ----------
    value : Any
        A cell; only texts are changed.

    Examples
    --------
    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("a=b"), spreadsheet_safe(-1.5)
    ("'=1+1", 'a=b', -1.5)
    """
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_BEGINNINGS):
        return "'" + value
    return value


def output_format(path: str | Path | None, asked: str | None = None) -> str:
    """Return the format of a table to write.

    Parameters
    ----------
    path : str or Path, optional
        The file; None or ``-`` for standard output, whose format is CSV unless asked for.
    asked : str, optional
        A format asked for.

    Raises
    ------
    UsageError
        If the ending is unknown, or the format cannot be written there.

    Examples
    --------
    >>> output_format("a.csv.gz"), output_format(None), output_format("-", "jsonl")
    ('csv', 'csv', 'jsonl')
    """
    standard = path is None or str(path) == "-"
    if asked is not None:
        if asked not in OUTPUT_FORMATS:
            raise UsageError(f"the output format is one of {', '.join(OUTPUT_FORMATS)}: {asked!r}")
        if standard and asked == "parquet":
            raise UsageError("Parquet cannot be written to standard output; give --out FILE")
        return asked
    if standard:
        return "csv"
    suffix = Path(Path(str(path)).name.lower().removesuffix(".gz")).suffix
    found = SUFFIXES.get(suffix)
    if found is None or found == "text":
        raise UsageError(
            f"cannot tell the format of {str(path)!r} from its name; end it in .csv, .tsv, "
            ".jsonl or .parquet"
        )
    return found


def check_table_output(
    path: str | Path | None, asked: str | None = None, *, force: bool = False
) -> None:
    """Check, before any work is done, that a table can be written there in its format.

    Raises
    ------
    UsageError
        If the file is there without ``force``, or its format cannot be told.
    OptionalDependencyError
        If it is Parquet and pyarrow is not installed.
    """
    if output_format(path, asked) == "parquet":
        import_pyarrow("writing")
    if path is not None and str(path) != "-":
        check_output(path, force=force)


class _DelimitedWriter:
    def __init__(self, file: TextIO, delimiter: str, safe: bool) -> None:
        self._writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        # Until Python 3.13, the writer leaves a lone carriage return unquoted, and then no
        # reader can tell it from the end of the row.
        self._quoting = csv.writer(
            file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL
        )
        self._clean = spreadsheet_safe if safe else _unchanged
        self._begun = False

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        if not self._begun:
            self._write_row(columns)
            self._begun = True
        rows: Iterable[tuple[Any, ...]] = zip(*columns.values(), strict=True)
        for row in rows:
            self._write_row(map(_plain, row))

    def _write_row(self, cells: Iterable[Any]) -> None:
        row = [self._clean(_json(c) if isinstance(c, list | dict) else c) for c in cells]
        returns = any(isinstance(cell, str) and "\r" in cell for cell in row)
        (self._quoting if returns else self._writer).writerow(row)


class _JsonLinesWriter:
    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        names = list(columns)
        for row in zip(*columns.values(), strict=True):
            item = {name: _plain(cell) for name, cell in zip(names, row, strict=True)}
            self._file.write(_json(item) + "\n")


class _ParquetWriter:
    def __init__(self, path: Path) -> None:
        self._parquet, self._arrow = import_pyarrow("writing")
        self._path = path
        self._file: Any = None

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        arrow = self._arrow
        arrays = {name: self._array(name, cells) for name, cells in columns.items()}
        if self._file is None:
            table = arrow.table(arrays)
            self._file = self._parquet.ParquetWriter(self._path, table.schema)
        else:
            try:
                table = arrow.table(
                    [arrays[field.name].cast(field.type) for field in self._file.schema],
                    schema=self._file.schema,
                )
            except arrow.ArrowException as error:
                raise DataError(
                    f"{self._path.name}: a column changes its type further down, which Parquet "
                    f"cannot hold ({error}); write .csv or .jsonl"
                ) from None
        self._file.write_table(table)

    def _array(self, name: str, cells: Sequence[Any]) -> Any:
        import numpy as np

        if isinstance(cells, np.ndarray) and cells.ndim == 2:
            values = self._arrow.array(np.ascontiguousarray(cells).reshape(-1))
            return self._arrow.FixedSizeListArray.from_arrays(values, cells.shape[1])
        plain = [_plain(cell) for cell in cells]
        # Mixed with texts, everything is text; and a column that is empty so far may hold texts
        # further down.
        if any(isinstance(cell, str) for cell in plain) or all(cell is None for cell in plain):
            plain = [None if cell is None else _sound(str(cell)) for cell in plain]
            return self._arrow.array(plain, type=self._arrow.large_string())
        try:
            return self._arrow.array(plain)
        except self._arrow.ArrowException as error:
            raise DataError(
                f"the column {name!r} cannot be written as Parquet ({error}); write .csv or .jsonl"
            ) from None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


@contextmanager
def open_writer(
    path: str | Path | None,
    asked: str | None = None,
    *,
    force: bool = False,
    safe: bool = False,
) -> Generator[TableWriter]:
    """Open a table for writing; the file appears when the block ends well.

    Parameters
    ----------
    path : str or Path, optional
        The file; None or ``-`` for standard output.
    asked : {"csv", "tsv", "jsonl", "parquet"}, optional
        The format; None goes by the file's ending, CSV on standard output.
    force : bool, default=False
        Whether a file that is there may be overwritten.
    safe : bool, default=False
        Whether cells of CSV and TSV that a spreadsheet would run as formulas are neutralised
        with a leading ``'``.

    Yields
    ------
    TableWriter

    Raises
    ------
    UsageError
        As :func:`output_format` and :func:`~toolkit.datasets.output_files.check_output`.
    """
    kind = output_format(path, asked)
    if path is None or str(path) == "-":
        # Texts may hold what the terminal's encoding lacks; files of results are UTF-8.
        text = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="replace", newline="")
        try:
            yield _text_writer(text, kind, safe)
            text.flush()
        finally:
            text.detach()
        return
    with output_file(path, force=force) as place:
        if kind == "parquet":
            parquet = _ParquetWriter(place)
            try:
                yield parquet
            finally:
                parquet.close()
            return
        with ExitStack() as stack:
            raw: Any = stack.enter_context(place.open("wb"))
            if str(path).lower().endswith(".gz"):
                # No name or time of day inside: the same rows give the same bytes.
                raw = stack.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))
            file = io.TextIOWrapper(raw, encoding="utf-8", errors="replace", newline="")
            yield _text_writer(stack.enter_context(file), kind, safe)


def _text_writer(file: TextIO, kind: str, safe: bool) -> TableWriter:
    if kind == "jsonl":
        return _JsonLinesWriter(file)
    return _DelimitedWriter(file, "\t" if kind == "tsv" else ",", safe)


def write_table(
    path: str | Path | None,
    columns: Mapping[str, Sequence[Any]],
    asked: str | None = None,
    *,
    force: bool = False,
    safe: bool = False,
) -> None:
    """Write a whole table; parameters as :func:`open_writer`.

    Parameters
    ----------
    path : str or Path, optional
        The file; None or ``-`` for standard output.
    columns : mapping of str to sequence
        The cells by column.
    asked, force, safe
        See :func:`open_writer`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.jsonl")
    ...     write_table(path, {"text": ["a, b", None], "n": [1, 2]})
    ...     print(path.read_text(), end="")
    {"text": "a, b", "n": 1}
    {"text": null, "n": 2}
    """
    with open_writer(path, asked, force=force, safe=safe) as writer:
        writer.write(columns)


def _unchanged(value: Any) -> Any:
    return value


def _plain(value: Any) -> Any:
    """Return a Python value for a numpy one; a NaN is a missing value."""
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    elif hasattr(value, "tolist"):
        value = value.tolist()
    return None if isinstance(value, float) and value != value else value


def _json(value: Any) -> str:
    """Return JSON; times as ISO 8601, whatever else JSON lacks (decimals, bytes) as text."""
    text = json.dumps(value, ensure_ascii=False, default=_as_text)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can escape
        return json.dumps(value, default=_as_text)
    return text


def _as_text(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _sound(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
