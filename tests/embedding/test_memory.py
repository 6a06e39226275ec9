"""A large job takes little memory beyond its result."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from toolkit.embedding.batching import Batches, BatchTuner
from toolkit.embedding.job import EmbeddingJob
from toolkit.embedding.keys import hash_texts
from toolkit.embedding.report import EmbeddingReport
from toolkit.identity import ModelIdentity
from toolkit.prompts.template import RAW
from toolkit.vectorizer import EmbeddingGemmaVectorizer

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "memory.py"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_twenty_thousand_texts_from_a_generator(tmp_path: Path):
    """Measured: 50 MB, of which the answers under way and joblib's threads take nearly all.

    The goal, under 500 MB for a million, leaves 370 bytes a text beside those and the 135 MB of
    the imports; held twice, the vectors alone would be 61 MB here.
    """
    out = tmp_path / "memory.json"
    command = [sys.executable, str(BENCHMARK), "--texts", "20000", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(out.read_text())
    for part, most in (("embedding", 90.0), ("reading_from_cache", 20.0)):
        measured = found[part]
        assert measured["output_mb"] == pytest.approx(20_000 * 768 * 4 / 1e6, abs=0.1)
        growth = measured["peak_mb"] - measured["before_mb"] - measured["output_mb"]
        assert growth < most, measured


class Quick:
    """A backend without a server."""

    max_tokens = None
    preferred_batch = 100
    uses_prompts = False

    def identify(self) -> ModelIdentity:
        return ModelIdentity(backend="quick", model="quick", dimension=256)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        keys = hash_texts(texts, RAW).view(np.uint8).reshape(len(texts), 16)
        vectors = np.tile(keys.astype(np.float32) - 127.5, 16)
        norms: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / norms


@pytest.mark.parametrize("cached", ["nothing", "half", "everything"])
def test_vectors_are_in_memory_once_duplicates_or_not(
    cached: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("toolkit.embedding.job.MOST_WAITING", 1_000_000)
    texts = [f"text {i}" for i in range(20_000)] * 2
    known = {"nothing": 0, "half": 10_000, "everything": 20_000}[cached]
    vectorizer = EmbeddingGemmaVectorizer(backend=Quick(), cache=tmp_path, batch_size=100)
    vectorizer.fit_transform(texts[: max(known, 1)])
    tracemalloc.start()
    try:
        vectors = vectorizer.transform(texts)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert vectorizer.report_.hits == max(known, 1)
    assert np.array_equal(vectors[:20_000], vectors[20_000:])
    assert np.array_equal(vectors[::4999], Quick().embed(texts[::4999]))
    # Half of the result more if the distinct vectors were held beside it.
    assert peak < vectors.nbytes * 1.35, f"{peak / vectors.nbytes:.2f} times the result"


def test_a_fast_server_does_not_fill_the_memory_before_a_slow_disk(
    monkeypatch: pytest.MonkeyPatch,
):
    asked: list[int] = []
    stored: list[int] = []
    waiting: list[int] = []

    def answer(backend: object, texts: list[str], expected: object) -> NDArray[np.float32]:
        asked.append(len(texts))
        return np.eye(1, 8, dtype=np.float32)

    def store(positions: Sequence[int], vectors: NDArray[np.float32]) -> None:
        deadline = time.monotonic() + 60
        while not stored and len(asked) < 20:  # the disk is so slow that all is asked that may be
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(0.002)
        stored.extend(positions)
        waiting.append(len(asked) - len(stored))

    monkeypatch.setattr("toolkit.embedding.asking.embed_unchanged", answer)
    monkeypatch.setattr("toolkit.embedding.job.MOST_WAITING", 20 * 8 * 4)
    texts = ["text"] * 400
    job = EmbeddingJob(
        texts=texts,
        backends=[Quick()],
        identity=ModelIdentity(backend="quick", model="quick", dimension=8),
        batches=Batches(texts, BatchTuner(1, fixed=True)),
        store=store,
        report=EmbeddingReport(),
        n_jobs=2,
    )
    job.run()
    assert sorted(stored) == list(range(400))
    assert 10 < max(waiting) <= 20
