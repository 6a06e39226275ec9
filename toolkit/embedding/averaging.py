"""The vector of a long text as the mean of its pieces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from toolkit.embedding.lengths import estimate_tokens, split_pieces
from toolkit.prompts import Prompt

__all__ = ["average_pieces"]

FIRST_TRY = 0.9
"""Share of the limit that the first pieces are guessed to fill."""

EmbedPieces = Callable[
    [Sequence[str]], tuple[NDArray[np.float32], Sequence[int], Mapping[int, str]]
]
"""Returns vectors of rendered pieces, the positions of those that are too long, and why others
could not be embedded."""


def average_pieces(
    texts: Sequence[str],
    render: Callable[[int, str], str],
    embed: EmbedPieces,
    limit: int,
    prompt: Prompt,
) -> tuple[NDArray[np.float32], dict[int, str]]:
    """Embed each text as the mean of its pieces, weighted by their guessed tokens.

    Parameters
    ----------
    texts : sequence of str, of length n
        Raw texts, each over the limit.
    render : callable
        Called with a text's position and a piece of it; returns what is sent.
    embed : callable
        Called with rendered pieces.
    limit : int
        Most tokens of one text, special tokens included.
    prompt : Prompt
        Its literal part takes room in every piece.

    Returns
    -------
    vectors : ndarray of shape (n, d)
        Unit vectors; of failed texts they mean nothing.
    failed : dict of int to str
        Positions of texts of which a piece could not be embedded, with the reason.
    """
    room = max(16.0, limit - 2 - estimate_tokens("".join(prompt.parts) or "a"))
    todo = [
        (owner, piece)
        for owner, text in enumerate(texts)
        for piece in split_pieces(text, _characters(text, room * FIRST_TRY))
    ]
    totals: dict[int, NDArray[np.float64]] = {}
    failed: dict[int, str] = {}
    while todo:
        vectors, too_long, lost = embed([render(owner, piece) for owner, piece in todo])
        failed |= {todo[number][0]: reason for number, reason in lost.items()}
        refused = set(too_long)
        again = []
        for number, (owner, piece) in enumerate(todo):
            if number in refused:
                again += [(owner, half) for half in split_pieces(piece, max(2, len(piece) // 2))]
            else:
                share = max(estimate_tokens(piece), 1.0) if piece else 1.0
                totals[owner] = totals.get(owner, 0.0) + share * vectors[number].astype(np.float64)
        todo = [(owner, piece) for owner, piece in again if owner not in failed]
    width = vectors.shape[1]
    means = np.stack([totals.get(owner, np.zeros(width)) for owner in range(len(texts))])
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    result: NDArray[np.float32] = (means / np.where(norms > 0, norms, 1.0)).astype(np.float32)
    return result, failed


def _characters(text: str, tokens: float) -> int:
    return max(2, int(len(text) * tokens / max(estimate_tokens(text), 1.0)))
