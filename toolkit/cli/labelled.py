"""Tables with labels: what the commands share in reading them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from toolkit.cli.console import console
from toolkit.cli.option_groups import InputOptions
from toolkit.cli.options import GENERAL, INPUT, option
from toolkit.typography import counted

if TYPE_CHECKING:
    from toolkit.datasets.tables import TextColumns

__all__ = [
    "FoldsAtOnce",
    "GroupColumn",
    "LabelSeparator",
    "MissingLabels",
    "read_labelled",
    "say_rows",
]

GroupColumn = Annotated[
    str | None,
    option(
        "--group-column",
        metavar="NAME",
        panel=INPUT,
        help="Rows with the same value are never split between training and test.",
    ),
]
LabelSeparator = Annotated[
    str | None,
    option(
        "--label-separator",
        metavar="TEXT",
        panel=INPUT,
        default="a saved model's own, else none: one label a text",
        help="What stands between the labels of a text that has several, such as ';'. A cell "
        "that is the separator alone has none of them.",
    ),
]
MissingLabels = Annotated[
    Literal["error", "drop"],
    option(
        "--missing-labels",
        metavar="POLICY",
        panel=INPUT,
        default=True,
        help="Rows without a label: error, or drop to leave them out.",
    ),
]
FoldsAtOnce = Annotated[
    int | None,
    option("--n-jobs", metavar="N", panel=GENERAL, default="1", help="Folds at once."),
]


def read_labelled(
    source: str,
    inputs: InputOptions,
    label_column: str | None,
    *,
    separator: str | None = None,
    keep: Sequence[str] = (),
    keep_option: str = "--keep",
    missing: str = "error",
    missing_labels: str = "error",
) -> TextColumns:
    """Read texts and their labels.

    Parameters
    ----------
    source, inputs, label_column, separator, missing, missing_labels
        As given on the command line.
    keep : sequence of str
        Further columns to read.
    keep_option : str
        The option they were asked for with, for messages.
    """
    from toolkit.classify.multilabel.label_sets import cell_of_labels
    from toolkit.datasets.tables import read_texts

    return read_texts(
        source,
        inputs.table_format(),
        column=inputs.text_column,
        labels=label_column or "label",
        keep=list(dict.fromkeys(keep)),
        missing=missing,
        missing_labels=missing_labels,
        convert=str if separator is None else cell_of_labels(separator),
        keep_option=keep_option,
    )


def say_rows(data: TextColumns) -> None:
    """Say where the texts are, if the user did not, and how many rows have no label."""
    if data.chosen:
        console.say(f"Texts are in the column {data.text_column!r} ({data.chosen}).")
    if data.unlabelled:
        dropped = None not in (data.labels or [])
        rows = counted(len(data.texts) + data.unlabelled * dropped, "row")
        one = data.unlabelled == 1
        said = f"{data.unlabelled:,} of {rows} {'has' if one else 'have'} no label"
        if dropped:
            console.say(f"{said} and {'is' if one else 'are'} left out.")
        else:
            console.say(f"{said}; only the others are compared with labels.")
