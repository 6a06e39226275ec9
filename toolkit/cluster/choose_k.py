"""How many clusters: a range of numbers scored, shown, and never passed off as the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import adjusted_rand_score

from toolkit.cluster.clusterers import clusterer_info, make_clusterer
from toolkit.cluster.geometry import NOISE, check_labels, order_by_size, unit_rows
from toolkit.cluster.quality import cosine_silhouette
from toolkit.cluster.threads import few_threads
from toolkit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Candidate", "ChosenK", "candidate_numbers", "choose_n_clusters"]

_NEARLY = 0.1


@dataclass(frozen=True)
class Candidate:
    """A number of clusters that was tried.

    Parameters
    ----------
    n_clusters : int
        The number.
    silhouette : float
        Mean cosine silhouette.
    stability : float
        Mean adjusted Rand index between clusterings of overlapping subsamples.
    chance_silhouette, chance_stability : float
        The same of vectors that spread in the same directions and form no clusters.
    score : float
        How far the two are above chance, each as a share of the best among the numbers tried;
        their mean, at most 1.
    """

    n_clusters: int
    silhouette: float
    stability: float
    chance_silhouette: float
    chance_stability: float
    score: float


@dataclass(frozen=True)
class ChosenK:
    """The number chosen, and how sure that is.

    Parameters
    ----------
    n_clusters : int
        The smallest number whose score is within 0.1 of the highest.
    candidates : tuple of Candidate
        All that were tried, by number.
    nearly : tuple of int
        Others whose score is within 0.1 of the highest: larger ones, that is.
    n_used : int
        How many texts were used.
    """

    n_clusters: int
    candidates: tuple[Candidate, ...]
    nearly: tuple[int, ...]
    n_used: int

    @property
    def sure(self) -> bool:
        """Whether no other number is nearly as good."""
        return not self.nearly

    def __str__(self) -> str:
        tried = [c.n_clusters for c in self.candidates]
        text = (
            f"{self.n_clusters} clusters were chosen among {len(tried)} numbers from {tried[0]} "
            f"to {tried[-1]}, by how far silhouette and stability are above chance"
        )
        if self.sure:
            return f"{text}; no other number is as good."
        others = ", ".join(map(str, self.nearly))
        return f"{text}; {others} {'is' if len(self.nearly) == 1 else 'are'} about as good."

    def to_frame(self) -> pd.DataFrame:
        """Return the candidates, one row each."""
        import pandas as pd

        return pd.DataFrame([vars(c) for c in self.candidates]).set_index("n_clusters")


def candidate_numbers(n_samples: int, *, low: int = 4, high: int = 50, size: int = 12) -> list[int]:
    """Return numbers of clusters to try: about ``size``, each a constant factor above the last.

    Two or three clusters are left out where there are texts for more: they come out very stable
    of almost any collection and say almost nothing about it.

    Examples
    --------
    >>> candidate_numbers(615)
    [4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50]
    >>> candidate_numbers(30)
    [2, 3, 4, 5, 6]
    """
    most = max(2, min(high, n_samples // 5))
    if most <= low + 2:
        return list(range(2, most + 1))
    return sorted({round(k) for k in np.geomspace(low, most, size)})


def choose_n_clusters(
    X: ArrayLike,
    clusterer: str = "kmeans",
    *,
    candidates: Sequence[int] | None = None,
    reducer: BaseEstimator | None = None,
    n_resamples: int = 4,
    max_texts: int = 5_000,
    random_state: int | None = 0,
    progress: Callable[[str], None] | None = None,
) -> ChosenK:
    """Choose a number of clusters by silhouette and stability together, compared with chance.

    As they are, both mislead: of any cloud of vectors, few large clusters come out again and are
    further apart than many small ones. So each number is also tried on vectors drawn from one
    normal distribution of the same mean and covariance, which have no clusters, and what counts is
    how far the texts are above that. Scores of neighbouring numbers are close; of those within 0.1
    of the best the smallest is taken, for the simplest description.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Vectors.
    clusterer : str, default="kmeans"
        Name of a clusterer that takes a number of clusters.
    candidates : sequence of int, optional
        Numbers to try; by default :func:`candidate_numbers`.
    reducer : transformer, optional
        As for :func:`~toolkit.cluster.make_clusterer`; fitted once, not for each number.
    n_resamples : int, default=4
        Subsamples of 80% clustered for each number; each pair is compared on the texts both have.
    max_texts : int, default=5000
        Of a larger collection, a random sample of this size is used.
    random_state : int or None, default=0
        Seed of the draws and clusterings.
    progress : callable, optional
        Told what is being done.

    Returns
    -------
    ChosenK

    Raises
    ------
    DataError
        If there are fewer than 10 texts.

    References
    ----------
    Rousseeuw (1987) for the silhouette; Ben-Hur, Elisseeff and Guyon (2002), "A stability based
    method for discovering structure in clustered data", for comparing subsamples.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(np.eye(5), 20, axis=0) + rng.normal(0, 0.1, (100, 5))
    >>> found = choose_n_clusters(X)
    >>> found.n_clusters, found.sure
    (5, True)
    """
    vectors = unit_rows(X)
    if len(vectors) < 10:
        raise DataError(
            f"a number of clusters cannot be chosen from {len(vectors)} texts; give n_clusters "
            "(--n-clusters)"
        )
    rng = np.random.default_rng(random_state)
    if len(vectors) > max_texts:
        vectors = vectors[np.sort(rng.choice(len(vectors), size=max_texts, replace=False))]
    n = len(vectors)
    numbers = list(candidates) if candidates is not None else candidate_numbers(n)
    draws = [np.sort(rng.choice(n, size=round(0.8 * n), replace=False)) for _ in range(n_resamples)]
    measured = []
    # Each data set with its own reduction: clumps that the reducer makes are chance, too.
    for data in (vectors, _without_clusters(vectors, rng)):
        space = data if reducer is None else np.asarray(clone(reducer).fit_transform(data))
        for k in numbers:
            if progress is not None:
                of = "" if data is vectors else ", by chance"
                progress(f"choosing the number of clusters: {k}{of}")
            with few_threads(space):
                measured.append(
                    (
                        _silhouette(clusterer, k, data, space, _seed(rng)),
                        _agreement(clusterer, k, space, draws, rng),
                    )
                )
    figures = np.nan_to_num(np.array(measured).reshape(2, len(numbers), 2), nan=-1.0)
    scores = _scores(figures[0] - figures[1])
    found = tuple(
        Candidate(int(k), *map(float, (*real, *chance, score)))
        for k, real, chance, score in zip(numbers, *figures, scores, strict=True)
    )
    found = tuple(sorted(found, key=_number))
    limit = max(c.score for c in found) - _NEARLY
    chosen, *nearly = [c.n_clusters for c in found if c.score >= limit]
    return ChosenK(chosen, found, tuple(nearly), n)


def _without_clusters(
    vectors: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return as many unit vectors of one normal distribution of the same mean and covariance."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    # A random mixture of the rows has their covariance, without a decomposition of it.
    mixed = rng.standard_normal((len(vectors), len(vectors)), dtype=np.float32) @ centred
    return unit_rows(mixed / np.sqrt(len(vectors), dtype=np.float32) + mean)


def _scores(above: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each row of figures above chance, as shares of each column's best."""
    best = above.max(axis=0)
    shares = np.where(best > 0, above / np.where(best > 0, best, 1.0), 0.0)
    scores: NDArray[np.float64] = shares.mean(axis=1)
    return scores


def _number(candidate: Candidate) -> int:
    return candidate.n_clusters


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31 - 1))


def _fit(clusterer: str, k: int, space: NDArray[np.floating], seed: int) -> NDArray[np.intp]:
    # The reduction is done already: a name that asks for one gets a reducer that does nothing.
    made = make_clusterer(
        "kmeans" if clusterer_info(clusterer).name == "umap-kmeans" else clusterer,
        k,
        n_samples=len(space),
        random_state=seed,
    )
    if "n_init" in made.get_params():
        # Numbers are compared on average over several runs, so each may be less thorough.
        made.set_params(n_init=3)
    return check_labels(made.fit_predict(space))


def _silhouette(
    clusterer: str,
    k: int,
    vectors: NDArray[np.float32],
    space: NDArray[np.floating],
    seed: int,
) -> float:
    labels, _ = order_by_size(_fit(clusterer, k, space, seed))
    samples = cosine_silhouette(vectors, labels)
    return float(samples[labels != NOISE].mean())


def _agreement(
    clusterer: str,
    k: int,
    space: NDArray[np.floating],
    draws: Sequence[NDArray[np.intp]],
    rng: np.random.Generator,
) -> float:
    found = []
    for rows in draws:
        labels = np.full(len(space), NOISE - 1, dtype=np.intp)
        labels[rows] = _fit(clusterer, k, space[rows], _seed(rng))
        found.append(labels)
    aris = []
    for a, b in combinations(found, 2):
        shared = (a > NOISE - 1) & (b > NOISE - 1)
        aris.append(adjusted_rand_score(a[shared], b[shared]))
    return float(np.mean(aris))
