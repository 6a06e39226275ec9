"""From what went wrong to one line on standard error and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager, suppress

import typer

from toolkit.cli.console import console
from toolkit.errors import ToolkitError, UsageError

__all__ = ["BROKEN_PIPE", "FAILED", "INTERRUPTED", "USAGE", "exit_code", "reported"]

FAILED = 1
USAGE = 2
INTERRUPTED = 130
"""128 and SIGINT, as shells have it."""
BROKEN_PIPE = 141
"""128 and SIGPIPE: what a program gets that writes to a pipe nobody reads any more."""

_HINTS = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some space, or write to another disk",
    errno.EACCES: "check who may read or write it",
    errno.EPERM: "check who may read or write it",
    errno.EROFS: "the disk is read-only; write to another one",
    errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
}


def exit_code(error: BaseException) -> int:
    """Return 2 for a mistake in what was asked for, else 1.

    Examples
    --------
    >>> exit_code(UsageError("no such column")), exit_code(OSError("disk full"))
    (2, 1)
    """
    return USAGE if isinstance(error, UsageError) else FAILED


@contextmanager
def reported(*, debug: bool = False, kept: str = "") -> Generator[None]:
    """End a command well whatever happens in the block.

    Parameters
    ----------
    debug : bool, default=False
        Whether to show the traceback.
    kept : str, optional
        What an interrupted run leaves behind, for the message.

    Raises
    ------
    typer.Exit
        With the exit code, after the message.
    """
    try:
        yield
        sys.stdout.flush()
    except (typer.Exit, typer.Abort, SystemExit):
        raise
    except BrokenPipeError:
        _abandon_stdout()
        raise typer.Exit(BROKEN_PIPE) from None
    except KeyboardInterrupt as stop:
        # The engine notes how far it came; that is more than what is known here.
        said = " ".join(getattr(stop, "__notes__", [])) or kept
        console.error(f"interrupted. {said}".rstrip())
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        if _is_usage_error(error):  # typer prints these itself
            raise
        if debug:
            traceback.print_exc()
        console.error(_message(error))
        if not debug and not isinstance(error, ToolkitError | OSError | MemoryError):
            console.error("this was not foreseen; --debug shows where it happened")
        raise typer.Exit(exit_code(error)) from None


def _message(error: Exception) -> str:
    if isinstance(error, ToolkitError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory; give fewer texts at once, or a machine with more of it"
    if isinstance(error, OSError):
        names = [str(name) for name in (error.filename, error.filename2) if name is not None]
        said = ": ".join([*names[:1], error.strerror or str(error) or type(error).__name__])
        hint = _HINTS.get(error.errno or 0, "")
        return f"{said}; {hint}" if hint else said
    return f"{type(error).__name__}: {error}"


def _is_usage_error(error: Exception) -> bool:
    # The base of typer's own errors has no public name.
    return isinstance(error, typer.BadParameter.__mro__[2])


def _abandon_stdout() -> None:
    """Send what is still in the buffer nowhere, or Python complains when it exits."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
