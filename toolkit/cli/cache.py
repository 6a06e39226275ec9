"""``toolkit cache``: the vectors on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from toolkit.cli.cache_facts import (
    cache_facts,
    describe_cache,
    describe_rest,
    opened_cache,
    size,
    when,
)
from toolkit.cli.cache_removal import clear, prune
from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.failures import FAILED
from toolkit.cli.option_groups import cache_parameter
from toolkit.cli.options import (
    INPUT,
    OUTPUT,
    CacheFolder,
    Force,
    JsonOutput,
    flag,
    option,
)
from toolkit.typography import counted

__all__ = ["app"]

app = typer.Typer(help="The embedding cache: what it holds, checks, repairs, packs.")


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
    for line in describe_rest(facts):
        console.result(line)
    for space in facts["spaces"]:
        console.result("")
        for line in _describe_space(space):
            console.result(line)
    if facts["errors"]:
        raise typer.Exit(FAILED)


def _describe_space(space: dict[str, Any]) -> list[str]:
    if space["error"]:
        return [space["space"], f"  {size(space['bytes'])}, and {space['error']}"]
    used = f", last used {when(space['last_used'])}"
    lines = [
        space["space"],
        f"  {space['identity']}",
        f"  {counted(space['entries'], 'vector')}, {size(space['bytes'])}{used}",
    ]
    tasks = sorted(space["tasks"].items(), key=lambda pair: (not pair[0], -pair[1]["entries"]))
    for prompt, task in tasks:
        if prompt or task["entries"]:
            lines.append(f"  {task['entries']:>9,} under {prompt!r}")
        else:
            lines.append(f"  {'':>9} read by key")
        if task["hits"] is None:
            lines.append(f"  {'':>9}   what was found was not noted")
        elif task["hits"] or task["misses"]:
            lines.append(
                f"  {'':>9}   {task['hits']:,} found, {task['misses']:,} embedded or missing; "
                f"last asked {when(task['last_used'])}"
            )
    return lines


@app.command()
@command
def path(cache: CacheFolder = None, json_output: JsonOutput = False) -> None:
    """Print the cache's folder."""
    folder = opened_cache(cache_parameter(cache)).path
    if json_output:
        console.result_json({"path": str(folder), "exists": folder.is_dir()})
    else:
        console.result(str(folder))


# --- care ----------------------------------------------------------------------------------------


@app.command()
@command
def verify(cache: CacheFolder = None, json_output: JsonOutput = False) -> None:
    """Read every vector and compare it with its checksum; nothing is changed."""
    opened = opened_cache(cache_parameter(cache))
    reports = opened.verify()
    wrong = any(report.damaged or report.error for report in reports)
    if json_output:
        spaces = [report.to_dict() for report in reports]
        console.result_json({"path": str(opened.path), "sound": not wrong, "spaces": spaces})
    else:
        for report in reports:
            for line in _describe_report(report):
                console.result(line)
        if not reports:
            console.result(f"{opened.path}: empty")
    if any(report.damaged for report in reports):
        console.say("Run `toolkit cache repair`, which keeps what is sound and deletes nothing.")
    if wrong:
        raise typer.Exit(FAILED)


def _describe_report(report: Any) -> list[str]:
    if report.error is not None:
        return [f"NOT READ  {report.space}", f"  {report.error}"]
    if not report.damaged:
        return [f"ok        {report.space}: {counted(report.good, 'vector')}"]
    bad = sum(report.reasons.values())
    lines = [f"DAMAGED   {report.space}: {bad:,} of {counted(report.rows, 'vector')}"]
    lines += [f"  {problem}" for problem in report.problems]
    for reason, count in report.reasons.items():
        rows = [f"{row:,}" for row, why in report.bad_rows if why == reason][:5]
        first = f" (first: row {', '.join(rows)})" if rows else ""
        lines.append(f"  {count:,} {'is' if count == 1 else 'are'} bad: {reason}{first}")
    return lines


@app.command()
@command
def repair(cache: CacheFolder = None, json_output: JsonOutput = False) -> None:
    """Keep the sound vectors of damaged spaces, and move the damaged folders aside."""
    opened = opened_cache(cache_parameter(cache))
    repairs = opened.repair()
    damaged = any(done.report.damaged or done.report.error for done in repairs)
    if json_output:
        spaces = [done.to_dict() for done in repairs]
        console.result_json({"path": str(opened.path), "sound": not damaged, "spaces": spaces})
    else:
        for done in repairs:
            for line in _describe_repair(done):
                console.result(line)
        if not repairs:
            console.result(f"{opened.path}: empty")
    if damaged:
        raise typer.Exit(FAILED)


def _describe_repair(done: Any) -> list[str]:
    lines = _describe_report(done.report)
    if done.cut_bytes:
        lines.append(f"  cut off {size(done.cut_bytes)} that an interrupted writer had left")
    if done.new_space is not None:
        lines.append(f"  kept {counted(done.kept, 'vector')} as {done.new_space}")
    if done.moved_to is not None:
        lines.append(f"  moved the damaged folder to {done.moved_to}; delete it when you like")
    return lines


# --- packs ---------------------------------------------------------------------------------------


@app.command("export")
@command
def export_vectors(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", show_default=False, help="The pack: name.safetensors."),
    ],
    space: Annotated[
        str,
        option(
            "--space",
            metavar="NAME",
            panel=INPUT,
            help="The space, or the beginning of its name; see `toolkit cache info`.",
        ),
    ] = "",
    template: Annotated[
        str | None,
        option(
            "--template",
            metavar="'… {text}'",
            panel=INPUT,
            help="The prompt of the vectors, if the space has those of several.",
        ),
    ] = None,
    float16: Annotated[
        bool, flag("--float16", panel=OUTPUT, help="Half the size, 4 digits.")
    ] = False,
    force: Force = False,
    cache: CacheFolder = None,
    json_output: JsonOutput = False,
) -> None:
    """Write vectors of the cache to a pack that others can import."""
    from toolkit.datasets.output_files import output_file

    opened = opened_cache(cache_parameter(cache))
    dtype = "float16" if float16 else "float32"
    with output_file(file, force=force) as place:
        count = opened.export(place, space, prompt=template, dtype=dtype)
    if json_output:
        console.result_json({"file": str(file), "vectors": count, "bytes": file.stat().st_size})
    console.say(f"Wrote {counted(count, 'vector')} to {file} ({size(file.stat().st_size)}).")


@app.command("import")
@command
def import_vectors(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="A pack of vectors.")
    ],
    cache: CacheFolder = None,
    json_output: JsonOutput = False,
) -> None:
    """Take the vectors of a pack into the cache, into the space they are of."""
    opened = opened_cache(cache_parameter(cache))
    done = opened.import_(file)
    if json_output:
        facts = {"file": str(file), "space": done.space.id, "new_space": done.new_space}
        console.result_json({**facts, "added": done.added, "present": done.present})
    console.say(
        f"Added {counted(done.added, 'vector')} to {done.space.id}"
        f"{', a new space' if done.new_space else ''}; there already: {done.present:,}."
    )


# --- less of it ----------------------------------------------------------------------------------

app.command()(command(prune))
app.command()(command(clear))
