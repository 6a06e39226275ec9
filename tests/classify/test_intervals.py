from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import f1_score

from toolkit.classify.intervals import bootstrap_intervals


def test_accuracy_interval_is_about_the_binomial_one():
    found = bootstrap_intervals([[90, 10], [20, 80]], n_resamples=5000)["accuracy"]
    half = 1.96 * np.sqrt(0.85 * 0.15 / 200)
    assert found.value == 0.85
    assert found.low == pytest.approx(0.85 - half, abs=0.007)
    assert found.high == pytest.approx(0.85 + half, abs=0.007)


def test_macro_f1_is_scikit_learns_over_classes_that_occur():
    given, predicted = np.array([0, 0, 1, 1, 3]), np.array([0, 1, 1, 1, 0])
    confusion = np.zeros((4, 4), dtype=int)
    np.add.at(confusion, (given, predicted), 1)
    found = bootstrap_intervals(confusion)["macro_f1"]
    assert found.value == pytest.approx(
        f1_score(given, predicted, average="macro", zero_division=0)
    )


@pytest.mark.parametrize("n", [1, 12, 500])
def test_a_perfect_score_is_not_certain(n):
    # All n of n come out with probability 2.5 % at the lower end.
    (name, found), *others = bootstrap_intervals(np.diag([n, 0])).items()
    assert (name, found.value, found.high, others) == ("accuracy", 1, 1, [])
    assert binom.pmf(n, n, found.low) == pytest.approx(0.025)
    (name, found), *others = bootstrap_intervals([[0, n], [0, 0]]).items()
    assert (name, found.value, found.low, others) == ("accuracy", 0, 0, [])
    assert binom.pmf(0, n, found.high) == pytest.approx(0.025)


def test_more_rows_give_a_narrower_interval():
    small, large = (
        bootstrap_intervals(np.array([[8, 2], [2, 8]]) * times)["macro_f1"] for times in (1, 100)
    )
    assert (large.high - large.low) < (small.high - small.low) / 5
    assert bootstrap_intervals(np.zeros((2, 2))) == {}
