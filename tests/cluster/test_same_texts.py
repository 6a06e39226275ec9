import numpy as np
import pytest

from toolkit.cluster import same_texts
from toolkit.cluster.same_texts import distinct_rows, first_of_same

TEXTS = ["Good  day", "", "Bye", "good day ", "\ud800", " ", "GOOD\u2003DAY", "bye!"]
TEXTS += ["\ud800", "x\0", "\tGood day", "good\xa0day", " bye", "b ye"]
SAME = [0, 1, 2, 0, 4, 1, 0, 7, 4, 9, 0, 0, 2, 13]


def test_same_up_to_case_and_spaces():
    assert first_of_same(TEXTS).tolist() == SAME
    assert first_of_same([]).tolist() == []
    assert first_of_same(["a"]).tolist() == [0]


@pytest.mark.parametrize("values", [1, 2])
def test_texts_of_the_same_hash_are_still_told_apart(monkeypatch, values):
    monkeypatch.setattr(same_texts, "hash", lambda text: len(text) % values, raising=False)
    assert first_of_same(TEXTS).tolist() == SAME


def test_the_first_of_equal_rows_is_kept_in_the_order_given():
    assert distinct_rows(np.array([3, 2, 0, 9, 6]), first_of_same(TEXTS)).tolist() == [3, 2, 9]
