"""What a command says: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any, TextIO

__all__ = ["Console", "console"]


class Console:
    """Where messages go, and how many of them.

    Attributes
    ----------
    level : int
        -1 quiet, 0 as usual, 1 verbose.
    """

    def __init__(self) -> None:
        self.level = 0

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
            _write(sys.stderr, text)

    def detail(self, text: str) -> None:
        """Write a message that only ``--verbose`` shows."""
        if self.level > 0:
            _write(sys.stderr, text)

    def error(self, text: str) -> None:
        """Write what went wrong, quiet or not."""
        _write(sys.stderr, f"error: {text}")

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
            _write(sys.stderr, f"warning: {text}")


def _write(stream: TextIO, text: str) -> None:
    try:
        print(text, file=stream, flush=True)
    except UnicodeEncodeError:  # a terminal that is not UTF-8
        encoding = stream.encoding or "ascii"
        print(text.encode(encoding, "replace").decode(encoding), file=stream, flush=True)


console = Console()
"""The one of this process."""
