"""From vectors to places on a map, and how far these can be believed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from toolkit.copies import distinct_vectors
from toolkit.errors import DataError, UsageError
from toolkit.visualize.kept import load_places, places_key, store_places
from toolkit.visualize.projector import UMAPProjector
from toolkit.visualize.quality import ProjectionQuality, projection_quality

__all__ = ["Projection", "predicted_labels", "project"]


@dataclass(frozen=True, eq=False)
class Projection:
    """Places of vectors on a map.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        The places.
    quality : ProjectionQuality or None
        How far they can be believed; None if not measured.
    made : mapping of str to object
        The method and its parameters.
    """

    points: NDArray[np.floating]
    quality: ProjectionQuality | None
    made: Mapping[str, Any]


def project(
    X: ArrayLike,
    projector: Any = None,
    *,
    init: NDArray[np.floating] | None = None,
    quality: bool = True,
    random_state: int | None = 0,
    verbose: int = 1,
    cache: bool | str | os.PathLike[str] = True,
) -> Projection:
    """Project vectors to two dimensions.

    Parameters are those of :meth:`toolkit.visualize.EmbeddingMapDisplay.from_embeddings`, and
    ``init``, of shape (n, 2): where the default projector begins.

    Returns
    -------
    Projection

    Raises
    ------
    DataError
        If there are fewer than four vectors.
    UsageError
        If the projector gives another number of dimensions than two.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> project(np.eye(6), PCA(2)).points.shape
    (6, 2)
    """
    vectors: NDArray[np.float32] = check_array(X, dtype=np.float32)
    n = len(vectors)
    if n < 4:
        raise DataError(f"a map needs at least 4 texts, not {n}")
    # A projector that was given is to be fitted: its owner may want to place new texts with it.
    # Without a seed each picture is meant to be another.
    seeded = isinstance(random_state, Integral)
    keep = cache is not False and projector is None and seeded
    folder = None if isinstance(cache, bool) else cache
    if seeded:
        random_state = int(random_state)  # type: ignore[arg-type]  # a numpy integer, perhaps
    if projector is None:
        projector = UMAPProjector("map", init=init, random_state=random_state, verbose=verbose)
    made = {"method": type(projector).__name__, **_parameters(projector)}
    if init is not None:
        made["init"] = f"places {sha256(np.ascontiguousarray(init, dtype='<f4').data).hexdigest()}"
    key = places_key(vectors, made) if keep else None
    points = None if key is None else load_places(key, n, folder)
    if points is None:
        points = np.asarray(projector.fit_transform(vectors))
        if points.ndim != 2 or points.shape[1] != 2:
            raise UsageError(f"the projector gave shape {points.shape}; a map needs (n, 2)")
        if key is not None:
            store_places(key, points, folder)
    return Projection(points, _measured(vectors, points) if quality else None, made)


def _measured(
    vectors: NDArray[np.float32], points: NDArray[np.floating]
) -> ProjectionQuality | None:
    """Return how far places can be believed, of each vector once; None of fewer than three."""
    first, _ = distinct_vectors(vectors)
    m = len(first)
    if m < 3:
        return None
    found = projection_quality(vectors[first], points[first], n_neighbors=min(15, (m - 1) // 2))
    return replace(found, n_copies=len(vectors) - m)


def predicted_labels(pipeline: Any, vectors: NDArray[Any]) -> Any:
    """Return the labels of texts by a fitted pipeline, None if it has none.

    Parameters
    ----------
    pipeline : Pipeline
        Of a vectorizer and what follows it.
    vectors : ndarray of shape (n, d)
        What its first step gives.

    Returns
    -------
    array-like of shape (n,) or None
        ``labels_`` of its last step if there is one per text, else its predictions.
    """
    last = pipeline.steps[-1][1]
    kept = getattr(last, "labels_", None)
    if kept is not None and len(kept) == len(vectors):
        return kept
    if hasattr(last, "predict"):
        return pipeline[1:].predict(vectors)
    return None


def _parameters(projector: Any) -> dict[str, Any]:
    """Return what a projector was told, as far as it says."""
    found: dict[str, Any] = {}
    if hasattr(projector, "get_params"):
        found |= projector.get_params(deep=False)
    if isinstance(projector, UMAPProjector):
        found |= projector.settings()
    return {
        key: value
        for key, value in found.items()
        if isinstance(value, str | int | float | bool) and key not in ("verbose", "n_jobs")
    }
