"""The command line as a whole: start, help, options that are the same everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from typing import Any

import pytest
import typer

from tests.cli.running import command, environment, invoke, toolkit_process
from toolkit import __version__
from toolkit.cli.app import app

HEAVY = ("sklearn", "scipy", "numpy", "pandas", "ollama", "httpx", "plotly", "matplotlib", "umap")


def every_command() -> dict[str, Any]:
    found = {}

    def walk(group: Any, name: str) -> None:
        for word, one in group.commands.items():
            if hasattr(one, "commands"):
                walk(one, f"{name}{word} ")
            else:
                found[f"{name}{word}"] = one

    walk(typer.main.get_command(app), "")
    return found


def test_the_commands_of_the_issue_are_there() -> None:
    wanted = {
        "doctor", "embed", "train", "predict", "cluster", "map", "demo", "datasets list",
        "datasets show", "cache info", "cache path", "cache clear",
        "cache verify", "cache repair", "cache export", "cache import",
    }  # fmt: skip
    assert wanted <= set(every_command())


def test_version() -> None:
    done = toolkit_process("--version")
    assert (done.code, done.stdout, done.stderr) == (0, f"toolkit {__version__}\n", "")


def test_help_imports_nothing_heavy() -> None:
    program = "import json, sys, toolkit.cli.app; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, env=environment()
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("name", sorted(every_command()))
@pytest.mark.parametrize("columns", [80, 120])
def test_help_of_every_command(name: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    done = invoke(*name.split(), "--help")
    assert done.code == 0
    assert "Usage: " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= columns
    assert "--debug" in done.stdout
    assert "<bool>" not in done.stdout.replace("--help  -h      <bool>", "")


def test_an_option_means_the_same_everywhere() -> None:
    # What --out and --report write differs by command; --backend and --model are the saved
    # model's own in predict and evaluate, and --label-column is needed by train only.
    varying = {"out", "report", "label_column", "full", "help"}
    helps: dict[str, dict[str, str]] = defaultdict(dict)
    for name, one in every_command().items():
        for parameter in one.params:
            for spelled in getattr(parameter, "opts", []):
                if spelled.startswith("--") and parameter.name not in varying:
                    helps[spelled][name] = str(parameter.help)
    for spelled in ("--backend", "--model"):
        for name in ("predict", "evaluate", "assign", "demo"):
            helps[spelled].pop(name, None)
    differing = {option: by for option, by in helps.items() if len(set(by.values())) > 1}
    assert not differing
    shared = {"--backend", "--host", "--model", "--task", "--dimensions", "--cache", "--prompt"}
    shared |= {"--allow-unverified", "--long-texts", "--missing", "--on-error", "--text-column"}
    for option in shared:
        assert {"embed", "train", "cluster", "map"} <= set(helps[option]) | {"predict"}, option


def test_wrong_usage_is_exit_code_2_and_on_standard_error() -> None:
    for words, said in [
        (["embd"], "Did you mean 'embed'?"),
        (["embed"], "INPUT"),
        (["embed", "a.csv", "--nix"], "--nix"),
        (["embed", "a.csv", "--missing", "ignore"], "--missing"),
        (["train", "a.csv", "--cv", "1"], "--cv"),
        (["predict", "m", "a.csv", "--threshold", "2"], "--threshold"),
    ]:
        done = invoke(*words)
        assert done.code == 2, words
        assert said in done.stderr
        assert done.stdout == ""


def test_the_console_script_is_what_python_m_runs() -> None:
    from toolkit.cli.main import run

    assert run.__module__ == "toolkit.cli.main"
    assert toolkit_process("--help").code == 0


INTERRUPTED_AT = """
import sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
sys.argv = ["toolkit", "datasets", "list"]
from toolkit.cli.main import run
run()
"""


@pytest.mark.parametrize("name", ["toolkit.cli.app", "typer", "toolkit.datasets.catalog"])
def test_an_interruption_while_modules_are_imported_is_one_line(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT.format(name=name)],
        capture_output=True,
        env=environment(),
        timeout=120,
    )
    assert done.returncode == 130
    assert done.stderr.decode().splitlines() == ["error: interrupted."]
    assert done.stdout == b""


def test_a_terminal_gets_lines_broken_between_words_and_a_file_whole_ones() -> None:
    pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")
    arguments = ["embed", "dataset:udhr:eng", "--out", "unused.npy"]
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        done = subprocess.run(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            env=environment(),
            timeout=500,
        )
        os.close(theirs)
        shown = screen.read(100_000).decode()
    assert done.returncode == 1
    lines = shown.splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= 80
    assert "`ollama serve`" in shown  # a command is not broken
    whole = toolkit_process(*arguments).stderr
    assert whole.count("\n") == 1
    assert " ".join(lines) == whole.rstrip("\n")
