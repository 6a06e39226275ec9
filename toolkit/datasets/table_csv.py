"""Reading delimited text."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from toolkit.datasets.table import Row, Table, shorten, table_name, table_of_rows
from toolkit.datasets.table_streams import open_lines
from toolkit.errors import DataError, UsageError

__all__ = ["read_csv_table"]

_LARGEST_CELL = 2**31 - 1
_EXCEL_NOTE = "sep="
"""How the line begins that Excel takes as a note of the delimiter."""
_NO_HEADER = (
    "If the first row is data, not names, give --no-header: columns are then column_1, column_2, …"
)


@contextmanager
def read_csv_table(
    source: str | Path,
    *,
    delimiter: str | None = None,
    usual: str = ",",
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
    delimiter : str, optional
        One character, or a backslash and ``t`` for a tab. None takes the usual one, and refuses
        a table that by its first row has another.
    usual : str, default=","
        The usual delimiter of the format.
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
        If the file is empty, has another delimiter, a row has more or fewer cells than the
        header, or a quote is not closed; names the line.
    """
    if delimiter == r"\t":  # as it is typed where the shell makes no tab of it
        delimiter = "\t"
    if delimiter is not None and len(delimiter) != 1:
        raise UsageError(f"the delimiter must be one character, not {delimiter!r}")
    csv.field_size_limit(_LARGEST_CELL)
    name = table_name(source)
    with open_lines(source, encoding) as file:
        rows = _csv_rows(file, name, delimiter or usual, quotes)
        try:
            line, first = next(rows)
        except StopIteration:
            raise DataError(f"{name} is empty: there is not even a row of column names") from None
        if not first:
            raise DataError(
                f"{name}: line {line:,} is blank, where the names of the columns should be (or, "
                "with --no-header, the first row). Delete it"
            )
        if delimiter is None:
            _check_delimiter(first, usual, header, name)
        if header:
            columns = list(first)
        else:
            columns = [f"column_{place}" for place in range(1, len(first) + 1)]
            rows = chain([(line, first)], rows)
        yield table_of_rows(
            name, columns, _even_rows(rows, len(columns), name), hint=_NO_HEADER if header else ""
        )


def _check_delimiter(first: Sequence[str], usual: str, header: bool, name: str) -> None:
    """Refuse a first row that is one cell with another delimiter in it.

    Taken as a table of one column, such a file would be embedded with its numbers and labels, and
    nobody would see it.
    """
    if len(first) > 1 and not first[0].startswith(_EXCEL_NOTE):
        return
    cell = first[0] if first else ""
    if cell.startswith(_EXCEL_NOTE) and len(cell) <= len(_EXCEL_NOTE) + 1:
        said = repr(cell[len(_EXCEL_NOTE) :] or usual)
        raise DataError(
            f"{name}: the first line, {cell!r}, is a note to Excel about the delimiter and no row. "
            f"Delete that line, and give --delimiter {said}"
        )
    # Sentences have commas; names of columns hardly do.
    others = [one for one in (";", "\t", "|", ",") if one != usual and (header or one != ",")]
    found = max(others, key=cell.count)
    if cell.count(found):
        what = {"\t": "a tab"}.get(found, repr(found))
        raise DataError(
            f"{name}: the first row is a single cell with {what} in it: {shorten(cell)!r}. If that "
            f"is the delimiter, give --delimiter {found!r}; if the table has one column, give "
            f"--delimiter {usual!r}"
        )


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
