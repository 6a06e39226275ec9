"""``toolkit predict``: labels for new texts from a saved model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from toolkit.cli.streamed_rows import CHUNK, Destination, stream_rows
from toolkit.typography import counted, rounded

if TYPE_CHECKING:
    from toolkit.classify.model_info import ModelInfo
    from toolkit.saved.row_log import RowLog

__all__ = ["predict"]


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

    to = Destination(out, output_format, keep, no_text, spreadsheet_safe, force)
    to.check()
    info = read_model_info(model)
    separator = _separator(info, label_separator)
    fitted = open_model(model, options, on_error=on_error)
    labelled = _Labelled(fitted, threshold, top, separator)
    count = stream_rows(
        source,
        inputs,
        to,
        labelled.rows,
        labelled.columns,
        missing=options.missing,
        made_by={"model": info.sha256, "threshold": threshold, "top": top, "on_error": on_error}
        | options.deciding(),
    )
    said = f", {labelled.abstained:,} without a label" if labelled.abstained else ""
    console.say(f"{counted(count, 'text')} predicted{said}." + (f" Table: {out}" if out else ""))


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


class _Labelled:
    """Predictions as cells of the output, and those that say nothing counted."""

    def __init__(self, model: Any, threshold: float | None, top: int, separator: str | None):
        self.model = model
        self.how: dict[str, Any] = {"threshold": threshold, "top_k": top, "chunk_size": CHUNK}
        self.top = top
        self.separator = separator
        self.abstained = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the cells."""
        ranked = ((f"label_{k}", f"probability_{k}") for k in range(1, self.top + 1))
        return ("label", "probability", *(name for pair in ranked for name in pair))

    def rows(self, texts: Iterator[str], log: RowLog | None) -> Iterator[tuple[Any, ...]]:
        """Yield the label, its probability, and those of the most probable labels."""
        from toolkit.classify import Prediction, predict_texts
        from toolkit.saved.row_log import logged

        def answer(chunk: Sequence[str], start: int) -> list[tuple[Any, ...]]:
            found = predict_texts(self.model, chunk, start=start, **self.how)
            return [(one.label, one.probability, one.top, one.abstained) for one in found]

        predict_texts(self.model, (), **self.how)  # what this model cannot be asked is said first
        for row in logged(texts, answer, log, chunk_size=CHUNK):
            found = Prediction(*row)
            ranked: list[Any] = []
            for name, share in found.top:
                ranked += [name, rounded(share)]
            ranked += [None] * (2 * self.top - len(ranked))
            label, probability = found.label, found.probability
            if self.separator is None:
                probability = rounded(probability)
            else:  # several labels, or none
                label = self.separator.join(map(str, label))
                probability = self.separator.join(f"{share:.4f}" for share in probability)
            self.abstained += found.abstained
            yield label, probability, *ranked
