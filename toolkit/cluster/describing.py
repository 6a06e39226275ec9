"""What clusters are about and how good they are, whatever made them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.cluster.agreement import compare_labels
from toolkit.cluster.branch_words import branch_words
from toolkit.cluster.choose_k import ChosenK
from toolkit.cluster.closeness import measure_closeness
from toolkit.cluster.edited import EditedClusterer
from toolkit.cluster.exemplars import exemplars_of, noise_examples
from toolkit.cluster.first_names import first_names
from toolkit.cluster.geometry import NOISE, Labels, check_numbered, rows_by_cluster
from toolkit.cluster.joining import join_pairs
from toolkit.cluster.keywords import Keyword, c_tf_idf, log_odds, top_keywords
from toolkit.cluster.over_time import OverTime, follow_clusters
from toolkit.cluster.periods import Periods
from toolkit.cluster.predictor import CentroidClusterer
from toolkit.cluster.quality import quality_of
from toolkit.cluster.result import ClusterResult
from toolkit.cluster.same_texts import first_of_same
from toolkit.cluster.stability import Stability
from toolkit.cluster.stop_words import StopWords
from toolkit.cluster.term_matrix import sum_by_cluster
from toolkit.cluster.terms import count_terms
from toolkit.cluster.tokenizer import tokenize
from toolkit.cluster.tree import ClusterTree, grow_tree
from toolkit.embedding.texts import check_texts

__all__ = ["build_result", "describe_clusters", "word_settings"]

_FEW = 100
"""Texts of each cluster by which keywords of branches are put together."""

_MOST_IN_TREE = 500
"""Clusters beyond which nobody reads a tree, and its order takes seconds."""


def describe_clusters(
    texts: Iterable[str],
    labels: ArrayLike,
    *,
    n_keywords: int = 10,
    ngram_range: tuple[int, int] = (1, 1),
    min_df: int | float = 2,
    stop_words: StopWords = (),
    tokenizer: Callable[[str], list[str]] = tokenize,
) -> tuple[list[list[Keyword]], list[list[Keyword]]]:
    """Return the keywords of each cluster, by log-odds and by c-TF-IDF.

    Parameters
    ----------
    texts : iterable of str, of length n
        The texts.
    labels : array-like of shape (n,)
        Cluster numbers 0 to k-1, -1 for noise.
    n_keywords, ngram_range, min_df, stop_words, tokenizer
        As for :func:`~toolkit.cluster.cluster_texts`.

    Returns
    -------
    by_log_odds, by_c_tf_idf : list of list of Keyword

    Raises
    ------
    UsageError
        If labels are not such numbers, or their count is not that of the texts.
    InputTypeError, MissingTextError
        If ``texts`` holds anything but texts.

    Examples
    --------
    >>> import numpy as np
    >>> texts = ["blue sea", "the blue sea", "the green hill", "green hill"]
    >>> keywords, _ = describe_clusters(texts, np.array([0, 0, 1, 1]))
    >>> [[word.term for word in words] for words in keywords]
    [['blue', 'sea'], ['green', 'hill']]
    """
    items = check_texts(texts).texts
    return _described(
        items,
        check_numbered(labels, len(items)),
        None,
        None,
        n_keywords=n_keywords,
        ngram_range=ngram_range,
        min_df=min_df,
        stop_words=stop_words,
        tokenizer=tokenizer,
    )[:2]


def word_settings(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the keywords of a clustering were made, for :func:`describe_clusters`.

    Parameters
    ----------
    provenance : mapping
        Of a :class:`~toolkit.cluster.ClusterResult`, also of a saved one.

    Examples
    --------
    >>> word_settings({"rows": 615, "ngram_range": [1, 2]})
    {'ngram_range': (1, 2)}
    """
    made = {name: provenance[name] for name in ("stop_words", "ngram_range") if name in provenance}
    if "ngram_range" in made:
        made["ngram_range"] = tuple(made["ngram_range"])  # a list in JSON
    return made


def _described(
    texts: list[str],
    labels: Labels,
    centers: NDArray[np.floating] | None,
    periods: Periods | None,
    *,
    n_keywords: int = 10,
    **counting: Any,
) -> tuple[list[list[Keyword]], list[list[Keyword]], ClusterTree | None, OverTime | None]:
    """Return both kinds of keywords, the tree of the clusters with its own, and those of periods.

    All from one count of the words, which is gone when they are there. Without centres, and of
    very many clusters, there is no tree.
    """
    counts = count_terms(texts, **counting)
    time = None if periods is None else follow_clusters(counts, labels, periods, texts)
    summed = sum_by_cluster(counts.counts, labels)
    members = rows_by_cluster(labels)
    if summed.shape[1] == 0:
        nothing: list[list[Keyword]] = [[] for _ in range(summed.shape[0])]
        surest, frequent = nothing, nothing
    else:
        # With one cluster there is nothing to be told from.
        lift = 2.0 if summed.shape[0] > 1 else 0.0
        surest, frequent = (
            [
                join_pairs(words, (texts[i] for i in rows))[:n_keywords]
                for rows, words in zip(
                    members,
                    top_keywords(weights, counts, labels, n_keywords=4 * n_keywords, min_lift=lift),
                    strict=True,
                )
            ]
            for weights in (log_odds(summed), c_tf_idf(summed))
        )
        surest = surest if summed.shape[0] > 1 else frequent
    terms = counts.terms
    del counts
    if centers is None or len(centers) > _MOST_IN_TREE:
        return surest, frequent, None, time
    few = [[texts[i] for i in rows[:_FEW]] for rows in members]
    in_branches = partial(branch_words, summed, terms, texts=few)
    tree = grow_tree(centers, np.bincount(labels[labels != NOISE]), in_branches)
    return surest, frequent, tree, time


def build_result(
    texts: list[str],
    vectors: NDArray[np.float32],
    estimator: CentroidClusterer | EditedClusterer,
    *,
    stability: Stability | None,
    known: ArrayLike | None,
    chosen: ChosenK | None,
    provenance: dict[str, Any],
    periods: Periods | None = None,
    random_state: int | None = 0,
    **words: Any,
) -> ClusterResult:
    """Describe and examine the clusters of a fitted clusterer.

    Parameters
    ----------
    texts : list of str, of length n
        The texts.
    vectors : ndarray of shape (n, d)
        Their unit vectors.
    estimator : CentroidClusterer or EditedClusterer
        Fitted on the vectors.
    stability, chosen, provenance
        As in :class:`~toolkit.cluster.ClusterResult`.
    known : array-like of shape (n,) or None
        Labels to compare with.
    periods : Periods, optional
        When each text is from.
    random_state : int or None, default=0
        For the examples of noise.
    **words
        As for :func:`describe_clusters`.

    Returns
    -------
    ClusterResult
    """
    labels: Labels = estimator.labels_
    # The most memory first, before there is anything to keep beside it.
    keywords, frequent, tree, time = _described(
        texts, labels, estimator.cluster_centers_, periods, **words
    )
    close, same = measure_closeness(vectors, labels), first_of_same(texts)
    return ClusterResult(
        texts=texts,
        labels=labels,
        similarity=close.own,
        estimator=estimator,
        names=first_names(keywords, texts, labels),
        keywords=keywords,
        frequent=frequent,
        exemplars=exemplars_of(vectors, labels, close, same),
        noise_examples=noise_examples(labels, random_state=random_state),
        quality=quality_of(close, labels, same),
        stability=stability,
        agreement=None if known is None else compare_labels(known, labels),
        chosen=chosen,
        tree=tree,
        over_time=time,
        provenance=provenance,
    )
