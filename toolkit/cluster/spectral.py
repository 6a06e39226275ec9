"""Spectral clustering of a neighbour graph that may be in more parts than there are clusters."""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import connected_components
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import SpectralClustering
from sklearn.utils.validation import validate_data

from toolkit.copies import distinct_vectors
from toolkit.errors import ToolkitWarning, UsageError

__all__ = ["NeighborSpectralClustering"]


class NeighborSpectralClustering(ClusterMixin, BaseEstimator):
    """scikit-learn's spectral clustering of the graph of nearest neighbours.

    Copies of a vector are clustered as one, and are all in its cluster: as neighbours of each
    other they would take the place of those that tell where they belong. Where vectors are nearly
    copies, more of them than neighbours, they are a part of the graph that nothing leads out of.
    As many such parts as clusters are found exactly. Of more of them the eigenvectors say
    nothing: which parts go together is a matter of rounding. Then neighbourhoods are doubled until
    the graph is in no more parts than there are clusters, with a warning.

    Parameters
    ----------
    n_clusters : int, default=8
        How many clusters.
    n_neighbors : int, default=15
        Neighbours of each different vector in the graph to begin with, itself counted.
    assign_labels : {"cluster_qr", "kmeans", "discretize"}, default="cluster_qr"
        As for :class:`sklearn.cluster.SpectralClustering`.
    random_state : int, RandomState or None, default=None
        For the eigenvectors' solver.

    Attributes
    ----------
    labels_ : ndarray of shape (n,)
        Cluster of each vector.
    n_neighbors_ : int
        Neighbours in the graph that was used.
    n_features_in_ : int
        Length of the vectors.

    Examples
    --------
    >>> angles = np.deg2rad([0, 2, 4, 80, 82, 84])
    >>> X = np.repeat(np.column_stack([np.cos(angles), np.sin(angles)]), 10, axis=0)
    >>> made = NeighborSpectralClustering(2, n_neighbors=3, random_state=0)
    >>> np.bincount(made.fit_predict(X))
    array([30, 30])
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        n_neighbors: int = 15,
        assign_labels: str = "cluster_qr",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.assign_labels = assign_labels
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Cluster vectors.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Vectors.
        y : None
            Ignored.

        Returns
        -------
        NeighborSpectralClustering
            Itself.
        """
        given = validate_data(self, X, dtype=[np.float32, np.float64], ensure_min_samples=2)
        if self.n_clusters > len(given):
            raise UsageError(f"{self.n_clusters} clusters of {len(given)} texts cannot be made")
        first, copy_of = distinct_vectors(given)
        vectors = given[first]
        most = len(vectors)
        self.n_neighbors_ = min(self.n_neighbors, most)
        if self.n_clusters >= most:
            # The sparse solver finds fewer eigenvectors than there are texts.
            if self.n_clusters > most:
                warnings.warn(
                    f"Number of distinct vectors ({most} of {len(given):,}) is less than "
                    f"n_clusters ({self.n_clusters}): each is a cluster.",
                    ToolkitWarning,
                    stacklevel=2,
                )
            self.labels_ = copy_of
            return self
        while True:
            made = SpectralClustering(
                self.n_clusters,
                affinity="nearest_neighbors",
                n_neighbors=self.n_neighbors_,
                assign_labels=self.assign_labels,
                random_state=self.random_state,
            )
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Graph is not fully connected")
                made.fit(vectors)
            parts, _ = connected_components(made.affinity_matrix_)
            if parts <= self.n_clusters or self.n_neighbors_ == most:
                break
            self.n_neighbors_ = min(2 * self.n_neighbors_, most)
        if self.n_neighbors_ > self.n_neighbors:
            warnings.warn(
                f"with {self.n_neighbors} neighbours the texts are in more separate parts than "
                f"the {self.n_clusters} clusters wanted, perhaps near copies of a few texts; "
                f"{self.n_neighbors_} were taken. Leave the copies out, ask for more clusters, or "
                "choose kmeans.",
                ToolkitWarning,
                stacklevel=2,
            )
        self.labels_ = made.labels_[copy_of]
        return self
