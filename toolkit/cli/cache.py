"""``toolkit cache``: the vectors on disk."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from toolkit.cli.cache_facts import cache_facts, describe_cache, opened_cache, size
from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.failures import FAILED
from toolkit.cli.option_groups import cache_parameter
from toolkit.cli.options import GENERAL, CacheFolder, JsonOutput, flag
from toolkit.errors import UsageError

__all__ = ["app"]

app = typer.Typer(help="The embedding cache: info, path, clear.")


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        info(cache=None, json_output=False, quiet=False, verbose=False, debug=False)


@app.command()
@command
def info(cache: CacheFolder = None, json_output: JsonOutput = False) -> None:
    """Show where the cache is and what it holds, space by space."""
    facts = cache_facts(cache_parameter(cache))
    if json_output:
        console.result_json(facts)
        return
    console.result(describe_cache(facts))
    for space in facts["spaces"]:
        console.result("")
        for line in _describe_space(space):
            console.result(line)
    if facts["errors"]:
        raise typer.Exit(FAILED)


def _describe_space(space: dict[str, Any]) -> list[str]:
    if space["error"]:
        return [space["space"], f"  {size(space['bytes'])}, and {space['error']}"]
    lines = [
        space["space"],
        f"  {space['identity']}",
        f"  {space['entries']:,} vectors, {size(space['bytes'])}",
    ]
    counts = sorted(space["prompts"].items(), key=lambda pair: -pair[1])
    lines += [f"  {count:>9,} under {prompt!r}" for prompt, count in counts]
    return lines


@app.command()
@command
def path(cache: CacheFolder = None) -> None:
    """Print the cache's folder."""
    console.result(str(opened_cache(cache_parameter(cache)).path))


@app.command()
@command
def clear(
    cache: CacheFolder = None,
    yes: Annotated[bool, flag("--yes", "-y", panel=GENERAL, help="Do not ask.")] = False,
    json_output: JsonOutput = False,
) -> None:
    """Delete every vector of the cache, after asking."""
    parameter = cache_parameter(cache)
    opened = opened_cache(parameter)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("clearing the cache asks first; without a terminal, give --yes")
        console.say(describe_cache(cache_facts(parameter)))
        if not typer.confirm("Delete all of it?", err=True):
            console.say("Nothing was deleted.")
            raise typer.Exit(1)
    count = opened.clear()
    if json_output:
        console.result_json({"path": str(opened.path), "deleted_spaces": count})
    console.say(f"Deleted {count} vector space{'s' * (count != 1)} of {opened.path}.")
