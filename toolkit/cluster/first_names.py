"""The names clusters have before anybody names them: keywords, or else texts that repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from toolkit.cluster.empty_texts import name_empty
from toolkit.cluster.geometry import Labels
from toolkit.cluster.keywords import Keyword, keyword_names
from toolkit.typography import is_visible, shorten

__all__ = ["NAMELESS", "first_names"]

NAMELESS = "no keywords"

_LONGEST, _MOST = 40, 3
_OFTEN = 0.1
"""Share of a cluster's texts from which on a text that repeats can stand for it."""


def first_names(
    keywords: Sequence[Sequence[Keyword]], texts: Sequence[str], labels: Labels
) -> list[str]:
    """Return a short name for each cluster.

    Its first keywords. Of a cluster that has none, as those of “👍”, “?” and other answers without
    a word, the texts that it mostly repeats; such a text is added to a name that another cluster
    has, too. A text that is there once is never a name.

    Parameters
    ----------
    keywords : sequence of sequence of Keyword
        Of each cluster, the best first.
    texts : sequence of str, of length n
        The texts.
    labels : ndarray of shape (n,)
        Cluster numbers 0 to k-1, -1 for noise.

    Returns
    -------
    list of str
        ``"no keywords"`` where there is neither.

    Examples
    --------
    >>> texts = ["👍", "👍", "?", "?", "?", "a", "b"]
    >>> first_names([[], [], []], texts, np.array([0, 0, 1, 1, 1, 2, 2]))
    ['“👍”', '“?”', 'no keywords']
    """
    names = keyword_names(keywords)
    counts = Counter(names)
    for cluster, name in enumerate(names):
        if name and counts[name] == 1:
            continue
        repeated = _repeated([texts[i] for i in np.flatnonzero(labels == cluster).tolist()])
        if name and repeated:
            names[cluster] = f"{name} ({repeated[0]})"
        else:
            names[cluster] = name or ", ".join(repeated) or NAMELESS
    return name_empty(names, texts, labels)


def _repeated(texts: Sequence[str]) -> list[str]:
    """Return the texts that stand for all, quoted, the most frequent first."""
    counts = Counter(" ".join(text.split()) for text in texts)
    fewest = max(2.0, _OFTEN * len(texts))
    return [
        f"“{shorten(text, _LONGEST)}”"
        for text, count in counts.most_common(_MOST)
        if count >= fewest and is_visible(text)
    ]
