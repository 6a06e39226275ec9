"""The pure parts of the engine: keys, batches, lengths, checks, retries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.embedding.batching import Batches, BatchTuner
from toolkit.embedding.checks import check_vectors
from toolkit.embedding.keys import encode_text, hash_texts, unique_texts
from toolkit.embedding.lengths import estimate_tokens, split_pieces
from toolkit.embedding.long_texts import variant_keys
from toolkit.embedding.retry import RetryPolicy
from toolkit.errors import BackendError, InvalidVectorsError, ServerUnavailableError
from toolkit.identity import reference_texts
from toolkit.prompts import Prompt
from toolkit.reference import _stored

RAW = Prompt("{text}")


@given(st.lists(st.text(alphabet=st.characters(codec=None), max_size=20), max_size=30))
def test_keys_tell_texts_apart_as_the_server_does(texts):
    keys = hash_texts(texts, RAW)
    as_sent = [encode_text(text) for text in texts]
    assert len({bytes(k) for k in keys.tolist()}) == len(set(as_sent))
    first, inverse = unique_texts(keys)
    assert [as_sent[first[i]] for i in inverse] == as_sent
    assert list(first) == sorted(first)


def test_a_prompt_is_never_confused_with_a_text():
    a = hash_texts(["b c"], Prompt("a {text}"))
    b = hash_texts(["c"], Prompt("a b {text}"))
    c = hash_texts(["a b c"], RAW)
    assert len({bytes(k[0]) for k in (a.tolist(), b.tolist(), c.tolist())}) == 3


def test_titles_are_part_of_the_key():
    prompt = Prompt("title: {title} | text: {text}")
    keys = hash_texts(["x", "x", "x"], prompt, ["a", None, "none"]).tolist()
    assert keys[0] != keys[1]
    assert keys[1] == keys[2], "an untitled text is sent as `none`"
    assert hash_texts(["x"], prompt).tolist()[0] == keys[1]


def test_keys_do_not_change_between_versions():
    # A change here makes every cache and every shipped pack useless.
    keys = hash_texts(["why is the sky blue?"], Prompt("task: classification | query: {text}"))
    assert keys.tolist()[0].hex() == "61278384042cdf34734dd5b8828baf33"


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


def test_batches_hand_out_every_text_once_and_suspects_alone():
    texts = ["short"] * 10 + ["x" * 9000, "y" * 8000] + ["short"] * 3
    batches = Batches(texts, BatchTuner(4, fixed=True), limit=2048)
    handed = []
    while batch := batches.next():
        handed.append(batch)
    assert sorted(p for batch in handed for p in batch) == list(range(15))
    assert handed[-2:] == [[11], [10]]
    assert max(map(len, handed)) == 4


def test_batches_are_bounded_in_characters():
    batches = Batches(["x" * 30_000] * 5, BatchTuner(32, fixed=True))
    assert [len(batches.next()) for _ in range(3)] == [2, 2, 1]


def test_tuner_steers_to_its_aim_and_keeps_its_bounds():
    tuner = BatchTuner(32)
    for _ in range(20):
        tuner.observe(tuner.size, 50 * tuner.size, tuner.size * 0.02)
    assert tuner.size == 100
    for _ in range(20):
        tuner.observe(tuner.size, 50 * tuner.size, tuner.size * 5.0)
    assert tuner.size == tuner.low
    tuner.observe(1, 50, 100.0)
    fixed = BatchTuner(7, fixed=True)
    fixed.observe(7, 50_000, 100.0)
    assert fixed.size == 7


def test_tuner_bounds_long_texts_by_characters_and_leaves_short_ones_alone():
    tuner = BatchTuner(32)
    for _ in range(20):
        tuner.observe(5, tuner.characters, tuner.characters * 1e-4)
    assert (tuner.size, tuner.characters) == (32, 20_000)
    for _ in range(20):
        tuner.observe(1, tuner.characters, 100.0)
    assert tuner.characters == 4_000
    batches = Batches(["x" * 1_500] * 4 + ["x" * 9_000], tuner)
    assert [batches.next(), batches.next(), batches.next()] == [[0, 1], [2, 3], [4]]


def test_checks_name_what_is_wrong():
    good = np.eye(4, 8, dtype=np.float32)
    assert check_vectors(good, 4, 8) == {}
    bad = good.copy()
    bad[0, 0], bad[1, 1], bad[2, 2] = np.nan, 0, 1.01
    assert check_vectors(bad, 4, 8) == {
        0: "not finite",
        1: "all zeros",
        2: "of length 1.01 instead of 1",
    }
    bad[0, 0] = np.inf
    assert check_vectors(bad, 4, 8)[0] == "not finite"
    with pytest.raises(InvalidVectorsError, match="3 vectors for 4"):
        check_vectors(good[:3], 4, 8)
    with pytest.raises(InvalidVectorsError, match="length 8 instead of 16"):
        check_vectors(good, 4, 16)


def test_variants_of_long_texts_never_share_a_key():
    keys = hash_texts(["a", "b"], RAW)
    every = [*keys.tolist(), *variant_keys(keys, "mean").tolist()]
    every += variant_keys(keys, "truncate").tolist()
    assert len(set(every)) == 6


def test_retries_end():
    retry = RetryPolicy(patience=0.0)
    retry.failed(BackendError("no"))
    with pytest.raises(BackendError, match="fatal"):
        retry.failed(BackendError("fatal", fatal=True))
    down = ServerUnavailableError("down")
    retry.failed(down)
    with pytest.raises(ServerUnavailableError):
        retry.failed(down)
    retry.succeeded()
    retry.failed(down)
    busy = BackendError("busy", retryable=True)
    retry = RetryPolicy(most_in_a_row=3)
    for _ in range(3):
        retry.failed(busy)
    with pytest.raises(BackendError, match="busy"):
        retry.failed(busy)


def test_delays_grow_and_follow_the_server():
    retry = RetryPolicy()
    busy = BackendError("busy", retryable=True)
    delays = [retry.delay(attempt, busy) for attempt in range(2, 12)]
    assert 0.1 <= delays[0] <= 0.2
    assert 2.5 <= delays[-1] <= 5.0
    assert retry.delay(2, BackendError("x", retryable=True, retry_after=3.0)) == 3.0
