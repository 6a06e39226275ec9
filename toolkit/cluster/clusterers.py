"""Unfitted clusterers: the standard ones by name, and any other by its path."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator, clone, is_clusterer
from sklearn.pipeline import Pipeline

from toolkit.cluster.clusterer_catalog import (
    CLUSTERERS,
    QUADRATIC_LIMIT,
    ClustererInfo,
    Wish,
    clusterer_info,
    folded,
)
from toolkit.errors import UsageError

_WITHOUT_EFFECT = ("verbose", "cache", "memory", "n_jobs", "core_dist_n_jobs", "copy")
"""Parameters that change no result; folders among them."""

__all__ = [
    "CLUSTERERS",
    "ClustererInfo",
    "clusterer_info",
    "describe_clusterer",
    "make_clusterer",
    "with_seed",
]


def make_clusterer(
    clusterer: str | BaseEstimator = "kmeans",
    n_clusters: int | None = None,
    *,
    n_samples: int | None = None,
    min_cluster_size: int | None = None,
    reducer: BaseEstimator | None = None,
    random_state: int | None = 0,
) -> BaseEstimator:
    """Return an unfitted clusterer.

    Parameters
    ----------
    clusterer : str or estimator, default="kmeans"
        A name of :data:`CLUSTERERS`, the import path of a clusterer class
        (``"sklearn.cluster.Birch"``, or with a colon before the class), or an estimator, which is
        cloned.
    n_clusters : int, optional
        How many clusters, for those that must be told; not for an estimator, which knows.
    n_samples : int, optional
        How many texts there will be; some parameters follow from it.
    min_cluster_size : int, optional
        Fewest texts of a cluster, for ``"hdbscan"``; by default half the square root of
        ``n_samples``, and at least 5. Try others: it has cliffs.
    reducer : transformer, optional
        What to do to the vectors first, such as
        ``toolkit.visualize.UMAPProjector("clustering")``. ``"hdbscan"`` and ``"umap-kmeans"``
        need one: density clustering of hundreds of dimensions calls most texts noise.
    random_state : int or None, default=0
        Given to clusterers made here that take it; an estimator keeps its own.

    Returns
    -------
    estimator
        Unfitted; a ``Pipeline`` of two steps, ``reduce`` and ``cluster``, with a reducer.

    Raises
    ------
    UsageError
        If the name is unknown, the path cannot be imported, it is not a clusterer, or what it
        needs is missing.

    Examples
    --------
    >>> make_clusterer("kmeans", 17)
    KMeans(n_clusters=17, n_init=10, random_state=0)
    >>> make_clusterer("sklearn.cluster.Birch", 5)
    Birch(n_clusters=5)
    """
    if min_cluster_size is not None and folded(clusterer) != "hdbscan":
        raise UsageError("min_cluster_size is for the clusterer 'hdbscan' alone")
    wish = Wish(n_clusters, n_samples, min_cluster_size, random_state)
    if isinstance(clusterer, str):
        if "." in clusterer or ":" in clusterer:
            made = _from_import_path(clusterer, n_clusters, random_state)
        else:
            made = _by_name(clusterer_info(clusterer), wish, reducer)
    elif isinstance(clusterer, type):
        raise UsageError(
            f"clusterer is the class {clusterer.__name__}; give an instance, {clusterer.__name__}()"
        )
    elif not hasattr(clusterer, "fit") or not (
        is_clusterer(clusterer) or hasattr(clusterer, "fit_predict")
    ):
        raise UsageError(
            f"clusterer must be a scikit-learn clusterer (with fit_predict), one of "
            f"{', '.join(CLUSTERERS)} or an import path, not {clusterer!r}"
        )
    elif n_clusters is not None:
        raise UsageError(
            f"n_clusters={n_clusters} goes with a clusterer's name; give the estimator its own"
        )
    else:
        made = clone(clusterer)
    if reducer is None:
        return made
    if not hasattr(reducer, "transform"):
        raise UsageError(
            f"the reducer {reducer!r} has no transform, so it cannot stand before a clusterer; "
            "take one that has, such as UMAPProjector('clustering') or scikit-learn's PCA"
        )
    return Pipeline([("reduce", clone(reducer)), ("cluster", made)])


def parameters_named(estimator: BaseEstimator, name: str) -> dict[str, Any]:
    """Return the parameters of a name, of an estimator and of those it is made of, by their path.

    Examples
    --------
    >>> from toolkit.cluster import CentroidClusterer
    >>> parameters_named(CentroidClusterer(make_clusterer("kmeans", 3)), "n_clusters")
    {'clusterer__n_clusters': 3}
    """
    every = estimator.get_params(deep=True).items()
    return {path: value for path, value in every if path.rsplit("__", 1)[-1] == name}


def with_seed(clusterer: BaseEstimator, random_state: int | None) -> BaseEstimator:
    """Return an unfitted clone with every seed in it changed to this one.

    Parameters
    ----------
    clusterer : estimator
        A clusterer, or a pipeline or meta-estimator of one.
    random_state : int or None
        The seed.

    Returns
    -------
    estimator

    Examples
    --------
    >>> with_seed(make_clusterer("kmeans", 3), 42)
    KMeans(n_clusters=3, n_init=10, random_state=42)
    """
    made: BaseEstimator = clone(clusterer)
    made.set_params(**dict.fromkeys(parameters_named(made, "random_state"), random_state))
    return made


def describe_clusterer(clusterer: BaseEstimator) -> str:
    """Return a clusterer on one line, with the parameters that differ from their defaults.

    The number of clusters and the seed are always there.

    Examples
    --------
    >>> describe_clusterer(make_clusterer("kmeans", 8))
    'KMeans(n_clusters=8, n_init=10, random_state=0)'
    """
    if isinstance(clusterer, Pipeline):
        return " → ".join(describe_clusterer(step) for _, step in clusterer.steps)
    defaults = signature(type(clusterer)).parameters
    changed = [
        f"{name}={value!r}"
        for name, value in clusterer.get_params(deep=False).items()
        if name in ("n_clusters", "random_state")
        or name not in defaults
        or (name not in _WITHOUT_EFFECT and repr(value) != repr(defaults[name].default))
    ]
    name = type(clusterer).__name__
    # scikit-learn has one of the same name; which one it was must be told.
    if type(clusterer).__module__.partition(".")[0] == "hdbscan":
        name = f"hdbscan.{name}"
    return f"{name}({', '.join(changed)})"


def _by_name(info: ClustererInfo, wish: Wish, reducer: BaseEstimator | None) -> BaseEstimator:
    n_clusters, n_samples = wish.n_clusters, wish.n_samples
    if info.takes_n_clusters:
        _check_n_clusters(info.name, n_clusters, n_samples)
    elif n_clusters is not None:
        raise UsageError(
            f"{info.name!r} finds the number of clusters itself; leave n_clusters out, or choose "
            "kmeans"
        )
    if info.reduce and reducer is None:
        raise UsageError(
            f"{info.name!r} needs the vectors reduced first; give "
            "reducer=UMAPProjector('clustering') of toolkit.visualize, or choose kmeans"
        )
    if info.quadratic and n_samples is not None and n_samples > QUADRATIC_LIMIT:
        raise UsageError(
            f"{info.name!r} compares all pairs: {n_samples:,} texts are too many for it (limit "
            f"{QUADRATIC_LIMIT:,}). Choose kmeans, minibatch-kmeans or bisecting-kmeans."
        )
    return info.make(wish)


def _check_n_clusters(name: str, n_clusters: int | None, n_samples: int | None) -> None:
    if n_clusters is None:
        raise UsageError(f"{name!r} needs n_clusters, the number of clusters to make")
    if not isinstance(n_clusters, Integral) or isinstance(n_clusters, bool):
        raise UsageError(f"n_clusters is a whole number, not {n_clusters!r}")
    if n_clusters < 1 or (n_samples is not None and n_clusters > n_samples):
        of = "" if n_samples is None else f" of {n_samples:,} texts"
        raise UsageError(f"{n_clusters} clusters{of} cannot be made")


def _from_import_path(path: str, n_clusters: int | None, random_state: int | None) -> BaseEstimator:
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"the clusterer {path!r} cannot be imported: {error}") from error
    if not isinstance(kind, type):
        raise UsageError(f"{path!r} is not a class but {type(kind).__name__}")
    takes = signature(kind).parameters
    parameters: dict[str, Any] = {}
    if n_clusters is not None:
        if "n_clusters" not in takes:
            raise UsageError(f"{path!r} does not take n_clusters; leave it out")
        parameters["n_clusters"] = n_clusters
    if "random_state" in takes:
        parameters["random_state"] = random_state
    try:
        made = kind(**parameters)
    except TypeError as error:
        raise UsageError(
            f"{path!r} needs parameters ({error}); in Python, pass an instance as clusterer="
        ) from error
    if not hasattr(made, "fit_predict") or not hasattr(made, "get_params"):
        raise UsageError(f"{path!r} is not a scikit-learn clusterer")
    return made
