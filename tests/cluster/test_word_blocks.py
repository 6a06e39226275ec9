from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolkit.cluster import word_blocks
from toolkit.cluster.tokenizer import tokenize
from toolkit.cluster.word_blocks import number_words
from toolkit.datasets import load, names

# What the tokenizer treats in a way of its own, and what is on either side of a limit here.
PARTS = [
    *" \t\n\r\x0b\x1c\x1f\x85\u00a0\u2028\u3000'\u2019\u02bc.,+#&_-<=/@[`{\x00\x7f",
    *["a", "Z", "0", "9", "ab", "C", "++", "3.5", "1,000", "R&D", "don't", "http://x.org/a_b"],
    *["w" * size for size in (8, 9, 16, 17, 31, 32, 33, 65)],
    *["\u00e9", "e\u0301", "\u0338", "\u03a3", "\u0130", "\u00df", "\uff21", "\uff76\uff9e"],
    *[
        "\u6c34",
        "\u0e19\u0e49\u0e33",
        "\u200d",
        "\u200c",
        "\ufe0f",
        "\U0001f44d",
        "\ud800",
        "\udc00",
    ],
]
words = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=40)
texts = st.lists(
    st.one_of(
        st.lists(st.sampled_from(PARTS), max_size=20).map("".join),
        st.lists(st.one_of(st.sampled_from(PARTS), words), max_size=12).map(" ".join),
        st.text(st.characters(codec=None), max_size=30),
    ),
    max_size=8,
)


def read(documents):
    numbers, ends, found = number_words(documents)
    spelled = found.words(np.array(numbers, dtype=np.intc))
    # Each word has one number.
    assert len(set(zip(numbers, spelled, strict=True))) == len(set(spelled)) == len(found)
    return [Counter(spelled[first:last]) for first, last in pairwise(ends)]


def wanted(documents):
    return [Counter(tokenize(text)) for text in documents]


@settings(max_examples=500, deadline=None)
@given(texts)
@example(["ab'", "'cd", "ab''cd", "a'b'c", "'", ""])
@example(["don't", "(don't)_x", "DON'T"])
@example(["x" * 32 + " ab", "x" * 33 + " ab", "(" + "x" * 33 + ")/AB ab"])
@example(["ab \u00e9t\u00e9", "ab", "\u00e9t\u00e9"])
def test_words_are_those_of_the_tokenizer(documents):
    assert read(documents) == wanted(documents)


@settings(max_examples=100, deadline=None)
@given(texts, st.sampled_from([1, 5, 40]), st.sampled_from([0, 3, 300_000]))
def test_neither_blocks_nor_what_is_remembered_change_anything(documents, at_once, remembered):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_blocks, "CHARACTERS_AT_ONCE", at_once)
        patch.setattr(word_blocks, "MOST_PIECES", remembered)
        assert read(2 * documents) == wanted(2 * documents)


@pytest.mark.parametrize("name", names())
def test_words_of_the_bundled_texts_are_those_of_the_tokenizer(name):
    documents = [str(text) for text in load(name).data]
    assert read(documents) == wanted(documents)


def test_a_piece_is_tokenized_once(monkeypatch):
    seen = []
    monkeypatch.setattr(word_blocks, "tokenize", lambda piece: seen.append(piece) or [piece])
    number_words(["plain words", "C++ \u00e9t\u00e9, C++", "C++ again"])
    assert sorted(seen) == ["C++", "\u00e9t\u00e9,"]
