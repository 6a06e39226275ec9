"""A table as its readers give it: names of columns, and rows a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from toolkit.datasets.table_streams import STDIN

__all__ = ["Chunk", "Row", "Table", "shorten", "table_name", "table_of_rows"]

Row = tuple[int, Sequence[Any]]
"""A row's first line in the file, counted from 1, and its cells."""


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
    hint : str, optional
        What to look at if a column is not there, a sentence.
    """

    name: str
    columns: tuple[str, ...]
    read: Callable[[Sequence[str], int], Iterator[Chunk]]
    hint: str = ""

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


def table_of_rows(
    name: str, columns: Sequence[str], rows: Iterator[Row], *, hint: str = ""
) -> Table:
    """Make a table of rows that are read one after another.

    Parameters
    ----------
    name : str
        What messages call it.
    columns : sequence of str
        Names of the cells of a row.
    rows : iterator of (int, sequence)
        A row's first line in the file, counted from 1, and its cells.
    hint : str, optional
        As :class:`Table` has it.
    """

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

    return Table(name, tuple(columns), read, hint)


def table_name(source: str | Path) -> str:
    """Return what messages call a file, or standard input."""
    return "standard input" if str(source) == STDIN else str(source)


def shorten(text: str, most: int = 40) -> str:
    """Return the beginning of a cell or a name, for messages.

    Examples
    --------
    >>> shorten("a name"), shorten("a name", most=4)
    ('a name', 'a na…')
    """
    return text if len(text) <= most else f"{text[:most]}…"
