from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolkit.cluster import count_terms
from toolkit.cluster.period_words import PeriodWords, words_by_period
from toolkit.cluster.periods import Periods, make_periods
from toolkit.cluster.terms import TermCounts

COMMON = [f"w{i}" for i in range(60)]


def drifting(n: int = 1200, seed: int = 0) -> tuple[list[str], np.ndarray, Periods]:
    """Two clusters over 6 years; in 2022, every other one of cluster 1 says "flood"."""
    rng = np.random.default_rng(seed)
    labels, years = rng.integers(0, 2, n), rng.integers(2019, 2025, n)
    words = rng.choice(COMMON, (n, 8))
    texts = [" ".join(row) for row in words]
    for i in np.flatnonzero((labels == 1) & (years == 2022))[::2]:
        texts[i] += " flood"
    return texts, labels, make_periods(years.tolist())


def said(told: list[list[PeriodWords]]) -> list[tuple[int, int, list[str]]]:
    return [
        (cluster, one.period, [word.term for word in one.words])
        for cluster, periods in enumerate(told)
        for one in periods
    ]


def test_a_word_of_one_period_of_one_cluster_is_told_and_nothing_else():
    texts, labels, periods = drifting()
    told = words_by_period(count_terms(texts), labels, periods, texts)
    assert said(told) == [(1, 3, ["flood"])]
    found = told[1][0]
    here = (labels == 1) & (periods.numbers == 3)
    assert found.texts == here.sum()
    word = found.words[0]
    assert word.documents == sum("flood" in texts[i] for i in np.flatnonzero(here))
    assert word.inside == pytest.approx(word.documents / found.texts)
    assert word.outside == 0
    assert word.score > 0


def test_of_shuffled_dates_nearly_nothing_is_told():
    texts, labels, periods = drifting()
    counts = count_terms(texts)
    anything = 0
    for seed in range(100):
        shuffled = np.random.default_rng(seed).permutation(periods.numbers)
        told = words_by_period(counts, labels, replace(periods, numbers=shuffled), texts)
        anything += bool(said(told))
    assert anything <= 8  # of 100, when 5 are expected at most


def test_a_word_that_a_few_texts_repeat_is_not_told():
    texts, labels, periods = drifting()
    here = np.flatnonzero((labels == 0) & (periods.numbers == 0))
    for i in here[:2]:
        texts[i] += " spam" * 200
    assert said(words_by_period(count_terms(texts), labels, periods, texts)) == [(1, 3, ["flood"])]


def test_a_common_word_that_is_a_bit_more_common_is_not_told():
    texts, labels, periods = drifting(6000)
    rng = np.random.default_rng(1)
    share = np.where(periods.numbers == 5, 0.7, 0.45)
    texts = [text + " the" * bool(rng.random() < p) for text, p in zip(texts, share, strict=True)]
    assert said(words_by_period(count_terms(texts), labels, periods, texts)) == [(1, 3, ["flood"])]


def test_few_texts_say_nothing():
    texts = [f"parcel {'lost' if i < 4 else ''} {i}" for i in range(40)]
    periods = make_periods([2020 if i < 4 else 2021 for i in range(40)])
    labels = np.zeros(40, dtype=np.intp)
    assert words_by_period(count_terms(texts), labels, periods, texts) == [[]]


@pytest.mark.parametrize("times", [[2020] * 12, [2020] * 6 + [None] * 6])
def test_one_period_is_told_from_nothing(times: list):
    texts = [f"parcel {'lost' if i < 6 else 'late'}" for i in range(12)]
    labels = np.zeros(12, dtype=np.intp)
    assert words_by_period(count_terms(texts), labels, make_periods(times), texts) == [[]]


def test_noise_undated_and_empty_texts_do_no_harm():
    texts, labels, periods = drifting()
    labels = labels.copy()
    noise = np.flatnonzero(labels == 0)[:100]
    labels[noise] = -1
    for i in noise:
        texts[i] = "flood"
    numbers = periods.numbers.copy()
    numbers[labels == 0] = -1
    told = words_by_period(count_terms(texts), labels, replace(periods, numbers=numbers), texts)
    assert said(told) == [(1, 3, ["flood"])]
    nothing = count_terms(["", "", ""])
    assert isinstance(nothing, TermCounts)
    three = make_periods([2020, 2021, 2021])
    assert words_by_period(nothing, np.array([0, 1, -1]), three, [""] * 3) == [[], []]
    assert words_by_period(nothing, np.array([-1, -1, -1]), three, [""] * 3) == []


def test_pairs_of_unspaced_scripts_are_put_together():
    texts = [f"包裹，{'退款申请' if i < 20 else '延迟到达'}" for i in range(40)]
    periods = make_periods([2020 if i < 20 else 2021 for i in range(40)])
    labels = np.zeros(40, dtype=np.intp)
    found = said(words_by_period(count_terms(texts), labels, periods, texts))
    assert [(period, words[0]) for _, period, words in found] == [(0, "退款申请"), (1, "延迟到达")]
