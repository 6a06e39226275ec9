"""Counting tells cut texts from whole ones, whatever the tokenizer, the batch and the limit."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.backends.openai_counts import TokenCounts, embed_whole, learn_counts
from toolkit.errors import InvalidVectorsError, TextTooLongError


class Cutter:
    """A server that cuts and counts; a token is a space with up to ``most`` letters behind it."""

    def __init__(self, limit, most=5, special=2):
        self.limit, self.special, self.asked = limit, special, 0
        self.token = re.compile(rf" ?\w{{1,{most}}}| |[^ ]")

    def tokens(self, text):
        return self.token.findall(text)

    def __call__(self, texts):
        self.asked += 1
        kept = [self.tokens(text)[: self.limit - self.special] for text in texts]
        rows = [[len(tokens), sum(map(ord, "".join(tokens)))] for tokens in kept]
        read = sum(len(tokens) + self.special for tokens in kept)
        return np.asarray(rows, dtype=np.float32), read


@pytest.mark.parametrize("special", [0, 1, 2])
def test_what_is_learned(special):
    counts = learn_counts(Cutter(100, special=special), 100)
    assert counts == TokenCounts(100, special)
    assert learn_counts(Cutter(60, special=special), 100) == TokenCounts(60, special)
    assert learn_counts(Cutter(1000, special=special), 100) is None, "it reads all that it is sent"


def test_a_server_that_does_not_count_or_refuses_is_not_trusted_with_it():
    def silent(texts):
        return np.zeros((len(texts), 2), dtype=np.float32), None

    def refusing(texts):
        if len(texts[0]) > 50:
            raise TextTooLongError("too long")
        return Cutter(100)(texts)

    assert learn_counts(silent, 100) is None
    assert learn_counts(refusing, 100) is None
    with pytest.raises(InvalidVectorsError, match="does not say how many"):
        embed_whole(silent, ["word " * 90], TokenCounts(100, 2))


WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=12), min_size=1, max_size=60)


@given(
    texts=st.lists(WORDS.map(" ".join), min_size=1, max_size=6),
    limit=st.integers(30, 60),
    most=st.sampled_from([1, 3, 5, 12]),
)
@example(texts=["aaa aaaaaaaaa aaaaaaaaaaaa a a"], limit=30, most=1)  # fits, and ends in little
def test_vectors_are_those_of_whole_texts_or_none_come_back(texts, limit, most):
    server, unlimited = Cutter(limit, most), Cutter(10**6, most)
    fits = all(len(server.tokens(text)) + 2 <= limit for text in texts)
    try:
        vectors = embed_whole(server, texts, TokenCounts(limit, 2))
    except TextTooLongError:
        assert not fits
    else:
        assert fits
        assert np.array_equal(vectors, unlimited(texts)[0])


def test_texts_certain_to_fit_go_together_and_doubtful_ones_by_their_size():
    server = Cutter(100)
    embed_whole(server, ["a"] * 50, TokenCounts(100, 2))
    assert server.asked == 1
    embed_whole(server, ["a", *["fives " * 20] * 4], TokenCounts(100, 2))
    assert server.asked == 4, "two at a time, and the certain one"
