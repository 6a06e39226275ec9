"""Which texts are the same, up to case and spaces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["distinct_rows", "first_of_same"]


def first_of_same(texts: Sequence[str]) -> NDArray[np.intp]:
    """Return, for each text, the position of the first one that is the same.

    Only hashes are kept of all texts; those whose hashes are equal are compared as they are. A
    dictionary of all texts would take as much memory as the texts.

    Parameters
    ----------
    texts : sequence of str, of length n
        The texts.

    Returns
    -------
    ndarray of shape (n,)
        Its own position for a text that is the first of its kind.

    Examples
    --------
    >>> first_of_same(["Good  day", "Bye", "good day"])
    array([0, 1, 0])
    """
    count = len(texts)
    hashes = np.fromiter((hash(_plain(text)) for text in texts), dtype=np.int64, count=count)
    order = np.argsort(hashes, kind="stable")
    equal = np.diff(hashes[order]) == 0
    first = np.arange(count)
    seen: dict[str, int] = {}
    for i in np.union1d(order[:-1][equal], order[1:][equal]).tolist():
        first[i] = seen.setdefault(_plain(texts[i]), i)
    return first


def distinct_rows(rows: NDArray[np.intp], same: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return rows in their order, of those of the same text the first alone.

    Parameters
    ----------
    rows : ndarray of shape (m,)
        Positions of texts.
    same : ndarray of shape (n,)
        As :func:`first_of_same` makes it.

    Examples
    --------
    >>> import numpy as np
    >>> distinct_rows(np.array([2, 1, 0]), np.array([0, 1, 0]))
    array([2, 1])
    """
    kinds = same[rows]
    first = np.empty(len(same), dtype=np.intp)
    first[kinds[::-1]] = rows[::-1]  # of several, the last one written stays
    distinct: NDArray[np.intp] = rows[first[kinds] == rows]
    return distinct


def _plain(text: str) -> str:
    text = text.lower()
    # Of white space, a single space alone is printable: most texts need not be taken apart.
    if text.isprintable() and "  " not in text and text == text.strip():
        return text
    return " ".join(text.split())
