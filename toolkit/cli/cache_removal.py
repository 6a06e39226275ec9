"""``toolkit cache prune`` and ``clear``: what deletes, after asking."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from toolkit.cli.cache_facts import cache_facts, describe_cache, describe_rest, opened_cache, size
from toolkit.cli.console import console
from toolkit.cli.failures import FAILED
from toolkit.cli.option_groups import cache_parameter
from toolkit.cli.options import GENERAL, INPUT, CacheFolder, JsonOutput, flag, option
from toolkit.errors import UsageError
from toolkit.typography import counted

__all__ = ["clear", "prune"]

SECONDS_A_DAY = 86_400

Yes = Annotated[bool, flag("--yes", "-y", panel=GENERAL, help="Do not ask.")]


def clear(cache: CacheFolder = None, yes: Yes = False, json_output: JsonOutput = False) -> None:
    """Delete every vector and every kept projection of the cache, after asking."""
    from toolkit.visualize.kept import forget_places

    parameter = cache_parameter(cache)
    opened = opened_cache(parameter)
    if not yes:
        facts = cache_facts(parameter)
        lines = [describe_cache(facts), *describe_rest(facts | {"damaged": {"count": 0}})]
        _ask(lines, "Delete all of it?")
    count, projections = opened.clear(), forget_places(opened.path)
    if json_output:
        found = {"deleted_spaces": count, "deleted_projections": projections}
        console.result_json({"path": str(opened.path), **found})
    said = f"Deleted {counted(count, 'vector space')}"
    if projections:
        said += f" and {counted(projections, 'kept projection')}"
    console.say(f"{said} of {opened.path}.")


def prune(
    max_bytes: Annotated[
        str | None,
        option(
            "--max-bytes",
            metavar="SIZE",
            panel=INPUT,
            help="Down to this size, such as 2GB: what was not used for longest goes.",
        ),
    ] = None,
    older_than: Annotated[
        str | None,
        option(
            "--older-than",
            metavar="AGE",
            panel=INPUT,
            help="What was last used more days ago, such as 30d, 8w or 1y; kept projections too.",
        ),
    ] = None,
    space: Annotated[
        str | None,
        option(
            "--space",
            metavar="NAME",
            panel=INPUT,
            help="The space, or the beginning of its name; see `toolkit cache info`.",
        ),
    ] = None,
    cache: CacheFolder = None,
    dry_run: Annotated[
        bool, flag("--dry-run", panel=GENERAL, help="Say what would be removed, and stop.")
    ] = False,
    yes: Yes = False,
    json_output: JsonOutput = False,
) -> None:
    """Remove vectors: by age, down to a size, or a whole space, after asking.

    Others may read and write meanwhile, and nothing else is lost if it is interrupted. What stays
    is copied, so that much free disk is needed. See the documentation of the cache for what counts
    as use.
    """
    from toolkit.cache.limits import parse_age
    from toolkit.visualize.kept import forget_places, kept_places

    opened = opened_cache(cache_parameter(cache))
    how: dict[str, Any] = {"max_bytes": max_bytes, "older_than": older_than, "space": space}
    if not any(how.values()):
        raise UsageError("say what to prune: --max-bytes 2GB, --older-than 30d or --space NAME")
    used_before = 0.0
    if older_than is not None and space is None:
        used_before = (time.time() // SECONDS_A_DAY - parse_age(older_than)) * SECONDS_A_DAY
    old_places = sum(path.stat().st_mtime < used_before for path in kept_places(opened.path))
    found = opened.prune(**how, dry_run=True)
    if not dry_run and not yes and (old_places or any(one.removed or one.deleted for one in found)):
        _ask(_described(found, old_places, "would go"), "Delete them?")
    projections = old_places
    if not dry_run:
        found = opened.prune(**how)
        projections = forget_places(opened.path, used_before=used_before)
    if json_output:
        console.result_json(
            {
                "path": str(opened.path),
                "dry_run": dry_run,
                "removed": sum(one.removed for one in found),
                "bytes_before": sum(one.bytes_before for one in found),
                "bytes_after": sum(one.bytes_after for one in found),
                "projections": projections,
                "spaces": [one.to_dict() for one in found],
            }
        )
    else:
        for line in _described(found, projections, "would go" if dry_run else "removed"):
            console.result(line)
    if any(one.error for one in found):
        raise typer.Exit(FAILED)


# --- inside --------------------------------------------------------------------------------------


def _ask(lines: list[str], question: str) -> None:
    """Ask, or refuse where nobody can answer.

    Raises
    ------
    UsageError
        Without a terminal.
    typer.Exit
        If the answer is no.
    """
    if not sys.stdin.isatty():
        raise UsageError("deleting asks first; without a terminal, give --yes")
    for line in lines:
        console.say(line)
    if not typer.confirm(question, err=True):
        console.say("Nothing was deleted.")
        raise typer.Exit(1)


def _described(found: list[Any], projections: int, happened: str) -> list[str]:
    lines = []
    for one in found:
        if one.error:
            lines += [f"NOT READ  {one.space}", f"  {one.error}"]
        elif one.removed or one.deleted:
            freed = size(max(0, one.bytes_before - one.bytes_after))
            lines.append(f"{one.space}: {counted(one.removed, 'vector')} {happened}, {freed}")
            if one.deleted:
                lines.append("  and the space itself")
            elif one.kept is not None:
                lines.append(f"  kept {counted(one.kept, 'vector')}")
    if projections:
        lines.append(f"{counted(projections, 'kept projection')} of maps {happened}")
    return lines or ["nothing to prune"]
