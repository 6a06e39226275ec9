"""The options commands share: one definition each, so that names and meanings are the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from toolkit.errors import UsageError
from toolkit.prompts import TASKS

if TYPE_CHECKING:
    from toolkit.datasets.tables import TableFormat

__all__ = [
    "OPTION_GROUPS",
    "CacheOption",
    "EmbeddingOptions",
    "Force",
    "GeneralOptions",
    "Host",
    "InputOptions",
    "JsonOutput",
    "Model",
    "OutputFormat",
    "RandomState",
    "Source",
    "SpreadsheetSafe",
]

INPUT = "Input"
EMBEDDING = "Embedding"
OUTPUT = "Output"
GENERAL = "General"

Source = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        show_default=False,
        help="A table or text file (CSV, TSV, JSONL, Parquet, text lines; also .gz), - for "
        "standard input, or dataset:NAME[:SUBSET].",
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Overwrite output that is there.", rich_help_panel=OUTPUT),
]
JsonOutput = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel=OUTPUT)
]
SpreadsheetSafe = Annotated[
    bool,
    typer.Option(
        "--spreadsheet-safe",
        help="In CSV and TSV, put ' before texts that a spreadsheet would run as formulas.",
        rich_help_panel=OUTPUT,
    ),
]
OutputFormat = Annotated[
    Literal["csv", "tsv", "jsonl", "parquet"] | None,
    typer.Option(
        "--output-format",
        show_default=False,
        help="Of the table written; else by the ending of --out, and CSV on standard output.",
        rich_help_panel=OUTPUT,
    ),
]
RandomState = Annotated[
    int,
    typer.Option(
        "--random-state",
        metavar="SEED",
        min=0,
        help="Seed of everything random.",
        rich_help_panel=GENERAL,
    ),
]
Model = Annotated[
    str,
    typer.Option("--model", metavar="NAME", help="The model's name.", rich_help_panel=EMBEDDING),
]
Host = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        show_default=False,
        help="Address of the Ollama server; repeat it for several. "
        "[default: OLLAMA_HOST or http://127.0.0.1:11434]",
        rich_help_panel=EMBEDDING,
    ),
]
CacheOption = Annotated[
    str | None,
    typer.Option(
        "--cache",
        metavar="FOLDER|off",
        show_default=False,
        help="Where vectors are kept, or off. [default: TOOLKIT_CACHE_DIR or the user's cache]",
        rich_help_panel=EMBEDDING,
    ),
]


@dataclass(frozen=True)
class GeneralOptions:
    """How much is said."""

    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Say nothing but warnings and errors.", rich_help_panel=GENERAL
        ),
    ] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more.", rich_help_panel=GENERAL)
    ] = False
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=GENERAL),
    ] = False


@dataclass(frozen=True)
class InputOptions:
    """How the input is read."""

    text_column: Annotated[
        str | None,
        typer.Option(
            "--text-column",
            metavar="NAME",
            show_default=False,
            help="The column of texts. [default: text, or the only one]",
            rich_help_panel=INPUT,
        ),
    ] = None
    input_format: Annotated[
        Literal["csv", "tsv", "jsonl", "parquet", "text"] | None,
        typer.Option(
            "--input-format",
            show_default=False,
            help="Where the name does not tell. [default: by the ending; text for -]",
            rich_help_panel=INPUT,
        ),
    ] = None
    encoding: Annotated[
        str,
        typer.Option("--encoding", metavar="NAME", help="Of text formats.", rich_help_panel=INPUT),
    ] = "utf-8"
    delimiter: Annotated[
        str | None,
        typer.Option(
            "--delimiter",
            metavar="CHARACTER",
            show_default=False,
            help="Of CSV. [default: a comma; a tab in TSV]",
            rich_help_panel=INPUT,
        ),
    ] = None
    no_header: Annotated[
        bool,
        typer.Option(
            "--no-header",
            help="The first row is no row of names; columns are column_1, column_2, …",
            rich_help_panel=INPUT,
        ),
    ] = False
    no_quotes: Annotated[
        bool,
        typer.Option(
            "--no-quotes",
            help='In CSV and TSV, " is an ordinary character.',
            rich_help_panel=INPUT,
        ),
    ] = False

    def table_format(self) -> TableFormat:
        """Return how to read the input."""
        from toolkit.datasets.tables import TableFormat

        delimiter = {"\\t": "\t", "tab": "\t"}.get(self.delimiter or "", self.delimiter)
        return TableFormat(
            format=self.input_format,
            encoding=self.encoding,
            delimiter=delimiter,
            header=not self.no_header,
            quotes=not self.no_quotes,
        )


@dataclass(frozen=True)
class EmbeddingOptions:
    """What makes the vectors."""

    backend: Annotated[
        str,
        typer.Option(
            "--backend",
            metavar="NAME",
            help="ollama; embedded (a small built-in model, no server); or cache (vectors made "
            "earlier and the shipped ones), cache:SPACE.",
            rich_help_panel=EMBEDDING,
        ),
    ] = "ollama"
    host: Host = None
    model: Model = "embeddinggemma"
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            metavar="NAME",
            show_default=False,
            help=f"Chooses the prompt: {', '.join(TASKS)}, or none. [default: clustering for "
            "cluster and map, else classification]",
            rich_help_panel=EMBEDDING,
        ),
    ] = None
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt",
            metavar="'… {text}'",
            show_default=False,
            help="A prompt of your own, instead of --task.",
            rich_help_panel=EMBEDDING,
        ),
    ] = None
    dimensions: Annotated[
        int | None,
        typer.Option(
            "--dimensions",
            metavar="N",
            min=1,
            show_default=False,
            help="Length of the vectors: 768, 512, 256 or 128. [default: the full one]",
            rich_help_panel=EMBEDDING,
        ),
    ] = None
    cache: CacheOption = None
    long_texts: Annotated[
        Literal["truncate", "mean", "error"],
        typer.Option(
            "--long-texts",
            help="Texts over the model's limit: cut with a warning, average pieces, or refuse.",
            rich_help_panel=EMBEDDING,
        ),
    ] = "truncate"
    missing: Annotated[
        Literal["error", "empty"],
        typer.Option(
            "--missing",
            help="Empty cells and lines: refuse, or take them as empty texts.",
            rich_help_panel=EMBEDDING,
        ),
    ] = "error"
    on_error: Annotated[
        Literal["raise", "nan"],
        typer.Option(
            "--on-error",
            help="Texts that cannot be embedded: fail after all others, or go without them.",
            rich_help_panel=EMBEDDING,
        ),
    ] = "raise"
    allow_unverified: Annotated[
        bool,
        typer.Option(
            "--allow-unverified",
            help="Accept a model of an official name whose vectors are not the published ones.",
            rich_help_panel=EMBEDDING,
        ),
    ] = False

    def cache_parameter(self) -> bool | str:
        """Return the ``cache`` parameter of a vectorizer."""
        return cache_parameter(self.cache)

    def backend_parameter(self) -> Any:
        """Return the ``backend`` parameter of a vectorizer."""
        if not self.allow_unverified:
            return self.backend
        if self.backend != "ollama":
            raise UsageError("--allow-unverified is for --backend ollama")
        from toolkit.backends.ollama import OllamaBackend

        return OllamaBackend(allow_unverified=True)

    def task_parameter(self, default: str) -> str | None:
        """Return the ``task`` parameter of a vectorizer."""
        if self.task is None:
            return default
        return None if self.task.lower() == "none" else self.task

    @property
    def kept(self) -> str:
        """What an interrupted run leaves behind."""
        if self.cache == "off":
            return "Nothing is kept (--cache off)"
        return "Vectors made so far are in the cache: run the same command again to go on"


OPTION_GROUPS: tuple[type, ...] = (GeneralOptions, InputOptions, EmbeddingOptions)
"""Dataclasses whose fields become options of a command that has a parameter of that type."""


def cache_parameter(option: str | None) -> bool | str:
    """Return the ``cache`` parameter for ``--cache``.

    Examples
    --------
    >>> cache_parameter(None), cache_parameter("off"), cache_parameter("vectors")
    (True, False, 'vectors')
    """
    if option is None or option == "on":
        return True
    if option == "off":
        return False
    if not option:
        raise UsageError("--cache is empty; give a folder, or off")
    return str(Path(option).expanduser())
