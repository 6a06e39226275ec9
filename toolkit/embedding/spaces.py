"""Which vector space a backend's vectors are of, and where that space's cached rows are.

A space is found by what is recorded of it (same weights, same engine version: trusted without
asking) or by its canaries, never by a name alone.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.backends.base import Backend
from toolkit.cache import EmbeddingCache, Space
from toolkit.embedding.checks import check_vectors
from toolkit.embedding.retry import RetryPolicy
from toolkit.errors import (
    BackendError,
    CacheCorruptedError,
    CacheError,
    DriftWarning,
    EmbeddingWarning,
    ModelDriftError,
    ServerUnavailableError,
    TextTooLongError,
)
from toolkit.identity import (
    Canary,
    ModelIdentity,
    canary_cosines,
    canary_texts,
    compatible,
    same_space,
)
from toolkit.reference import diagnose

__all__ = [
    "Source",
    "check_drift",
    "embed_texts_directly",
    "find_source",
    "forget_identities",
    "open_cache",
    "recheck",
]


@dataclass(frozen=True)
class Source:
    """Where vectors come from: a backend, a space with cached rows, or both.

    Parameters
    ----------
    identity : ModelIdentity
        With canaries.
    backends : tuple of Backend
        One per host; none when everything has to come from the space.
    space : Space or PackSpace, optional
        Cached rows; None without a cache.
    cache : EmbeddingCache, optional
        Where the space was found.
    unavailable : ServerUnavailableError, optional
        Why there is no backend although one was asked for.
    """

    identity: ModelIdentity
    backends: tuple[Backend, ...] = ()
    space: Any = None
    cache: EmbeddingCache | None = None
    unavailable: ServerUnavailableError | None = None


_identities: dict[object, ModelIdentity] = {}
_kept: dict[int, Backend] = {}
_lock = threading.RLock()


def forget_identities() -> None:
    """Forget what this process knows of servers; the next use asks them again."""
    with _lock:
        _identities.clear()
        _kept.clear()


def find_source(
    backends: tuple[Backend, ...],
    cache: EmbeddingCache | None,
    *,
    fitted: ModelIdentity | None = None,
) -> Source:
    """Find the space of a backend, and its rows in the cache.

    Parameters
    ----------
    backends : tuple of Backend
        One per host; all must be of one space.
    cache : EmbeddingCache or None
        Where rows are kept.
    fitted : ModelIdentity, optional
        What an estimator was fitted with: the fallback when no server answers.

    Returns
    -------
    Source

    Raises
    ------
    ServerUnavailableError
        If no server answers and nothing fitted is in the cache.
    ModelDriftError
        If hosts are of different spaces.
    UnverifiedModelError
        If an official name stands for other vectors.
    """
    try:
        identity = _identity(backends[0], cache)
    except ServerUnavailableError as error:
        space = None if fitted is None or cache is None else _known_space(cache, fitted)
        if fitted is None or space is None:
            raise
        return Source(fitted, (), space, cache, error)
    for backend in backends[1:]:
        other = _identity(backend, cache)
        if not compatible(identity, other):
            raise ModelDriftError(
                "the hosts do not share one vector space: "
                f"{identity.describe()} and {other.describe()} differ "
                f"({_cosines(identity, other)}). Give hosts with the same model and version."
            )
    space = None if cache is None else _space(cache, identity)
    return Source(identity, backends, space, cache)


def _identity(backend: Backend, cache: EmbeddingCache | None) -> ModelIdentity:
    """Return the backend's identity with canaries; asked once per process."""
    key = (os.getpid(), getattr(backend, "key", id(backend)))
    with _lock:
        if key in _identities:
            return _identities[key]
        identity = backend.identify()
        known = None if cache is None else cache.find(identity)
        if known is not None and known.identity.canary is not None:
            canary, skipped = known.identity.canary, 0
        else:
            canary, skipped = _ask_canaries(backend, identity.dimension)
        identity = replace(identity, dimension=canary.vectors.shape[1], canary=canary)
        if hasattr(backend, "verify"):
            backend.verify(
                diagnose(dict(zip(canary.names, canary.vectors, strict=True)), skipped=skipped)
            )
        _identities[key] = identity
        _kept.setdefault(id(backend), backend)  # an id is only unique while the object lives
        return identity


def recheck(source: Source) -> None:
    """Look again at a server that has changed in the middle of a job.

    Raises
    ------
    ModelDriftError
        If its vectors are of another space now.
    """
    for backend in source.backends:
        with _lock:
            _identities.pop((os.getpid(), getattr(backend, "key", id(backend))), None)
        now = _identity(backend, source.cache)
        if not same_space(now, source.identity):
            raise ModelDriftError(
                "the model changed in the middle of the job: it began with "
                f"{source.identity.describe()}, and now there is {now.describe()} "
                f"({_cosines(source.identity, now)}). Vectors made before are kept in their own "
                "space; run it again to embed everything with the new one."
            )
        if source.cache is not None:
            source.cache.resolve(now)


def _space(cache: EmbeddingCache, identity: ModelIdentity) -> Space | None:
    """Return the identity's space, made if need be; None if the cache cannot be written."""
    known = cache.find(identity)
    if known is not None:
        return known
    elsewhere = [
        space
        for space in cache.spaces()
        if (space.identity.backend, space.identity.model) == (identity.backend, identity.model)
    ]
    try:
        space, created = cache.resolve(identity)
    except CacheCorruptedError:
        raise
    except CacheError as error:
        warnings.warn(
            f"vectors cannot be kept in the cache: {error}. The work goes on without.",
            EmbeddingWarning,
            stacklevel=2,
        )
        return None
    if created and elsewhere:
        nearest = max(
            elsewhere,
            key=lambda s: min(canary_cosines(s.identity, identity).values(), default=-1.0),
        )
        warnings.warn(
            f"{identity.describe()} gives other vectors than what the cache holds for this model "
            f"({nearest.identity.describe()}; {_cosines(nearest.identity, identity)}); a new "
            "space is begun, and texts are embedded again. Estimators fitted on the old vectors "
            "do not fit the new ones.",
            DriftWarning,
            stacklevel=2,
        )
    return space


def _known_space(cache: EmbeddingCache, fitted: ModelIdentity) -> Space | None:
    found = cache.find(fitted)
    if found is not None and compatible(found.identity, fitted):
        return found
    return None


def check_drift(fitted: ModelIdentity, now: ModelIdentity, *, on_drift: str) -> None:
    """Compare what an estimator was fitted with to what it would use now.

    Raises
    ------
    ModelDriftError
        If the spaces are not compatible and ``on_drift="raise"``.
    """
    if fitted is now or compatible(fitted, now):
        return
    message = (
        "the vectors are of another space than those this estimator was fitted on.\n"
        f"  fitted: {fitted.describe()}\n  now:    {now.describe()}\n  {_cosines(fitted, now)}\n"
        "Use the server and model it was fitted with, or fit it again with this one"
    )
    if on_drift == "raise":
        raise ModelDriftError(f"{message} (on_drift='warn' goes on at your own risk).")
    warnings.warn(f"{message}.", DriftWarning, stacklevel=2)


def _cosines(a: ModelIdentity, b: ModelIdentity) -> str:
    cosines = canary_cosines(a, b)
    if not cosines:
        return f"{a.dimension} and {b.dimension} dimensions, or no canaries to compare"
    name = min(cosines, key=lambda n: cosines[n])
    return f"lowest cosine of the {len(cosines)} canary texts: {cosines[name]:.4f} ({name})"


def _ask_canaries(backend: Backend, dimension: int) -> tuple[Canary, int]:
    """Embed the canary texts; those that are too long for the model are left out."""
    texts = canary_texts()
    vectors, skipped = embed_texts_directly(backend, texts, dimension)
    if not vectors:
        raise BackendError("the model refuses every canary text as too long", fatal=True)
    return Canary.of(vectors), skipped


def embed_texts_directly(
    backend: Backend, texts: dict[str, str], dimension: int = 0
) -> tuple[dict[str, NDArray[np.float32]], int]:
    """Embed a handful of named texts, past the cache, a request a text.

    Returns
    -------
    vectors : dict of str to ndarray of shape (d,)
        By name.
    skipped : int
        How many were refused as too long.
    """
    vectors: dict[str, NDArray[np.float32]] = {}
    skipped = 0
    for name, text in texts.items():
        try:
            vectors[name] = _one_vector(backend, text, dimension)
        except TextTooLongError:
            skipped += 1
    return vectors, skipped


def _one_vector(backend: Backend, text: str, dimension: int) -> NDArray[np.float32]:
    """Embed one text with the patience of a job; a bad vector is asked for again, then refused."""
    retry = RetryPolicy()
    for attempt in range(1, retry.attempts + 1):
        try:
            vectors = backend.embed([text])
            bad = check_vectors(vectors, 1, dimension)
            if not bad:
                first: NDArray[np.float32] = vectors[0]
                return first
            error = BackendError(f"the server sends a bad vector: {bad[0]}", retryable=True)
        except BackendError as raised:
            error = raised
        if not error.retryable or attempt == retry.attempts:
            raise error
        if attempt == retry.attempts - 1 and hasattr(backend, "unload"):
            backend.unload()
        time.sleep(retry.delay(attempt + 1, error))
    raise AssertionError("unreachable")


def open_cache(cache: object) -> EmbeddingCache | None:
    """Return the cache for a ``cache`` parameter: True, False or a path."""
    if cache is False or cache is None:
        return None
    if cache is True:
        return EmbeddingCache()
    if isinstance(cache, str | os.PathLike):
        return EmbeddingCache(os.fspath(cache))
    if isinstance(cache, EmbeddingCache):
        return cache
    raise CacheError(f"cache must be True, False or a path, not {cache!r}")
