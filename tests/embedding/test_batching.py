from __future__ import annotations

from toolkit.embedding.batching import Batches, BatchTuner


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
