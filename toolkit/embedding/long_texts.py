"""Texts over the model's limit: cut and counted, averaged over pieces, or refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.backends.base import Backend
from toolkit.embedding.keys import KEY_BYTES, Keys
from toolkit.embedding.lengths import LONGEST_TOKEN, estimate_tokens, split_pieces
from toolkit.errors import TextTooLongError
from toolkit.identity import ModelIdentity
from toolkit.prompts import Prompt

__all__ = ["LongTexts", "TruncatingBackend", "average_pieces", "variant_keys"]

LongTexts = Literal["truncate", "error", "mean"]

FIRST_TRY = 0.9
"""Share of the limit that the first pieces are guessed to fill."""


def variant_keys(keys: Keys, policy: str) -> Keys:
    """Return the keys under which the vectors of texts over the limit are kept.

    Such a vector is of the text and of what was done about its length, so it must never answer
    for another policy, nor for the whole text on a server with a longer context.

    Examples
    --------
    >>> from toolkit.embedding.keys import hash_texts
    >>> from toolkit.prompts import Prompt
    >>> keys = hash_texts(["a"], Prompt("{text}"))
    >>> bool(variant_keys(keys, "mean")[0] == variant_keys(keys, "truncate")[0])
    False
    """
    digests = [
        blake2b(key + policy.encode(), digest_size=KEY_BYTES).digest() for key in keys.tolist()
    ]
    return np.frombuffer(b"".join(digests), dtype=keys.dtype)


@dataclass(frozen=True)
class TruncatingBackend:
    """A backend that embeds as much of each text's beginning as fits.

    Parameters
    ----------
    inner : Backend
        With ``embed_truncated`` the server cuts, at the exact token; without, the text is
        shortened here until it is accepted.
    limit : int or None
        Most tokens of one text.
    """

    inner: Backend
    limit: int | None = None

    @property
    def max_tokens(self) -> int | None:
        """None: nothing is too long."""
        return None

    @property
    def preferred_batch(self) -> int:
        """1: texts are cut one by one."""
        return 1

    @property
    def uses_prompts(self) -> bool:
        """As the inner backend."""
        return self.inner.uses_prompts

    def identify(self) -> ModelIdentity:
        """As the inner backend."""
        return self.inner.identify()

    def __getattr__(self, name: str) -> Any:
        if name in ("fingerprint", "unload"):
            return getattr(self.inner, name)
        raise AttributeError(name)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of the beginnings of texts."""
        return np.stack([self._one(text) for text in texts])

    def _one(self, text: str) -> NDArray[np.float32]:
        if self.limit is not None:
            # What no tokenizer could fit is not worth sending: 10 MB take a server seconds.
            text = text[: self.limit * LONGEST_TOKEN]
        if hasattr(self.inner, "embed_truncated"):
            vector: NDArray[np.float32] = self.inner.embed_truncated(text)
            return vector
        limit = self.limit if self.limit is not None else estimate_tokens(text) / 2
        kept = min(len(text), int(len(text) * limit * 1.5 / max(estimate_tokens(text), 1.0)) + 1)
        while kept > 1:
            try:
                first: NDArray[np.float32] = self.inner.embed([text[:kept]])[0]
                return first
            except TextTooLongError:
                kept = int(kept * 0.95)
        raise TextTooLongError("not even the first character of the text is accepted")


def average_pieces(
    texts: Sequence[str],
    render: Callable[[int, str], str],
    embed: Callable[[Sequence[str]], tuple[NDArray[np.float32], Sequence[int]]],
    limit: int,
    prompt: Prompt,
) -> NDArray[np.float32]:
    """Embed each text as the mean of its pieces, weighted by their guessed tokens.

    Parameters
    ----------
    texts : sequence of str, of length n
        Raw texts, each over the limit.
    render : callable
        Called with a text's position and a piece of it; returns what is sent.
    embed : callable
        Called with rendered pieces; returns their vectors and the positions of those that are
        still too long.
    limit : int
        Most tokens of one text, special tokens included.
    prompt : Prompt
        Its literal part takes room in every piece.

    Returns
    -------
    ndarray of shape (n, d)
        Unit vectors.
    """
    room = max(16.0, limit - 2 - estimate_tokens("".join(prompt.parts) or "a"))
    todo = [
        (owner, piece)
        for owner, text in enumerate(texts)
        for piece in split_pieces(text, _characters(text, room * FIRST_TRY))
    ]
    totals: dict[int, NDArray[np.float64]] = {}
    while todo:
        vectors, too_long = embed([render(owner, piece) for owner, piece in todo])
        refused = set(too_long)
        again = []
        for number, (owner, piece) in enumerate(todo):
            if number in refused:
                again += [(owner, half) for half in split_pieces(piece, max(2, len(piece) // 2))]
            else:
                share = max(estimate_tokens(piece), 1.0) if piece else 1.0
                totals[owner] = totals.get(owner, 0.0) + share * vectors[number].astype(np.float64)
        todo = again
    means = np.stack([totals[owner] for owner in range(len(texts))])
    result: NDArray[np.float32] = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(
        np.float32
    )
    return result


def _characters(text: str, tokens: float) -> int:
    return max(2, int(len(text) * tokens / max(estimate_tokens(text), 1.0)))
