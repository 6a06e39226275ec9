"""The whole job: vectors and texts in, described and examined clusters out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from toolkit.cluster.choose_k import ChosenK, choose_n_clusters
from toolkit.cluster.clusterers import (
    clusterer_info,
    describe_clusterer,
    make_clusterer,
    parameters_named,
)
from toolkit.cluster.describing import build_result
from toolkit.cluster.geometry import NOISE, Labels, unit_rows
from toolkit.cluster.making import describe_making
from toolkit.cluster.periods import periods_of
from toolkit.cluster.predictor import CentroidClusterer
from toolkit.cluster.result import ClusterResult
from toolkit.cluster.seeds import as_seed
from toolkit.cluster.stability import assess_stability, check_sample_sizes
from toolkit.cluster.stop_words import StopWords, stop_word_set
from toolkit.cluster.terms import check_counting
from toolkit.cluster.threads import few_threads
from toolkit.cluster.tokenizer import tokenize
from toolkit.embedding.texts import check_texts
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from toolkit.identity import ModelIdentity

__all__ = ["cluster_texts"]

_EXAMINED, _MOST_EXAMINED, _EXAMINED_PER_CLUSTER = 5_000, 20_000, 150
"""Texts, at most, that stability is measured on: more where there are to be many clusters. Of
20,000 vectors in 120 blurred clusters 5,000 say 0.25, 10,000 say 0.37, and all of them 0.50
(``benchmarks/stability_sample.py``)."""


def cluster_texts(
    texts: Iterable[str],
    X: ArrayLike,
    *,
    clusterer: str | BaseEstimator = "kmeans",
    n_clusters: int | Literal["auto"] | None = "auto",
    min_cluster_size: int | None = None,
    reducer: BaseEstimator | None = None,
    labels_true: ArrayLike | None = None,
    times: Sequence[Any] | None = None,
    time_format: str | None = None,
    stability: int = 10,
    n_keywords: int = 10,
    ngram_range: tuple[int, int] = (1, 1),
    min_df: int | float = 2,
    stop_words: StopWords = (),
    tokenizer: Callable[[str], list[str]] = tokenize,
    random_state: int | np.random.RandomState | None = 0,
    identity: ModelIdentity | None = None,
    prompt: str | None = None,
    source: str | None = None,
    command: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> ClusterResult:
    """Cluster texts by their vectors, describe the clusters, and examine how good they are.

    Parameters
    ----------
    texts : iterable of str, of length n
        The texts.
    X : array-like of shape (n, d)
        Their vectors; only directions count.
    clusterer : str or estimator, default="kmeans"
        As for :func:`~toolkit.cluster.make_clusterer`.
    n_clusters : int, "auto" or None, default="auto"
        Number of clusters. "auto" chooses one for a named clusterer that needs it
        (:func:`~toolkit.cluster.choose_n_clusters`), and is None for others.
    min_cluster_size : int, optional
        Fewest texts of a cluster, for ``"hdbscan"``.
    reducer : transformer, optional
        What to do to the vectors before they are clustered. Quality, exemplars and prediction go
        by the vectors as they are.
    labels_true : array-like of shape (n,), optional
        Known labels to compare with; they do not influence the clusters.
    times : sequence of length n, optional
        When each text is from: dates, datetimes, ISO 8601 strings, years or quarters, as for
        :func:`~toolkit.cluster.clusters_over_time`; they do not influence the clusters.
    time_format : str, optional
        What the times look like instead, as for ``datetime.strptime``: ``"%d/%m/%Y"``.
    stability : int, default=10
        Number of subsamples to cluster again (0.8 of up to 5,000 texts, or of 150 for each cluster
        asked for, up to 20,000), with a third as many other seeds; 0 leaves it out.
        Not measured where all texts are in one cluster.
    n_keywords : int, default=10
        Keywords of a cluster.
    ngram_range : (int, int), default=(1, 1)
        Fewest and most words in a keyword.
    min_df : int or float, default=2
        Fewest texts a keyword must occur in.
    stop_words : "english" or iterable of str, optional
        Words that are never keywords; ``"english"`` is scikit-learn's list.
    tokenizer : callable, default=tokenize
        From a text to its words.
    random_state : int, RandomState or None, default=0
        Seed of everything random; a RandomState is asked for one. With None each run is another.
    identity : ModelIdentity, optional
        What made the vectors: ``vectorizer.identity_``.
    prompt : str, optional
        The prompt they were made under: ``vectorizer.prompt_``.
    source : str, optional
        Where the texts come from.
    command : str, optional
        The command that makes this again.
    progress : callable, optional
        Told what is being done.

    Returns
    -------
    ClusterResult

    Raises
    ------
    UsageError
        If texts and vectors (or labels, or times) differ in number, or the clusterer cannot be
        made.
    DataError
        If there are fewer than 3 texts, the clusterer calls all of them noise, or no time can be
        read.

    Examples
    --------
    >>> from toolkit.datasets import load, load_vectors
    >>> data = load("sdg")
    >>> X = load_vectors("sdg", task="clustering", dimensions=128)
    >>> found = cluster_texts(data.data, X, n_clusters=17, stability=0)
    >>> found.n_clusters, len(found.labels)
    (17, 615)
    """
    seed = as_seed(random_state)
    for name, value in (("stability", stability), ("n_keywords", n_keywords)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
            raise UsageError(f"{name}={value!r} is not a whole number from 0")
    ngram_range = check_counting(ngram_range, min_df, tokenizer=tokenizer)
    items = check_texts(texts).texts
    words = stop_word_set(stop_words)
    left_out = stop_words if isinstance(stop_words, str) else sorted(words)
    vectors = unit_rows(X)
    if len(items) != len(vectors):
        raise UsageError(f"there are {len(items):,} texts and {len(vectors):,} vectors")
    if len(items) < 3:
        raise DataError(f"{len(items)} texts cannot be clustered; give at least 3")
    known = None if labels_true is None else _check_known(labels_true, len(items))
    periods = periods_of(times, time_format, n=len(items))
    say = progress if progress is not None else _silent
    with few_threads(vectors):
        chosen = None
        if n_clusters == "auto":
            n_clusters = None
            if _needs_number(clusterer):
                chosen = choose_n_clusters(
                    vectors,
                    str(clusterer),
                    reducer=reducer,
                    random_state=seed,
                    progress=progress,
                )
                n_clusters = chosen.n_clusters
        base = make_clusterer(
            clusterer,
            n_clusters,
            n_samples=len(items),
            min_cluster_size=min_cluster_size,
            reducer=reducer,
            random_state=seed,
        )
        examined = _texts_examined(base)
        if stability and n_clusters != 1:
            check_sample_sizes(base, len(items), max_texts=examined)
        say("clustering")
        estimator = CentroidClusterer(base).fit(vectors)
        labels: Labels = estimator.labels_
        if (labels == NOISE).all():
            sized = parameters_named(base, "min_cluster_size")
            smaller = "smaller clusters to look for (min_cluster_size)"
            raise DataError(
                f"{describe_clusterer(base)} calls all {len(items):,} texts noise. Give it "
                f"{smaller if sized else 'other parameters'}, or choose kmeans."
            )
        again = None
        # All texts in one cluster come out again always, which says nothing.
        if stability and (labels != 0).any():
            again = assess_stability(
                vectors,
                labels,
                base,
                n_resamples=stability,
                # A sample's clusterings are compared with each other alone: one is no pair.
                n_seeds=max(1 if len(items) <= examined else 2, round(stability / 3)),
                max_texts=examined,
                random_state=seed,
                progress=progress,
            )
    say("keywords and examples")
    return build_result(
        items,
        vectors,
        estimator,
        stability=again,
        known=known,
        chosen=chosen,
        periods=periods,
        random_state=seed,
        provenance=describe_making(
            items,
            vectors,
            clusterer=describe_clusterer(base),
            n_clusters=_number_came_from(base, chosen),
            random_state=seed,
            identity=identity,
            prompt=prompt,
            source=source,
            command=command,
        )
        | ({"stop_words": left_out} if left_out else {})
        | ({"ngram_range": list(ngram_range)} if ngram_range != (1, 1) else {}),
        n_keywords=n_keywords,
        ngram_range=ngram_range,
        min_df=min_df,
        stop_words=left_out,
        tokenizer=tokenizer,
    )


def _texts_examined(base: BaseEstimator) -> int:
    numbers = parameters_named(base, "n_clusters").values()
    told = max((int(one) for one in numbers if isinstance(one, Integral)), default=0)
    return min(_MOST_EXAMINED, max(_EXAMINED, _EXAMINED_PER_CLUSTER * told))


def _number_came_from(base: BaseEstimator, chosen: ChosenK | None) -> str:
    if chosen is not None:
        return "chosen"
    return "given" if parameters_named(base, "n_clusters") else "found by the clusterer"


def _needs_number(clusterer: str | BaseEstimator) -> bool:
    if not isinstance(clusterer, str) or "." in clusterer or ":" in clusterer:
        return False
    return clusterer_info(clusterer).takes_n_clusters


def _check_known(labels_true: ArrayLike, n: int) -> ArrayLike:
    """Check the number of known labels before any work is done."""
    given = np.asarray(labels_true, dtype=object)
    if given.ndim != 1:
        raise UsageError(
            f"labels_true has shape {given.shape}; give one known label for each text, in one "
            "dimension"
        )
    if len(given) != n:
        raise UsageError(f"there are {len(given):,} known labels for {n:,} texts")
    return labels_true


def _silent(message: str) -> None:
    """Say nothing."""
