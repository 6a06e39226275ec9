"""What a backend is: the one protocol every source of vectors follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from toolkit.identity import ModelIdentity

__all__ = ["Backend"]


class Backend(Protocol):
    """A source of vectors.

    A backend never retries, caches, checks or logs progress: `toolkit.embedding` does that once
    for all of them. It holds settings, no open connection, so that it can be pickled and sent to
    other processes; connections belong to the process (see :mod:`toolkit.backends.ollama`).

    ``embed`` raises :class:`~toolkit.errors.BackendError` (or a subclass), whose ``retryable``
    and ``fatal`` tell the engine what to do, and :class:`~toolkit.errors.TextTooLongError` if a
    text is over the limit.

    Optional, used where they are there: ``key`` (hashable; what identities are remembered by),
    ``fingerprint() -> str`` (cheap; changes when the model does), ``unload()``,
    ``max_characters`` (most of one text, where the limit is not in tokens),
    ``embed_truncated(text)`` (the vector of as much of a text as fits), ``verify(diagnosis)``,
    ``kept_loaded()`` (a context that gives the backend for a job, with its model held in memory),
    and ``parallel_requests`` (most requests in flight).

    Examples
    --------
    A source of one's own, for a vectorizer:

    >>> from toolkit import EmbeddingGemmaVectorizer
    >>> class Lengths:
    ...     max_tokens, preferred_batch, uses_prompts = None, 32, False
    ...     def identify(self):
    ...         return ModelIdentity("mine", "lengths", 2)
    ...     def embed(self, texts):
    ...         angles = [len(text) / 100 for text in texts]
    ...         return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    >>> EmbeddingGemmaVectorizer(backend=Lengths(), cache=False).transform(["a", "abc"]).shape
    (2, 2)
    """

    @property
    def max_tokens(self) -> int | None:
        """Most tokens of one text, special tokens included; None if there is no limit."""
        ...

    @property
    def preferred_batch(self) -> int:
        """Texts per request to begin with."""
        ...

    @property
    def uses_prompts(self) -> bool:
        """Whether the model was trained with task prompts; False sends the texts as they are."""
        ...

    def identify(self) -> ModelIdentity:
        """Return what makes the vectors, without canaries."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors, shape (n, d), of rendered texts, in their order."""
        ...
