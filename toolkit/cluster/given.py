"""Clusters that something else made, described and examined like those made here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin

from toolkit.cluster.agreement import label_values
from toolkit.cluster.describing import build_result
from toolkit.cluster.geometry import NOISE, unit_rows
from toolkit.cluster.making import describe_making
from toolkit.cluster.periods import periods_of
from toolkit.cluster.predictor import CentroidClusterer
from toolkit.cluster.result import ClusterResult
from toolkit.embedding.texts import check_texts, is_missing
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from toolkit.identity import ModelIdentity

__all__ = ["GivenLabels", "examine_labels"]


class GivenLabels(ClusterMixin, BaseEstimator):
    """What stands in for a clusterer where the clusters are known: it gives the labels back.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Cluster numbers from 0 up, -1 for noise.
    """

    def __init__(self, labels: ArrayLike) -> None:
        self.labels = labels

    def fit_predict(self, X: ArrayLike, y: object = None) -> NDArray[np.intp]:
        """Return the labels."""
        return np.asarray(self.labels, dtype=np.intp)


def examine_labels(
    texts: Iterable[str],
    X: ArrayLike,
    labels: ArrayLike,
    *,
    names: Mapping[Any, str] | None = None,
    noise_label: object = NOISE,
    labels_true: ArrayLike | None = None,
    times: Sequence[Any] | None = None,
    time_format: str | None = None,
    random_state: int | None = 0,
    identity: ModelIdentity | None = None,
    prompt: str | None = None,
    source: str | None = None,
    command: str | None = None,
    **words: Any,
) -> ClusterResult:
    """Describe and examine clusters that something else made, for a report or to save them.

    Parameters
    ----------
    texts : iterable of str, of length n
        The texts.
    X : array-like of shape (n, d)
        Their vectors; only directions count.
    labels : array-like of shape (n,)
        The cluster of each text: numbers with or without gaps, or names. None, NaN and
        ``noise_label`` are in no cluster.
    names : mapping of label to str, optional
        Names of clusters. By default a label that is a str is its own name, and others are named
        by their keywords.
    noise_label : object, default=-1
        The label of texts in no cluster.
    labels_true : array-like of shape (n,), optional
        Known labels to compare with.
    random_state : int or None, default=0
        For the examples of noise.
    times, time_format, identity, prompt, source, command
        As for :func:`~toolkit.cluster.cluster_texts`.
    **words
        How keywords are made, as for :func:`~toolkit.cluster.describe_clusters`.

    Returns
    -------
    ClusterResult
        With clusters numbered by size; ``provenance["given_labels"]`` has the label of each as
        text. There is no stability: what made the clusters is not known, so it cannot be run again.
        ``predict`` goes by the nearest centroid.

    Raises
    ------
    UsageError
        If texts, vectors and labels differ in number.
    DataError
        If there are fewer than 3 texts, or all are in no cluster.

    Examples
    --------
    >>> from toolkit.datasets import load, load_vectors
    >>> data = load("sdg")
    >>> X = load_vectors("sdg", task="clustering", dimensions=128)
    >>> found = examine_labels(data.data, X, data.target)
    >>> found.n_clusters, found.names[0] in data.target, found.stability
    (17, True, None)
    """
    items = check_texts(texts).texts
    vectors = unit_rows(X)
    given = label_values(labels)
    if not len(items) == len(vectors) == len(given):
        raise UsageError(
            f"there are {len(items):,} texts, {len(vectors):,} vectors and {len(given):,} labels"
        )
    if len(items) < 3:
        raise DataError(f"{len(items)} texts are no clustering; give at least 3")
    # pandas makes floats of whole numbers where some are missing.
    given = [int(x) if isinstance(x, float) and x.is_integer() else x for x in given]
    position: dict[Any, int] = {}
    numbers = [
        NOISE
        if is_missing(label) or label == noise_label
        else position.setdefault(label, len(position))
        for label in given
    ]
    if not position:
        raise DataError("no text is in a cluster: all labels are missing or noise_label")
    estimator = CentroidClusterer(GivenLabels(numbers)).fit(vectors)
    by_position = list(position)
    own = [by_position[number] for number in estimator._own_numbers]
    result = build_result(
        items,
        vectors,
        estimator,
        stability=None,
        known=labels_true,
        chosen=None,
        periods=periods_of(times, time_format, n=len(items)),
        random_state=random_state,
        provenance=describe_making(
            items,
            vectors,
            clusterer="labels given by the user",
            n_clusters="given",
            random_state=random_state,
            identity=identity,
            prompt=prompt,
            source=source,
            command=command,
        )
        | {"given_labels": [str(label) for label in own]},
        **words,
    )
    said = names or {}
    return replace(
        result,
        names=[
            str(said[label]) if label in said else label if isinstance(label, str) else name
            for label, name in zip(own, result.names, strict=True)
        ],
    )
