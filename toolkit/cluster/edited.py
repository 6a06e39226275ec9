"""Clusters merged, split and extended by hand, as an estimator that does it again on new texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.cluster import KMeans
from sklearn.utils.validation import check_is_fitted, validate_data

from toolkit.cluster.geometry import NOISE, Labels, cluster_centers, order_by_size, unit_rows
from toolkit.cluster.predictor import CentroidClusterer
from toolkit.errors import DataError, UsageError

__all__ = ["EditedClusterer"]


class EditedClusterer(ClusterMixin, BaseEstimator):
    """A clusterer followed by decisions: clusters merged, one split, noise assigned.

    Nothing of the clusterer is trained again by a decision; ``predict`` asks it first, and then
    follows the same decisions.

    Parameters
    ----------
    clusterer : CentroidClusterer, optional
        What makes the clusters to be edited.
    decisions : sequence of dict, default=()
        In the order in which they are to be followed, as
        :func:`~toolkit.cluster.read_decisions` returns them. Numbers are those of ``clusterer``
        throughout: a merged cluster keeps the first one's, the parts of a split one keep its own
        (the largest) and take the next free ones.
    random_state : int or None, default=0
        For the splits.

    Attributes
    ----------
    labels_ : ndarray of shape (n,)
        Cluster of each training vector, numbered again by size; -1 is noise.
    cluster_centers_ : ndarray of shape (k, d)
        Direction of each cluster's mean.
    numbers_ : ndarray of shape (k,)
        The number of each cluster in the decisions.
    counts_ : list of int
        How many training vectors each decision moved.
    clusterer_ : CentroidClusterer
        The fitted clusterer.
    n_features_in_ : int
        Length of the vectors.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1, 0], [1, 0.1], [0.9, 0], [0, 1], [0.1, 1], [-1, 0]])
    >>> base = CentroidClusterer(KMeans(3, n_init=5, random_state=0))
    >>> base.fit(X).labels_
    array([0, 0, 0, 1, 1, 2])
    >>> EditedClusterer(base, [{"merge": [0, 2]}]).fit(X).predict([[-2, 0.1], [0, 3]])
    array([0, 1])
    """

    def __init__(
        self,
        clusterer: CentroidClusterer | None = None,
        decisions: Sequence[Mapping[str, Any]] = (),
        *,
        random_state: int | None = 0,
    ) -> None:
        self.clusterer = clusterer
        self.decisions = decisions
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Cluster vectors, and follow the decisions.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Vectors.
        y : None
            Ignored.

        Returns
        -------
        EditedClusterer
            Itself.

        Raises
        ------
        UsageError
            If a decision names a cluster that is not there.
        DataError
            If a cluster cannot be split as decided.
        """
        validate_data(self, X, dtype=[np.float32, np.float64], ensure_min_samples=2)
        base = CentroidClusterer() if self.clusterer is None else clone(self.clusterer)
        return self.follow(base.fit(X), X)

    def follow(self, fitted: CentroidClusterer, X: ArrayLike) -> Self:
        """Follow the decisions on a clusterer that is fitted already, and keep it.

        Parameters
        ----------
        fitted : CentroidClusterer
            Fitted on ``X``.
        X : array-like of shape (n, d)
            The vectors it was fitted on.

        Returns
        -------
        EditedClusterer
            Itself.
        """
        vectors = validate_data(self, X, dtype=[np.float32, np.float64])
        units = unit_rows(vectors)
        labels: Labels = np.array(fitted.labels_, dtype=np.intp)
        if len(labels) != len(units):
            raise UsageError(
                f"the clusterer was fitted on {len(labels):,} vectors; these are {len(units):,}"
            )
        self.clusterer_ = fitted
        self._steps: list[dict[str, Any]] = []
        self.counts_: list[int] = []
        free = int(labels.max(initial=NOISE)) + 1
        for number, decision in enumerate(self.decisions, start=1):
            step = self._learn(decision, number, labels, units, free)
            if step is None:
                self.counts_.append(0)
                continue
            moved = _take(step, labels, units)
            self.counts_.append(int((moved != labels).sum()))
            free = max(free, int(moved.max(initial=NOISE)) + 1)
            labels = moved
            self._steps.append(step)
        self.labels_, self.numbers_ = order_by_size(labels)
        self.cluster_centers_ = cluster_centers(units, self.labels_).astype(vectors.dtype)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.intp]:
        """Return the cluster of each vector: the clusterer's, then as decided.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Vectors.

        Returns
        -------
        ndarray of shape (n,)
            Cluster numbers as in ``labels_``; -1 where the vector belongs to none.
        """
        check_is_fitted(self)
        vectors = validate_data(self, X, dtype=self.cluster_centers_.dtype, reset=False)
        labels: Labels = self.clusterer_.predict(vectors)
        units = unit_rows(vectors)
        for step in self._steps:
            labels = _take(step, labels, units)
        new = np.full(max([int(labels.max(initial=NOISE)), *self.numbers_]) + 2, NOISE, np.intp)
        new[self.numbers_] = np.arange(len(self.numbers_))
        found: NDArray[np.intp] = new[labels]
        return found

    def _learn(
        self,
        decision: Mapping[str, Any],
        number: int,
        labels: Labels,
        units: NDArray[np.float32],
        free: int,
    ) -> dict[str, Any] | None:
        """Return what a decision needs to be followed on other vectors; None if it moves none."""
        there = set(labels.tolist()) - {NOISE}
        named = decision.get("merge", [decision[k] for k in ("split", "rename") if k in decision])
        for cluster in named:
            if cluster not in there:
                raise UsageError(
                    f"decision {number} ({dict(decision)}) is about cluster {cluster}, which is "
                    f"not there; there are {_listed(sorted(there))}"
                )
        if "merge" in decision:
            return {"merge": list(decision["merge"])}
        if "split" in decision:
            return self._learn_split(decision, labels, units, free)
        if "assign_noise" in decision and there:
            numbers, dense = np.unique(labels[labels != NOISE], return_inverse=True)
            return {
                "noise": float(decision["assign_noise"]["max_distance"]),
                "numbers": numbers,
                "centers": cluster_centers(units[labels != NOISE], dense).astype(np.float32),
            }
        return None

    def _learn_split(
        self, decision: Mapping[str, Any], labels: Labels, units: NDArray[np.float32], free: int
    ) -> dict[str, Any]:
        cluster, parts = int(decision["split"]), int(decision["into"])
        members = units[labels == cluster]
        if len(np.unique(members.round(6), axis=0)) < parts:
            raise DataError(
                f"cluster {cluster} has fewer than {parts} different texts; it cannot be split "
                f"into {parts}"
            )
        found = KMeans(parts, n_init=10, random_state=self.random_state).fit_predict(members)
        centers = cluster_centers(members, order_by_size(found)[0]).astype(np.float32)
        # The parts are what is nearest to each centre, for these vectors as for new ones.
        nearest = (members @ centers.T).argmax(axis=1)
        sizes = np.bincount(nearest, minlength=parts)
        if (sizes == 0).any():
            raise DataError(f"cluster {cluster} does not fall into {parts} parts")
        numbers = np.array([cluster, *range(free, free + parts - 1)], dtype=np.intp)
        order = np.argsort(-sizes, kind="stable")
        return {"split": cluster, "numbers": numbers, "centers": centers[order]}


def _take(step: Mapping[str, Any], labels: Labels, units: NDArray[np.float32]) -> Labels:
    """Return the labels after one step."""
    moved = labels.copy()
    if "merge" in step:
        first, *others = step["merge"]
        moved[np.isin(labels, others)] = first
    elif "split" in step:
        rows = np.flatnonzero(labels == step["split"])
        moved[rows] = step["numbers"][(units[rows] @ step["centers"].T).argmax(axis=1)]
    else:
        rows = np.flatnonzero(labels == NOISE)
        similarity = units[rows] @ step["centers"].T
        near = 1 - similarity.max(axis=1, initial=-1.0) <= step["noise"]
        moved[rows[near]] = step["numbers"][similarity[near].argmax(axis=1)]
    return moved


def _listed(numbers: Sequence[int]) -> str:
    if numbers == list(range(len(numbers))):
        return f"0 to {len(numbers) - 1}"
    return ", ".join(map(str, numbers))
