from __future__ import annotations

import numpy as np

from tests.cluster.examples import noisy_result
from toolkit.cluster.oddities import find_outliers, find_repeats


def test_only_what_is_far_below_the_others_of_its_cluster_is_odd():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, -1], [50, 50, 5])
    similarity = np.r_[rng.normal(0.9, 0.01, 50), rng.normal(0.5, 0.01, 50), [np.nan] * 5]
    similarity[3] = 0.6  # odd in the tight cluster, and better than all of the loose one
    found = find_outliers(labels, similarity)
    assert found[0].position == 3
    assert found[0].cluster == 0
    assert all(one.deviation > 3 and one.similarity < one.typical for one in found)
    assert len(find_outliers(labels, similarity, most=1)) == 1


def test_copies_and_small_clusters_have_no_odd_ones():
    similarity = np.r_[np.ones(20), 0.2, 0.9, 0.1]
    labels = np.r_[np.zeros(21), 1, 1].astype(int)
    assert find_outliers(labels, similarity) == []


def test_a_text_is_odd_once_and_one_cluster_does_not_fill_the_list():
    # Half of the first is alike and the rest of it odd, by far more than the odd one of the second.
    rng = np.random.default_rng(0)
    similarity = np.r_[rng.normal(0.99, 0.001, 60), np.linspace(0.3, 0.4, 40), np.full(30, 0.6)]
    similarity[100:129] += rng.normal(0, 0.02, 29)
    similarity[129] = 0.4
    labels = np.repeat([0, 1], [100, 30])
    same = np.arange(130)
    same[61] = same[63] = 60
    found = find_outliers(labels, similarity, same)
    assert [one.position for one in found] == [60, 62, 64, 65, 66, 129]
    assert len(find_outliers(labels, similarity, most_of_one=40)) == 20


def test_repeats_say_where_and_in_which_clusters():
    texts = ["a b", "A  b", "c", "a B", "d", "D"]
    found = find_repeats(texts, np.array([1, 0, 0, -1, 2, 2]))
    assert [one.positions for one in found] == [(0, 1, 3), (4, 5)]
    assert found[0].clusters == (-1, 0, 1)
    assert find_repeats(noisy_result().texts, noisy_result().labels) == []
