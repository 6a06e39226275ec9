"""Cluster numbers for new texts, whatever the clusterer."""

from __future__ import annotations

from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.cluster import KMeans
from sklearn.preprocessing import normalize
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from toolkit.cluster.geometry import (
    NOISE,
    check_labels,
    cluster_centers,
    of_unit_length,
    order_by_size,
    own_similarity,
)

__all__ = ["CentroidClusterer"]


class CentroidClusterer(ClusterMixin, BaseEstimator):
    """Any clusterer, with clusters numbered by size and ``predict`` for new vectors.

    Many clusterers (agglomerative, spectral, HDBSCAN) say nothing about new data. This one fits
    another clusterer, and predicts the cluster of the nearest centroid by cosine, or -1 if even
    that is too far.

    Parameters
    ----------
    clusterer : estimator, optional
        A clusterer or a pipeline of a reducer and a clusterer; default ``KMeans(n_init=10)``. Its
        own ``predict`` is used where it has one. A reducer belongs in here, not before this step:
        centroids and distances are those of the vectors this step is given, by their directions,
        which mean little once UMAP has placed them.
    max_distance : {"auto"}, float or None, default="auto"
        Largest cosine distance (1 - cosine, 0 to 2) from the centroid at which a new vector still
        belongs to the cluster; beyond it is -1. "auto" takes, for each cluster, the distance of
        its farthest member, if the clusterer left noise itself, and no limit otherwise. None is
        no limit.

    Attributes
    ----------
    labels_ : ndarray of shape (n,)
        Cluster of each training vector: 0 is the largest, -1 is noise.
    cluster_centers_ : ndarray of shape (k, d)
        Direction of each cluster's mean, of length 1; of the training vectors' dtype.
    radii_ : ndarray of shape (k,)
        Cosine distance of each cluster's farthest member from its centroid.
    clusterer_ : estimator
        The fitted clusterer.
    n_features_in_ : int
        Length of the vectors.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import AgglomerativeClustering
    >>> X = np.array([[1, 0], [1, 0.1], [0.9, 0], [0, 1], [0.1, 1]])
    >>> model = CentroidClusterer(AgglomerativeClustering(2), max_distance=0.2).fit(X)
    >>> model.labels_
    array([0, 0, 0, 1, 1])
    >>> model.predict([[2, 0.1], [0.2, 3], [-1, -1]])
    array([ 0,  1, -1])
    """

    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012 - scikit-learn's convention
        "clusterer": [HasMethods(["fit_predict"]), None],
        "max_distance": [StrOptions({"auto"}), Interval(Real, 0, 2, closed="both"), None],
    }

    def __init__(
        self,
        clusterer: BaseEstimator | None = None,
        *,
        max_distance: float | Literal["auto"] | None = "auto",
    ) -> None:
        self.clusterer = clusterer
        self.max_distance = max_distance

    def fit(self, X: ArrayLike, y: object = None, **fit_params: Any) -> Self:
        """Cluster vectors.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Vectors; only their directions count for ``predict``.
        y : None
            Ignored.
        **fit_params
            For the clusterer's ``fit_predict``, for example ``sample_weight`` of k-means. Sizes
            and centroids count each vector once.

        Returns
        -------
        CentroidClusterer
            Itself.
        """
        self._validate_params()
        given = fit_params
        if _routing_enabled():
            given = process_routing(self, "fit", **fit_params)["clusterer"]["fit_predict"]
        vectors = validate_data(
            self,
            X,
            dtype=[np.float32, np.float64],
            ensure_min_samples=2,
            ensure_all_finite=False,  # of_unit_length looks, and says where
        )
        units = of_unit_length(vectors)
        if self.clusterer is None:
            base = KMeans(min(8, len(vectors)), n_init=10, random_state=0)
        else:
            base = clone(self.clusterer)
        found = check_labels(base.fit_predict(vectors, **given), len(vectors))
        self.labels_, old = order_by_size(found)
        self.clusterer_ = base
        self._own_numbers = old
        if len(old) == 0:
            self.cluster_centers_ = np.empty((0, vectors.shape[1]), dtype=vectors.dtype)
            self.radii_ = np.empty(0)
            return self
        self.cluster_centers_ = cluster_centers(units, self.labels_).astype(vectors.dtype)
        members = self.labels_ != NOISE
        distances = 1 - own_similarity(units, self.cluster_centers_, self.labels_)[members]
        self.radii_ = np.zeros(len(old))
        np.maximum.at(self.radii_, self.labels_[members], distances)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.intp]:
        """Return the cluster of each vector.

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
        # KMeans fitted on float32 cannot predict float64 (scikit-learn 1.9).
        vectors = validate_data(self, X, dtype=self.cluster_centers_.dtype, reset=False)
        if len(self.radii_) == 0:  # all of the training data was noise
            return np.full(len(vectors), NOISE, dtype=np.intp)
        similarity = normalize(vectors) @ self.cluster_centers_.T
        if hasattr(self.clusterer_, "predict"):
            given = np.asarray(self.clusterer_.predict(vectors))
            new = np.full(max(int(given.max()), int(self._own_numbers.max())) + 2, NOISE, np.intp)
            new[self._own_numbers] = np.arange(len(self._own_numbers))
            labels: NDArray[np.intp] = new[given]
        else:
            labels = similarity.argmax(axis=1).astype(np.intp)
        limits = self._limits()
        if limits is not None:
            distance = 1 - np.take_along_axis(similarity, np.maximum(labels, 0)[:, None], axis=1)
            # A copy of a training vector must not fall out of its cluster by rounding.
            labels[distance[:, 0] > limits[labels] + 1e-6] = NOISE
        return labels

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what of ``fit`` goes where, for scikit-learn's metadata routing.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
        """
        to_fit = MethodMapping().add(caller="fit", callee="fit_predict")
        base = KMeans() if self.clusterer is None else self.clusterer
        return MetadataRouter(owner=self).add(clusterer=base, method_mapping=to_fit)

    def _limits(self) -> NDArray[np.float64] | None:
        if self.max_distance is None:
            return None
        if self.max_distance == "auto":
            return self.radii_ if (self.labels_ == NOISE).any() else None
        return np.full(len(self.radii_), float(self.max_distance))
