"""The words that tell the texts of one period from a cluster's others, where that is certain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import hypergeom

from toolkit.cluster.geometry import NOISE, Labels, rows_by_cluster
from toolkit.cluster.joining import join_pairs
from toolkit.cluster.keywords import Keyword, log_odds
from toolkit.cluster.periods import UNDATED, Periods
from toolkit.cluster.term_matrix import document_frequency, sum_by_cluster
from toolkit.cluster.terms import TermCounts

__all__ = ["PeriodWords", "words_by_period"]

_FEWEST_TEXTS = 5
_FEWEST_WITH_IT = 3
_MIN_LIFT = 2.0


@dataclass(frozen=True)
class PeriodWords:
    """What tells a cluster's texts of one period from its others.

    Parameters
    ----------
    period : int
        Position of the period.
    texts : int
        How many texts of the cluster are of this period.
    words : list of Keyword
        The surest first (log-odds); ``inside`` is the share of these texts that have the word,
        ``outside`` the share of the cluster's texts of all other periods.
    """

    period: int
    texts: int
    words: list[Keyword]


@dataclass(frozen=True)
class _Candidates:
    """Words of a cluster's periods that may be told, as columns; ``chance`` is the p-value."""

    period: NDArray[np.intp]
    term: NDArray[np.intp]
    score: NDArray[np.float64]
    with_it: NDArray[np.intp]
    inside: NDArray[np.float64]
    outside: NDArray[np.float64]
    chance: NDArray[np.float64]

    def __getitem__(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> _Candidates:
        return _Candidates(**{name: column[which] for name, column in vars(self).items()})


def words_by_period(
    counts: TermCounts,
    labels: Labels,
    periods: Periods,
    texts: Sequence[str],
    *,
    n_words: int = 5,
    level: float = 0.05,
) -> list[list[PeriodWords]]:
    """Return the words of each cluster's periods.

    A word is told of a period with 5 texts of the cluster or more if 3 of them have it, it is in
    twice as large a share of them as of the cluster's texts of other periods, and that is no
    chance. By chance, if dates said nothing, the number of a period's texts that have the word
    would be hypergeometric (Fisher's exact test, one-sided; one text counts once however often it
    repeats the word). Of all words of all periods and clusters, those are told whose false
    discovery rate is ``level``: Benjamini and Hochberg (1995), "Controlling the False Discovery
    Rate", Journal of the Royal Statistical Society B 57(1). So of shuffled dates nothing at all is
    said in 19 of 20 clusterings.

    Words are in the order of their log-odds (:func:`~toolkit.cluster.log_odds`) against the
    cluster's other periods, with the whole cluster as the background.

    Parameters
    ----------
    counts : TermCounts
        Terms of each text.
    labels : ndarray of shape (n,)
        Cluster of each text, -1 for noise.
    periods : Periods
        Period of each text.
    texts : sequence of str, of length n
        The texts; looked at for scripts without spaces only.
    n_words : int, default=5
        Most words of a period.
    level : float, default=0.05
        Share of what is told that may be chance.

    Returns
    -------
    list of list of PeriodWords
        By cluster; of the periods with words alone.

    Examples
    --------
    >>> from toolkit.cluster import count_terms
    >>> from toolkit.cluster.periods import make_periods
    >>> texts = [f"a parcel {'lost' if i < 9 else 'late'}" for i in range(18)]
    >>> periods = make_periods([2020 if i < 9 else 2021 for i in range(18)])
    >>> counts = count_terms(texts)
    >>> found = words_by_period(counts, np.zeros(18, dtype=np.intp), periods, texts)
    >>> [(one.period, [word.term for word in one.words]) for one in found[0]]
    [(0, ['lost']), (1, ['late'])]
    """
    n_periods, k = len(periods.names), int(labels.max(initial=NOISE)) + 1
    dated = rows_by_cluster(np.where(periods.numbers == UNDATED, NOISE, labels), k)
    found, tested = [], 0
    for rows in dated:
        some, tests = _examine(counts.counts[rows], periods.numbers[rows], n_periods)
        found.append(some[some.chance <= level])  # of the others none can be told
        tested += tests
    chances = np.sort(np.concatenate([one.chance for one in found])) if found else np.empty(0)
    passing = chances <= level * np.arange(1, len(chances) + 1) / max(tested, 1)
    bound = chances[passing].max(initial=-1.0)
    return [
        _told(some[some.chance <= bound], rows, counts.terms, periods, texts, n_words)
        for some, rows in zip(found, dated, strict=True)
    ]


def _examine(
    counts: sparse.csr_array, numbers: NDArray[np.intp], n_periods: int
) -> tuple[_Candidates, int]:
    """Return what may be told of a cluster's periods, and of how many words it was asked."""
    n, sizes = counts.shape[0], np.bincount(numbers, minlength=n_periods)
    everywhere = document_frequency(counts)
    # Which words are asked about must not depend on the dates, or chance would be misjudged.
    asked = np.flatnonzero(everywhere >= _FEWEST_WITH_IT)
    counts = sparse.csr_array(counts[:, asked])
    summed = sum_by_cluster(counts, numbers, n_periods)
    summed.sort_indices()
    once = (np.ones_like(counts.data), counts.indices, counts.indptr)
    having = sum_by_cluster(sparse.csr_array(once, counts.shape), numbers, n_periods)
    having.sort_indices()
    period, term = np.repeat(np.arange(n_periods), np.diff(having.indptr)), having.indices
    with_it, total, size = having.data.astype(np.intp), everywhere[asked][term], sizes[period]
    score, inside = log_odds(summed).data, with_it / size
    outside = (total - with_it) / np.maximum(n - size, 1)
    may = (score > 0) & (with_it >= _FEWEST_WITH_IT) & (size >= _FEWEST_TEXTS)
    may &= (inside >= _MIN_LIFT * outside) & (size < n)
    chance = np.ones(len(term))
    chance[may] = hypergeom.sf(with_it[may] - 1, n, total[may], size[may])
    found = _Candidates(period, asked[term], score, with_it, inside, outside, chance)
    return found, len(asked) * int((sizes >= _FEWEST_TEXTS).sum())


def _told(
    sure: _Candidates,
    rows: NDArray[np.intp],
    terms: NDArray[np.object_],
    periods: Periods,
    texts: Sequence[str],
    n_words: int,
) -> list[PeriodWords]:
    """Return the surest words of each of a cluster's periods."""
    told = []
    for period in np.unique(sure.period).tolist():
        own = sure[sure.period == period]
        own = own[np.lexsort((own.term, -own.score))[: 4 * n_words]]
        words = [
            Keyword(str(terms[term]), score, inside, outside, documents)
            for term, score, inside, outside, documents in zip(
                own.term.tolist(),
                own.score.tolist(),
                own.inside.tolist(),
                own.outside.tolist(),
                own.with_it.tolist(),
                strict=True,
            )
        ]
        here = rows[periods.numbers[rows] == period]
        joined = join_pairs(words, (texts[i] for i in here))
        told.append(PeriodWords(period, len(here), joined[:n_words]))
    return told
