"""The options commands share: one definition each, so that names and meanings are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from toolkit.prompts import TASKS

__all__ = [
    "EMBEDDING",
    "GENERAL",
    "INPUT",
    "MODEL",
    "OUTPUT",
    "AllowUnverified",
    "Backend",
    "CacheFolder",
    "Dimensions",
    "Force",
    "Host",
    "JsonOutput",
    "Keep",
    "LabelColumn",
    "LongTexts",
    "Missing",
    "Model",
    "ModelFolder",
    "NoText",
    "OnDrift",
    "OnError",
    "OutputFormat",
    "PromptText",
    "RandomState",
    "Source",
    "SpreadsheetSafe",
    "TableOut",
    "Task",
    "flag",
    "option",
]

INPUT = "Input"
EMBEDDING = "Embedding"
MODEL = "Model"
CLUSTERS = "Clusters"
COMPARING = "Comparing two maps"
OUTPUT = "Output"
GENERAL = "General"
"""Headings of the help, in which options stand together."""


def option(
    *names: str,
    help: str,  # noqa: A002 - typer's name
    metavar: str,
    panel: str,
    default: str | bool = False,
    **more: Any,
) -> Any:
    """Return the definition of an option with a value.

    Parameters
    ----------
    *names : str
        Its names.
    help, metavar, panel : str
        For the help: what it does, what its value is called, and the heading it stands under.
    default : str or bool, default=False
        The default in words; True shows the value itself, False nothing.
    **more
        Of ``typer.Option``.
    """
    return typer.Option(
        *names, help=help, metavar=metavar, rich_help_panel=panel, show_default=default, **more
    )


def flag(*names: str, help: str, panel: str = OUTPUT) -> Any:  # noqa: A002 - typer's name
    """Return the definition of an option without a value."""
    return typer.Option(*names, metavar="", help=help, rich_help_panel=panel)


# --- input ---------------------------------------------------------------------------------------

Source = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        show_default=False,
        help="A table or text file (CSV, TSV, JSONL, Parquet, text lines; also .gz), - for "
        "standard input, or dataset:NAME.",
    ),
]
ModelFolder = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", show_default=False, help="The folder that toolkit train --out made."
    ),
]
LabelColumn = Annotated[
    str | None,
    option(
        "--label-column", metavar="NAME", panel=INPUT, default="label", help="The column of labels."
    ),
]

# --- embedding -----------------------------------------------------------------------------------

Backend = Annotated[
    str,
    option(
        "--backend",
        metavar="NAME",
        panel=EMBEDDING,
        default=True,
        help="ollama; openai: a server with OpenAI's /v1/embeddings at --host; embedded: a small "
        "built-in model, no server; cache: vectors made earlier and the shipped ones, cache:SPACE "
        "for one space of them.",
    ),
]
Host = Annotated[
    list[str] | None,
    option(
        "--host",
        metavar="ADDRESS",
        panel=EMBEDDING,
        default="OLLAMA_HOST, or http://127.0.0.1:11434",
        help="Address of the server; repeat it for several.",
    ),
]
Model = Annotated[
    str,
    option("--model", metavar="NAME", panel=EMBEDDING, default=True, help="The model's name."),
]
Task = Annotated[
    str | None,
    option(
        "--task",
        metavar="NAME",
        panel=EMBEDDING,
        default="clustering for cluster and map, else classification",
        help=f"Chooses the prompt: {', '.join(TASKS)}; none sends the texts as they are.",
    ),
]
PromptText = Annotated[
    str | None,
    option(
        "--prompt",
        metavar="'… {text}'",
        panel=EMBEDDING,
        help="A prompt of your own, instead of --task.",
    ),
]
Dimensions = Annotated[
    int | None,
    option(
        "--dimensions",
        metavar="N",
        panel=EMBEDDING,
        default="the full one",
        help="Length of the vectors; EmbeddingGemma was trained for 768, 512, 256 and 128.",
    ),
]
CacheFolder = Annotated[
    str | None,
    option(
        "--cache",
        metavar="FOLDER|off",
        panel=EMBEDDING,
        default="TOOLKIT_CACHE_DIR, or the user's cache folder",
        help="Where vectors are kept.",
    ),
]
LongTexts = Annotated[
    Literal["truncate", "mean", "error"],
    option(
        "--long-texts",
        metavar="POLICY",
        panel=EMBEDDING,
        default=True,
        help="Texts over the model's limit: truncate with a warning, mean of their pieces, or "
        "error.",
    ),
]
Missing = Annotated[
    Literal["error", "empty"],
    option(
        "--missing",
        metavar="POLICY",
        panel=EMBEDDING,
        default=True,
        help="Empty cells and lines: error, or empty to embed an empty text.",
    ),
]
OnError = Annotated[
    Literal["raise", "nan"],
    option(
        "--on-error",
        metavar="POLICY",
        panel=EMBEDDING,
        default=True,
        help="Texts that cannot be embedded: raise after all others are done, or nan to go on "
        "without them.",
    ),
]
OnDrift = Annotated[
    Literal["raise", "warn"] | None,
    option(
        "--on-drift",
        metavar="POLICY",
        panel=EMBEDDING,
        default="raise, unless saved otherwise",
        help="Vectors of another space than what was saved is made on: raise, or warn and go on "
        "at your own risk.",
    ),
]
AllowUnverified = Annotated[
    bool,
    flag(
        "--allow-unverified",
        panel=EMBEDDING,
        help="Accept a model of an official name whose vectors are not the published ones.",
    ),
]

# --- output --------------------------------------------------------------------------------------

Force = Annotated[bool, flag("--force", help="Overwrite output that is there.")]
JsonOutput = Annotated[bool, flag("--json", help="Print the result as JSON.")]
NoText = Annotated[bool, flag("--no-text", help="Leave the texts out of the table.")]
SpreadsheetSafe = Annotated[
    bool,
    flag(
        "--spreadsheet-safe",
        help="In CSV and TSV, put ' before texts that a spreadsheet would run as formulas.",
    ),
]
TableOut = Annotated[
    Path | None,
    option(
        "--out",
        "-o",
        metavar="FILE",
        panel=OUTPUT,
        default="standard output",
        help="The table to write: .csv, .tsv, .jsonl (also .gz) or .parquet.",
    ),
]
OutputFormat = Annotated[
    Literal["csv", "tsv", "jsonl", "parquet"] | None,
    option(
        "--output-format",
        metavar="FORMAT",
        panel=OUTPUT,
        default="by the file's ending; csv on standard output",
        help="csv, tsv, jsonl or parquet.",
    ),
]
Keep = Annotated[
    list[str] | None,
    option(
        "--keep",
        metavar="COLUMN",
        panel=OUTPUT,
        help="A column of the input to write out beside the results; repeat it for several.",
    ),
]

# --- general -------------------------------------------------------------------------------------

RandomState = Annotated[
    int,
    option(
        "--random-state",
        metavar="SEED",
        panel=GENERAL,
        default=True,
        min=0,
        max=2**32 - 1,
        help="Seed of everything random.",
    ),
]
