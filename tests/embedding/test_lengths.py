from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.embedding.lengths import estimate_tokens, split_pieces
from toolkit.identity import reference_texts
from toolkit.reference import _stored


@given(st.text(min_size=1, max_size=3000), st.integers(2, 500))
def test_pieces_cover_the_text_and_keep_the_limit(text, most):
    pieces = split_pieces(text, most)
    assert all(0 < len(piece) <= most for piece in pieces)
    position = 0
    for piece in pieces:
        start = text.find(piece, 0)
        while start != -1 and start + len(piece) <= position:
            start = text.find(piece, start + 1)
        assert start != -1
        assert start <= position, "nothing is left out between pieces"
        position = start + len(piece)
    assert position == len(text)


def test_pieces_end_at_sentences_then_at_words():
    text = "The first sentence is here. The second one follows it. " * 20
    pieces = split_pieces(text, 300)
    assert all(piece.rstrip().endswith(".") for piece in pieces)
    words = split_pieces("word " * 200, 101)
    assert all(piece.startswith("word") for piece in words)


def test_pieces_do_not_cut_accents_off():
    text = "e\u0301" * 100
    assert all(not piece.startswith("\u0301") for piece in split_pieces(text, 31))


def test_guesses_are_near_the_truth_on_the_reference_texts():
    _, tokens, _ = _stored()
    for name, text in reference_texts().items():
        # Code is the lowest, Hindi the highest; batching allows for a factor of two.
        assert 0.6 < (estimate_tokens(text) + 2) / tokens[name] < 2.6, name
