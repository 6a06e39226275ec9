"""Finding the columns of a table that matter, and checking what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from toolkit.datasets.table import Chunk, Table, shorten
from toolkit.errors import DataError, MissingTextError, UsageError

__all__ = ["check_texts_present", "find_column", "places", "text_column"]

SHOWN_ROWS = 5
SHOWN_COLUMNS = 30
_OTHER_COLUMN = "Name the column of texts with --text-column"
_NESTED = (
    "What is inside another value cannot be named; bring it to the top first, for example with "
    "`jq -c '.text = .body.text'`"
)


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
    listed = _listed(table)
    if count:
        raise UsageError(
            f"{table.name} has {count} columns named {name!r}; rename one of them "
            f"(its columns: {listed})"
        )
    close = get_close_matches(name, table.columns, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    raise UsageError(
        f"{table.name} has no column {name!r} ({option}).{meant} It has: {listed}"
        f"{_hint(table, meant or option == '--keep')}"
    )


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
    close = [column for column in table.columns if column.strip().lower() == "text"]
    meant = f" Did you mean {close[0]!r}?" if close else ""
    raise UsageError(
        f"{table.name} has no column 'text'; say which one holds the texts with --text-column."
        f"{meant} It has: {_listed(table)}{_hint(table, meant)}"
    )


def check_texts_present(
    chunk: Chunk, column: str, *, missing: str = "error", among: Sequence[int] | None = None
) -> None:
    """Check that a chunk's texts are there and are texts.

    Parameters
    ----------
    chunk : Chunk
        Rows.
    column : str
        The column of texts.
    missing : {"error", "empty"}, default="error"
        Whether missing texts are an error.
    among : sequence of int, optional
        Positions of the rows to look at; None for all.

    Raises
    ------
    MissingTextError
        If texts are missing; names the lines of the file.
    DataError
        If a value is a number or anything else that is not a text.
    """
    values = chunk.columns[column]
    looked_at = range(len(values)) if among is None else among
    odd = [at for at in looked_at if not isinstance(values[at], str)]
    wrong = [at for at in odd if values[at] is not None and values[at] == values[at]]
    if wrong:
        kinds = sorted({type(values[at]).__name__ for at in wrong})
        nested = any(isinstance(values[at], dict | list) for at in wrong)
        raise DataError(
            f"{chunk.source}: the column {column!r} holds {', '.join(kinds)} where texts should "
            f"be, at {places(chunk, wrong)}. {_NESTED if nested else _OTHER_COLUMN}"
        )
    if odd and missing == "error":
        raise MissingTextError(
            f"{chunk.source}: the text is missing at {places(chunk, odd)}. Drop these rows, "
            "fill them in, or take them as empty texts with --missing empty",
            [chunk.start + at for at in odd],
        )


def places(chunk: Chunk, positions: Sequence[int]) -> str:
    """Return where rows are, for messages; ``positions`` count from 0 in the chunk."""
    shown = ", ".join(chunk.where(at) for at in positions[:SHOWN_ROWS])
    more = len(positions) - SHOWN_ROWS
    return shown + (f" and {more:,} more" if more > 0 else "")


def _listed(table: Table) -> str:
    shown = ", ".join(repr(shorten(column)) for column in table.columns[:SHOWN_COLUMNS])
    more = len(table.columns) - SHOWN_COLUMNS
    return shown + (f" and {more:,} more" if more > 0 else "")


def _hint(table: Table, needless: object) -> str:
    return f". {table.hint}" if table.hint and not needless else ""
