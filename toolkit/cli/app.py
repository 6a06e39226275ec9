"""The command ``toolkit`` with its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from toolkit import __version__
from toolkit.cli import cache, datasets
from toolkit.cli.assign import assign
from toolkit.cli.check_labels import check_labels
from toolkit.cli.cluster import cluster
from toolkit.cli.demo import demo
from toolkit.cli.doctor import doctor
from toolkit.cli.embed import embed
from toolkit.cli.evaluate import evaluate
from toolkit.cli.map import map_texts
from toolkit.cli.predict import predict
from toolkit.cli.train import train

__all__ = ["app"]

app = typer.Typer(
    name="toolkit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"toolkit {__version__}")  # noqa: T201 - this is the result
        raise typer.Exit


ABOUT = """EmbeddingGemma through a local Ollama: vectors, classifiers, clusterings and maps.

Every text is embedded once and kept in a cache. Nothing leaves this machine but requests to the \
server you name. Results go to standard output or to the files you name, messages to standard \
error. Exit codes: 0 done, 1 failed, 2 wrong usage.

No server yet? `toolkit demo` shows everything without one; `toolkit doctor` helps to set one up.
"""


@app.callback(help=ABOUT)
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=_show_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    pass


app.command(name="demo")(demo)
app.command(name="doctor")(doctor)
app.command(name="embed")(embed)
app.command(name="train")(train)
app.command(name="evaluate")(evaluate)
app.command(name="predict")(predict)
app.command(name="check-labels")(check_labels)
app.command(name="cluster")(cluster)
app.command(name="assign")(assign)
app.command(name="map")(map_texts)
app.add_typer(cache.app, name="cache")
app.add_typer(datasets.app, name="datasets")
