"""The words that tell clusters apart, from one count of words by document.

Everything here works on a sparse matrix of documents by terms; clusters are rows of
``onehot(labels).T @ counts``, so that texts are read once however often they are clustered, and no
cluster's texts are ever joined into one string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from toolkit.cluster.geometry import NOISE, Labels
from toolkit.cluster.tokenizer import tokenize
from toolkit.errors import UsageError

__all__ = [
    "Keyword",
    "TermCounts",
    "c_tf_idf",
    "count_terms",
    "keyword_names",
    "log_odds",
    "sum_by_cluster",
    "top_keywords",
]


_SEVERAL = 5


@dataclass(frozen=True, eq=False)
class TermCounts:
    """How often each term occurs in each document.

    Parameters
    ----------
    counts : csr_array of shape (n_documents, n_terms)
        The counts.
    terms : ndarray of shape (n_terms,), dtype object
        The terms, in alphabetical order.
    """

    counts: sparse.csr_array
    terms: NDArray[np.object_]


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


def count_terms(
    texts: Iterable[str],
    *,
    tokenizer: Callable[[str], list[str]] = tokenize,
    ngram_range: tuple[int, int] = (1, 1),
    min_df: int | float = 2,
    max_df: int | float = 1.0,
    stop_words: Iterable[str] = (),
    max_terms: int | None = None,
) -> TermCounts:
    """Count the terms of each text.

    Parameters
    ----------
    texts : iterable of str, of length n
        The documents.
    tokenizer : callable, default=tokenize
        From a text to its words.
    ngram_range : (int, int), default=(1, 1)
        Fewest and most words in a term.
    min_df : int or float, default=2
        Fewest *documents* (or share of them) a term must occur in. A term of one document says
        nothing about a cluster. Where no term reaches it, all terms are kept.
    max_df : int or float, default=1.0
        Most documents (or share of them).
    stop_words : iterable of str, optional
        Words to leave out. No language is assumed, so none are by default.
    max_terms : int, optional
        Keep the most frequent only.

    Returns
    -------
    TermCounts

    Examples
    --------
    >>> found = count_terms(["to be or not", "to do"], min_df=1)
    >>> list(found.terms)
    ['be', 'do', 'not', 'or', 'to']
    >>> found.counts.toarray()
    array([[1, 0, 1, 1, 1],
           [0, 1, 0, 0, 1]], dtype=int32)
    """
    left_out = frozenset(stop_words)
    low, high = ngram_range
    if not 1 <= low <= high:
        raise UsageError(f"ngram_range={ngram_range} is not (fewest, most) words of a term")

    def analyze(text: str) -> list[str]:
        words = [word for word in tokenizer(text) if word not in left_out]
        terms = words if low == 1 else []
        for size in range(max(low, 2), high + 1):
            pieces = (words[start:] for start in range(size))
            terms = terms + [" ".join(group) for group in zip(*pieces, strict=False)]
        return terms

    documents = list(texts)
    vectorizer = CountVectorizer(
        analyzer=analyze, min_df=min_df, max_df=max_df, max_features=max_terms, dtype=np.int32
    )
    try:
        counts = vectorizer.fit_transform(documents)
    except ValueError:
        # Few or very short texts: nothing is in two documents, or there are no words at all.
        vectorizer.set_params(min_df=1, max_df=1.0)
        try:
            counts = vectorizer.fit_transform(documents)
        except ValueError:
            nothing = np.empty((len(documents), 0), dtype=np.int32)
            return TermCounts(sparse.csr_array(nothing), np.empty(0, dtype=object))
    return TermCounts(sparse.csr_array(counts), vectorizer.get_feature_names_out())


def sum_by_cluster(
    matrix: sparse.csr_array, labels: Labels, n_clusters: int | None = None
) -> sparse.csr_array:
    """Add up the rows of each cluster: ``onehot(labels).T @ matrix``.

    Parameters
    ----------
    matrix : csr_array of shape (n, n_terms)
        A row for each document.
    labels : ndarray of shape (n,)
        Cluster numbers; documents of -1 are left out.
    n_clusters : int, optional
        Number of clusters; by default one more than the largest label.

    Returns
    -------
    csr_array of shape (n_clusters, n_terms)

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> sum_by_cluster(sparse.csr_array([[1, 0], [2, 1], [0, 5]]), np.array([0, 0, -1])).toarray()
    array([[3, 1]])
    """
    k = int(labels.max(initial=NOISE)) + 1 if n_clusters is None else n_clusters
    rows = np.flatnonzero(labels != NOISE)
    ones = np.ones(len(rows), dtype=matrix.dtype)
    onehot = sparse.csr_array((ones, (labels[rows], rows)), shape=(k, matrix.shape[0]))
    summed: sparse.csr_array = sparse.csr_array(onehot @ matrix)
    return summed


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
    words = _sums(counts, axis=1)
    everywhere = _sums(counts, axis=0)
    # Not the mean of all rows: a cluster of texts without words would lower it.
    average = words.sum() / max(1, int((words > 0).sum()))
    rarity = np.log1p(average / np.maximum(everywhere, 1))
    return _scaled(counts, 1 / np.maximum(words, 1), rarity)


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
    everywhere = _sums(counts, axis=0)
    base = everywhere if background is None else np.asarray(background, dtype=np.float64)
    alpha = prior * base * (len(base) / max(float(base.sum()), 1.0))
    alpha = np.maximum(alpha, 1e-9)
    total = alpha.sum()
    words = _sums(counts, axis=1)
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
    >>> counts = count_terms(["the sea", "the blue sea", "the hill", "the hill"], min_df=1)
    >>> labels = np.array([0, 0, 1, 1])
    >>> weights = c_tf_idf(sum_by_cluster(counts.counts, labels))
    >>> [[word.term for word in words] for words in top_keywords(weights, counts, labels)]
    [['sea', 'blue'], ['hill']]
    """
    k = weights.shape[0]
    present = counts.counts.copy()
    present.data = np.ones_like(present.data)
    documents = sum_by_cluster(present, labels, k)
    everywhere = np.asarray(present.sum(axis=0)).ravel()
    sizes = np.bincount(labels[labels != NOISE], minlength=k)
    found: list[list[Keyword]] = []
    for cluster in range(k):
        here = slice(weights.indptr[cluster], weights.indptr[cluster + 1])
        terms, values = weights.indices[here], weights.data[here]
        within = documents[[cluster]].toarray().ravel()[terms]
        inside = within / max(1, int(sizes[cluster]))
        outside = (everywhere[terms] - within) / max(1, len(labels) - int(sizes[cluster]))
        # A word that one text alone repeats is not typical of a cluster of several.
        fewest = 2 if sizes[cluster] >= _SEVERAL else 1
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
    """Return a short name for each cluster: its first keywords that are not forms of one word.

    Parameters
    ----------
    keywords : sequence of sequence of Keyword
        Of each cluster, the best first.
    n_words : int, default=3
        Most words of a name.

    Returns
    -------
    list of str

    Examples
    --------
    >>> words = [Keyword(term, 1, 1, 0, 9) for term in ("women", "women's", "health", "care")]
    >>> keyword_names([words, []])
    ['women, health, care', 'no keywords']
    """
    names = []
    for words in keywords:
        chosen: list[str] = []
        for word in words:
            if len(chosen) < n_words and not any(_same_word(word.term, term) for term in chosen):
                chosen.append(word.term)
        names.append(", ".join(chosen) or "no keywords")
    return names


def _same_word(a: str, b: str) -> bool:
    """Return whether one is the other with up to three letters more, as in most inflections."""
    short, long = sorted((a, b), key=len)
    return len(short) >= 4 and long.startswith(short) and len(long) - len(short) <= 3


def _sums(matrix: sparse.csr_array, axis: int) -> NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=axis), dtype=np.float64).ravel()


def _scaled(
    matrix: sparse.csr_array, rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> sparse.csr_array:
    scaled: sparse.csr_array = sparse.csr_array(
        sparse.diags_array(rows) @ matrix @ sparse.diags_array(columns)
    )
    scaled.sort_indices()
    return scaled
