"""The words that tell clusters apart, from one count of words by document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from toolkit.cluster.geometry import Labels, rows_by_cluster
from toolkit.cluster.term_matrix import document_frequency, sum_along
from toolkit.cluster.terms import TermCounts
from toolkit.typography import shorten

__all__ = [
    "Keyword",
    "c_tf_idf",
    "keyword_names",
    "log_odds",
    "term_rarity",
    "top_keywords",
]


_SEVERAL = 5
_LONGEST_WORD = 40
_MORE_WORDS = 2


@dataclass(frozen=True)
class Keyword:
    """A term that is typical of a cluster.

    Parameters
    ----------
    term : str
        The term.
    score : float
        Its weight by the method asked for.
    inside : float
        Share of the cluster's documents that have it.
    outside : float
        Share of all other documents that have it.
    documents : int
        How many documents of the cluster have it.
    """

    term: str
    score: float
    inside: float
    outside: float
    documents: int


def c_tf_idf(cluster_counts: sparse.csr_array) -> sparse.csr_array:
    r"""Weigh terms by class-based TF-IDF.

    The weight of term *t* in cluster *c* is

    .. math:: W_{t,c} = \frac{f_{t,c}}{\sum_s f_{s,c}} \log\left(1 + \frac{A}{f_t}\right)

    with the count :math:`f_{t,c}` of the term in the cluster, its count :math:`f_t` in all
    clusters, and the mean number :math:`A` of words in a cluster: Grootendorst (2022), "BERTopic:
    Neural topic modeling with a class-based TF-IDF procedure", arXiv:2203.05794, equation 2, with
    the cluster's counts as shares.

    Parameters
    ----------
    cluster_counts : csr_array of shape (k, n_terms)
        As :func:`sum_by_cluster` makes them.

    Returns
    -------
    csr_array of shape (k, n_terms)

    Examples
    --------
    >>> from scipy import sparse
    >>> c_tf_idf(sparse.csr_array([[2, 2], [0, 4]])).toarray().round(3)
    array([[0.549, 0.255],
           [0.   , 0.511]])
    """
    counts = cluster_counts.astype(np.float64)
    return _scaled(counts, 1 / np.maximum(sum_along(counts, axis=1), 1), term_rarity(counts))


def term_rarity(cluster_counts: sparse.csr_array) -> NDArray[np.float64]:
    """Return the second factor of :func:`c_tf_idf`, which is of a term whatever the cluster.

    Parameters
    ----------
    cluster_counts : csr_array of shape (k, n_terms)
        As :func:`sum_by_cluster` makes them.

    Returns
    -------
    ndarray of shape (n_terms,)
    """
    words = sum_along(cluster_counts, axis=1)
    # Not the mean of all rows: a cluster of texts without words would lower it.
    average = words.sum() / max(1, int((words > 0).sum()))
    rarity: NDArray[np.float64] = np.log1p(
        average / np.maximum(sum_along(cluster_counts, axis=0), 1)
    )
    return rarity


def log_odds(
    cluster_counts: sparse.csr_array, background: NDArray[Any] | None = None, *, prior: float = 10.0
) -> sparse.csr_array:
    r"""Weigh terms by how surely they are more frequent in a cluster than elsewhere.

    The z-score of the log-odds ratio with an informative Dirichlet prior: Monroe, Colaresi and
    Quinn (2008), "Fightin' Words", Political Analysis 16(4), equations 15, 16, 20 and 22:

    .. math::
        \delta_t = \log\frac{f_{t,c} + \alpha_t}{n_c + \alpha_0 - f_{t,c} - \alpha_t}
        - \log\frac{f_{t,r} + \alpha_t}{n_r + \alpha_0 - f_{t,r} - \alpha_t}, \qquad
        z_t = \delta_t \Big/ \sqrt{\frac{1}{f_{t,c} + \alpha_t} + \frac{1}{f_{t,r} + \alpha_t}}

    where *r* is everything but the cluster. A common word is at no advantage, and a rare one must
    make up for what chance explains.

    Parameters
    ----------
    cluster_counts : csr_array of shape (k, n_terms)
        As :func:`sum_by_cluster` makes them.
    background : array-like of shape (n_terms,), optional
        Counts of terms at large, for the prior; by default those of all clusters together.
    prior : float, default=10.0
        Weight of the prior: :math:`\alpha_t` is ``prior`` times the background count, scaled to
        one word for each term on average. Larger values favour rarer terms.

    Returns
    -------
    csr_array of shape (k, n_terms)
        z-scores of the terms that occur in each cluster; others are not stored.

    Examples
    --------
    >>> from scipy import sparse
    >>> counts = sparse.csr_array([[30, 10, 0], [30, 0, 10]])
    >>> log_odds(counts).toarray().round(1)
    array([[0. , 2.5, 0. ],
           [0. , 0. , 2.5]])
    """
    counts = sparse.csr_array(cluster_counts).astype(np.float64)
    everywhere = sum_along(counts, axis=0)
    base = everywhere if background is None else np.asarray(background, dtype=np.float64)
    alpha = prior * base * (len(base) / max(float(base.sum()), 1.0))
    alpha = np.maximum(alpha, 1e-9)
    total = alpha.sum()
    words = sum_along(counts, axis=1)
    weights = counts.copy()
    for cluster in range(counts.shape[0]):
        here = slice(counts.indptr[cluster], counts.indptr[cluster + 1])
        terms = counts.indices[here]
        inside = counts.data[here] + alpha[terms]
        outside = everywhere[terms] - counts.data[here] + alpha[terms]
        odds_in = inside / np.maximum(words[cluster] + total - inside, 1e-9)
        odds_out = outside / np.maximum(words.sum() - words[cluster] + total - outside, 1e-9)
        weights.data[here] = (np.log(odds_in) - np.log(odds_out)) / np.sqrt(
            1 / inside + 1 / outside
        )
    return weights


def top_keywords(
    weights: sparse.csr_array,
    counts: TermCounts,
    labels: Labels,
    *,
    n_keywords: int = 10,
    min_lift: float = 2.0,
) -> list[list[Keyword]]:
    """Return the terms of highest weight in each cluster, among those that are typical of it.

    Parameters
    ----------
    weights : csr_array of shape (k, n_terms)
        As :func:`c_tf_idf` or :func:`log_odds` makes them; only positive ones count.
    counts : TermCounts
        Of the same terms, document by document.
    labels : ndarray of shape (n,)
        Cluster numbers of the documents, -1 for noise.
    n_keywords : int, default=10
        Most terms of a cluster.
    min_lift : float, default=2.0
        A term must be in this many times as large a share of the cluster's documents as of all
        others. It keeps out "the", "und" and "的" without a list for each language. In a cluster
        of five texts or more it must also be in two of them.

    Returns
    -------
    list of list of Keyword
        Of each cluster, the heaviest first; ties in alphabetical order.

    Examples
    --------
    >>> import numpy as np
    >>> from toolkit.cluster import count_terms, sum_by_cluster
    >>> counts = count_terms(["the sea", "the blue sea", "the hill", "the hill"], min_df=1)
    >>> labels = np.array([0, 0, 1, 1])
    >>> weights = c_tf_idf(sum_by_cluster(counts.counts, labels))
    >>> [[word.term for word in words] for words in top_keywords(weights, counts, labels)]
    [['sea', 'blue'], ['hill']]
    """
    table = counts.counts
    everywhere = document_frequency(table)
    found: list[list[Keyword]] = []
    for cluster, rows in enumerate(rows_by_cluster(labels, weights.shape[0])):
        here = slice(weights.indptr[cluster], weights.indptr[cluster + 1])
        terms, values = weights.indices[here], weights.data[here]
        within = document_frequency(table[rows])[terms]
        inside = within / max(1, len(rows))
        outside = (everywhere[terms] - within) / max(1, len(labels) - len(rows))
        # A word that one text alone repeats is not typical of a cluster of several.
        fewest = 2 if len(rows) >= _SEVERAL else 1
        usable = np.flatnonzero((values > 0) & (inside >= min_lift * outside) & (within >= fewest))
        chosen = usable[np.lexsort((terms[usable], -values[usable]))[:n_keywords]]
        found.append(
            [
                Keyword(
                    term=str(counts.terms[terms[i]]),
                    score=float(values[i]),
                    inside=float(inside[i]),
                    outside=float(outside[i]),
                    documents=int(within[i]),
                )
                for i in chosen
            ]
        )
    return found


def keyword_names(keywords: Sequence[Sequence[Keyword]], n_words: int = 3) -> list[str]:
    """Return a short name for each cluster: its first keywords that have no word in common.

    Forms of one word count as one. Numbers, dates and codes come after the words. Clusters whose
    first keywords are the same get up to two more.

    Parameters
    ----------
    keywords : sequence of sequence of Keyword
        Of each cluster, the best first.
    n_words : int, default=3
        Most words of a name, where they tell it from the others.

    Returns
    -------
    list of str
        A word of more than 40 characters is cut, with "…" as the last. Empty without keywords.

    Examples
    --------
    >>> def words(*terms):
    ...     return [Keyword(term, 1, 1, 0, 9) for term in terms]
    >>> keyword_names([words("women", "women's", "health", "care"), []])
    ['women, health, care', '']
    >>> keyword_names([words("sea", "the sea", "fish", "tuna"), words("11", "01z", "get", "api")])
    ['sea, fish, tuna', 'get, api, 11']
    """
    terms = [_for_a_name(words) for words in keywords]
    lengths = [n_words] * len(terms)
    names = _joined(terms, lengths)
    for _ in range(_MORE_WORDS):
        counts = Counter(names)
        lengths = [n + (counts[name] > 1) for n, name in zip(lengths, names, strict=True)]
        names = _joined(terms, lengths)
    return names


def _for_a_name(keywords: Sequence[Keyword]) -> list[str]:
    """Return the terms that have no word in common, numbers last."""
    chosen: list[str] = []
    for term in sorted((word.term for word in keywords), key=_is_number):
        if not any(_share_a_word(term, other) for other in chosen):
            # An address or a key of hundreds of characters is no name; the keyword stays whole.
            chosen.append(shorten(term, _LONGEST_WORD))
    return chosen


def _is_number(term: str) -> bool:
    """Return whether a term is more digits than letters: a number, a date, a code."""
    digits = sum(character.isdigit() for character in term)
    return digits > sum(character.isalpha() for character in term)


def _joined(terms: Sequence[Sequence[str]], lengths: Sequence[int]) -> list[str]:
    return [", ".join(words[:length]) for words, length in zip(terms, lengths, strict=True)]


def _share_a_word(a: str, b: str) -> bool:
    """Return whether two terms of one or more words have one in common, or forms of one."""
    return any(_same_word(x, y) for x in a.split() for y in b.split())


def _same_word(a: str, b: str) -> bool:
    """Return whether one is the other with up to three letters more, as in most inflections."""
    short, long = sorted((a, b), key=len)
    return a == b or (len(short) >= 4 and long.startswith(short) and len(long) - len(short) <= 3)


def _scaled(
    matrix: sparse.csr_array, rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> sparse.csr_array:
    scaled: sparse.csr_array = sparse.csr_array(
        sparse.diags_array(rows) @ matrix @ sparse.diags_array(columns)
    )
    scaled.sort_indices()
    return scaled
