"""Running commands: in a process of their own, as users do, or in this one where that is enough."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

import toolkit

__all__ = ["Done", "command", "environment", "invoke", "toolkit_process"]

command = [sys.executable, "-m", "toolkit"]


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    stdout: str
    stderr: str


def environment(**changes: str) -> dict[str, str]:
    """Return an environment in which the checkout's package is found from any folder."""
    root = str(Path(toolkit.__file__).parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    return os.environ | {"PYTHONPATH": path, "COLUMNS": "80"} | changes


def toolkit_process(
    *arguments: str | Path,
    stdin: str | bytes = b"",
    cwd: Path | None = None,
    **env: str,
) -> Done:
    """Run `toolkit` in a process of its own."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [*command, *map(str, arguments)],
        input=data,
        capture_output=True,
        cwd=cwd,
        env=environment(**env),
        timeout=500,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def invoke(*arguments: str | Path, stdin: str = "") -> Done:
    """Run `toolkit` in this process."""
    from toolkit.cli.app import app

    words: Sequence[str] = [str(argument) for argument in arguments]
    done = CliRunner().invoke(app, words, input=stdin)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)
