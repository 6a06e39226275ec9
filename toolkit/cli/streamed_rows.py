"""The rows of a table on their way to an output, each with what was found out about its text."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.cli.console import console
from toolkit.cli.option_groups import InputOptions
from toolkit.typography import counted

if TYPE_CHECKING:
    from toolkit.datasets.table_writers import TableWriter
    from toolkit.datasets.tables import Table
    from toolkit.saved.row_log import RowLog

__all__ = ["CHUNK", "Destination", "StreamedRows", "note_part", "stream_rows"]

CHUNK = 1024


@dataclass(frozen=True)
class Destination:
    """Where rows go, and what of them."""

    out: Path | None
    output_format: str | None
    keep: Sequence[str] | None
    no_text: bool
    spreadsheet_safe: bool
    force: bool

    def check(self) -> None:
        """Say what is wrong with it before any work is done."""
        from toolkit.datasets.table_writers import check_table_output

        check_table_output(self.out, self.output_format, force=self.force)


def stream_rows(
    source: str,
    inputs: InputOptions,
    to: Destination,
    find: Callable[[Iterator[str], RowLog | None], Iterable[tuple[Any, ...]]],
    results: Sequence[str],
    *,
    missing: str,
    made_by: Mapping[str, Any],
) -> int:
    """Read a table and write each row with its results; go on where a run broke off.

    Parameters
    ----------
    source : str
        What the user named as input.
    inputs : InputOptions
        How it is read.
    to : Destination
        Where it goes.
    find : callable
        From texts, and the log of an interrupted run if there is one, to the results of each.
    results : sequence of str
        Their names.
    missing : str
        What to do about missing texts.
    made_by : mapping
        What the results depend on; its first entry names the saved thing (``"model"``). A log of
        anything else is not gone on with.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    DataError
        If there are none.
    """
    from toolkit.datasets.table_writers import open_writer
    from toolkit.datasets.tables import open_table, text_column
    from toolkit.errors import DataError
    from toolkit.saved.row_log import RowLog

    with open_table(source, inputs.table_format()) as table:
        column, chosen = text_column(table, inputs.text_column)
        if chosen:
            console.say(f"Texts are in the column {column!r} ({chosen}).")
        rows = StreamedRows(table, column, to.keep, missing)
        log = None
        if to.out is not None and str(to.out) != "-" and source != "-":
            log = RowLog(to.out.with_name(f"{to.out.name}.part"), dict(made_by))
        with (
            open_writer(
                to.out, to.output_format, force=to.force, safe=to.spreadsheet_safe
            ) as writer,
            log if log is not None else nullcontext(),
        ):
            if log is not None and log.other:
                console.say(
                    f"{log.path} is of another {next(iter(made_by))} or other options: begun anew."
                )
            rows.write(lambda texts: find(texts, log), results, writer, with_text=not to.no_text)
        if log is not None:
            if log.taken:
                was = "was" if log.taken == 1 else "were"
                console.say(
                    f"{counted(log.taken, 'row')} {was} taken from {log.path}, made before."
                )
            log.remove()
        if not rows.count:
            raise DataError(f"{table.name} has no rows")
    return rows.count


class StreamedRows:
    """Rows read, looked at and written a chunk at a time.

    Parameters
    ----------
    table : Table
        Open.
    column : str
        Name of the column of texts.
    keep : sequence of str or None
        Names of the columns that go along; None for all, in the places they have.
    missing : str
        What to do about missing texts.
    """

    def __init__(self, table: Table, column: str, keep: Sequence[str] | None, missing: str) -> None:
        from toolkit.datasets.tables import find_column

        self.table = table
        self.column = column
        self.missing = missing
        self.in_place = keep is None
        if keep is None:
            # A name that stands there twice cannot be kept apart.
            once = [c for c in table.columns if table.columns.count(c) == 1]
            self.kept = [c for c in once if c != column]
            if left := sorted({c for c in table.columns if c not in once}):
                console.say(f"Left out, their names not being unique: {', '.join(left)}.")
        else:
            self.kept = [find_column(table, name, "--keep") for name in keep]
        self.count = 0
        self._waiting: deque[tuple[Any, ...]] = deque()

    def write(
        self,
        find: Callable[[Iterator[str]], Iterable[tuple[Any, ...]]],
        results: Sequence[str],
        writer: TableWriter,
        *,
        with_text: bool,
    ) -> None:
        """Write every row with its results.

        Parameters
        ----------
        find : callable
            From texts to the results of each, in order.
        results : sequence of str
            Their names. A column of the input of the same name becomes ``input_...``.
        writer : TableWriter
            Open.
        with_text : bool
            Whether the text is written, too.
        """
        layout = self._layout(results, with_text)
        block: list[tuple[Any, ...]] = []
        try:
            for found in find(self._texts()):
                block.append((*self._waiting.popleft(), *found))
                self.count += 1
                if len(block) == CHUNK:
                    _flush(block, layout, writer)
        except KeyboardInterrupt as stop:
            note_part(stop, self.table, self.count, len(self._waiting) >= CHUNK)
            raise
        if block:
            _flush(block, layout, writer)

    def _layout(self, results: Sequence[str], with_text: bool) -> list[tuple[int, str]]:
        """Return place in a row and name of each column of the output."""
        given = [self.column if self.in_place else "text", *self.kept]
        places = list(range(len(given)))
        if self.in_place:
            order = list(self.table.columns)
            places.sort(key=lambda i: order.index(given[i]))
        else:
            places = [*places[1:], 0]
        named = [(i, f"input_{given[i]}" if given[i] in results else given[i]) for i in places]
        if not with_text:
            named = [(i, name) for i, name in named if i != 0]
        return named + [(len(given) + i, name) for i, name in enumerate(results)]

    def _texts(self) -> Iterator[str]:
        from toolkit.datasets.tables import check_texts_present

        for chunk in self.table.chunks([self.column, *self.kept], CHUNK):
            check_texts_present(chunk, self.column, missing=self.missing)
            beside = [chunk.columns[name] for name in self.kept]
            for text, *cells in zip(chunk.columns[self.column], *beside, strict=True):
                self._waiting.append((text, *cells))
                yield text


def note_part(stop: KeyboardInterrupt, table: Table, start: int, more: bool) -> None:
    """Note that what the engine counted is a part of a table, from row ``start`` on."""
    if getattr(stop, "__notes__", []) and (start or more):
        stop.add_note(f"That counts the part of {table.name} from row {start + 1:,} on.")


def _flush(
    block: list[tuple[Any, ...]], layout: list[tuple[int, str]], writer: TableWriter
) -> None:
    cells = list(map(list, zip(*block, strict=True)))
    writer.write({name: cells[i] for i, name in layout})
    block.clear()
