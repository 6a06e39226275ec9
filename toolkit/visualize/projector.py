"""UMAP as a scikit-learn transformer with defaults for text vectors."""

from __future__ import annotations

import os
import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from toolkit.copies import distinct_vectors
from toolkit.errors import DataError, UsageError
from toolkit.finite import refuse_gaps
from toolkit.visualize.announcing import announce_compilation, rounds_bar
from toolkit.visualize.kept import load_places, projection_key, store_places
from toolkit.visualize.supervision import umap_target

__all__ = ["PRESETS", "UMAPProjector"]

PRESETS: dict[str, dict[str, Any]] = {
    "map": {"n_components": 2, "n_neighbors": 15, "min_dist": 0.1},
    "clustering": {"n_components": 5, "n_neighbors": 15, "min_dist": 0.0},
}
"""What a preset stands for. ``map`` spreads points for the eye; ``clustering`` packs them tightly
in a few more dimensions, as density-based clusterers like them."""

_FEWEST = 4

_SMALL_STEPS = 0.03
"""Learning rate from a given beginning. With UMAP's 1.0 groups wander whatever they begin with: of
the 615 SDG passages under two prompts, a text is then 1.63 from its place on the first map, whose
standard deviation is 2.65, and with 0.03 it is 0.84, at the same neighbour preservation (0.41)."""


class UMAPProjector(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Projection of text vectors by UMAP (McInnes, Healy and Melville 2018).

    A thin layer over :class:`umap.UMAP`: cosine distance, two presets, reproducible by default,
    labels used only when asked, imported only when fitted.

    Parameters
    ----------
    preset : {"map", "clustering"}, default="map"
        ``"map"``: two dimensions, for a picture. ``"clustering"``: five dimensions, tightly
        packed, for a clusterer. The three parameters that follow override it. On a map, copies
        of a vector lie on one another, see the notes.
    n_components : int, optional
        Number of dimensions.
    n_neighbors : int, optional
        Size of the neighbourhoods kept: small shows detail, large shows the whole. Cut to what
        there is for small data.
    min_dist : float, optional
        How tightly points may be packed.
    metric : str, default="cosine"
        Distance between vectors, as umap-learn names it.
    supervised : bool, default=False
        Whether ``fit`` may use ``y``. A supervised picture separates the classes whether or not
        the vectors do, so it proves nothing about them.
    target_weight : float, default=0.5
        How much ``y`` counts when supervised, 0 to 1.
    init : array-like of shape (n, n_components), optional
        Where to begin, for example the places of another projection of the same texts, so that
        the two can be compared: points are then moved in small steps, and stay where they are
        unless their neighbours pull them away. By default UMAP's own spectral layout.
    densmap : bool, default=False
        Whether to keep the local density too (Narayan, Berger and Cho 2021). Such a projection
        cannot ``transform`` new texts.
    random_state : int, RandomState or None, default=0
        With a seed the projection is reproducible on a machine (not across machines) and runs on
        one core. ``None`` runs on ``n_jobs`` cores and differs each time.
    n_jobs : int, default=-1
        Cores to use when ``random_state`` is None.
    verbose : int, default=1
        0 is silent; 1 announces a first use that has to compile umap-learn, which can take over
        a minute, and shows a bar on a terminal where it takes longer than a few seconds; 2 shows
        the bar wherever messages go. All of it goes to standard error.
    cache : bool, str or path, default=False
        Whether places made with a whole number as seed, and without labels, are kept on disk and
        taken from there for the same vectors, parameters and versions: in the folder of the
        cached vectors, or in the one named.

    Attributes
    ----------
    embedding_ : ndarray of shape (n, n_components), dtype float32
        Places of the fitted vectors.
    umap_ : umap.UMAP
        The fitted projection. Where the places came from the disk it is made when it is asked
        for, or new vectors are to be placed.
    n_features_in_ : int
        Length of the vectors.

    Notes
    -----
    Sixty copies of a text have no other neighbours than each other, so UMAP throws them far from
    all the rest, which then is too small to be read. A map is therefore made of the distinct
    vectors, and copies come to the place of the first. Where ``y`` is used or density is to be
    kept, and for a clusterer, every vector counts.

    See Also
    --------
    projection_quality : how far a projection can be believed.
    EmbeddingMapDisplay : draws it.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 8))
    >>> UMAPProjector(verbose=0).fit_transform(X).shape
    (40, 2)
    """

    def __init__(
        self,
        preset: str = "map",
        *,
        n_components: int | None = None,
        n_neighbors: int | None = None,
        min_dist: float | None = None,
        metric: str = "cosine",
        supervised: bool = False,
        target_weight: float = 0.5,
        init: ArrayLike | None = None,
        densmap: bool = False,
        random_state: int | np.random.RandomState | None = 0,
        n_jobs: int = -1,
        verbose: int = 1,
        cache: bool | str | os.PathLike[str] = False,
    ) -> None:
        self.preset = preset
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.min_dist = min_dist
        self.metric = metric
        self.supervised = supervised
        self.target_weight = target_weight
        self.init = init
        self.densmap = densmap
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.cache = cache

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Project vectors.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Vectors, at least four.
        y : array-like of shape (n,), optional
            Classes or numbers; used only with ``supervised=True``. Floats are numbers, unless
            they are whole and some are missing: so pandas writes numbers of classes. A class of
            None, NaN or -1 is unknown.

        Returns
        -------
        UMAPProjector

        Raises
        ------
        UsageError
            If a parameter is unusable, or ``supervised`` and ``y`` is missing.
        DataError
            If there are too few vectors, or UMAP could not place some of them.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.float32]:
        """Project vectors and return their places (see :meth:`fit`).

        Returns
        -------
        ndarray of shape (n, n_components), dtype float32
        """
        self.settings()
        vectors = validate_data(
            self, X, dtype=np.float32, ensure_min_samples=_FEWEST, ensure_all_finite=False
        )
        refuse_gaps(vectors)
        key = projection_key(self, vectors)
        places = self._kept(key, len(vectors))
        self.__dict__.pop("umap_", None)
        self._waiting = None
        if places is not None:
            self._waiting = vectors
        else:
            self.umap_, places = self._project(vectors, y)
            if key is not None:
                store_places(key, places, self.cache)
        self.embedding_ = places
        self._n_features_out = places.shape[1]
        return places

    def __getattr__(self, name: str) -> Any:
        if name == "umap_" and self.__dict__.get("_waiting") is not None:
            # The places were kept on disk, and what made them is needed after all.
            self.umap_, self.embedding_ = self._project(self.__dict__.pop("_waiting"), None)
            return self.umap_
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> Any:
        if self.__dict__.get("_waiting") is not None:
            self.umap_  # noqa: B018 - made on another machine it would be another
        state = super().__getstate__()
        # A folder's name is of this machine, and nobody else's business.
        return state if isinstance(self.cache, bool) else state | {"cache": False}

    def kept_places(self, X: ArrayLike) -> NDArray[np.float32] | None:
        """Return the places that ``fit_transform`` would take from the disk, if there are any.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Vectors.

        Returns
        -------
        ndarray of shape (n, n_components), dtype float32, or None
        """
        vectors = check_array(X, dtype=np.float32)
        return self._kept(projection_key(self, vectors), len(vectors))

    def _project(
        self, vectors: NDArray[np.float32], y: ArrayLike | None
    ) -> tuple[Any, NDArray[np.float32]]:
        first, copy_of = self._distinct(vectors)
        model = self._make(self.settings(), first, len(copy_of))
        model.tqdm_kwds = rounds_bar("placing", self.verbose)
        target = None
        if self.supervised:
            target, numbers = umap_target(y, len(first))
            model.target_metric = "l2" if numbers else model.target_metric
        with warnings.catch_warnings():
            # umap says that it found no TensorFlow, and that small neighbourhood graphs are not
            # connected; neither is news to a user of a map.
            warnings.filterwarnings("ignore", category=ImportWarning)
            warnings.filterwarnings("ignore", message=".*[Ss]pectral")
            warnings.filterwarnings("ignore", message="Graph is not fully connected")
            some = vectors if len(first) == len(vectors) else vectors[first]
            places = np.asarray(model.fit_transform(some, target), dtype=np.float32)
        if not np.isfinite(places).all():
            lost = first[~np.isfinite(places).all(axis=1)]
            raise DataError(
                f"UMAP could not place {len(lost)} of {len(places)} distinct vectors (first at "
                f"position {lost[0]}): they have no neighbour. Are some of them zero?"
            )
        return model, places[copy_of]

    def _kept(self, key: str | None, n: int) -> NDArray[np.float32] | None:
        if key is None:
            return None
        return load_places(key, (n, self.settings()["n_components"]), self.cache)

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Place new vectors in the fitted projection.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Vectors of the space the projection was fitted on.

        Returns
        -------
        ndarray of shape (m, n_components), dtype float32
        """
        check_is_fitted(self, "embedding_")
        if self.densmap:
            raise UsageError("a densMAP projection cannot place new texts; set densmap=False")
        vectors = validate_data(self, X, dtype=np.float32, reset=False, ensure_all_finite=False)
        refuse_gaps(vectors)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ImportWarning)
            model = self.umap_
            model.tqdm_kwds = rounds_bar("placing new texts", self.verbose)
            return np.asarray(model.transform(vectors), dtype=np.float32)

    def settings(self) -> dict[str, Any]:
        """Return what will be asked of UMAP: the preset with its overrides.

        Raises
        ------
        UsageError
            If the preset is unknown, or one of its parameters is unusable.

        Examples
        --------
        >>> UMAPProjector(n_neighbors=30).settings()["n_neighbors"]
        30
        """
        if self.preset not in PRESETS:
            raise UsageError(f"preset={self.preset!r} is not known; use {' or '.join(PRESETS)}")
        settings = dict(PRESETS[self.preset])
        for name in settings:
            if getattr(self, name) is not None:
                settings[name] = getattr(self, name)
        for name, least in (("n_components", 1), ("n_neighbors", 2)):
            if not isinstance(settings[name], Integral) or settings[name] < least:
                raise UsageError(f"{name} is a whole number from {least}, not {settings[name]!r}")
        if not 0 <= settings["min_dist"] <= 1:
            raise UsageError(f"min_dist is a number from 0 to 1, not {settings['min_dist']!r}")
        return settings | {"metric": self.metric, "densmap": self.densmap}

    def _distinct(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which vectors are projected, and for each vector which of those is its own."""
        first = kind = np.arange(len(vectors))
        if self.preset == "map" and not (self.supervised or self.densmap):
            first, kind = distinct_vectors(vectors)
        return (first, kind) if len(first) >= _FEWEST else (np.arange(len(kind)),) * 2

    def _make(self, settings: dict[str, Any], first: NDArray[np.intp], n: int) -> Any:
        if self.verbose:
            announce_compilation()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ImportWarning)
            from umap import UMAP
        settings = settings | {"n_neighbors": min(settings["n_neighbors"], len(first) - 1)}
        # The spectral layout needs a few points more than dimensions.
        init: Any = "spectral" if len(first) > settings["n_components"] + 2 else "random"
        if self.init is not None:
            init = check_array(self.init, dtype=np.float32)
            if init.shape != (n, settings["n_components"]):
                raise UsageError(
                    f"init has shape {init.shape}; a place for each of {n} vectors is needed, in "
                    f"{settings['n_components']} dimensions"
                )
            init = init[first]
        return UMAP(
            **settings,
            init=init,
            learning_rate=1.0 if self.init is None else _SMALL_STEPS,
            target_weight=self.target_weight,
            random_state=self.random_state,
            # Said here, or umap warns that a seed means one thread.
            n_jobs=self.n_jobs if self.random_state is None else 1,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.random_state is None
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
