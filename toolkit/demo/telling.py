"""What the demo says while it works, and what it leaves a list of."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

from toolkit.datasets.output_folder import OutputFolder

__all__ = ["EMBEDDED", "Teller", "beginning"]

EMBEDDED = "embedded-backend"
"""Folder of everything that is not of EmbeddingGemma."""

SHOWN = 600
WIDTH = 75
INDENT = "   "


class Teller:
    """Says the steps, and notes every file with what it is.

    Parameters
    ----------
    folder : OutputFolder
        Where files go.
    say : callable
        Takes lines of text.
    """

    def __init__(self, folder: OutputFolder, say: Callable[[str], object]) -> None:
        self.folder = folder
        self.say = say
        self.files: list[tuple[str, str]] = []
        self.skipped: list[str] = []
        self._steps = 0

    def step(self, text: str) -> None:
        """Say that the next step begins."""
        self._steps += 1
        self.say(f"\n{self._steps}. {text}")

    def show(self, text: str) -> None:
        """Say lines as they are, indented under their step."""
        self.say("\n".join(f"{INDENT}{line}".rstrip() for line in text.splitlines()))

    def tell(self, text: str) -> None:
        """Say sentences, wrapped."""
        lines = text.splitlines()
        self.show("\n".join(textwrap.fill(one, WIDTH, break_on_hyphens=False) for one in lines))

    def skip(self, what: str, reason: str) -> None:
        """Note what is left out, and why."""
        self.skipped.append(f"{what}: {reason}")

    def claim(self, name: str, what: str) -> Path:
        """Return the path for a file that is about to be made, and note what it is."""
        self.note(name, what)
        return self.folder.claim(name)

    def note(self, name: str, what: str) -> None:
        """Note a file or folder and what it is."""
        labelled = " (NOT EmbeddingGemma)" if name.startswith(EMBEDDED) else ""
        self.files.append((name, what + labelled))

    def write_index(self) -> None:
        """Write the list of everything made, and say it."""
        lines = ["# What `toolkit demo` made", ""]
        for name, what in self.files:
            lines.append(f"- [{name}]({name}): {what}")
        if self.skipped:
            lines += ["", "Left out:", "", *(f"- {reason}" for reason in self.skipped)]
        place = self.folder.claim("README.md")
        place.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.say(f"\nMade, in {self.folder.path}:")
        width = max(len(name) for name, _ in self.files)
        self.show("\n".join(f"{name:{width}}  {what}" for name, what in self.files))


def beginning(text: str) -> str:
    """Return the beginning of a long message, up to a sentence's end.

    Examples
    --------
    >>> beginning("Short.")
    'Short.'
    """
    if len(text) <= SHOWN:
        return text
    cut = text[:SHOWN]
    return cut[: cut.rfind(". ") + 1] or cut
