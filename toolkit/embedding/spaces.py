"""Which vector space a backend's vectors are of, and where that space's cached rows are.

A space is found by what is recorded of it (same weights, same engine version: trusted without
asking) or by its canaries, never by a name alone.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any

from toolkit.backends.base import Backend
from toolkit.cache import EmbeddingCache, Space
from toolkit.embedding.identities import describe_difference, identify
from toolkit.errors import (
    CacheCorruptedError,
    CacheError,
    DriftWarning,
    EmbeddingWarning,
    ModelDriftError,
    ServerUnavailableError,
    UsageError,
)
from toolkit.identity import ModelIdentity, canary_cosines, compatible, same_space

__all__ = ["Source", "check_drift", "find_source", "open_cache"]


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
    unavailable : ServerUnavailableError, optional
        Why there is no backend although one was asked for.
    """

    identity: ModelIdentity
    backends: tuple[Backend, ...] = ()
    space: Any = None
    unavailable: ServerUnavailableError | None = None


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
    alive: list[tuple[Backend, ModelIdentity]] = []
    down: list[ServerUnavailableError] = []
    for backend in backends:
        try:
            alive.append((backend, identify(backend, cache)))
        except ServerUnavailableError as error:
            down.append(error)
    if not alive:
        space = None if fitted is None or cache is None else _known_space(cache, fitted)
        if fitted is None or space is None:
            raise down[0]
        return Source(fitted, (), space, down[0])
    for refused in down:
        warnings.warn(f"one host is left out: {refused}", EmbeddingWarning, stacklevel=2)
    identity = alive[0][1]
    for _, other in alive[1:]:
        if not same_space(identity, other):
            raise ModelDriftError(
                "the hosts do not share one vector space:\n"
                f"  {identity.describe()}\n  {other.describe()}\n"
                f"  {describe_difference(identity, other)}\n"
                "Give hosts that have the same model and versions that agree."
            )
    space = None if cache is None else _space(cache, identity)
    return Source(identity, tuple(backend for backend, _ in alive), space)


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
        nearest = max(elsewhere, key=lambda space: _agreement(space.identity, identity))
        warnings.warn(_new_space(nearest.identity, identity), DriftWarning, stacklevel=2)
    return space


def _new_space(old: ModelIdentity, new: ModelIdentity) -> str:
    known = f"what the cache holds for this model ({old.describe()}"
    difference = describe_difference(old, new)
    begun = "A new space is begun, and texts are embedded again."
    if compatible(old, new):
        return (
            f"{new.describe()} has other weights than {known}). {begun} Its vectors agree with "
            f"the old ones ({difference}), so estimators fitted on those may go on."
        )
    return (
        f"{new.describe()} gives other vectors than {known}; {difference}). {begun} Estimators "
        "fitted on the old vectors do not fit the new ones."
    )


def _agreement(a: ModelIdentity, b: ModelIdentity) -> float:
    return min(canary_cosines(a, b).values(), default=-1.0)


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
        f"  fitted: {fitted.describe()}\n  now:    {now.describe()}\n"
        f"  {describe_difference(fitted, now)}\n"
        "Use the server and model it was fitted with, or fit it again with this one"
    )
    if on_drift == "raise":
        raise ModelDriftError(
            f"{message} (on_drift='warn' (--on-drift warn) goes on at your own risk)."
        )
    warnings.warn(f"{message}.", DriftWarning, stacklevel=2)


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
    raise UsageError(f"cache must be True, False or a path, not {cache!r}")
