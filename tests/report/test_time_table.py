from __future__ import annotations

import numpy as np

from toolkit.cluster import clusters_over_time
from toolkit.report.time_table import time_rows


def shades(labels: list[int], times: list[int]) -> list[list[int]]:
    k = max(labels) + 1
    time = clusters_over_time(["a"] * len(labels), np.array(labels), times)
    return [[cell.shade for cell in row.cells] for row in time_rows(time, ["a"] * k)]


def test_a_large_cluster_is_no_darker_than_a_small_one():
    labels = ([0] * 900 + [1] * 100) * 2
    assert shades(labels, [2020] * 1000 + [2021] * 1000) == [[1, 1], [1, 1]]


def test_growth_is_dark_wherever_the_period_has_few_texts():
    # A tenth of all texts, and 4 in 10 of those of 2021, which are few.
    labels = [0] * 1840 + [1] * 160 + [0] * 120 + [1] * 80
    assert shades(labels, [2020] * 2000 + [2021] * 200) == [[1, 1], [1, 7]]


def test_one_text_of_a_period_is_no_dark_spot():
    labels = [0] * 500 + [1] * 10 + [1]
    assert shades(labels, [2020] * 510 + [2021]) == [[1, 0], [1, 1]]


def test_a_cell_says_its_share_in_words_and_noise_comes_last():
    time = clusters_over_time(["a"] * 4, np.array([0, 0, 0, -1]), [2020, 2020, 2021, 2021])
    rows = time_rows(time, ["tea"])
    assert [(row.cluster, row.name) for row in rows] == [(0, "tea"), (-1, "in no cluster")]
    assert rows[0].cells[1].title == "1 of 2 (50%) of 2021, 75% of all: tea"
