"""How many clusters: a range of numbers scored, shown, and never passed off as the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from toolkit.cluster.geometry import unit_rows
from toolkit.cluster.number_figures import Tried, figures, without_clusters
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Candidate", "ChosenK", "candidate_numbers", "choose_n_clusters"]

_NEARLY = 0.1
_N_CHANCE = 2
"""Sets of vectors without clusters to compare with; one alone may come out unusually stable."""
_STANDS_OUT = 0.1
"""How far silhouette and modularity together must be above chance: by benchmarks/choosing_k.py
0.21 and more on texts, 0.13 on mixtures that touch, up to 0.05 on vectors without clusters."""

_AT_THE_END = "The largest number tried is among the good ones: larger ones may be as good."


@dataclass(frozen=True)
class Candidate:
    """A number of clusters that was tried.

    Parameters
    ----------
    n_clusters : int
        The number.
    silhouette : float
        Mean cosine silhouette.
    neighbors : float
        Modularity: how many more of each text's 15 nearest texts are in its cluster than if they
        were drawn by chance, as a share.
    stability : float
        Mean adjusted Rand index between clusterings of overlapping subsamples.
    chance_silhouette, chance_neighbors, chance_stability : float
        The same of vectors that spread in the same directions and form no clusters, mean of two
        such sets.
    score : float
        How far the three are above chance, each as a share of the best among the numbers tried;
        their mean, at most 1.
    """

    n_clusters: int
    silhouette: float
    neighbors: float
    stability: float
    chance_silhouette: float
    chance_neighbors: float
    chance_stability: float
    score: float


@dataclass(frozen=True)
class ChosenK:
    """The number chosen, and how sure that is.

    Parameters
    ----------
    n_clusters : int
        The smallest number whose score is within 0.1 of the highest; 1 if none stands out from
        what vectors without clusters reach.
    candidates : tuple of Candidate
        All that were tried, by number.
    nearly : tuple of int
        Others whose score is within 0.1 of the highest: larger ones, that is. Empty if none
        stands out.
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

    @property
    def at_the_end(self) -> bool:
        """Whether the largest number tried is as good, so that larger ones may be, too."""
        return len(self.candidates) > 1 and (
            self.candidates[-1].n_clusters in (self.n_clusters, *self.nearly)
        )

    @property
    def confidence(self) -> Literal["no clusters", "sure", "open"]:
        """How sure the number is.

        "no clusters": none of the numbers tried stands out from chance. "sure": one does, and no
        other is nearly as good. "open": others are, however near they lie: those are right no more
        often (``benchmarks/choosing_k.py``).
        """
        if self.n_clusters == 1:
            return "no clusters"
        return "sure" if self.sure else "open"

    def __str__(self) -> str:
        numbers = [c.n_clusters for c in self.candidates]
        if not numbers:
            return "All vectors are the same: they were put into one cluster."
        tried = f"{len(numbers)} numbers from {numbers[0]} to {numbers[-1]}"
        if len(numbers) == 1:
            tried = f"the one number {numbers[0]}"
        if self.n_clusters == 1:
            return (
                f"No clusters stand out: of {tried}, none brings silhouette and neighbours kept "
                "together clearly above chance. All texts were put into one cluster; ask for a "
                "number of clusters to divide them all the same."
            )
        text = (
            f"{self.n_clusters} clusters were chosen among {tried}, by how far silhouette, "
            "neighbours kept together and stability are above chance"
        )
        more = f" {_AT_THE_END}" if self.at_the_end else ""
        if self.sure:
            return f"{text}; no other number is as good.{more}"
        others = ", ".join(map(str, self.nearly))
        are = "is" if len(self.nearly) == 1 else "are"
        return (
            f"{text}; {others} {are} about as good, so the number is open: it depends on how much "
            f"detail is wanted.{more}"
        )

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
    """Choose a number of clusters by three measures together, compared with chance.

    They are silhouette (are texts nearer to their own cluster?), modularity (are the nearest texts
    of a text in its cluster?) and stability (do parts of the texts give the same clusters?). As
    they are, they mislead: of any cloud of vectors, few large clusters come out again and are
    further apart than many small ones. So each number is also tried on vectors drawn from one
    normal distribution of the same mean and covariance, which have no clusters, and what counts is
    how far the texts are above that. Scores of neighbouring numbers are close; of those within 0.1
    of the best the smallest is taken, for the simplest description.

    If silhouette and modularity together are not clearly above chance (by 0.1, or one divided by
    the square root of the number of texts if that is more), whatever the number, the answer is 1:
    no clusters stand out. Two and three clusters are tried before that is said, and where four are
    found.

    Numbers are tried on the first 50 principal axes (as many as the largest number, if that is
    more), or on what the reducer makes.

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
        If there are fewer than 10 texts, or a vector holds NaN or infinity.
    UsageError
        If a parameter is unusable.

    References
    ----------
    Rousseeuw (1987) for the silhouette; Newman and Girvan (2004), "Finding and evaluating
    community structure in networks", for modularity; Ben-Hur, Elisseeff and Guyon (2002), "A
    stability based method for discovering structure in clustered data", for comparing subsamples;
    Tibshirani, Walther and Hastie (2001), "Estimating the number of clusters in a data set via the
    gap statistic", for comparing with data without clusters.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(np.eye(5), 20, axis=0) + rng.normal(0, 0.1, (100, 5))
    >>> found = choose_n_clusters(X)
    >>> found.n_clusters, found.confidence
    (5, 'sure')
    >>> choose_n_clusters(rng.normal(size=(200, 20))).n_clusters
    1
    """
    vectors = unit_rows(X)
    if n_resamples < 2:
        raise UsageError(
            f"n_resamples={n_resamples}; stability compares subsamples, so at least 2 are needed"
        )
    if len(vectors) < 10:
        raise DataError(
            f"a number of clusters cannot be chosen from {len(vectors)} texts; give n_clusters "
            "(--n-clusters)"
        )
    rng = np.random.default_rng(random_state)
    if len(vectors) > max_texts:
        vectors = vectors[np.sort(rng.choice(len(vectors), size=max_texts, replace=False))]
    n = len(vectors)
    n_distinct = len({row.tobytes() for row in vectors.round(4)})
    if n_distinct == 1:
        return ChosenK(1, (), (), n)
    if candidates is None:
        numbers = [k for k in candidate_numbers(n) if k <= n_distinct] or [2]
    else:
        numbers = _checked(candidates)
    draws = [np.sort(rng.choice(n, size=round(0.8 * n), replace=False)) for _ in range(n_resamples)]
    # Each data set with its own reduction: clumps that the reducer makes are chance, too.
    sets = [
        Tried.of(data, reducer, max(numbers))
        for data in (vectors, *(without_clusters(vectors, rng) for _ in range(_N_CHANCE)))
    ]

    def measured(k: int) -> NDArray[np.float64]:
        """Return two rows, real and by chance, of the three figures of a number."""
        found = []
        for i, data in enumerate(sets):
            if progress is not None:
                progress(f"choosing the number of clusters: {k}{', by chance' if i else ''}")
            found.append(figures(clusterer, k, data, draws, rng))
        values = np.nan_to_num(np.array(found), nan=-1.0)
        return np.array([values[0], values[1:].mean(axis=0)])

    known = {k: measured(k) for k in numbers}
    chosen = _choose(known, n)
    if candidates is None and chosen.n_clusters <= numbers[0]:
        known |= {k: measured(k) for k in (2, 3) if k not in known and k <= n_distinct}
        chosen = _choose(known, n)
    return chosen


def _checked(candidates: Sequence[int]) -> list[int]:
    """Return the numbers to try, each once, or say what is wrong with them."""
    given = np.asarray(candidates)
    if given.ndim != 1 or given.dtype.kind not in "iu" or len(given) == 0 or given.min() < 2:
        raise UsageError(f"candidates are whole numbers from 2, not {candidates!r}")
    numbers: list[int] = np.unique(given).tolist()
    return numbers


def _choose(known: dict[int, NDArray[np.float64]], n: int) -> ChosenK:
    """Return the choice from the figures of each number, real and by chance, on n texts."""
    found = _scored(known)
    least = max(_STANDS_OUT, n**-0.5)
    if all(_apart(c) < least for c in found):
        return ChosenK(1, found, (), n)
    limit = max(c.score for c in found) - _NEARLY
    best, *nearly = [c.n_clusters for c in found if c.score >= limit]
    return ChosenK(best, found, tuple(nearly), n)


def _apart(one: Candidate) -> float:
    """Return how far silhouette and modularity together are above chance.

    Stability is left out: of a cloud that is long in one direction it is a matter of luck.
    """
    return one.silhouette - one.chance_silhouette + one.neighbors - one.chance_neighbors


def _scored(known: dict[int, NDArray[np.float64]]) -> tuple[Candidate, ...]:
    numbers = sorted(known)
    scores = _scores(np.array([known[k][0] - known[k][1] for k in numbers]))
    return tuple(
        Candidate(int(k), *map(float, (*known[k].ravel(), score)))
        for k, score in zip(numbers, scores, strict=True)
    )


def _scores(above: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each row of figures above chance, as shares of each column's best."""
    best = above.max(axis=0)
    shares = np.where(best > 0, above / np.where(best > 0, best, 1.0), 0.0)
    scores: NDArray[np.float64] = shares.mean(axis=1)
    return scores
