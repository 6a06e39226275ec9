"""``toolkit doctor``: is everything there, and right?"""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.failures import FAILED
from toolkit.cli.option_groups import cache_parameter
from toolkit.cli.options import CacheFolder, Host, JsonOutput, Model, flag

if TYPE_CHECKING:
    from toolkit.cli.health import Finding

__all__ = ["doctor"]

WIDTH = 78
MARKS = {"ok": "ok", "note": "note", "wrong": "WRONG"}


@command
def doctor(
    host: Host = None,
    model: Model = "embeddinggemma",
    cache: CacheFolder = None,
    full: Annotated[
        bool,
        flag("--full", help="Compare all 29 reference texts, the longest of 1,777 tokens."),
    ] = False,
    json_output: JsonOutput = False,
) -> None:
    """Look whether Ollama, the model, its vectors and the cache are as they should be.

    Asks the server for its version and the model, then for the vectors of a few reference texts
    and compares them with those of the published model. Whatever is wrong is said with the
    command that mends it, and the exit code is 1.
    """
    from toolkit import __version__

    findings: list[Finding] = []
    for finding in _findings(host, model, cache, full):
        findings.append(finding)
        if not json_output:
            _show(finding)
    wrong = [finding for finding in findings if finding.state == "wrong"]
    if json_output:
        console.result_json(
            {
                "healthy": not wrong,
                "toolkit": __version__,
                "python": platform.python_version(),
                "findings": [vars(finding) for finding in findings],
            }
        )
    elif wrong:
        count = len(wrong)
        console.say(f"{count} thing{'s are' if count > 1 else ' is'} wrong.")
    if wrong:
        raise typer.Exit(FAILED)


def _findings(
    host: list[str] | None, model: str, cache: str | None, full: bool
) -> Iterator[Finding]:
    from toolkit.backends.hosts import parse_hosts
    from toolkit.backends.ollama import OllamaBackend
    from toolkit.cli import health

    # Wrong versions and builds are for the doctor to tell, not for the backend to refuse.
    settings = OllamaBackend(allow_unverified=True)
    for address in parse_hosts(host or None):
        console.detail(f"Asking {address} …")
        yield from health.check_server(settings.bind(model, address), full=full)
    yield health.check_cache(cache_parameter(cache))
    yield health.check_packs()
    yield health.check_extras()


def _show(finding: Finding) -> None:
    head = f"{MARKS[finding.state]:6} {finding.about:8} "
    text = textwrap.fill(
        finding.said,
        width=WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
    console.result(text)
