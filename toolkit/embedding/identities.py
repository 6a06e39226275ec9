"""Who a backend is, asked once per process, and whether it still is who it was."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toolkit.backends.base import Backend
from toolkit.cache import EmbeddingCache
from toolkit.embedding.checks import check_vectors
from toolkit.embedding.keeping import kept_loaded
from toolkit.embedding.retry import RetryPolicy
from toolkit.errors import BackendError, InvalidVectorsError, ModelDriftError, TextTooLongError
from toolkit.identity import (
    CANARY_COSINE,
    Canary,
    ModelIdentity,
    canary_cosines,
    canary_texts,
    same_space,
)
from toolkit.reference import diagnose

__all__ = [
    "describe_difference",
    "embed_unchanged",
    "embed_with_patience",
    "forget_identities",
    "identify",
]

SHORT_CHARACTERS = 500
"""Canaries up to this length are also asked for as a batch."""

_identities: dict[object, ModelIdentity] = {}
_kept: dict[int, Backend] = {}
_lock = threading.RLock()

if hasattr(os, "register_at_fork"):
    # A thread may hold the lock at the moment of a fork, and the child has no such thread.
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


def identify(backend: Backend, cache: EmbeddingCache | None = None) -> ModelIdentity:
    """Return a backend's identity with canaries; asked once per process.

    Parameters
    ----------
    backend : Backend
    cache : EmbeddingCache, optional
        A space of the same weights on the same engine version has the canaries already.

    Raises
    ------
    BackendError
        If it does not answer, does not have the model, or gives no good vectors.
    UnverifiedModelError
        If an official name stands for other vectors.
    """
    with _lock:
        key = _key(backend)
        if key in _identities:
            return _identities[key]
        identity = backend.identify()
        known = None if cache is None else cache.find(identity)
        if known is not None and known.identity.canary is not None:
            canary, skipped = known.identity.canary, 0
        else:
            with kept_loaded(backend) as kept:
                vectors, skipped = embed_with_patience(kept, canary_texts(), identity.dimension)
                if not vectors:
                    raise BackendError(
                        "the model refuses every canary text as too long", fatal=True
                    )
                _check_order(kept, vectors)
            canary = Canary.of(vectors)
        identity = replace(identity, dimension=canary.vectors.shape[1], canary=canary)
        if hasattr(backend, "verify"):
            named = dict(zip(canary.names, canary.vectors, strict=True))
            quantization = identity.quantization
            backend.verify(diagnose(named, skipped=skipped, quantization=quantization))
        _identities[key] = identity
        _kept.setdefault(id(backend), backend)  # an id is only unique while the object lives
        return identity


def forget_identities() -> None:
    """Forget what this process knows of servers; the next use asks them again."""
    with _lock:
        _identities.clear()
        _kept.clear()


def embed_unchanged(
    backend: Backend, texts: list[str], expected: ModelIdentity
) -> NDArray[np.float32]:
    """Embed texts, certain that the model did not change on the way.

    The server's fingerprint is read after the vectors: if it is still the one of the identity,
    no other model can have made them. If it changed, the canaries decide; the vectors at hand may
    be of either model and are asked for again. A worker process, perhaps beside a server of its
    own, proves itself by its own canaries before its first vectors.

    Raises
    ------
    ModelDriftError
        If the vectors are of another space than ``expected``.
    BackendError
        As the backend.
    """
    if not hasattr(backend, "fingerprint"):
        _prove(backend, expected)
        return backend.embed(texts)
    for _ in range(3):
        now = _prove(backend, expected)
        vectors = backend.embed(texts)
        if backend.fingerprint() == f"{now.engine_version} {now.digest}":
            return vectors
        with _lock:
            if _identities.get(_key(backend)) is now:
                _identities.pop(_key(backend))
    raise BackendError("the server or its model keeps changing", retryable=True)


def _prove(backend: Backend, expected: ModelIdentity) -> ModelIdentity:
    now = identify(backend)
    # Not by ==, which leaves the canaries out: equal facts are no proof where there is no digest.
    if now is expected or same_space(now, expected):
        return now
    raise ModelDriftError(
        "the vectors are of another space than those this job began with.\n"
        f"  began: {expected.describe()}\n  now:   {now.describe()}\n"
        f"  {describe_difference(expected, now)}\n"
        "Vectors made before are kept in their own space; run it again to embed everything with "
        "what is there now."
    )


def describe_difference(a: ModelIdentity, b: ModelIdentity) -> str:
    """Return in words how far two spaces are apart."""
    if a.dimension != b.dimension:
        return f"{a.dimension} and {b.dimension} dimensions"
    cosines = canary_cosines(a, b)
    if not cosines:
        return "no canaries to compare"
    name = min(cosines, key=lambda n: cosines[n])
    return f"lowest cosine of the {len(cosines)} canary texts: {cosines[name]:.4f} ({name})"


def embed_with_patience(
    backend: Backend, texts: Mapping[str, str], dimension: int = 0
) -> tuple[dict[str, NDArray[np.float32]], int]:
    """Embed a handful of named texts, past the cache, a request a text.

    Parameters
    ----------
    backend : Backend
    texts : mapping of str to str
        Rendered texts by name.
    dimension : int, default=0
        The length the vectors should have; 0 if it is not known.

    Returns
    -------
    vectors : dict of str to ndarray of shape (d,)
        By name.
    skipped : int
        How many were refused as too long.
    """
    vectors: dict[str, NDArray[np.float32]] = {}
    skipped = 0
    with kept_loaded(backend) as kept:
        for name, text in texts.items():
            try:
                vectors[name] = _checked(kept, [text], dimension)[0]
            except TextTooLongError:
                skipped += 1
    return vectors, skipped


def _check_order(backend: Backend, alone: Mapping[str, NDArray[np.float32]]) -> None:
    """Ask for the short canaries together, the other way round: each must be what it is alone.

    Ollama has had versions that mixed up the rows of a batch. Whoever does that at times only is
    not found out by this, nor by anything short of asking for every text twice.
    """
    texts = canary_texts()
    names = [name for name in alone if len(texts[name]) < SHORT_CHARACTERS][::-1]
    if len(names) < 2:
        return
    together = _checked(backend, [texts[name] for name in names], len(alone[names[0]]))
    for name, vector in zip(names, together, strict=True):
        if float(vector @ alone[name]) < CANARY_COSINE:
            raise BackendError(
                "the server gives a text another vector in a batch than alone "
                f"(cosine {float(vector @ alone[name]):.4f}), as if it mixed up the rows; "
                "its vectors cannot be trusted. Update the server",
                fatal=True,
            )


def _checked(backend: Backend, texts: list[str], dimension: int) -> NDArray[np.float32]:
    """Embed texts with the patience of a job; bad vectors are asked for again, then refused."""
    retry = RetryPolicy()
    attempt = 1
    while True:
        try:
            vectors = backend.embed(texts)
            bad = check_vectors(vectors, len(texts), dimension)
            if not bad:
                return vectors
            reason = next(iter(bad.values()))
            error: BackendError = InvalidVectorsError(f"the server sends a vector {reason}")
        except BackendError as raised:
            error = raised
        if not error.retryable or attempt == retry.attempts:
            raise error
        if isinstance(error, InvalidVectorsError) and hasattr(backend, "unload"):
            backend.unload()
        attempt += 1
        time.sleep(retry.delay(attempt, error))


def _key(backend: Backend) -> tuple[object, ...]:
    return (os.getpid(), getattr(backend, "key", id(backend)))
