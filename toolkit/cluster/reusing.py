"""A saved clustering described again from its texts, without clustering them again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from toolkit.cluster.choose_k import Candidate, ChosenK
from toolkit.cluster.clustering_info import ClusteringInfo, read_clustering_info
from toolkit.cluster.decisions import apply_decisions
from toolkit.cluster.describing import build_result, word_settings
from toolkit.cluster.edited import EditedClusterer
from toolkit.cluster.geometry import vectors_of_clustering
from toolkit.cluster.periods import periods_of
from toolkit.cluster.persistence import load_clustering
from toolkit.cluster.result import ClusterResult
from toolkit.cluster.stability import ClusterStability, Stability
from toolkit.embedding.texts import check_texts
from toolkit.errors import ModelFileError, UsageError
from toolkit.provenance import data_fingerprint

__all__ = ["reuse_clustering"]


def reuse_clustering(
    folder: str | Path,
    texts: list[str],
    X: ArrayLike,
    *,
    decisions: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    labels_true: ArrayLike | None = None,
    times: Sequence[Any] | None = None,
    time_format: str | None = None,
    trusted: bool = False,
    random_state: int | None = 0,
    command: str | None = None,
    **words: Any,
) -> ClusterResult:
    """Return the result that a clustering folder was saved from; nothing is trained.

    To report on it again, or to follow decisions on it.

    Parameters
    ----------
    folder : path
        As :func:`~toolkit.cluster.save_clustering` wrote it.
    texts : list of str, of length n
        The texts it was made of, in their order.
    X : array-like of shape (n, d)
        Their vectors.
    decisions : path or mapping, optional
        As for :func:`~toolkit.cluster.read_decisions`, to be followed in place of those in the
        folder, if any. All are about the clustering before any decision.
    labels_true : array-like of shape (n,), optional
        Known labels to compare with.
    times, time_format
        When each text is from, as for :func:`~toolkit.cluster.cluster_texts`.
    trusted : bool, default=False
        As for :func:`~toolkit.cluster.load_clustering`.
    random_state : int or None, default=0
        For splits and examples.
    command : str, optional
        The command that makes this result again, which the one in the folder does not.
    **words
        How keywords are made, as for :func:`~toolkit.cluster.describe_clusters`.

    Returns
    -------
    ClusterResult

    Raises
    ------
    UsageError
        If these are other texts or vectors of another length, or a decision cannot be followed.
    DataError
        If no time can be read.
    ModelFileError
        If the folder cannot be loaded.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.cluster import cluster_texts, save_clustering
    >>> from toolkit.datasets import load, load_vectors
    >>> texts, X = load("sdg").data, load_vectors("sdg", task="clustering")
    >>> result = cluster_texts(texts, X, n_clusters=5, stability=0)
    >>> again = reuse_clustering(save_clustering(result, tempfile.mkdtemp() + "/goals"), texts, X)
    >>> bool((again.labels == result.labels).all())
    True
    """
    info = read_clustering_info(folder)
    items = check_texts(texts).texts
    expected = info.provenance.get("data_fingerprint")
    if expected is not None and expected != f"sha256:{data_fingerprint(items)}":
        raise UsageError(
            f"these are not the texts that the clustering in {folder} was made of, or not in "
            "their order; assign_texts (`toolkit assign`) finds the clusters of new texts"
        )
    vectors = vectors_of_clustering(X, len(items), info.dimension)
    periods = periods_of(times, time_format, n=len(items))
    words = word_settings(info.provenance) | words
    estimator = load_clustering(folder, trusted=trusted)[-1]
    edited = isinstance(estimator, EditedClusterer)
    found = build_result(
        items,
        vectors,
        estimator.clusterer_ if edited else estimator,
        stability=None if edited and _moved(info) else _stability(info),
        known=labels_true,
        chosen=_chosen(info),
        provenance={k: v for k, v in info.provenance.items() if k != "decisions"}
        | {"command": command},
        periods=periods,
        random_state=random_state,
        **words,
    )
    if not edited:
        found = replace(found, names=info.names)
    steps: Any = decisions
    if decisions is None and info.decisions:
        steps = {"format": 1, "decisions": info.decisions}
    if steps is None:
        return found
    return apply_decisions(
        found, vectors, steps, labels_true=labels_true, random_state=random_state, **words
    )


def _moved(info: ClusteringInfo) -> bool:
    return any("rename" not in decision for decision in info.decisions)


def _stability(info: ClusteringInfo) -> Stability | None:
    if info.stability is None:
        return None
    try:
        clusters = tuple(ClusterStability(**one) for one in info.stability["clusters"])
        return Stability(**{**info.stability, "clusters": clusters})
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"clustering.json is damaged: stability, {error!r}") from error


def _chosen(info: ClusteringInfo) -> ChosenK | None:
    if info.chosen is None:
        return None
    try:
        tried = tuple(Candidate(**one) for one in info.chosen["candidates"])
        nearly = tuple(info.chosen["nearly"])
        return ChosenK(**{**info.chosen, "candidates": tried, "nearly": nearly})
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"clustering.json is damaged: chosen, {error!r}") from error
