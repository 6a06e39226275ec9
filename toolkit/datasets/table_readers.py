"""Reading lines of text, Parquet files and frames as tables."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolkit.datasets.table import Chunk, Table, table_name, table_of_rows
from toolkit.datasets.table_streams import STDIN, open_lines
from toolkit.errors import DataError, OptionalDependencyError, UsageError

__all__ = ["import_pyarrow", "read_frame_table", "read_parquet_table", "read_text_table"]


@contextmanager
def read_text_table(source: str | Path, *, encoding: str = "utf-8") -> Generator[Table]:
    """Open plain text with one text a line; the one column is ``text``.

    A blank line is a missing text, so that row and line numbers stay in step.

    Yields
    ------
    Table
    """
    name = table_name(source)
    with open_lines(source, encoding) as file:
        rows = ((line, (text.rstrip("\r\n") or None,)) for line, text in enumerate(file, start=1))
        yield table_of_rows(name, ("text",), rows)


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
