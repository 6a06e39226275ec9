"""Which space an identity's vectors are of."""

from __future__ import annotations

from collections.abc import Iterable

from toolkit.cache.space import Space
from toolkit.identity import ModelIdentity, canary_cosines, compatible, same_space

__all__ = ["fitting_space", "known_space", "recognition"]

_ANY_VERSION = ("", "0.0.0")  # what development builds call themselves


def known_space(spaces: Iterable[Space], identity: ModelIdentity) -> Space | None:
    """Return the space that this very model is known to give; None if it is not certain.

    See :meth:`toolkit.cache.EmbeddingCache.find`.
    """
    digest = identity.weights or identity.digest
    vague = digest is None or identity.engine_version in (None, *_ANY_VERSION)
    if vague and identity.canary is None:
        return None
    wanted = recognition(identity)
    for space in spaces:
        known = space.sightings()
        if identity.canary is not None:
            if not compatible(space.identity, identity):
                continue
            known.append(space.identity)
        if any(recognition(seen) == wanted for seen in known):
            return space
    return None


def fitting_space(spaces: Iterable[Space], identity: ModelIdentity) -> Space | None:
    """Return the space that accepts the identity; the nearest, should there be several."""
    fitting: dict[float, Space] = {}
    for space in spaces:
        # What one sighting did not know of its weights, another may have.
        weights = {seen.weights for seen in [space.identity, *space.sightings()]} - {None}
        other = identity.weights is not None and bool(weights - {identity.weights})
        if same_space(space.identity, identity) and not other:
            fitting[min(canary_cosines(space.identity, identity).values())] = space
    return fitting[max(fitting)] if fitting else None


def recognition(identity: ModelIdentity) -> tuple[str | None, ...]:
    """Return what a model on its engine is known again by."""
    return (
        identity.backend,
        identity.weights or identity.digest,
        identity.engine,
        identity.engine_version,
    )
