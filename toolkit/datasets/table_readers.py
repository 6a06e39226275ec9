"""Reading tables row by row: one function per format, all with the same answer."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from toolkit.datasets.table_streams import STDIN, open_lines
from toolkit.errors import DataError, OptionalDependencyError, UsageError

__all__ = [
    "Chunk",
    "Table",
    "read_csv_table",
    "read_frame_table",
    "read_jsonl_table",
    "read_parquet_table",
    "read_text_table",
]

Row = tuple[int, Sequence[Any]]
"""A row's first line in the file, counted from 1, and its cells."""

_LARGEST_CELL = 2**31 - 1
_JSON_LOOKAHEAD = 100
"""Rows of a JSON Lines file that are looked at for its columns."""


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows of a table.

    Parameters
    ----------
    start : int
        Row of the table the first one is, counted from 0.
    columns : dict of str to list
        The cells by column; None where a cell is empty or null.
    lines : list of int, optional
        First line of each row in the file, counted from 1, where the format has lines.
    source : str
        The table's name, for messages.
    """

    start: int
    columns: dict[str, list[Any]]
    lines: list[int] | None
    source: str

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def where(self, position: int) -> str:
        """Return where a row is, for messages; ``position`` counts from 0 in the chunk."""
        if self.lines is not None:
            return f"line {self.lines[position]:,}"
        return f"row {self.start + position + 1:,}"


@dataclass(frozen=True)
class Table:
    """A table opened for one pass over its rows.

    Parameters
    ----------
    name : str
        What messages call it.
    columns : tuple of str
        Names of its columns.
    read : callable
        ``read(columns, size)`` yields chunks of at most ``size`` rows.
    """

    name: str
    columns: tuple[str, ...]
    read: Callable[[Sequence[str], int], Iterator[Chunk]]

    def chunks(self, columns: Sequence[str], size: int = 4096) -> Iterator[Chunk]:
        """Yield the rows of some columns in chunks, at constant memory.

        Parameters
        ----------
        columns : sequence of str
            Names of columns; one that is asked for twice is there once.
        size : int, default=4096
            Most rows of a chunk.

        Raises
        ------
        UsageError
            If a column does not exist or its name is not unique.
        DataError
            If the file cannot be read on.
        """
        return self.read(list(dict.fromkeys(columns)), size)


def _from_rows(name: str, columns: Sequence[str], rows: Iterator[Row]) -> Table:
    def read(wanted: Sequence[str], size: int) -> Iterator[Chunk]:
        places = [list(columns).index(one) for one in wanted]
        start = 0
        while batch := list(islice(rows, size)):
            cells = {
                one: [row[place] for _, row in batch]
                for one, place in zip(wanted, places, strict=True)
            }
            yield Chunk(start, cells, [line for line, _ in batch], name)
            start += len(batch)

    return Table(name, tuple(columns), read)


def _display(source: str | Path) -> str:
    return "standard input" if str(source) == STDIN else str(source)


@contextmanager
def read_csv_table(
    source: str | Path,
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    header: bool = True,
    quotes: bool = True,
) -> Generator[Table]:
    """Open delimited text.

    Cells may hold line ends when quoted, and may be as long as memory allows (Python's own limit
    of 131,072 characters is lifted for the process). An empty cell is a missing value. Blank
    lines at the end are no rows, nor are those of a table with more than one column.

    Parameters
    ----------
    source : str or Path
        A file (``.gz`` is unpacked), or ``-``.
    delimiter : str, default=","
        One character.
    encoding : str, default="utf-8"
        Encoding of the text.
    header : bool, default=True
        Whether the first row holds the names; else they are ``column_1``, ``column_2``, …
    quotes : bool, default=True
        Whether ``"`` encloses cells; False takes it as an ordinary character.

    Yields
    ------
    Table

    Raises
    ------
    DataError
        If the file is empty, a row has more or fewer cells than the header, or a quote is not
        closed; names the line.
    """
    if len(delimiter) != 1:
        raise UsageError(f"the delimiter must be one character, not {delimiter!r}")
    csv.field_size_limit(_LARGEST_CELL)
    name = _display(source)
    with open_lines(source, encoding) as file:
        rows = _csv_rows(file, name, delimiter, quotes)
        try:
            line, first = next(rows)
        except StopIteration:
            raise DataError(f"{name} is empty: there is not even a row of column names") from None
        if header:
            columns = list(first)
        else:
            columns = [f"column_{place}" for place in range(1, len(first) + 1)]
            rows = chain([(line, first)], rows)
        yield _from_rows(name, columns, _even_rows(rows, len(columns), name))


def _csv_rows(file: Iterable[str], name: str, delimiter: str, quotes: bool) -> Iterator[Row]:
    reader = csv.reader(
        file,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(_csv_error(error, name, line, reader.line_num)) from None
        yield line, row


def _csv_error(error: csv.Error, name: str, first: int, last: int) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return (
            f"{name}: line {first:,}: a quote is opened and never closed. Close it, or, if quotes "
            "are ordinary characters in this file, give --no-quotes"
        )
    where = f"line {first:,}" if first == last else f"line {last:,} (row from line {first:,})"
    return (
        f"{name}: {where}: {text}. A quote inside a quoted cell is written twice; if quotes are "
        "ordinary characters in this file, give --no-quotes"
    )


def _even_rows(rows: Iterator[Row], width: int, name: str) -> Iterator[Row]:
    blank: list[int] = []
    for line, row in rows:
        if not row:
            if width == 1:  # an empty cell in the middle, or the end of the file
                blank.append(line)
            continue
        if len(row) != width:
            raise DataError(
                f"{name}: line {line:,} has {len(row)} cells, the first row has {width}. "
                'Put cells that hold the delimiter in "quotes", or name the right --delimiter'
            )
        for empty in blank:
            yield empty, [None]
        blank.clear()
        yield line, [cell or None for cell in row]


@contextmanager
def read_text_table(source: str | Path, *, encoding: str = "utf-8") -> Generator[Table]:
    """Open plain text with one text a line; the one column is ``text``.

    A blank line is a missing text, so that row and line numbers stay in step.

    Yields
    ------
    Table
    """
    name = _display(source)
    with open_lines(source, encoding) as file:
        rows = ((line, (text.rstrip("\r\n") or None,)) for line, text in enumerate(file, start=1))
        yield _from_rows(name, ("text",), rows)


@contextmanager
def read_jsonl_table(source: str | Path, *, encoding: str = "utf-8") -> Generator[Table]:
    """Open JSON Lines: one object a line.

    The columns are the keys of the first hundred objects. A key an object lacks is a missing
    value.

    Yields
    ------
    Table

    Raises
    ------
    DataError
        If the file is empty, a line is no JSON object, or repeats a key; names the line.
    """
    name = _display(source)
    with open_lines(source, encoding) as file:
        objects = _json_objects(file, name)
        head = list(islice(objects, _JSON_LOOKAHEAD))
        if not head:
            raise DataError(f"{name} is empty: there is no JSON object in it")
        columns = list(dict.fromkeys(key for _, item in head for key in item))

        def rows() -> Iterator[Row]:
            for line, item in chain(head, objects):
                yield line, [item.get(column) for column in columns]

        yield _from_rows(name, columns, rows())


def _json_objects(file: Iterable[str], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            item = json.loads(text, object_pairs_hook=_unique_keys)
        except json.JSONDecodeError as error:
            hint = ""
            if line == 1 and text.lstrip().startswith("["):
                hint = ". This looks like one JSON array; JSON Lines has one object a line"
            raise DataError(
                f"{name}: line {line:,}, column {error.colno}: no valid JSON ({error.msg}){hint}"
            ) from None
        except (_RepeatedKeyError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise DataError(f"{name}: line {line:,}: {reason}") from None
        if not isinstance(item, dict):
            raise DataError(
                f"{name}: line {line:,} holds a JSON {_JSON_NAMES.get(type(item), 'number')}, not "
                'an object like {"text": "…"}'
            )
        yield line, item


_JSON_NAMES = {list: "array", str: "string", bool: "true or false", type(None): "null"}


class _RepeatedKeyError(Exception):
    pass


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    item = dict(pairs)
    if len(item) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        raise _RepeatedKeyError(f"the key {repeated[0]!r} is there twice")
    return item


@contextmanager
def read_parquet_table(source: str | Path) -> Generator[Table]:
    """Open a Parquet file.

    Yields
    ------
    Table

    Raises
    ------
    OptionalDependencyError
        If pyarrow is not installed.
    DataError
        If the file is no Parquet.
    UsageError
        If it is to come from standard input, or does not exist.
    """
    if str(source) == STDIN:
        raise UsageError("Parquet cannot be read from standard input; give the file's name")
    path = Path(source)
    if not path.is_file():
        raise UsageError(
            f"{str(path)!r} is a folder; give a file"
            if path.is_dir()
            else f"there is no file {str(path)!r}"
        )
    parquet, pyarrow = import_pyarrow("reading")
    try:
        file = parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file ({error})") from None
    with file:

        def read(wanted: Sequence[str], size: int) -> Iterator[Chunk]:
            start = 0
            try:
                for batch in file.iter_batches(batch_size=size, columns=list(wanted)):
                    cells = {one: batch.column(one).to_pylist() for one in wanted}
                    yield Chunk(start, cells, None, str(path))
                    start += batch.num_rows
            except (pyarrow.ArrowException, OSError) as error:
                raise DataError(f"{path}: damaged after row {start:,} ({error})") from None

        yield Table(str(path), tuple(file.schema_arrow.names), read)


def import_pyarrow(doing: str) -> tuple[Any, Any]:
    """Return ``pyarrow.parquet`` and ``pyarrow``, or raise with the line that installs them."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise OptionalDependencyError(
            f"{doing} Parquet needs pyarrow: pip install 'embeddinggemma-toolkit[parquet]'"
        ) from None
    return parquet, pa


def read_frame_table(name: str, frame: Any) -> Table:
    """Make a table of a pandas DataFrame.

    Parameters
    ----------
    name : str
        What messages call it.
    frame : DataFrame
        The data; NaN and NA become None.

    Returns
    -------
    Table
    """
    import pandas as pd

    def read(wanted: Sequence[str], size: int) -> Iterator[Chunk]:
        for start in range(0, len(frame), size):
            part = frame.iloc[start : start + size]
            cells = {
                one: [None if pd.isna(value) else value for value in part[one].tolist()]
                for one in wanted
            }
            yield Chunk(start, cells, None, name)

    return Table(name, tuple(map(str, frame.columns)), read)
