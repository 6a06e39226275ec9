"""``toolkit predict``: labels for new texts from a saved model."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.option_groups import InputOptions
from toolkit.cli.options import (
    EMBEDDING,
    AllowUnverified,
    CacheFolder,
    Force,
    Host,
    Keep,
    LongTexts,
    Missing,
    NoText,
    OnError,
    OutputFormat,
    Source,
    SpreadsheetSafe,
    TableOut,
    flag,
    option,
)
from toolkit.cli.saved_models import open_model

if TYPE_CHECKING:
    from toolkit.classify.prediction_log import PredictionLog
    from toolkit.datasets.table_writers import TableWriter
    from toolkit.datasets.tables import Table

__all__ = ["predict"]

CHUNK = 1024
MODEL = "Model"


@command
def predict(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            show_default=False,
            help="The folder that toolkit train --out made.",
        ),
    ],
    source: Source,
    inputs: InputOptions,
    threshold: Annotated[
        float | None,
        option(
            "--threshold",
            metavar="P",
            panel=MODEL,
            min=0,
            max=1,
            help="Leave the label empty where the best one is less probable than this.",
        ),
    ] = None,
    top: Annotated[
        int,
        option(
            "--top",
            metavar="K",
            panel=MODEL,
            min=0,
            default=False,
            help="Also the K most probable labels, as columns label_1, probability_1, …",
        ),
    ] = 0,
    trusted: Annotated[
        bool,
        flag(
            "--trusted",
            panel=MODEL,
            help="Open a model that could run code: only if you trust who made it.",
        ),
    ] = False,
    backend: Annotated[
        str | None,
        option(
            "--backend",
            metavar="NAME",
            panel=EMBEDDING,
            default="the model's own",
            help="ollama, openai, embedded or cache; its vectors must be those the model was "
            "trained on.",
        ),
    ] = None,
    host: Host = None,
    server_model: Annotated[
        str | None,
        option(
            "--model",
            metavar="NAME",
            panel=EMBEDDING,
            default="the model's own",
            help="Name of the embedding model on the server.",
        ),
    ] = None,
    cache: CacheFolder = None,
    long_texts: LongTexts = "truncate",
    missing: Missing = "error",
    on_error: OnError = "raise",
    allow_unverified: AllowUnverified = False,
    out: TableOut = None,
    output_format: OutputFormat = None,
    keep: Keep = None,
    no_text: NoText = False,
    spreadsheet_safe: SpreadsheetSafe = False,
    force: Force = False,
) -> None:
    """Predict the labels of texts, one row each in their order, at constant memory.

    Writes the input's columns, label and probability. The model knows which vectors it was trained
    on and refuses others. An interrupted run leaves OUT.part: the same command goes on from there.

    Examples:

      toolkit predict model new.csv --out labelled.csv
      toolkit predict model new.csv --keep id --no-text --threshold 0.6
      echo "My card was declined abroad." | toolkit predict model -
    """
    from toolkit.classify import read_model_info
    from toolkit.classify.prediction_log import PredictionLog
    from toolkit.datasets.table_writers import check_table_output, open_writer
    from toolkit.datasets.tables import find_column, open_table, text_column
    from toolkit.errors import DataError

    check_table_output(out, output_format, force=force)
    fitted = open_model(
        model,
        trusted=trusted,
        backend=backend,
        server_model=server_model,
        allow_unverified=allow_unverified,
        cache=cache,
        host=host or None,
        long_texts=long_texts,
        missing=missing,
        on_error=on_error,
    )
    with open_table(source, inputs.table_format()) as table:
        column, chosen = text_column(table, inputs.text_column)
        if chosen:
            console.say(f"Texts are in the column {column!r} ({chosen}).")
        if keep is None:
            # A name that stands there twice cannot be kept apart.
            kept = [c for c in table.columns if c != column and table.columns.count(c) == 1]
            if left := sorted({c for c in table.columns if table.columns.count(c) > 1}):
                console.say(f"Left out, their names not being unique: {', '.join(left)}.")
        else:
            kept = [find_column(table, name, "--keep") for name in keep]
        rows = _Rows(table, column, kept, missing, in_place=keep is None)
        made_by: dict[str, Any] = {
            "model": read_model_info(model).sha256,
            "threshold": threshold,
            "top": top,
        }
        made_by |= {"long_texts": long_texts, "missing": missing, "on_error": on_error}
        log = None
        if out is not None and str(out) != "-" and source != "-":
            made_by |= {"backend": backend, "host": host, "server_model": server_model}
            log = PredictionLog(out.with_name(f"{out.name}.part"), made_by)
        with open_writer(out, output_format, force=force, safe=spreadsheet_safe) as writer:
            rows.write(fitted, writer, log, threshold=threshold, top=top, with_text=not no_text)
        if log is not None:
            log.remove()
        if not rows.count:
            raise DataError(f"{table.name} has no rows")
    said = f", {rows.abstained:,} without a label" if rows.abstained else ""
    console.say(f"{rows.count:,} texts predicted{said}." + (f" Table: {out}" if out else ""))


class _Rows:
    """The rows of the input, on their way through the model to the output."""

    def __init__(
        self, table: Table, column: str, kept: list[str], missing: str, *, in_place: bool
    ) -> None:
        self.in_place = in_place
        self.table = table
        self.column = column
        self.kept = kept
        self.missing = missing
        self.count = 0
        self.abstained = 0
        self._waiting: deque[tuple[Any, ...]] = deque()

    def texts(self) -> Iterator[str]:
        from toolkit.datasets.tables import check_texts_present

        for chunk in self.table.chunks([self.column, *self.kept], CHUNK):
            check_texts_present(chunk, self.column, missing=self.missing)
            beside = [chunk.columns[name] for name in self.kept]
            for text, *cells in zip(chunk.columns[self.column], *beside, strict=True):
                self._waiting.append((text, *cells))
                yield text

    def write(
        self,
        model: Any,
        writer: TableWriter,
        log: PredictionLog | None,
        *,
        threshold: float | None,
        top: int,
        with_text: bool,
    ) -> None:
        names = [*self.kept, self.column if self.in_place else "text", "label", "probability"]
        for k in range(1, top + 1):
            names += [f"label_{k}", f"probability_{k}"]
        # A column of the input of the same name must not be lost behind a result.
        at = len(self.kept)
        results = set(names[at + self.in_place :])
        for i in range(at + self.in_place):
            names[i] = f"input_{names[i]}" if names[i] in results else names[i]
        order = list(range(len(names)))
        if self.in_place:
            places = list(self.table.columns)
            order[: at + 1] = sorted(order[: at + 1], key=lambda i: places.index(self._source(i)))
        if not with_text:
            order.remove(at)
        with log if log is not None else nullcontext():
            self._write(model, writer, log, threshold, top, [(i, names[i]) for i in order])

    def _source(self, i: int) -> str:
        return self.kept[i] if i < len(self.kept) else self.column

    def _write(
        self,
        model: Any,
        writer: TableWriter,
        log: PredictionLog | None,
        threshold: float | None,
        top: int,
        layout: list[tuple[int, str]],
    ) -> None:
        from toolkit.classify import predict_texts
        from toolkit.classify.prediction_log import predict_logged

        how: dict[str, Any] = {"threshold": threshold, "top_k": top, "chunk_size": CHUNK}
        if log is None:
            predictions = predict_texts(model, self.texts(), **how)
        else:
            predict_texts(model, (), **how)  # what cannot be asked of this model is said first
            if log.other:
                console.say(f"{log.path} is of another model or other options: begun anew.")
            predictions = predict_logged(model, self.texts(), log, **how)
        block: list[tuple[Any, ...]] = []
        for found in predictions:
            text, *cells = self._waiting.popleft()
            ranked: list[Any] = [value for pair in found.top for value in pair]
            ranked += [None] * (2 * top - len(ranked))
            block.append((*cells, text, found.label, found.probability, *ranked))
            self.count += 1
            self.abstained += found.abstained
            if len(block) == CHUNK:
                self._flush(block, layout, writer)
        if block:
            self._flush(block, layout, writer)
        if log is not None and log.taken:
            console.say(f"{log.taken:,} rows were taken from {log.path}, made before.")

    def _flush(
        self, block: list[tuple[Any, ...]], layout: list[tuple[int, str]], writer: TableWriter
    ) -> None:
        cells = list(map(list, zip(*block, strict=True)))
        writer.write({name: cells[i] for i, name in layout})
        block.clear()
