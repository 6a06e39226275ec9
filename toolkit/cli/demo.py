"""``toolkit demo``: the whole job once, on real vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.option_groups import cache_parameter
from toolkit.cli.options import EMBEDDING, OUTPUT, CacheFolder, Force, Host, Model, option

__all__ = ["demo"]


@command
def demo(
    sentences: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SENTENCE",
            show_default=False,
            help="Sentences of your own to predict. [default: three about the goals]".replace(
                "[", r"\["
            ),
        ),
    ] = None,
    out: Annotated[
        Path,
        option(
            "--out",
            "-o",
            metavar="FOLDER",
            panel=OUTPUT,
            default=True,
            help="Where the results go; what an earlier demo left there is made anew.",
        ),
    ] = Path("demo"),
    backend: Annotated[
        Literal["ollama", "embedded"] | None,
        option(
            "--backend",
            metavar="NAME",
            panel=EMBEDDING,
            default="ollama; where it does not answer, embedded",
            help="For the sentences: ollama alone, or embedded, the small built-in model.",
        ),
    ] = None,
    host: Host = None,
    model: Model = "embeddinggemma",
    cache: CacheFolder = None,
    force: Force = False,
) -> None:
    """Classify, cluster and map 615 passages, and predict sentences of your own.

    The passages are about the 17 Sustainable Development Goals; their EmbeddingGemma vectors come
    with the toolkit, so no server is needed. New sentences are predicted through Ollama if one
    answers; else the same job is shown once more on the small built-in model, and labelled so.
    Exit code 0 also where an optional part had to be left out: it says so.

    Examples:

      toolkit demo
      toolkit demo "Half of the rural households still have no electricity."
    """
    from toolkit.demo import SENTENCES, run_demo

    run_demo(
        out,
        sentences=sentences or SENTENCES,
        backend=backend,
        host=host or None,
        model=model,
        cache=cache_parameter(cache),
        force=force,
        say=console.tell,
    )
