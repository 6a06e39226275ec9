"""Options that go together: each class here gives a command one option per field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from toolkit.cli.options import (
    COMPARING,
    EMBEDDING,
    GENERAL,
    INPUT,
    MODEL,
    AllowUnverified,
    Backend,
    CacheFolder,
    Dimensions,
    Host,
    LongTexts,
    Missing,
    Model,
    OnDrift,
    OnError,
    PromptText,
    Task,
    flag,
    option,
)
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.datasets.tables import TableFormat

__all__ = [
    "OPTION_GROUPS",
    "CompareOptions",
    "EmbeddingOptions",
    "GeneralOptions",
    "InputOptions",
    "SavedModelOptions",
    "backend_parameter",
    "cache_parameter",
    "kept_after_interruption",
]


@dataclass(frozen=True)
class GeneralOptions:
    """How much is said."""

    quiet: Annotated[
        bool, flag("--quiet", "-q", panel=GENERAL, help="Say nothing but warnings and errors.")
    ] = False
    verbose: Annotated[bool, flag("--verbose", "-v", panel=GENERAL, help="Say more.")] = False
    debug: Annotated[
        bool, flag("--debug", panel=GENERAL, help="Show the traceback of an error.")
    ] = False


@dataclass(frozen=True)
class InputOptions:
    """How the input is read."""

    text_column: Annotated[
        str | None,
        option(
            "--text-column",
            metavar="NAME",
            panel=INPUT,
            default="text, or the only one",
            help="The column of texts.",
        ),
    ] = None
    input_format: Annotated[
        Literal["csv", "tsv", "jsonl", "parquet", "text"] | None,
        option(
            "--input-format",
            metavar="FORMAT",
            panel=INPUT,
            default="by the file's ending; text for -",
            help="csv, tsv, jsonl, parquet or text (one text a line).",
        ),
    ] = None
    encoding: Annotated[
        str,
        option(
            "--encoding",
            metavar="NAME",
            panel=INPUT,
            default=True,
            help="Encoding of the input, such as cp1252, latin-1, utf-16, shift_jis.",
        ),
    ] = "utf-8"
    delimiter: Annotated[
        str | None,
        option(
            "--delimiter",
            metavar="CHAR",
            panel=INPUT,
            default="a comma; a tab in TSV",
            help=r"What stands between the cells of CSV; \t for a tab.",
        ),
    ] = None
    no_header: Annotated[
        bool,
        flag(
            "--no-header",
            panel=INPUT,
            help="CSV and TSV begin with data: columns are column_1, column_2, …",
        ),
    ] = False
    no_quotes: Annotated[
        bool,
        flag("--no-quotes", panel=INPUT, help='In CSV and TSV, " is an ordinary character.'),
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
    """What makes the vectors: the parameters of a vectorizer."""

    backend: Backend = "ollama"
    host: Host = None
    model: Model = "embeddinggemma"
    task: Task = None
    prompt: PromptText = None
    dimensions: Dimensions = None
    cache: CacheFolder = None
    long_texts: LongTexts = "truncate"
    missing: Missing = "error"
    on_error: OnError = "raise"
    allow_unverified: AllowUnverified = False

    def task_parameter(self, default: str) -> str | None:
        """Return the ``task`` parameter of a vectorizer."""
        if self.task is None:
            return default
        return None if self.task.lower() == "none" else self.task


@dataclass(frozen=True)
class SavedModelOptions:
    """How a saved model or clustering is opened, and where its vectors come from here."""

    trusted: Annotated[
        bool,
        flag(
            "--trusted",
            panel=MODEL,
            help="Open a model that could run code: only if you trust who made it.",
        ),
    ] = False
    backend: Annotated[
        str | None,
        option(
            "--backend",
            metavar="NAME",
            panel=EMBEDDING,
            default="as saved",
            help="ollama, openai, embedded or cache; its vectors must be those that what was saved "
            "is made on.",
        ),
    ] = None
    host: Host = None
    server_model: Annotated[
        str | None,
        option(
            "--model",
            metavar="NAME",
            panel=EMBEDDING,
            default="as saved",
            help="Name of the embedding model on the server.",
        ),
    ] = None
    cache: CacheFolder = None
    long_texts: LongTexts = "truncate"
    missing: Missing = "error"
    on_drift: OnDrift = None
    allow_unverified: AllowUnverified = False

    def deciding(self) -> dict[str, Any]:
        """Return what results depend on, for a run that goes on where another broke off."""
        names = ("backend", "host", "server_model", "long_texts", "missing", "on_drift")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class CompareOptions:
    """What a second map beside the first is made with; what is not given is as for the first."""

    compare_task: Annotated[
        str | None,
        option(
            "--compare-task",
            metavar="NAME",
            panel=COMPARING,
            help="A second map beside it, linked, with this --task.",
        ),
    ] = None
    compare_prompt: Annotated[
        str | None,
        option(
            "--compare-prompt",
            metavar="'… {text}'",
            panel=COMPARING,
            help="A second map, with this --prompt.",
        ),
    ] = None
    compare_dimensions: Annotated[
        int | None,
        option(
            "--compare-dimensions",
            metavar="N",
            panel=COMPARING,
            help="A second map, of vectors this short.",
        ),
    ] = None
    compare_model: Annotated[
        str | None,
        option(
            "--compare-model",
            metavar="NAME",
            panel=COMPARING,
            help="A second map, of this --model.",
        ),
    ] = None

    def second(self, first: EmbeddingOptions) -> EmbeddingOptions | None:
        """Return what makes the second map's vectors; None if there is to be no second map."""
        if self.compare_task is not None and self.compare_prompt is not None:
            raise UsageError("--compare-task and --compare-prompt exclude each other")
        if first.backend == "embedded" and (self.compare_task or self.compare_prompt):
            raise UsageError("the embedded model takes no prompts; both maps would be the same")
        changed: dict[str, Any] = {}
        if self.compare_task is not None:
            changed |= {"task": self.compare_task, "prompt": None}
        if self.compare_prompt is not None:
            changed |= {"prompt": self.compare_prompt, "task": None}
        if self.compare_dimensions is not None:
            changed["dimensions"] = self.compare_dimensions
        if self.compare_model is not None:
            changed["model"] = self.compare_model
        return replace(first, **changed) if changed else None

    def titles(self, first: EmbeddingOptions, default_task: str) -> tuple[str, str]:
        """Return in words how the two maps differ.

        Examples
        --------
        >>> CompareOptions(compare_dimensions=128).titles(EmbeddingOptions(), "clustering")
        ('full dimension', '128 dimensions')
        """
        second = self.second(first) or first
        parts = []
        for one in (first, second):
            said = []
            if self.compare_model is not None:
                said.append(one.model)
            if self.compare_task is not None or self.compare_prompt is not None:
                task = one.task_parameter(default_task) or "none"
                said.append(f"prompt {one.prompt!r}" if one.prompt else f"task {task}")
            if self.compare_dimensions is not None:
                n = one.dimensions
                said.append("full dimension" if n is None else f"{n} dimensions")
            parts.append(", ".join(said))
        return parts[0], parts[1]


OPTION_GROUPS: tuple[type, ...] = (
    GeneralOptions,
    InputOptions,
    EmbeddingOptions,
    SavedModelOptions,
    CompareOptions,
)
"""Classes whose fields become options of a command that has a parameter of that type."""


def cache_parameter(given: str | None) -> bool | str:
    """Return the ``cache`` parameter of a vectorizer for ``--cache``.

    Examples
    --------
    >>> cache_parameter(None), cache_parameter("off"), cache_parameter("vectors")
    (True, False, 'vectors')
    """
    if given is None:
        return True
    if given == "off":
        return False
    if not given:
        raise UsageError("--cache is empty; give a folder, or off")
    return str(Path(given).expanduser())


def backend_parameter(backend: str, allow_unverified: bool) -> Any:
    """Return the ``backend`` parameter of a vectorizer for ``--backend``."""
    if not allow_unverified:
        return backend
    if backend == "ollama":
        from toolkit.backends.ollama import OllamaBackend

        return OllamaBackend(allow_unverified=True)
    if backend == "openai":
        from toolkit.backends.openai_compatible import OpenAIBackend

        return OpenAIBackend(allow_unverified=True)
    raise UsageError("--allow-unverified is for servers: --backend ollama or openai")


def kept_after_interruption(cache: str | None) -> str:
    """Return what an interrupted run leaves behind, in a sentence."""
    if cache == "off":
        return "Nothing is kept (--cache off)."
    return "Vectors made so far are in the cache: run the same command again to go on."
