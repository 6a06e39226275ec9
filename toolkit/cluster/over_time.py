"""Clusters over time: how many of their texts each period has, and the words that tell them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from toolkit.cluster.geometry import NOISE, Labels, check_labels
from toolkit.cluster.period_words import PeriodWords, words_by_period
from toolkit.cluster.periods import UNDATED, Periods, make_periods
from toolkit.cluster.terms import TermCounts, count_terms

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OverTime", "clusters_over_time", "follow_clusters"]


@dataclass(frozen=True, eq=False)
class OverTime:
    """How many texts of each cluster there are in each period, and which words tell them.

    Parameters
    ----------
    dates : Periods
        The period of each text.
    counts : list of list of int
        By cluster and period.
    noise : list of int
        Of the texts in no cluster, by period.
    totals : list of int
        Of all texts, by period.
    words : list of list of PeriodWords
        Of each cluster, the words of its periods; of those where any is certain.
    """

    dates: Periods
    counts: list[list[int]]
    noise: list[int]
    totals: list[int]
    words: list[list[PeriodWords]]

    @property
    def unit(self) -> str:
        """Length of a period: "day", "month", "quarter", "year", "decade" or "century"."""
        return self.dates.unit

    @property
    def periods(self) -> list[str]:
        """The periods, from the first to the last."""
        return self.dates.names

    @property
    def undated(self) -> int:
        """How many texts have no date that can be read."""
        return self.dates.undated

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each cluster and period.

        Returns
        -------
        DataFrame
            Columns ``cluster`` (-1 for the texts in no cluster, where there are any), ``period``,
            ``texts``, ``share`` (of the period's texts; NaN where there are none) and ``words``
            (empty where none is certain).
        """
        import pandas as pd

        rows = []
        clusters = [*enumerate(self.counts), *([(NOISE, self.noise)] if any(self.noise) else [])]
        for cluster, counts in clusters:
            told = {} if cluster == NOISE else {one.period: one for one in self.words[cluster]}
            for i, (period, count) in enumerate(zip(self.periods, counts, strict=True)):
                total = self.totals[i]
                words = ", ".join(word.term for word in told[i].words) if i in told else ""
                share = count / total if total else float("nan")
                rows.append((cluster, period, count, share, words))
        return pd.DataFrame(rows, columns=["cluster", "period", "texts", "share", "words"])


def clusters_over_time(
    texts: Sequence[str],
    labels: ArrayLike,
    times: Sequence[Any],
    *,
    time_format: str | None = None,
    **words: Any,
) -> OverTime:
    """Follow clusters through time.

    Parameters
    ----------
    texts : sequence of str, of length n
        The texts.
    labels : array-like of shape (n,)
        Cluster of each text, -1 for noise.
    times : sequence of length n
        Dates, datetimes, ISO 8601 strings (``"2024-05-17"``, ``"2024-05"``, with or without a
        time), years or quarters (``"2024Q2"``). What cannot be read is counted as undated, with a
        warning where it is not empty; no order of day and month is guessed. A time of day counts
        in its own time zone.
    time_format : str, optional
        What the times look like instead, as for ``datetime.strptime``: ``"%d/%m/%Y"``; or
        ``"%s"``, seconds since 1970, in UTC.
    **words
        How words are counted: ``ngram_range``, ``min_df``, ``stop_words``, ``tokenizer``, as for
        :func:`~toolkit.cluster.cluster_texts`.

    Returns
    -------
    OverTime

    Raises
    ------
    UsageError
        If texts, labels and times differ in number, or the format cannot be used.
    DataError
        If no time can be read.

    Examples
    --------
    >>> texts = [f"a parcel {'lost' if i < 9 else 'late'}" for i in range(18)]
    >>> times = ["2024-02"] * 9 + ["2024-03"] * 9
    >>> found = clusters_over_time(texts, [0] * 18, times)
    >>> print(found.to_frame().to_string(index=False))
     cluster  period  texts  share words
           0 2024-02      9    1.0  lost
           0 2024-03      9    1.0  late
    """
    numbers = check_labels(labels, len(texts))
    periods = make_periods(times, time_format, n=len(texts))
    return follow_clusters(count_terms(texts, **words), numbers, periods, texts)


def follow_clusters(
    counts: TermCounts, labels: Labels, periods: Periods, texts: Sequence[str]
) -> OverTime:
    """Follow clusters of texts whose words are counted already."""
    k = int(labels.max(initial=NOISE)) + 1
    dated = np.flatnonzero(periods.numbers != UNDATED)
    # The last row is noise: -1 counts from the end.
    table = np.zeros((k + 1, len(periods.names)), dtype=np.intp)
    np.add.at(table, (labels[dated], periods.numbers[dated]), 1)
    return OverTime(
        dates=periods,
        counts=table[:k].tolist(),
        noise=table[k].tolist(),
        totals=table.sum(axis=0).tolist(),
        words=words_by_period(counts, labels, periods, texts),
    )
