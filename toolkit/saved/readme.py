"""The README.md of a saved folder: what a colleague wants to know before using it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.page import escape_markdown
from toolkit.saved.description import Description

__all__ = ["code", "folder_readme", "made_by", "usage"]


def folder_readme(
    info: Description, title: str, sections: Iterable[str], facts: Mapping[str, Any]
) -> str:
    r"""Return the README of a folder in Markdown.

    Parameters
    ----------
    info : Description
        What the folder says of itself.
    title : str
        Heading.
    sections : iterable of str
        Markdown between the heading and where it all comes from.
    facts : mapping of str to object
        Where the content comes from; what is None is left out.

    Returns
    -------
    str

    Examples
    --------
    >>> info = Description(file="model.skops", sha256="", date="2026-11-24")
    >>> print(folder_readme(info, "Clusters", ["Three.\n"], {"Rows": 5, "Seed": None}))
    # Clusters
    <BLANKLINE>
    Three.
    <BLANKLINE>
    ## Where it comes from
    <BLANKLINE>
    - Rows: `5`
    - Written: `2026-11-24`
    - Versions: ``
    <BLANKLINE>
    """
    parts = [f"# {title}\n"]
    if info.notice:
        parts.append(f"> **{escape_markdown(info.notice)}**\n")
    known = info.identity
    said = dict(facts) | {
        "Model": known.describe() if known is not None else None,
        "Vectors": known.provenance if known is not None else None,
        "Written": info.date,
        "Versions": ", ".join(f"{k} {v}" for k, v in info.versions.items()),
        "Command": info.provenance.get("command"),
    }
    lines = [f"- {name}: {code(value)}" for name, value in said.items() if value is not None]
    return "\n".join([*parts, *sections, "## Where it comes from\n", *lines]) + "\n"


def code(text: object) -> str:
    """Return a text as code that cannot end early.

    Examples
    --------
    >>> code("a`b")
    "`a'b`"
    """
    line = str(text).replace("\n", "\\n").replace("`", "'")
    return f"`{line}`"


def made_by(info: Description, otherwise: str) -> str:
    """Return what made the vectors, and under which prompt.

    Examples
    --------
    >>> made_by(Description(file="", sha256="", prompt="query: {text}"), "an unrecorded model")
    'an unrecorded model, under the prompt `query: {text}`'
    """
    model = otherwise
    if info.identity is not None:
        model = f"{code(info.identity.model)} through {code(info.identity.backend)}"
    return model + (f", under the prompt {code(info.prompt)}" if info.prompt else "")


def usage(info: Description, python: str, command: str | None, pickled: str = "") -> str:
    """Return how the folder is used.

    Parameters
    ----------
    info : Description
        What the folder says of itself.
    python : str
        Lines of Python, with ``{trusted}`` where the argument of a pickle goes.
    command : str or None
        The command that does the same, if there is one, with ``{trusted}`` likewise.
    pickled : str
        What else to say of a pickle.

    Returns
    -------
    str
    """
    pickle = info.file.endswith(".joblib")
    parts = [
        "## Use",
        f"```python\n{python.format(trusted=', trusted=True' if pickle else '')}\n```",
    ]
    if command is not None:
        parts.append(f"or `{command.format(trusted=' --trusted' if pickle else '')}`.")
    if pickle:
        parts.append(
            "`model.joblib` is a pickle: opening it runs whatever it contains. Load it only if you "
            f"trust who made it.{pickled}"
        )
    return "\n\n".join(parts) + "\n"
