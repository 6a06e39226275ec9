"""``clustering.json``: what a saved clustering is, readable without opening its model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.saved.description import CLUSTERING, Description

__all__ = ["ClusteringInfo", "read_clustering_info"]


@dataclass(frozen=True, kw_only=True)
class ClusteringInfo(Description):
    """What ``clustering.json`` says: what its base class has, and this.

    The base class is :class:`~toolkit.saved.description.Description`; ``provenance`` is that of
    :class:`~toolkit.cluster.ClusterResult`.

    Parameters
    ----------
    clusters : list of dict
        By number, each with ``name``, ``size``, ``keywords`` (terms), ``radius`` (cosine distance
        of its farthest text from its centre).
    noise : int
        How many texts were in no cluster.
    takes : str
        ``"texts"``, or ``"vectors"`` if it was saved without a vectorizer.
    clustering : str
        Fingerprint of the labels before decisions (:func:`~toolkit.cluster.labels_fingerprint`).
    decisions : list of dict
        What was changed by hand, in order.
    quality : dict
        ``silhouette``, ``coverage``, ``below_zero``.
    stability, chosen : dict or None
        As :class:`~toolkit.cluster.Stability` and :class:`~toolkit.cluster.ChosenK` hold it.
    """

    kind = CLUSTERING

    clusters: list[dict[str, Any]]
    noise: int = 0
    takes: str = "texts"
    clustering: str = ""
    decisions: list[dict[str, Any]] = field(default_factory=list)
    quality: dict[str, Any] = field(default_factory=dict)
    stability: dict[str, Any] | None = None
    chosen: dict[str, Any] | None = None
    format_version: str = CLUSTERING.version

    @property
    def names(self) -> list[str]:
        """The name of each cluster."""
        return [str(cluster["name"]) for cluster in self.clusters]

    def damage(self) -> str | None:
        """Return what is wrong with the content, if anything is."""
        sound = all(isinstance(one["name"], str) for one in self.clusters) and bool(self.clusters)
        sound &= all(isinstance(one["radius"], int | float) for one in self.clusters)
        return None if sound else "its clusters"


def read_clustering_info(folder: str | Path) -> ClusteringInfo:
    """Read and check what a clustering folder says of itself, without opening its model.

    Parameters
    ----------
    folder : path
        As :func:`~toolkit.cluster.save_clustering` wrote it.

    Returns
    -------
    ClusteringInfo

    Raises
    ------
    ModelFileError
        If it is no clustering folder, or of another format.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.cluster import cluster_texts, save_clustering
    >>> from toolkit.datasets import load, load_vectors
    >>> X = load_vectors("sdg", task="clustering")
    >>> result = cluster_texts(load("sdg").data, X, n_clusters=5, stability=0)
    >>> info = read_clustering_info(save_clustering(result, tempfile.mkdtemp() + "/goals"))
    >>> info.names == result.names
    True
    """
    return ClusteringInfo.read(folder)
