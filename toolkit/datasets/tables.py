"""Tables of texts: opening one whatever its format, and reading its texts and labels."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from toolkit.datasets.table import Chunk, Table
from toolkit.datasets.table_columns import check_texts_present, find_column, places, text_column
from toolkit.datasets.table_csv import read_csv_table
from toolkit.datasets.table_jsonl import ARRAY_HINT, read_jsonl_table
from toolkit.datasets.table_readers import read_frame_table, read_parquet_table, read_text_table
from toolkit.datasets.table_streams import STDIN
from toolkit.errors import DataError, UsageError

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
_SPREADSHEET = "A spreadsheet: save it as CSV (UTF-8). "
_OTHER_FORMATS = {
    ".xlsx": _SPREADSHEET,
    ".xls": _SPREADSHEET,
    ".ods": _SPREADSHEET,
    ".json": f"{ARRAY_HINT}. ",
    ".zip": "An archive: unpack it. ",
    ".bz2": "Unpack it first. ",
    ".xz": "Unpack it first. ",
    ".zst": "Unpack it first. ",
}
DATASET = "dataset:"


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
        with read_csv_table(
            source,
            delimiter=how.delimiter,
            usual="\t" if kind == "tsv" else ",",
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
        hint = _OTHER_FORMATS.get(suffix, "")
        raise UsageError(
            f"cannot tell the format of {str(source)!r} from its name. {hint}Known endings: "
            f"{', '.join(SUFFIXES)} (text files also with .gz); for any other name give "
            "--input-format " + "|".join(FORMATS)
        )
    return SUFFIXES[suffix]


def _open_dataset(name: str) -> Table:
    from toolkit.datasets import load

    base, _, subset = name.partition(":")
    frame = load(base, subset=subset or None, as_frame=True).frame
    return read_frame_table(f"{DATASET}{name}", frame)


@dataclass(frozen=True)
class TextColumns:
    """The columns of a table that a command works on, read whole.

    Parameters
    ----------
    source : str
        The table's name.
    texts : list of str or None, of length n
        The texts.
    labels : list of str or None, of length n, optional
        The labels, as text; None where there is none and that was allowed.
    kept : dict of str to list
        Other columns asked for.
    rows : list of int, of length n
        Which rows of the table these are, counted from 0.
    unlabelled : int
        How many rows of the table have no label.
    text_column : str
        Name of the column of texts.
    label_column : str, optional
        Name of the column of labels.
    chosen : str
        How the column of texts was chosen, empty if it was named.
    """

    source: str
    texts: list[str | None]
    labels: list[Any] | None
    kept: dict[str, list[Any]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    unlabelled: int = 0
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
    missing_labels: str = "error",
    convert: Callable[[Any], str] | None = None,
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
    missing_labels : {"error", "drop", "keep"}, default="error"
        Whether rows without a label are an error, are left out (whatever their text is), or
        have None.
    convert : callable, optional
        Makes a label of a cell, so that the same labels come from every format; None for ``str``,
        which takes no lists and objects.
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
        If there is no row, a text is no text, or a label is missing or nested.
    """
    texts: list[str | None] = []
    targets: list[str | None] = []
    rows: list[int] = []
    unlabelled = 0
    with open_table(source, how) as table:
        if labels is not None:
            find_column(table, labels, "--label-column")
        name, chosen = text_column(table, column, taken=[labels] if labels else [])
        kept: dict[str, list[Any]] = {find_column(table, one, keep_option): [] for one in keep}
        wanted = [name, *([labels] if labels else []), *kept]
        for chunk in table.chunks(wanted):
            found = [] if labels is None else _labels(chunk, labels, missing_labels, convert)
            at = [i for i, label in enumerate(found) if label is not None]
            unlabelled += len(found) - len(at)
            if labels is None or missing_labels != "drop":
                at = list(range(len(chunk)))
            check_texts_present(chunk, name, missing=missing, among=at)
            rows.extend(chunk.start + i for i in at)
            for values, out in [
                (chunk.columns[name], texts),
                *([] if labels is None else [(found, targets)]),
                *((chunk.columns[one], kept[one]) for one in kept),
            ]:
                out.extend(values[i] for i in at)
    if unlabelled and not any(label is not None for label in targets):
        raise DataError(f"{table.name}: no row has a label ({labels!r})")
    if not texts:
        raise DataError(f"{table.name} has no rows")
    return TextColumns(
        source=table.name,
        texts=texts,
        labels=None if labels is None else targets,
        kept=kept,
        rows=rows,
        unlabelled=unlabelled,
        text_column=name,
        label_column=labels,
        chosen=chosen,
    )


def _labels(
    chunk: Chunk, column: str, missing: str, convert: Callable[[Any], str] | None
) -> list[str | None]:
    values = chunk.columns[column]
    absent = [at for at, value in enumerate(values) if value is None or value != value]
    if absent and missing == "error":
        raise DataError(
            f"{chunk.source}: the label ({column!r}) is missing at {places(chunk, absent)}. Fill "
            "it in, or leave these rows out with --missing-labels drop"
        )
    if convert is None:
        nested = [at for at, value in enumerate(values) if isinstance(value, dict | list)]
        if nested:
            kind = type(values[nested[0]]).__name__
            raise DataError(
                f"{chunk.source}: the label ({column!r}) is a {kind} at {places(chunk, nested)}, "
                "where one value should be. Name another column with --label-column, or bring the "
                "label to the top first, for example with `jq -c '.label = .meta.label'`"
            )
    as_text, without = convert or str, set(absent)
    return [None if at in without else as_text(value) for at, value in enumerate(values)]
