"""Tables of texts: opening one whatever its format, and finding the columns that matter."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from toolkit.datasets.table_readers import (
    Chunk,
    Table,
    read_csv_table,
    read_frame_table,
    read_jsonl_table,
    read_parquet_table,
    read_text_table,
)
from toolkit.datasets.table_streams import STDIN
from toolkit.errors import DataError, MissingTextError, UsageError

__all__ = [
    "Chunk",
    "Table",
    "TableFormat",
    "TextColumns",
    "check_texts_present",
    "find_column",
    "open_table",
    "read_texts",
    "text_column",
]

Format = Literal["csv", "tsv", "jsonl", "parquet", "text"]
FORMATS: tuple[str, ...] = get_args(Format)
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".txt": "text",
}
DATASET = "dataset:"
SHOWN_ROWS = 5


@dataclass(frozen=True)
class TableFormat:
    """How to read a table, where its name does not tell.

    Parameters
    ----------
    format : {"csv", "tsv", "jsonl", "parquet", "text"}, optional
        None goes by the file's ending, and takes standard input as lines of text.
    encoding : str, default="utf-8"
        Encoding of text formats; a UTF-8 byte order mark is dropped.
    delimiter : str, optional
        Of CSV; None for a comma, or a tab in TSV.
    header : bool, default=True
        Whether the first row of CSV and TSV holds the column names.
    quotes : bool, default=True
        Whether ``"`` encloses cells of CSV and TSV.
    """

    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    header: bool = True
    quotes: bool = True


@contextmanager
def open_table(source: str | Path, how: TableFormat | None = None) -> Generator[Table]:
    """Open a table for one pass over its rows.

    Parameters
    ----------
    source : str or Path
        A file (also gzipped, ``.gz``), ``-`` for standard input, or ``dataset:NAME`` or
        ``dataset:NAME:SUBSET`` for a data set of the toolkit.
    how : TableFormat, optional
        What the name does not tell.

    Yields
    ------
    Table

    Raises
    ------
    UsageError
        If there is no such file or data set, or its format cannot be told.
    DataError
        If it cannot be read.

    Examples
    --------
    >>> with open_table("dataset:udhr:eng") as table:
    ...     print(table.columns, sum(len(chunk) for chunk in table.chunks(["text"])))
    ('id', 'lang', 'language', 'text', 'label') 30
    """
    how = how or TableFormat()
    if str(source).startswith(DATASET):
        yield _open_dataset(str(source).removeprefix(DATASET))
        return
    kind = _format_of(source, how.format)
    if kind == "parquet":
        with read_parquet_table(source) as table:
            yield table
    elif kind == "jsonl":
        with read_jsonl_table(source, encoding=how.encoding) as table:
            yield table
    elif kind == "text":
        with read_text_table(source, encoding=how.encoding) as table:
            yield table
    else:
        delimiter = how.delimiter or ("\t" if kind == "tsv" else ",")
        with read_csv_table(
            source,
            delimiter=delimiter,
            encoding=how.encoding,
            header=how.header,
            quotes=how.quotes,
        ) as table:
            yield table


def _format_of(source: str | Path, asked: str | None) -> str:
    if asked is not None:
        if asked not in FORMATS:
            raise UsageError(f"the input format is one of {', '.join(FORMATS)}, not {asked!r}")
        return asked
    if str(source) == STDIN:
        return "text"
    name = Path(source).name.lower()
    if name.endswith((".parquet.gz", ".pq.gz")):
        raise UsageError(f"{source}: Parquet is compressed by itself; unpack the .gz first")
    suffix = Path(name.removesuffix(".gz")).suffix
    if suffix not in SUFFIXES:
        hint = ""
        if suffix in (".xlsx", ".xls", ".ods"):
            hint = " A spreadsheet: save it as CSV (UTF-8)."
        raise UsageError(
            f"cannot tell the format of {str(source)!r} from its name.{hint} Known endings: "
            f"{', '.join(SUFFIXES)} (text files also with .gz); for any other name give "
            "--input-format " + "|".join(FORMATS)
        )
    return SUFFIXES[suffix]


def _open_dataset(name: str) -> Table:
    from toolkit.datasets import load

    base, _, subset = name.partition(":")
    frame = load(base, subset=subset or None, as_frame=True).frame
    return read_frame_table(f"{DATASET}{name}", frame)


def find_column(table: Table, name: str, option: str = "--text-column") -> str:
    """Return a column's name if the table has it once.

    Parameters
    ----------
    table : Table
        The table.
    name : str
        The name asked for.
    option : str, default="--text-column"
        The option it was asked with, for the message.

    Raises
    ------
    UsageError
        If it is not there or not unique; lists the columns there are.
    """
    count = table.columns.count(name)
    if count == 1:
        return name
    listed = ", ".join(repr(column) for column in table.columns)
    if count:
        raise UsageError(
            f"{table.name} has {count} columns named {name!r}; rename one of them "
            f"(its columns: {listed})"
        )
    close = get_close_matches(name, table.columns, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    if len(table.columns) == 1:
        meant += _delimiter_hint(table.columns[0])
    raise UsageError(f"{table.name} has no column {name!r} ({option}).{meant} It has: {listed}")


def _delimiter_hint(column: str) -> str:
    """Return which delimiter a table probably has whose only column is its whole first line."""
    for delimiter, shown in ((";", "';'"), ("\t", "tab"), ("|", "'|'"), (",", "','")):
        if delimiter in column:
            return f" It was read as one column; is there another delimiter (--delimiter {shown})?"
    return ""


def text_column(
    table: Table, asked: str | None = None, *, taken: Sequence[str] = ()
) -> tuple[str, str]:
    """Return the column of texts, and how it was chosen.

    Parameters
    ----------
    table : Table
        The table.
    asked : str, optional
        The column asked for. None takes ``text`` if it is there, else the only column.
    taken : sequence of str, optional
        Columns that are used for something else.

    Returns
    -------
    name : str
    reason : str
        Empty if the column was asked for or is called ``text``.

    Raises
    ------
    UsageError
        If the column cannot be told; lists the columns there are.
    """
    if asked is not None:
        return find_column(table, asked), ""
    if "text" in table.columns:
        return find_column(table, "text"), ""
    free = [column for column in table.columns if column not in taken]
    if len(free) == 1:
        return find_column(table, free[0]), "the only one" if not taken else "the only other one"
    listed = ", ".join(repr(column) for column in table.columns)
    raise UsageError(
        f"{table.name} has no column 'text'; say which one holds the texts with --text-column: "
        f"{listed}"
    )


def check_texts_present(chunk: Chunk, column: str, *, missing: str = "error") -> None:
    """Check that a chunk's texts are there and are texts.

    Parameters
    ----------
    chunk : Chunk
        Rows.
    column : str
        The column of texts.
    missing : {"error", "empty"}, default="error"
        Whether missing texts are an error.

    Raises
    ------
    MissingTextError
        If texts are missing; names the lines of the file.
    DataError
        If a value is a number or anything else that is not a text.
    """
    values = chunk.columns[column]
    odd = [at for at, value in enumerate(values) if not isinstance(value, str)]
    wrong = [at for at in odd if values[at] is not None and values[at] == values[at]]
    if wrong:
        kinds = sorted({type(values[at]).__name__ for at in wrong})
        raise DataError(
            f"{chunk.source}: the column {column!r} holds {', '.join(kinds)} where texts should "
            f"be, at {_places(chunk, wrong)}. Name the column of texts with --text-column"
        )
    if odd and missing == "error":
        raise MissingTextError(
            f"{chunk.source}: the text is missing at {_places(chunk, odd)}. Drop these rows, "
            "fill them in, or take them as empty texts with --missing empty",
            [chunk.start + at for at in odd],
        )


def _places(chunk: Chunk, positions: Sequence[int]) -> str:
    shown = ", ".join(chunk.where(at) for at in positions[:SHOWN_ROWS])
    more = len(positions) - SHOWN_ROWS
    return shown + (f" and {more:,} more" if more > 0 else "")


@dataclass(frozen=True)
class TextColumns:
    """The columns of a table that a command works on, read whole.

    Parameters
    ----------
    source : str
        The table's name.
    texts : list of str or None, of length n
        The texts.
    labels : list of str, of length n, optional
        The labels, as text.
    kept : dict of str to list
        Other columns asked for.
    text_column : str
        Name of the column of texts.
    label_column : str, optional
        Name of the column of labels.
    chosen : str
        How the column of texts was chosen, empty if it was named.
    """

    source: str
    texts: list[str | None]
    labels: list[str] | None
    kept: dict[str, list[Any]] = field(default_factory=dict)
    text_column: str = "text"
    label_column: str | None = None
    chosen: str = ""


def read_texts(
    source: str | Path,
    how: TableFormat | None = None,
    *,
    column: str | None = None,
    labels: str | None = None,
    keep: Sequence[str] = (),
    missing: str = "error",
    convert: Callable[[Any], str] = str,
    keep_option: str = "--keep",
) -> TextColumns:
    """Read the texts of a table, and their labels.

    Parameters
    ----------
    source : str or Path
        As :func:`open_table` takes it.
    how : TableFormat, optional
        What the name does not tell.
    column : str, optional
        The column of texts; None as in :func:`text_column`.
    labels : str, optional
        The column of labels; None reads none.
    keep : sequence of str, optional
        Further columns to read.
    missing : {"error", "empty"}, default="error"
        Whether missing texts are an error; else they are None.
    convert : callable, default=str
        Makes a label of a cell, so that the same labels come from every format.
    keep_option : str, default="--keep"
        The option the further columns were asked for with, for messages.

    Returns
    -------
    TextColumns

    Raises
    ------
    UsageError
        If a column cannot be found.
    DataError
        If there is no row, a text is no text, or a label is missing.
    """
    texts: list[str | None] = []
    targets: list[str] = []
    with open_table(source, how) as table:
        if labels is not None:
            find_column(table, labels, "--label-column")
        name, chosen = text_column(table, column, taken=[labels] if labels else [])
        kept: dict[str, list[Any]] = {find_column(table, one, keep_option): [] for one in keep}
        wanted = [name, *([labels] if labels else []), *kept]
        for chunk in table.chunks(wanted):
            check_texts_present(chunk, name, missing=missing)
            texts.extend(chunk.columns[name])
            if labels is not None:
                targets.extend(_labels(chunk, labels, convert))
            for one, values in kept.items():
                values.extend(chunk.columns[one])
    if not texts:
        raise DataError(f"{table.name} has no rows")
    found = targets if labels is not None else None
    return TextColumns(table.name, texts, found, kept, name, labels, chosen)


def _labels(chunk: Chunk, column: str, convert: Callable[[Any], str]) -> Iterator[str]:
    values = chunk.columns[column]
    absent = [at for at, value in enumerate(values) if value is None or value != value]
    if absent:
        raise DataError(
            f"{chunk.source}: the label ({column!r}) is missing at {_places(chunk, absent)}. Fill "
            "it in, or drop these rows"
        )
    return map(convert, values)
