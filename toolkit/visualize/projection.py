"""From vectors to places on a map, and how far these can be believed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from toolkit.copies import distinct_vectors
from toolkit.errors import DataError, UsageError
from toolkit.finite import refuse_gaps
from toolkit.visualize.kept import projection_parameters
from toolkit.visualize.projector import UMAPProjector
from toolkit.visualize.quality import ProjectionQuality, projection_quality

_SAME_TEXTS = 0.8
"""Share of texts whose label is predicted again, above which the labels are of these texts."""

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
    progress: Callable[[str], None] | None = None,
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
    vectors: NDArray[np.float32] = check_array(X, dtype=np.float32, ensure_all_finite=False)
    refuse_gaps(vectors)
    n = len(vectors)
    if n < 4:
        raise DataError(f"a map needs at least 4 texts, not {n}")
    ours = projector is None
    if ours:
        seed = int(random_state) if isinstance(random_state, Integral) else random_state
        projector = UMAPProjector("map", init=init, random_state=seed, verbose=verbose, cache=cache)
    known = projector.kept_places(vectors) if isinstance(projector, UMAPProjector) else None
    if known is None and progress is not None:
        progress("projecting")
    # A projector that was given is to be fitted: its owner may want to place new texts with it.
    points = known if ours and known is not None else np.asarray(projector.fit_transform(vectors))
    if points.ndim != 2 or points.shape[1] != 2:
        raise UsageError(f"the projector gave shape {points.shape}; a map needs (n, 2)")
    measured = _measured(vectors, points) if quality else None
    return Projection(points, measured, projection_parameters(projector))


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
        ``labels_`` of its last step if they can be of these texts, else its predictions.
    """
    last = pipeline.steps[-1][1]
    kept = getattr(last, "labels_", None)
    if kept is not None and len(kept) != len(vectors):
        kept = None
    if not hasattr(last, "predict"):
        return kept
    found = pipeline[1:].predict(vectors)
    if kept is None:
        return found
    # As many other texts have labels_, too; of the same ones they are what is predicted, but for
    # noise, to which prediction may find a cluster, and the other way round.
    both = (np.asarray(kept) != -1) & (np.asarray(found) != -1)
    same = np.asarray(kept)[both] == np.asarray(found)[both]
    return kept if len(same) and same.mean() > _SAME_TEXTS else found
