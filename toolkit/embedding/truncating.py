"""A backend that embeds as much of each text's beginning as fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.backends.base import Backend
from toolkit.embedding.lengths import LONGEST_TOKEN, estimate_tokens
from toolkit.errors import TextTooLongError
from toolkit.identity import ModelIdentity

__all__ = ["TruncatingBackend"]


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
