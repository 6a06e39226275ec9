"""What a vectorizer notes of the cache, and what pruning in the middle of its work does."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.cache import EmbeddingCache, Space, usage
from toolkit.embedding.keys import hash_texts, unique_texts
from toolkit.errors import EmbeddingError
from toolkit.prompts import Prompt, resolve_prompt
from toolkit.vectorizer import EmbeddingGemmaVectorizer

TEXTS = [f"text number {i}" for i in range(200)]
PROMPT = resolve_prompt("embeddinggemma", "classification").template


def make(double, **options) -> EmbeddingGemmaVectorizer:
    return EmbeddingGemmaVectorizer(host=double.host, **options).fit(TEXTS[:1])


def counts() -> dict[str, tuple[int, int]]:
    (row,) = EmbeddingCache().stats()
    return {prompt: (task["hits"], task["misses"]) for prompt, task in row["tasks"].items()}


def test_hits_and_misses_by_task(ollama_double):
    one = make(ollama_double)
    one.transform(TEXTS[:50])
    assert counts() == {PROMPT: (0, 50)}
    one.transform([*TEXTS, *TEXTS])  # each distinct text once
    assert counts() == {PROMPT: (50, 200)}
    make(ollama_double, dimensions=128).transform(TEXTS)
    make(ollama_double, task="clustering").transform(TEXTS[:10])
    other = resolve_prompt("embeddinggemma", "clustering").template
    assert counts() == {PROMPT: (250, 200), other: (0, 10)}


def test_a_failed_text_is_a_miss_and_the_counts_of_the_others_stay(ollama_double):
    one = make(ollama_double, long_texts="error")
    with pytest.raises(EmbeddingError):
        one.transform([*TEXTS[:20], "very long " * 5000])
    assert counts()[PROMPT] == (0, 21)


def test_pruned_between_looking_up_and_reading(ollama_double, monkeypatch):
    """What was there a moment ago is embedded again, and every vector is right."""
    one = make(ollama_double)
    first = one.transform(TEXTS)
    usage.flush()
    day = usage.today()
    read = Space.read

    def read_late(self, rows, dimensions=None):
        monkeypatch.setattr(Space, "read", read)
        with monkeypatch.context() as later:
            later.setattr(usage, "today", lambda: day + 10)
            read(self, self.lookup(hash_texts(TEXTS[:70], Prompt(PROMPT))))
            (done,) = EmbeddingCache().prune(older_than=5)
        assert done.removed == 200 - 128
        return self.read(rows, dimensions)

    monkeypatch.setattr(Space, "read", read_late)
    again = one.transform(TEXTS)
    assert np.allclose(again, first, atol=1e-6)
    assert (one.report_.hits, one.report_.embedded) == (128, 72)
    (space,) = EmbeddingCache().spaces()
    assert len(space) == 200


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 5000])
def test_keys_of_texts_of_any_length_and_kind(size):
    """In bulk as one by one: what is stored under a key has to be found for ever."""
    from hashlib import blake2b

    texts = ["ä" * size, "\ud800" + "x" * size, "\0" * size, "مرحبا" * (size // 5), "plain"]
    template = "query: {text}"

    def with_length(data: bytes) -> bytes:
        return len(data).to_bytes(8, "little") + data

    expected = []
    for text in texts:
        data = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
        whole = with_length(template.encode()) + with_length(data)
        expected.append(blake2b(whole, digest_size=16).digest())
    assert [key.tobytes() for key in hash_texts(texts, Prompt(template))] == expected


def test_texts_that_share_half_a_key_are_two():
    halves = np.array([[5, 1], [5, 2], [7, 1], [5, 1]], dtype=np.uint64)
    keys = halves.view(np.dtype((np.void, 16))).reshape(-1)
    first, inverse = unique_texts(keys)
    assert first.tolist() == [0, 1, 2]
    assert inverse.tolist() == [0, 1, 2, 0]
    first, inverse = unique_texts(keys[:3])
    assert (first.tolist(), inverse.tolist()) == ([0, 1, 2], [0, 1, 2])
