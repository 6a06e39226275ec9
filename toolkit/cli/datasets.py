"""``toolkit datasets``: the data sets that come with the toolkit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.options import JsonOutput

__all__ = ["app"]

app = typer.Typer(help="The data sets that come with the toolkit: list and show them.")

Name = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, help="The data set's name.")
]


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_datasets(json_output=False, quiet=False, verbose=False, debug=False)


@app.command(name="list")
@command
def list_datasets(json_output: JsonOutput = False) -> None:
    """List the data sets: name, rows, classes, languages and what it is."""
    from toolkit.datasets.catalog import CATALOG

    if json_output:
        console.result_json([asdict(item) for item in CATALOG])
        return
    for item in CATALOG:
        languages = (
            item.languages[0] if len(item.languages) == 1 else f"{len(item.languages)} lang."
        )
        facts = f"{item.rows:>6,} rows  {item.classes:>2} classes  {languages:>8}"
        tasks = ", ".join(vectors.task for vectors in item.vectors)
        vectors_said = f"  vectors: {tasks}" if tasks else ""
        console.result(f"{item.name:18}  {facts}{vectors_said}".rstrip())
        console.result(f"{'':18}  {item.summary}")
    console.say("Use one as INPUT: dataset:NAME. More: toolkit datasets show NAME")


@app.command()
@command
def show(name: Name, json_output: JsonOutput = False) -> None:
    """Show what a data set is, its columns, licence and source, and some rows."""
    from toolkit.datasets import info, load

    item = info(name)
    data = load(name)
    if json_output:
        console.result_json(asdict(item) | {"description": data.DESCR, "filename": data.filename})
        return
    console.result(data.DESCR.rstrip())
    console.result("")
    console.result("Some rows:")
    for place in range(0, len(data.data), -(-len(data.data) // 3)):
        text = str(data.data[place])
        shown = text if len(text) <= 100 else f"{text[:99]}…"
        console.result(f"  [{data.target[place]}] {shown}")
