"""``toolkit predict``: labels for new texts from a saved model."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.labelled import LabelSeparator
from toolkit.cli.option_groups import InputOptions, SavedModelOptions
from toolkit.cli.options import (
    MODEL,
    Force,
    Keep,
    ModelFolder,
    NoText,
    OnError,
    OutputFormat,
    Source,
    SpreadsheetSafe,
    TableOut,
    option,
)
from toolkit.cli.saved_models import open_model

if TYPE_CHECKING:
    from toolkit.classify.model_info import ModelInfo
    from toolkit.classify.prediction_log import PredictionLog
    from toolkit.datasets.table_writers import TableWriter
    from toolkit.datasets.tables import Table

__all__ = ["predict"]

CHUNK = 1024


@command
def predict(
    model: ModelFolder,
    source: Source,
    inputs: InputOptions,
    options: SavedModelOptions,
    threshold: Annotated[
        float | None,
        option(
            "--threshold",
            metavar="P",
            panel=MODEL,
            min=0,
            max=1,
            help="Leave the label empty where the best one is less probable than this; of several "
            "labels, those that are, instead of each label's own threshold.",
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
    label_separator: LabelSeparator = None,
    on_error: OnError = "raise",
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
    info = read_model_info(model)
    separator = _separator(info, label_separator)
    missing = options.missing
    fitted = open_model(model, options, on_error=on_error)
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
        rows = _Rows(table, column, kept, missing, separator, in_place=keep is None)
        made_by: dict[str, Any] = {
            "model": info.sha256,
            "threshold": threshold,
            "top": top,
        }
        made_by |= {"long_texts": options.long_texts, "missing": missing, "on_error": on_error}
        log = None
        if out is not None and str(out) != "-" and source != "-":
            made_by |= {"backend": options.backend, "host": options.host}
            made_by["server_model"] = options.server_model
            log = PredictionLog(out.with_name(f"{out.name}.part"), made_by)
        with open_writer(out, output_format, force=force, safe=spreadsheet_safe) as writer:
            rows.write(fitted, writer, log, threshold=threshold, top=top, with_text=not no_text)
        if log is not None:
            log.remove()
        if not rows.count:
            raise DataError(f"{table.name} has no rows")
    said = f", {rows.abstained:,} without a label" if rows.abstained else ""
    console.say(f"{rows.count:,} texts predicted{said}." + (f" Table: {out}" if out else ""))


def _separator(info: ModelInfo, given: str | None) -> str | None:
    """Return what stands between labels in the output; None for a model that gives one."""
    from toolkit.errors import UsageError

    if not info.multilabel:
        if given is not None:
            raise UsageError("this model gives one label a text; leave --label-separator out")
        return None
    separator = given or info.separator or ";"
    if held := [label for label in info.classes if separator in str(label)]:
        raise UsageError(
            f"the label {held[0]!r} contains {separator!r}; choose another --label-separator"
        )
    return separator


class _Rows:
    """The rows of the input, on their way through the model to the output."""

    def __init__(
        self,
        table: Table,
        column: str,
        kept: list[str],
        missing: str,
        separator: str | None,
        *,
        in_place: bool,
    ) -> None:
        self.in_place = in_place
        self.table = table
        self.column = column
        self.kept = kept
        self.missing = missing
        self.separator = separator
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
            label, probability = found.label, found.probability
            if self.separator is not None:  # several labels, or none
                label = self.separator.join(map(str, label))
                probability = self.separator.join(f"{share:.4f}" for share in probability)
            block.append((*cells, text, label, probability, *ranked))
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
