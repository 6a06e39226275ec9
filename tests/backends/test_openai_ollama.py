"""Ollama through ``/v1/embeddings``: its own vectors, and nothing cut in silence.

The double counts a token for four characters, the real server's tiny model one for each. The real
server is given a context of 512 tokens, which it reads in a sixteenth of the time of 2,048.
"""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from tests.ollama_double import faults
from tests.ollama_double.fault import Fault
from tests.ollama_double.models import Model
from toolkit.backends.openai_compatible import OpenAIBackend
from toolkit.cache import EmbeddingCache
from toolkit.embedding.identities import forget_identities
from toolkit.embedding.keys import hash_texts
from toolkit.errors import (
    DriftWarning,
    EmbeddingError,
    EmbeddingWarning,
    InvalidVectorsError,
    ModelDriftError,
    TextTooLongError,
)
from toolkit.prompts import resolve_prompt
from toolkit.vectorizer import EmbeddingGemmaVectorizer

PATH = "/v1/embeddings"
MODEL = "test/embeddinggemma"
PROMPT = resolve_prompt(MODEL, "classification")
TEXTS = [f"text number {i}" for i in range(60)]


def make(server, **options):
    options = {"batch_size": 10, "backend": OpenAIBackend(timeout=60), "model": MODEL} | options
    return EmbeddingGemmaVectorizer(host=server.host, **options)


@pytest.fixture(
    params=["double", pytest.param("real", marks=[pytest.mark.ollama, pytest.mark.slow])]
)
def ollama(request):
    """The double or a real one, both with the model of that name."""
    if request.param == "real":
        return request.getfixturevalue("real_ollama_factory")(OLLAMA_CONTEXT_LENGTH="512")
    return request.getfixturevalue("double")


@pytest.fixture
def double(ollama_double):
    ollama_double.models.copy(ollama_double.models["embeddinggemma"], MODEL)
    return ollama_double


def native(server, texts, **options):
    """Return what ``/api/embed`` gives, a request a text."""
    rows = []
    with httpx.Client(base_url=server.host, timeout=60, trust_env=False) as client:
        for text in texts:
            body = {"model": MODEL, "input": text, "truncate": False} | options
            answer = client.post("/api/embed", json=body)
            answer.raise_for_status()
            rows += answer.json()["embeddings"]
    return np.asarray(rows, dtype=np.float32)


def measures_of(server):
    """Return characters a token, and tokens that fit."""
    return (4, 2046) if hasattr(server, "requests") else (1, 510)


def test_a_job_gives_ollamas_own_vectors(ollama):
    vectorizer = make(ollama)
    # With four characters a token, the first three may be over the limit by their bytes.
    size = measures_of(ollama)[0]
    texts = ["mid " * 110 * size, "sized " * 70 * size, "é" * 200 * size, *TEXTS, *TEXTS[::-1]]
    vectors = vectorizer.transform(texts)
    assert vectorizer.report_.truncated == 0
    right = native(ollama, [PROMPT.render(text) for text in texts[:63]])
    assert np.array_equal(vectors, [*right, *right[:2:-1]])
    (space,) = EmbeddingCache().spaces()
    assert len(space) == 63
    assert np.array_equal(space.get(hash_texts(texts[:63], PROMPT))[0], right)
    forget_identities()
    again = make(ollama)
    again.transform(texts)
    assert again.report_.hits == 63


def test_what_it_tells_of_itself(ollama):
    server = OpenAIBackend().bind(MODEL, ollama.host + "/v1")
    identity = server.identify()
    assert (identity.backend, identity.engine) == ("openai", "ollama")
    assert identity.context_length == server.max_tokens == measures_of(ollama)[1] + 2
    assert len(identity.weights or "") == len(identity.digest or "") == 64
    assert server.fingerprint() == f"{identity.engine_version} {identity.digest}"
    assert server.embed([]).shape == (0, 768)


def test_the_last_token_that_fits_and_the_first_that_does_not(ollama):
    server = OpenAIBackend(timeout=60).bind(MODEL, ollama.host)
    size, room = measures_of(ollama)
    for text in ("x" * (room * size), ("never say never " * 2000)[: room * size]):
        assert np.array_equal(server.embed([text]), native(ollama, [text]))
        over = text + "y"
        with pytest.raises(TextTooLongError, match=r"tokens\), .*cut it without saying so"):
            server.embed(["a", over, "b"])
        assert np.array_equal(server.embed_truncated(over), native(ollama, [text])[0])
    near = ["z" * (room - 6) * size, "w" * (room - 7) * size]
    assert np.array_equal(server.embed(near), native(ollama, near)), "counted one by one"


@pytest.mark.slow
def test_2046_and_2047_tokens_on_the_real_server(real_ollama):
    server = OpenAIBackend(timeout=60).bind(MODEL, real_ollama.host)
    assert server.max_tokens == 2048
    fits = ("never say never again " * 100)[:2046]
    assert np.array_equal(server.embed([fits]), native(real_ollama, [fits]))
    with pytest.raises(TextTooLongError, match="2048 tokens"):
        server.embed([fits + "!"])


def test_texts_over_the_limit(ollama):
    size = measures_of(ollama)[0]
    long = "word by word " * 175 * size
    texts = ["a", long, "b", "z" * 1_000_000]
    vectorizer = make(ollama)
    with pytest.warns(EmbeddingWarning, match="2 of 4 texts are longer .* were cut"):
        vectors = vectorizer.transform(texts)
    sent = [PROMPT.render(text) for text in (*texts[:3], "z" * 100_000)]
    assert np.array_equal(vectors, native(ollama, sent, truncate=True))
    (space,) = EmbeddingCache().spaces()
    assert (space.lookup(hash_texts([long], PROMPT)) < 0).all(), "not kept as the whole text's"
    vectorizer.set_params(long_texts="error")
    with pytest.raises(EmbeddingError, match="at position 1") as caught:
        vectorizer.transform(texts[:3])
    assert list(caught.value.failed) == [1]


# --- the double alone -----------------------------------------------------------------------------


def test_texts_that_cannot_be_cut_cost_one_request_a_batch(double):
    vectorizer = make(double).fit(TEXTS)
    before = len(double.requests.to(PATH))
    vectorizer.transform(TEXTS)
    assert len(double.requests.to(PATH)) - before == 6


def test_every_script_at_the_limit(double):
    """A token for a character of three bytes, or for an emoji of four."""
    server = OpenAIBackend().bind(MODEL, double.host)
    for character in ("語", "😀"):
        fits = character * 2046
        assert np.array_equal(server.embed([fits]), native(double, [fits]))
        with pytest.raises(TextTooLongError):
            server.embed([fits + character])


def test_the_same_model_pulled_again_changes_nothing(double):
    vectorizer = make(double).fit(TEXTS)
    double.faults.add(Fault(faults.model_repulled(MODEL), skip=2, path=PATH))
    vectors = vectorizer.transform(TEXTS)
    assert np.array_equal(vectors, native(double, map(PROMPT.render, TEXTS)))
    assert len(EmbeddingCache().spaces()) == 1


def test_other_weights_pulled_in_the_middle_end_the_job(double):
    vectorizer = make(double).fit(TEXTS)
    right = native(double, map(PROMPT.render, TEXTS))
    double.faults.add(Fault(faults.model_repulled(MODEL, weights="e" * 64), skip=2, path=PATH))
    with pytest.raises(ModelDriftError, match="another space"):
        vectorizer.transform(TEXTS)
    (space,) = EmbeddingCache().spaces()
    vectors, found = space.get(hash_texts(TEXTS, PROMPT))
    assert 10 <= len(space) == found.sum() < 60
    assert np.array_equal(vectors, right[found])


def test_a_tag_made_anew_from_fewer_bits_is_another_space(ollama_double_factory):
    """Its canaries agree to 0.9997; its weights' digest tells."""
    plain = {"name": MODEL, "known": {}, "build": "right"}
    first = ollama_double_factory(models=[Model(**plain)])
    second = ollama_double_factory(models=[Model(**plain, weights="8" * 64, quantization="Q8_0")])
    make(first).transform(TEXTS)
    with pytest.warns(DriftWarning, match=r"has other weights than .*Its vectors agree"):
        make(second).transform(TEXTS[:5])
    assert sorted(len(space) for space in EmbeddingCache().spaces()) == [5, 60]


def test_a_server_that_stops_counting_is_not_trusted_with_long_texts(double):
    server = OpenAIBackend().bind(MODEL, double.host)
    server.identify()
    text = "long " * 1700

    with httpx.Client(base_url=double.host, timeout=60, trust_env=False) as client:
        body = {"model": MODEL, "input": [text], "encoding_format": "base64"}
        raw = client.post(PATH, json=body).content.replace(b"prompt_tokens", b"other_tokens")
    double.faults.add(Fault(faults.body(raw), path=PATH))
    with pytest.raises(InvalidVectorsError, match="does not say how many tokens"):
        server.embed([text])
