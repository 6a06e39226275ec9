"""How far clusters agree with known labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    homogeneity_completeness_v_measure,
    v_measure_score,
)
from sklearn.utils import check_array

from toolkit.cluster.geometry import NOISE, check_labels
from toolkit.embedding.texts import is_missing
from toolkit.errors import UsageError
from toolkit.finite import refuse_gaps

__all__ = [
    "Agreement",
    "AgreementScores",
    "MtebClustering",
    "compare_labels",
    "label_values",
    "mteb_clustering",
]

_MOSTLY_CHANCE = 0.1


@dataclass(frozen=True)
class AgreementScores:
    """Scores of agreement; all are 1 for perfect agreement.

    Parameters
    ----------
    ari : float
        Adjusted Rand index: 0 is chance.
    ami : float
        Adjusted mutual information: 0 is chance.
    v_measure : float
        Harmonic mean of the two that follow; not adjusted for chance, so it grows with the
        number of clusters.
    homogeneity : float
        How far each cluster has texts of one label.
    completeness : float
        How far each label's texts are in one cluster.
    """

    ari: float
    ami: float
    v_measure: float
    homogeneity: float
    completeness: float

    @property
    def flatters(self) -> bool:
        """Whether a good part of the V-measure is chance: labels or clusters of a few texts."""
        return self.v_measure - self.ami > _MOSTLY_CHANCE


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far clusters agree with known labels.

    Parameters
    ----------
    all_texts : AgreementScores
        Over all labelled texts, noise as a cluster of its own.
    clustered : AgreementScores or None
        Over the texts in clusters only, which flatters a clusterer that calls the hard ones
        noise: read it beside ``coverage``. None if all texts are noise. The same as
        ``all_texts`` if none is.
    coverage : float
        Share of the labelled texts that are in a cluster.
    n_labelled : int
        Number of texts with a label.
    classes : tuple
        The labels, sorted.
    contingency : ndarray of shape (n_classes, k), dtype int64
        How many texts of each label are in each cluster.
    noise_by_class : ndarray of shape (n_classes,), dtype int64
        How many texts of each label are noise.
    """

    all_texts: AgreementScores
    clustered: AgreementScores | None
    coverage: float
    n_labelled: int
    classes: tuple[Any, ...]
    contingency: NDArray[np.int64]
    noise_by_class: NDArray[np.int64]

    def majority(self, cluster: int) -> tuple[Any, float]:
        """Return the most frequent label of a cluster, and its share of the labelled texts there.

        Returns
        -------
        label : object
            None if no text of the cluster has a label.
        share : float
            NaN then.
        """
        column = self.contingency[:, cluster]
        if not column.any():
            return None, float("nan")
        best = int(column.argmax())
        return self.classes[best], float(column[best] / column.sum())


def compare_labels(labels_true: ArrayLike, labels: ArrayLike) -> Agreement:
    """Compare clusters with known labels.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        A label for each text; None, NaN and NA for those that have none, which are left out.
    labels : array-like of shape (n,)
        Cluster numbers 0 to k-1, -1 for noise.

    Returns
    -------
    Agreement

    Raises
    ------
    UsageError
        If the lengths differ or there is no label at all.

    References
    ----------
    Hubert and Arabie (1985) for ARI, Vinh, Epps and Bailey (2010) for AMI, Rosenberg and
    Hirschberg (2007) for the V-measure.

    Examples
    --------
    >>> found = compare_labels(["a", "a", "b", "b", "b"], [0, 0, 1, 1, -1])
    >>> round(found.all_texts.ari, 3), found.clustered.ari, found.coverage
    (0.545, 1.0, 0.8)
    """
    values = label_values(labels_true)
    given = check_labels(labels)
    if len(values) != len(given):
        raise UsageError(f"there are {len(values)} known labels for {len(given)} texts")
    known = np.array([not is_missing(value) for value in values], dtype=bool)
    if not known.any():
        raise UsageError("none of the texts has a known label")
    classes, codes = _codes([v for v, has in zip(values, known, strict=True) if has])
    labels_known = given[known]
    members = labels_known != NOISE
    k = int(given.max(initial=NOISE)) + 1
    table = np.zeros((len(classes), k), dtype=np.int64)
    np.add.at(table, (codes[members], labels_known[members]), 1)
    noise = np.bincount(codes[~members], minlength=len(classes)).astype(np.int64)
    whole = _scores(codes, labels_known)
    if members.all():
        clustered: AgreementScores | None = whole
    else:
        clustered = _scores(codes[members], labels_known[members]) if members.any() else None
    return Agreement(
        all_texts=whole,
        clustered=clustered,
        coverage=float(members.mean()),
        n_labelled=int(known.sum()),
        classes=classes,
        contingency=table,
        noise_by_class=noise,
    )


@dataclass(frozen=True)
class MtebClustering:
    """Result of MTEB's clustering protocol.

    Parameters
    ----------
    v_measure : float
        Mean over the experiments.
    sd : float
        Their standard deviation.
    scores : tuple of float
        V-measure of each experiment.
    """

    v_measure: float
    sd: float
    scores: tuple[float, ...]


def mteb_clustering(
    X: ArrayLike,
    labels_true: ArrayLike,
    *,
    n_experiments: int = 10,
    sample_size: int = 16_384,
    random_state: int = 42,
) -> MtebClustering:
    """Score vectors as MTEB's clustering tasks do, so that figures compare with published ones.

    Each experiment draws ``sample_size`` texts with replacement, clusters them with
    ``MiniBatchKMeans`` of as many clusters as there are labels, batches of 512, k-means++ and one
    start, and takes the V-measure (Muennighoff et al. 2023, "MTEB: Massive Text Embedding
    Benchmark"; Enevoldsen et al. 2025, "MMTEB", for the draws).

    Parameters
    ----------
    X : array-like of shape (n, d)
        Vectors, as the model gives them.
    labels_true : array-like of shape (n,)
        Known labels; texts with None, NaN or NA are left out.
    n_experiments : int, default=10
        Number of experiments.
    sample_size : int, default=16384
        Texts drawn for each.
    random_state : int, default=42
        Seed of the draws and of the clusterer. The draws are not those of the ``mteb`` package,
        so scores agree within their standard deviation and not digit by digit.

    Returns
    -------
    MtebClustering

    Examples
    --------
    >>> X = np.repeat(np.eye(4), 25, axis=0)
    >>> topics = np.repeat(["sea", "land", "air", "ice"], 25)
    >>> mteb_clustering(X, topics, n_experiments=2, sample_size=100).v_measure
    1.0
    """
    vectors: NDArray[Any] = check_array(X, ensure_all_finite=False)
    refuse_gaps(vectors)
    values = label_values(labels_true)
    if len(values) != len(vectors):
        raise UsageError(f"there are {len(values)} known labels for {len(vectors)} vectors")
    known = np.array([not is_missing(value) for value in values], dtype=bool)
    if not known.any():
        raise UsageError("none of the texts has a known label")
    classes, codes = _codes([v for v, has in zip(values, known, strict=True) if has])
    vectors = vectors[known]
    rng = np.random.default_rng(random_state)
    scores = []
    for _ in range(n_experiments):
        rows = rng.integers(len(vectors), size=sample_size)
        clusterer = MiniBatchKMeans(
            len(classes), batch_size=512, init="k-means++", n_init=1, random_state=random_state
        )
        found = clusterer.fit_predict(vectors[rows])
        scores.append(float(v_measure_score(codes[rows], found)))
    return MtebClustering(float(np.mean(scores)), float(np.std(scores)), tuple(scores))


def _scores(codes: NDArray[np.intp], labels: NDArray[np.intp]) -> AgreementScores:
    homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(codes, labels)
    return AgreementScores(
        ari=float(adjusted_rand_score(codes, labels)),
        ami=float(adjusted_mutual_info_score(codes, labels)),
        v_measure=float(v_measure),
        homogeneity=float(homogeneity),
        completeness=float(completeness),
    )


def label_values(labels: ArrayLike) -> list[Any]:
    """Return labels as Python values.

    Raises
    ------
    UsageError
        If they are not in one dimension.
    """
    values = labels.tolist() if hasattr(labels, "tolist") else np.asarray(labels, dtype=object)
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, list) or any(isinstance(value, list) for value in values):
        raise UsageError("labels are one for each text, in one dimension")
    return values


def _codes(values: list[Any]) -> tuple[tuple[Any, ...], NDArray[np.intp]]:
    """Return the distinct labels in order, and the position among them of each."""
    distinct = set(values)
    try:
        classes = tuple(sorted(distinct))
    except TypeError:  # numbers and strings mixed
        classes = tuple(sorted(distinct, key=lambda value: (type(value).__name__, str(value))))
    position = {value: i for i, value in enumerate(classes)}
    return classes, np.array([position[value] for value in values], dtype=np.intp)
