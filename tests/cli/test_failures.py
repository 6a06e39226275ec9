"""Whatever goes wrong: one message on standard error, the right exit code, no traceback."""

from __future__ import annotations

import errno

import pytest
import typer

from toolkit.cli.console import console
from toolkit.cli.failures import reported
from toolkit.errors import (
    BackendError,
    DataError,
    ModelFileError,
    PromptError,
    ServerUnavailableError,
    ToolkitError,
    UsageError,
)


@pytest.fixture(autouse=True)
def _fresh_console() -> None:
    console.configure()


def fail(error: BaseException, *, debug: bool = False, kept: str = "") -> int:
    with pytest.raises(typer.Exit) as caught, reported(debug=debug, kept=kept):
        raise error
    return caught.value.exit_code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("no column 'x'"), 2, "error: no column 'x'\n"),
        (PromptError("no task 'x'"), 2, "error: no task 'x'\n"),
        (DataError("line 3 is ragged"), 1, "error: line 3 is ragged\n"),
        (ServerUnavailableError("run `ollama serve`"), 1, "error: run `ollama serve`\n"),
        (BackendError("broken", fatal=True), 1, "error: broken\n"),
        (ModelFileError("damaged"), 1, "error: damaged\n"),
        (ToolkitError("anything"), 1, "error: anything\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "a.npy"),
            1,
            "error: a.npy: No space left on device; free some space, or write to another disk\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "a.csv"),
            1,
            "error: a.csv: Permission denied; check who may read or write it\n",
        ),
        (OSError("strange"), 1, "error: strange\n"),
    ],
)
def test_errors_of_the_users_making(
    error: Exception, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail(error) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", said)


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(DataError("ragged"), debug=True) == 1
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert said.endswith("error: ragged\n")


def test_what_was_not_foreseen_says_how_to_see_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(ZeroDivisionError("division by zero")) == 1
    said = capsys.readouterr().err
    assert "error: ZeroDivisionError: division by zero" in said
    assert "--debug" in said
    assert "Traceback" not in said
    assert fail(MemoryError()) == 1
    assert "out of memory" in capsys.readouterr().err


def test_an_interruption_says_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(KeyboardInterrupt(), kept="Vectors are kept.") == 130
    assert capsys.readouterr().err == "error: interrupted. Vectors are kept.\n"
    stop = KeyboardInterrupt()
    stop.add_note("3 of 5 texts were embedded.")
    assert fail(stop, kept="Vectors are kept.") == 130
    assert capsys.readouterr().err == "error: interrupted. 3 of 5 texts were embedded.\n"


def test_typers_own_errors_pass() -> None:
    for error in (typer.BadParameter("x"), typer.Exit(3), typer.Abort()):
        with pytest.raises(type(error)), reported():
            raise error
