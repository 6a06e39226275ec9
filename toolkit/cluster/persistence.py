"""Clustering folders: clusters that can be handed on, and asked about new texts.

``model.skops`` holds the pipeline of vectorizer and clusterer, ``clustering.json`` what it is,
``README.md`` the same for a reader. A fitted UMAP that new texts have to go through cannot be
written so: it becomes ``model.joblib``, a pickle, only loaded with ``trusted=True``.
"""

from __future__ import annotations

import copy
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from toolkit.cluster.clustering_info import ClusteringInfo
from toolkit.cluster.decisions import labels_fingerprint
from toolkit.cluster.edited import EditedClusterer
from toolkit.cluster.folder_readme import clustering_readme
from toolkit.cluster.geometry import NOISE
from toolkit.cluster.predictor import CentroidClusterer
from toolkit.cluster.result import ClusterResult
from toolkit.errors import ModelFileError, UsageError
from toolkit.provenance import model_notice, package_versions
from toolkit.saved.description import CLUSTERING
from toolkit.saved.folders import check_can_write
from toolkit.saved.model_file import VECTORIZER_TYPES
from toolkit.saved.pipeline_folder import load_pipeline, save_pipeline
from toolkit.vectorizer import EmbeddingGemmaVectorizer

__all__ = ["CLUSTERING_TYPES", "check_clustering_output", "load_clustering", "save_clustering"]

CLUSTERING_TYPES: tuple[str, ...] = (
    *VECTORIZER_TYPES,
    "toolkit.cluster.edited.EditedClusterer",
    "toolkit.cluster.given.GivenLabels",
    "toolkit.cluster.predictor.CentroidClusterer",
    "toolkit.cluster.spectral.NeighborSpectralClustering",
    # Unfitted, as a parameter: what the vectors were reduced by.
    "toolkit.visualize.projector.UMAPProjector",
    "hdbscan.hdbscan_.HDBSCAN",
    # What BisectingKMeans is made of: plain numbers, and the name of a function of scikit-learn.
    "sklearn.cluster._bisect_k_means._BisectingTree",
    "sklearn.cluster._kmeans._kmeans_single_lloyd",
)
"""Types that may be built from a clustering's file beyond those skops trusts."""

_VERSIONS = ("embeddinggemma-toolkit", "numpy", "scikit-learn", "scipy", "skops", "umap-learn")


def check_clustering_output(folder: str | Path, *, force: bool = False) -> None:
    """Refuse a folder that :func:`save_clustering` would refuse, before any work is done.

    Parameters
    ----------
    folder : path
        Where to save.
    force : bool, default=False
        Whether an earlier clustering may be replaced.

    Raises
    ------
    UsageError
        If the folder holds something.

    Examples
    --------
    >>> import tempfile
    >>> check_clustering_output(tempfile.mkdtemp())
    """
    check_can_write(Path(folder), CLUSTERING, force=force)


def save_clustering(
    result: ClusterResult,
    folder: str | Path,
    *,
    vectorizer: BaseEstimator | None = None,
    force: bool = False,
    report: str | None = None,
) -> Path:
    """Write a clustering folder.

    The folder appears whole or not at all. Servers, header values and cache folders are not
    written: they belong to the machine. Texts are not written; keywords are. Of a clusterer that
    cannot predict, only its parameters are kept: new texts go to the nearest centre.

    Parameters
    ----------
    result : ClusterResult
        A clustering, edited or not.
    folder : path
        Must not exist, or be empty.
    vectorizer : transformer, optional
        Fitted; what made the vectors. Without it, the saved pipeline takes vectors, not texts.
    force : bool, default=False
        Replace an earlier clustering. Another kind of folder is never replaced.
    report : str, optional
        HTML to write beside it as ``report.html``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UsageError
        If the folder holds something, or the vectorizer is not fitted or makes vectors of another
        length.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit import EmbeddingGemmaVectorizer
    >>> from toolkit.cluster import cluster_texts
    >>> from toolkit.datasets import load
    >>> texts = load("sdg").data
    >>> vectorizer = EmbeddingGemmaVectorizer("clustering", backend="cache", cache=False)
    >>> result = cluster_texts(texts, vectorizer.fit_transform(texts), n_clusters=5, stability=0)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = save_clustering(result, f"{place}/goals", vectorizer=vectorizer)
    ...     sorted(path.name for path in folder.iterdir())
    ...     (load_clustering(folder).predict(texts) == result.labels).all()
    ['README.md', 'clustering.json', 'model.skops']
    np.True_
    """
    target = Path(folder)
    check_clustering_output(target, force=force)
    width = result.centers.shape[1]
    estimator = _without_leftovers(result.estimator)
    steps: list[tuple[str, BaseEstimator]] = [("clusterer", estimator)]
    if vectorizer is not None:
        _check_fitted(vectorizer)
        made = getattr(vectorizer, "n_features_out_", width)
        if made != width:
            raise UsageError(
                f"the vectorizer makes vectors of {made} numbers, and the clusters are of vectors "
                f"of {width}; give the one that made them"
            )
        steps.insert(0, ("vectorizer", vectorizer))
    return save_pipeline(
        target,
        Pipeline(steps),
        partial(_describe, result, vectorizer),
        partial(clustering_readme, report=report is not None),
        report=report,
    )


def load_clustering(folder: str | Path, *, trusted: bool = False) -> Pipeline:
    """Load a clustering folder, after checking all of it.

    In this order: the format's version, the model file's digest, the types in it, and then that
    what was built is a fitted clusterer with the clusters and the vector space that
    ``clustering.json`` names. Nothing in the file is built or run before its types are known.

    Parameters
    ----------
    folder : path
        As :func:`save_clustering` wrote it.
    trusted : bool, default=False
        Whether you trust who wrote it as you would trust a program of theirs: also opens
        ``model.joblib``, types beyond :data:`CLUSTERING_TYPES`, and pipelines that name a server
        elsewhere.

    Returns
    -------
    Pipeline
        Steps ``vectorizer`` (if it was saved) and ``clusterer``. ``predict(texts)`` gives cluster
        numbers, -1 for texts in none; :func:`~toolkit.cluster.read_clustering_info` has the names.
        The vector space is checked at each prediction.

    Raises
    ------
    ModelFileError
        If anything is not as it should be; the message says what and what to do.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.cluster import cluster_texts
    >>> from toolkit.datasets import load, load_vectors
    >>> X = load_vectors("sdg", task="clustering")
    >>> result = cluster_texts(load("sdg").data, X, n_clusters=5, stability=0)
    >>> clustering = load_clustering(save_clustering(result, tempfile.mkdtemp() + "/goals"))
    >>> bool((clustering.predict(X) == result.labels).all())
    True
    """
    found = load_pipeline(
        folder, ClusteringInfo, _check_loaded, types=CLUSTERING_TYPES, trusted=trusted
    )
    return cast("Pipeline", found)


def _check_fitted(vectorizer: BaseEstimator) -> None:
    try:
        check_is_fitted(vectorizer)
        # This one transforms without fit, too, but then has no vector space to be checked against.
        fitted = not isinstance(vectorizer, EmbeddingGemmaVectorizer) or hasattr(
            vectorizer, "identity_"
        )
    except NotFittedError:
        fitted = False
    if not fitted:
        raise UsageError("the vectorizer is not fitted; call fit before saving")


def _without_leftovers(
    estimator: CentroidClusterer | EditedClusterer,
) -> CentroidClusterer | EditedClusterer:
    """Return a copy without what ``predict`` never asks: matrices of all pairs, a fitted UMAP."""
    kept = copy.copy(estimator)
    if isinstance(kept, EditedClusterer):
        base = _without_leftovers(kept.clusterer_)
        kept.clusterer_ = base
        return kept
    if not hasattr(kept.clusterer_, "predict"):
        kept.clusterer_ = clone(kept.clusterer_)
    return kept


def _describe(
    result: ClusterResult, vectorizer: BaseEstimator | None, written: dict[str, Any]
) -> ClusteringInfo:
    identity = getattr(vectorizer, "identity_", None)
    edited = result.estimator if isinstance(result.estimator, EditedClusterer) else None
    first = result.estimator if edited is None else edited.clusterer_
    notice = result.provenance.get("notice")
    if vectorizer is not None:
        notice = model_notice(identity)
    quality = result.quality
    return ClusteringInfo(
        **written,
        clusters=[
            {
                "name": result.names[cluster],
                "size": one.size,
                "keywords": [word.term for word in result.keywords[cluster]],
                "radius": _radius(result, cluster),
            }
            for cluster, one in enumerate(quality.clusters)
        ],
        noise=quality.noise,
        takes="vectors" if vectorizer is None else "texts",
        clustering=labels_fingerprint(first),
        decisions=[] if result.edits is None else result.edits.decisions,
        quality={
            "silhouette": float(quality.silhouette),
            "coverage": float(quality.coverage),
            "below_zero": float(quality.below_zero),
        },
        stability=None if result.stability is None else asdict(result.stability),
        chosen=None if result.chosen is None else asdict(result.chosen),
        dimension=result.centers.shape[1],
        prompt=getattr(vectorizer, "prompt_", result.provenance.get("prompt")),
        identity=identity,
        notice=notice,
        provenance=result.provenance,
        versions=package_versions(_VERSIONS),
    )


def _radius(result: ClusterResult, cluster: int) -> float:
    return round(float(1 - result.similarity[result.labels == cluster].min()), 6)


def _check_loaded(model: Any, info: ClusteringInfo, path: Path) -> None:
    last = model.steps[-1][1] if isinstance(model, Pipeline) else None
    if not isinstance(last, CentroidClusterer | EditedClusterer):
        raise ModelFileError(f"{path} holds no clustering but {type(last or model).__name__}")
    try:
        check_is_fitted(last)
        sizes = np.bincount(last.labels_[last.labels_ != NOISE]).tolist()
        shape = last.cluster_centers_.shape
    except (NotFittedError, AttributeError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path} holds no fitted clusterer: {error}") from error
    described_in = CLUSTERING.described_in
    if sizes != [one["size"] for one in info.clusters] or shape != (len(sizes), info.dimension):
        raise ModelFileError(
            f"{path} holds {len(sizes)} clusters that are not the {len(info.clusters)} of "
            f"{described_in}: the files are not of one clustering; copy the folder again, whole"
        )
    if (info.takes == "texts") != (len(model.steps) == 2):
        raise ModelFileError(f"{path} does not take {info.takes}, as {described_in} says")
