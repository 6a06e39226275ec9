"""Texts as they are sent: each put into its prompt when it is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import compress, count, repeat
from typing import overload

import numpy as np
from numpy.typing import NDArray

from toolkit.embedding.keys import encode_text
from toolkit.errors import DoublePrefixWarning
from toolkit.prompts import Prompt, find_family
from toolkit.prompts.template import RAW

__all__ = ["RenderedTexts", "render_text", "warn_double_prefix"]


def render_text(text: str, title: str | None, prompt: Prompt) -> str:
    r"""Return a text in its prompt, with lone surrogates replaced as in its key.

    Examples
    --------
    >>> render_text("a\ud800b", None, Prompt("query: {text}")) == "query: a\ufffdb"
    True
    """
    return encode_text(prompt.render(text, title)).decode()


class RenderedTexts(Sequence[str]):
    """Some of a job's texts in their prompt; none is kept, so each is in memory once.

    Parameters
    ----------
    texts : sequence of str, of length n
        Texts without their prompt.
    titles : sequence of str or None, of length n, or None
        Their titles, if they have any.
    prompt : Prompt
        What is put around each.
    positions : ndarray of shape (k,)
        Which of the texts.

    Examples
    --------
    >>> rendered = RenderedTexts(["a", "b", "c"], None, Prompt("query: {text}"), np.array([2, 0]))
    >>> list(rendered), rendered[1]
    (['query: c', 'query: a'], 'query: a')
    """

    def __init__(
        self,
        texts: Sequence[str],
        titles: Sequence[str | None] | None,
        prompt: Prompt,
        positions: NDArray[np.intp],
    ) -> None:
        self._texts = texts
        self._titles = titles
        self._prompt = prompt
        self._positions = positions

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> RenderedTexts: ...
    def __getitem__(self, index: int | slice) -> str | RenderedTexts:
        if isinstance(index, slice):
            chosen = self._positions[index]
            return RenderedTexts(self._texts, self._titles, self._prompt, chosen)
        position = int(self._positions[index])
        title = None if self._titles is None else self._titles[position]
        return render_text(self._texts[position], title, self._prompt)


def warn_double_prefix(texts: Sequence[str], model: str, prompt: Prompt) -> None:
    """Warn of texts that begin with a prompt of the model's already.

    Examples
    --------
    >>> warn_double_prefix(["search_query: where?"], "embeddinggemma", Prompt("query: {text}"))
    """
    family = find_family(model)
    if family is None or prompt == RAW:
        return
    prefixes = family.prefixes()
    letters = tuple({prefix[0] for prefix in prefixes})
    # Looked at first, by loops in C: most texts begin otherwise.
    likely = compress(count(), map(str.startswith, texts, repeat(letters)))
    doubled = [i for i in likely if texts[i].startswith(prefixes)]
    if doubled:
        warnings.warn(
            f"{len(doubled):,} texts already begin with a task prefix of {family.name} (the first "
            f"at position {doubled[0]}), and another is put before it. Give texts without a "
            "prefix, or send them as they are with task=None.",
            DoublePrefixWarning,
            stacklevel=3,
        )
