from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, hamming_loss

from toolkit.classify.multilabel.metrics import measure_sets, set_intervals


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    given = rng.random((200, 6)) < [0.5, 0.3, 0.2, 0.1, 0.05, 0.4]
    chances = np.clip(given * 0.4 + rng.random((200, 6)) * 0.6, 0, 1)
    return given, chances >= 0.5, chances


def test_scores_are_scikit_learns(rows):
    given, predicted, chances = rows
    found = measure_sets(given, predicted, chances)
    assert found == {
        "micro_f1": pytest.approx(f1_score(given, predicted, average="micro")),
        "macro_f1": pytest.approx(f1_score(given, predicted, average="macro")),
        "subset_accuracy": pytest.approx(accuracy_score(given, predicted)),
        "hamming_loss": pytest.approx(hamming_loss(given, predicted)),
        "average_precision": pytest.approx(average_precision_score(given, chances)),
    }


def test_labels_without_rows_and_answers_do_not_count(rows):
    given, predicted, chances = rows
    empty = np.zeros((200, 1), dtype=bool)
    wider = [np.hstack([m, empty]) for m in (given, predicted, chances)]
    assert measure_sets(*wider)["macro_f1"] == measure_sets(given, predicted, chances)["macro_f1"]
    nothing = np.zeros((3, 2), dtype=bool)
    found = measure_sets(nothing, nothing, nothing * 0.0)
    assert (found["micro_f1"], found["subset_accuracy"], found["average_precision"]) == (1, 1, 0)


def test_intervals_hold_the_score_and_shrink_with_rows(rows):
    given, predicted, _ = rows
    few = set_intervals(given[:50], predicted[:50])
    many = set_intervals(given, predicted)
    for name, found in many.items():
        assert found.low < found.value < found.high
        assert found.high - found.low < few[name].high - few[name].low
    assert set_intervals(given, predicted) == many
    assert set_intervals(given[:0], predicted[:0]) == {}


@pytest.mark.parametrize("n", [1, 12, 500])
def test_where_all_draws_are_alike_only_the_share_of_right_rows_has_an_interval(rows, n):
    given = np.resize(rows[0], (n, 6))
    given[:, 0] = True
    for predicted, hits in ((given, n), (~given, 0)):
        ((name, found),) = set_intervals(given, predicted).items()
        assert (name, found.value, found.exact) == ("subset_accuracy", hits / n, True)
        end = found.low if hits else found.high
        assert binom.pmf(hits, n, end) == pytest.approx(0.025)


def test_no_row_all_right_is_not_certain_where_labels_are(rows):
    given, predicted, _ = rows
    predicted = predicted.copy()
    predicted[:, 0] = ~given[:, 0]
    found = set_intervals(given, predicted)
    assert found["subset_accuracy"].exact
    assert 0 == found["subset_accuracy"].low < found["subset_accuracy"].high < 0.05
    assert not found["micro_f1"].exact
    assert found["micro_f1"].low < found["micro_f1"].high
