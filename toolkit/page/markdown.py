"""Markdown from untrusted texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["escape_markdown", "markdown_table"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~>$^-])")


def escape_markdown(text: object) -> str:
    r"""Return a text as one line of Markdown that shows it and does nothing else.

    Links, emphasis, tables and raw HTML in the text are shown as they were typed.

    Examples
    --------
    >>> print(escape_markdown("a|b [x](javascript:1)\n<img>"))
    a\|b \[x\]\(javascript:1\) &lt;img\>
    """
    line = " ".join(str(text).split())
    return _SPECIAL.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;"))


def markdown_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, numeric: Iterable[int] = ()
) -> str:
    r"""Return a Markdown table; every cell is escaped.

    Parameters
    ----------
    columns : sequence of str
        The headings.
    rows : iterable of sequence
        The cells; numbers are written as they print.
    numeric : iterable of int, optional
        Positions of the columns to set flush right.

    Examples
    --------
    >>> print(markdown_table(["label", "n"], [["a|b", 3]], numeric=[1]))
    | label | n |
    | --- | ---: |
    | a\|b | 3 |
    """
    right = set(numeric)
    rule = ["---:" if i in right else "---" for i in range(len(columns))]
    lines = [[escape_markdown(c) for c in columns], rule]
    lines += [
        [str(c) if isinstance(c, int | float) else escape_markdown(c) for c in row] for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
