"""What a command says: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
import warnings
from typing import Any, TextIO

__all__ = ["Console", "console", "fold"]

_HELD = "\x1f"
"""Stands for a space at which no line is broken."""


_CLEAR = "\r\x1b[K"


class Console:
    """Where messages go, and how many of them.

    Attributes
    ----------
    level : int
        -1 quiet, 0 as usual, 1 verbose.
    """

    def __init__(self) -> None:
        self.level = 0
        self._passing = False

    def configure(self, *, quiet: bool = False, verbose: bool = False) -> None:
        """Set how much is said, and show warnings as one line each."""
        self.level = -1 if quiet else int(verbose)
        self._said: set[str] = set()
        warnings.showwarning = self._show_warning

    @property
    def verbosity(self) -> int:
        """The ``verbose`` parameter of estimators: 0, 1 or 2."""
        return self.level + 1

    def result(self, text: str) -> None:
        """Write a result to standard output."""
        _write(sys.stdout, text)

    def result_json(self, data: Any) -> None:
        """Write a result as JSON to standard output."""
        _write(sys.stdout, json.dumps(data, indent=2, ensure_ascii=False, default=str))

    def tell(self, text: str) -> None:
        """Write to standard output what a person asked to be told, unless quiet."""
        if self.level >= 0:
            self.result(text)

    def say(self, text: str) -> None:
        """Write a message, unless quiet."""
        if self.level >= 0:
            _message(text)

    def detail(self, text: str) -> None:
        """Write a message that only ``--verbose`` shows."""
        if self.level > 0:
            _message(text)

    def step(self, text: str) -> None:
        """Say what is being done: on a terminal in a line that the next message replaces.

        Elsewhere only ``--verbose`` shows it.
        """
        if self.level != 0 or not sys.stderr.isatty():
            self.detail(text)
            return
        shown = f"{text} …"[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write(f"{_CLEAR}{shown}")
        sys.stderr.flush()
        self._passing = True

    def clear_step(self) -> None:
        """Take the line of the last step away, if there is one."""
        if self._passing:
            self._passing = False
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

    def error(self, text: str) -> None:
        """Write what went wrong, quiet or not."""
        _message(f"error: {text}")

    def _show_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        text = str(message)
        if text not in self._said:  # a warning of every chunk is one warning
            self._said.add(text)
            _message(f"warning: {text}")


def _message(text: str) -> None:
    # A terminal breaks lines in the middle of words; a file or another program gets whole lines.
    if sys.stderr.isatty():
        text = fold(text, shutil.get_terminal_size().columns)
    _write(sys.stderr, text)


def fold(text: str, width: int) -> str:
    r"""Break the lines of a text that are longer than a terminal is wide, between words.

    Tables stay as they are as long as they fit; addresses, paths and commands are not cut.

    Examples
    --------
    >>> print(fold("one two three four\n  a  table", 10))
    one two
    three four
      a  table
    """
    return "\n".join(_folded(line, width) for line in text.splitlines())


def _folded(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    # A command is typed off the screen: it stays on one line where it fits.
    held = re.sub(r"`[^`]{1,60}`", lambda match: match[0].replace(" ", _HELD), line)
    folded = textwrap.fill(
        held,
        max(width, 20),
        subsequent_indent=line[: len(line) - len(line.lstrip())],
        break_long_words=False,
        break_on_hyphens=False,
    )
    return folded.replace(_HELD, " ")


def _write(stream: TextIO, text: str) -> None:
    console.clear_step()
    try:
        print(text, file=stream, flush=True)
    except UnicodeEncodeError:  # a terminal that is not UTF-8
        encoding = stream.encoding or "ascii"
        print(text.encode(encoding, "replace").decode(encoding), file=stream, flush=True)


console = Console()
"""The one of this process."""
