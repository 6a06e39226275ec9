"""``clustering.json``: what a saved clustering is, readable without opening its model."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.errors import ModelFileError
from toolkit.identity import ModelIdentity
from toolkit.saved.model_file import JOBLIB_FILE, SKOPS_FILE

__all__ = ["CLUSTERING_FILE", "CLUSTERING_FORMAT_VERSION", "ClusteringInfo", "read_clustering_info"]

_FORMAT = "embeddinggemma-toolkit clustering"
CLUSTERING_FORMAT_VERSION = "1.0"
"""Major and minor; folders of another major version are refused."""

CLUSTERING_FILE = "clustering.json"


@dataclass(frozen=True)
class ClusteringInfo:
    """What ``clustering.json`` says.

    Parameters
    ----------
    file : str
        Name of the model file: ``"model.skops"`` or ``"model.joblib"``.
    sha256 : str
        Its digest: guards against damage, not against malice.
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
    dimension : int or None
        Length of its vectors.
    prompt : str or None
        Template of the prompt its texts are sent under.
    identity : ModelIdentity or None
        The vector space it was made in, with canaries.
    notice : str or None
        A sentence that must stand on its outputs when it is not EmbeddingGemma.
    provenance : dict
        As in :class:`~toolkit.cluster.ClusterResult`: clusterer and parameters, seed, source, data
        fingerprint, command, and versions and date of the clustering.
    versions : dict of str to str
        Of the packages that wrote the folder.
    date : str
        When it was written, ISO 8601, UTC.
    format_version : str
        Of the folder.
    """

    file: str
    sha256: str
    clusters: list[dict[str, Any]]
    noise: int = 0
    takes: str = "texts"
    clustering: str = ""
    decisions: list[dict[str, Any]] = field(default_factory=list)
    quality: dict[str, Any] = field(default_factory=dict)
    stability: dict[str, Any] | None = None
    chosen: dict[str, Any] | None = None
    dimension: int | None = None
    prompt: str | None = None
    identity: ModelIdentity | None = None
    notice: str | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    date: str = ""
    format_version: str = CLUSTERING_FORMAT_VERSION

    @property
    def names(self) -> list[str]:
        """The name of each cluster."""
        return [str(cluster["name"]) for cluster in self.clusters]

    def to_json(self) -> str:
        """Return the content of ``clustering.json``."""
        data: dict[str, Any] = {"format": _FORMAT, "format_version": self.format_version}
        data |= {k: v for k, v in vars(self).items() if k not in ("identity", "format_version")}
        data["identity"] = self.identity.to_dict() if self.identity is not None else None
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


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
    >>> from toolkit import EmbeddingGemmaVectorizer
    >>> from toolkit.cluster import cluster_texts, save_clustering
    >>> from toolkit.datasets import load
    >>> texts = load("sdg").data
    >>> vectorizer = EmbeddingGemmaVectorizer("clustering", backend="cache", cache=False)
    >>> X = vectorizer.fit_transform(texts)
    >>> result = cluster_texts(texts, X, n_clusters=5, stability=0)
    >>> folder = save_clustering(result, tempfile.mkdtemp() + "/goals", vectorizer=vectorizer)
    >>> read_clustering_info(folder).names == list(result.names)
    True
    """
    place = Path(folder)
    path = place / CLUSTERING_FILE
    if not path.is_file():
        what = "has no clustering.json" if place.is_dir() else "is not a folder"
        if (place / "model.json").is_file():
            what = "holds a classifier, which `toolkit predict` and load_model open"
        raise ModelFileError(
            f"{place} {what}; give the folder that save_clustering or `toolkit cluster --save` "
            "wrote"
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = str(data["format_version"])
        written_by = data.get("versions", {}).get("embeddinggemma-toolkit", "another version")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path} is not the description of a clustering: {error!r}") from error
    major = CLUSTERING_FORMAT_VERSION.split(".")[0]
    if data.get("format") != _FORMAT or version.split(".")[0] != major:
        raise ModelFileError(
            f"{place} is of the format {data.get('format')!r} {version}, and this toolkit reads "
            f"{_FORMAT!r} {major}.x. It was written by embeddinggemma-toolkit {written_by}: "
            "install that version, or cluster again"
        )
    known = ClusteringInfo.__dataclass_fields__
    try:
        identity = data.get("identity")
        info = ClusteringInfo(
            **{k: v for k, v in data.items() if k in known and k != "identity"},
            identity=ModelIdentity.from_dict(identity) if identity else None,
        )
        sound = all(isinstance(name, str) for name in info.names) and bool(info.clusters)
        sound &= all(isinstance(one["radius"], int | float) for one in info.clusters)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path} is damaged: {error!r}") from error
    if not sound or info.file not in (SKOPS_FILE, JOBLIB_FILE):
        raise ModelFileError(f"{path} is damaged: file {info.file!r}, or its clusters")
    return info
