from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.cluster.word_numbers import LONGEST_WORD, WordNumbers, _Table

short = st.text("abz09'", min_size=1, max_size=LONGEST_WORD)


def of_runs(numbers, words):
    lengths = np.array([len(word) for word in words], dtype=np.intp)
    return numbers.of_runs("".join(words).encode(), np.cumsum(lengths) - lengths, lengths).tolist()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(short, max_size=30), max_size=6))
def test_each_word_has_one_number_for_good(blocks):
    numbers = WordNumbers()
    known = {}
    for words in blocks:
        for word, number in zip(words, of_runs(numbers, words), strict=True):
            assert known.setdefault(word, number) == number
    assert sorted(known.values()) == list(range(len(numbers)))
    assert numbers.words(np.array(list(known.values()), dtype=np.intp)) == list(known)


def test_words_of_any_length_and_script_are_numbered_together():
    numbers = WordNumbers()
    first = of_runs(numbers, ["sea", "x" * LONGEST_WORD])
    words = ["\u00e9t\u00e9", "sea", "y" * (LONGEST_WORD + 1), "x" * LONGEST_WORD, "c++"]
    found = numbers.of_words(words)
    assert [found[1], found[3]] == first
    assert sorted(found) == list(range(5))
    assert numbers.words(found) == words
    assert of_runs(numbers, ["c++"]) == [found[4]]


def test_words_that_begin_alike_differ():
    words = ["a" * size for size in range(1, LONGEST_WORD + 1)]
    assert len(set(of_runs(WordNumbers(), words))) == LONGEST_WORD


@pytest.mark.parametrize("width", [1, 2])
def test_keys_at_one_place_are_told_apart(monkeypatch, width):
    nowhere = lambda table, keys: np.zeros(len(keys[0]), dtype=np.intp)  # noqa: E731
    monkeypatch.setattr(_Table, "_first_places", nowhere)
    table = _Table(width)
    keys = [np.array([7, 8, 7, 9, 8], dtype=np.uint64)] * width
    found, new = table.numbers(keys, 5)
    assert new == 3
    assert sorted(set(found.tolist())) == [5, 6, 7]
    assert found[0] == found[2] != found[1] == found[4]
    more = [np.arange(7, 60, dtype=np.uint64)] * width
    again, new = table.numbers(more, 100)
    assert new == 50
    assert again[:3].tolist() == found[[0, 1, 3]].tolist()


def test_numbers_stay_when_the_table_grows():
    numbers = WordNumbers()
    words = [f"{i:x}" for i in range(50_000)]
    found = of_runs(numbers, words)
    assert len(numbers) == len(set(found)) == len(words)
    assert of_runs(numbers, words[::-1]) == found[::-1]
    assert numbers.words(np.array(found)) == words


def test_no_words_have_no_numbers():
    numbers = WordNumbers()
    assert of_runs(numbers, []) == []
    assert numbers.of_words([]).tolist() == []
    assert numbers.words(np.empty(0, dtype=np.intp)) == []
    assert len(numbers) == 0
