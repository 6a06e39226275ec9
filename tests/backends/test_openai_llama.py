"""llama.cpp's real server: each job ends with exactly the vectors of one text at a time."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests import midway
from tests.real_ollama import tiny_model
from toolkit.backends.openai_compatible import OpenAIBackend
from toolkit.embedding.identities import forget_identities
from toolkit.errors import (
    EmbeddingError,
    EmbeddingWarning,
    ModelDriftError,
    ServerUnavailableError,
    TextTooLongError,
    UnverifiedModelError,
)
from toolkit.prompts import resolve_prompt
from toolkit.vectorizer import EmbeddingGemmaVectorizer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("llama server")]

MODEL = "test/embeddinggemma"
TEXTS = [f"number {i}" for i in range(120)]
PROMPT = resolve_prompt(MODEL, "classification")


@pytest.fixture(scope="module")
def right(llama_server):
    """Asked for one at a time, a request a text, of a server that nobody disturbs."""
    return as_rows(llama_server.ask(*map(PROMPT.render, TEXTS)))


def as_rows(vectors):
    return np.asarray(vectors, dtype=np.float32)


def make(server, **options):
    options = {"model": MODEL, "backend": OpenAIBackend(timeout=120), "batch_size": 16} | options
    return EmbeddingGemmaVectorizer(host=server.host, **options)


def assert_cache_is_right(right, count=None):
    midway.assert_cache_is_right(TEXTS, PROMPT, right, count)


def test_what_it_tells_of_itself(llama_server):
    server = OpenAIBackend().bind(MODEL, llama_server.host)
    identity = server.identify()
    assert (identity.backend, identity.model, identity.dimension) == ("openai", MODEL, 768)
    assert (identity.engine, identity.context_length) == ("llama.cpp", 512)
    assert identity.quantization == "F16"
    assert identity.weights is identity.digest is None, "a file's name and size are no digest"
    assert '"n_params": 15335424' in identity.provenance
    assert server.max_tokens == 512
    assert server.preferred_batch == 32
    assert server.uses_prompts
    assert server.fingerprint() == f"{identity.engine_version} None"


def test_vectors_are_those_of_each_text_alone(llama_server, right):
    assert np.array_equal(make(llama_server).transform(TEXTS), right)
    assert_cache_is_right(right, 120)


def test_floats_are_as_exact_as_base64(llama_server, right):
    server = OpenAIBackend(encoding_format="float").bind(MODEL, llama_server.host)
    assert np.array_equal(server.embed([PROMPT.render(text) for text in TEXTS[:20]]), right[:20])


def test_its_space_is_found_again_by_canaries_alone(llama_server, right):
    make(llama_server).transform(TEXTS[:20])
    forget_identities()
    vectorizer = make(llama_server)
    assert np.array_equal(vectorizer.transform(TEXTS[:30]), right[:30])
    assert vectorizer.report_.hits == 20
    assert_cache_is_right(right, 30)


def test_an_empty_text_is_a_text(llama_server):
    server = OpenAIBackend().bind(MODEL, llama_server.host)
    assert np.array_equal(server.embed(["", "a"]), as_rows(llama_server.ask("", "a")))
    assert server.embed([]).shape == (0, 768)


def test_texts_over_the_limit(llama_server):
    """The tiny model's tokens are characters: 510 of them fit, prompt included."""
    room = 510 - len(PROMPT.render(""))
    texts = ["x" * room, "y" * (room + 1), "a", "z" * 1_000_000]
    vectorizer = make(llama_server)
    with pytest.warns(EmbeddingWarning, match="2 of 4 texts are longer .* were cut"):
        vectors = vectorizer.transform(texts)
    whole = [PROMPT.render(text) for text in ("x" * room, "y" * room, "a", "z" * room)]
    assert np.array_equal(vectors, as_rows(llama_server.ask(*whole)))
    with pytest.warns(EmbeddingWarning, match="2 of 4"):
        assert np.array_equal(vectorizer.transform(texts), vectors)
    assert vectorizer.report_.hits == 4

    vectorizer.set_params(long_texts="error")
    with pytest.raises(EmbeddingError, match="at position 1") as caught:
        vectorizer.transform(texts[:3])
    assert list(caught.value.failed) == [1]

    vectorizer.set_params(long_texts="mean")
    mean = vectorizer.transform(["word " * 200])
    assert np.isclose(np.linalg.norm(mean), 1, atol=1e-6)
    assert vectorizer.report_.averaged == 1

    server = OpenAIBackend().bind(MODEL, llama_server.host)
    with pytest.raises(TextTooLongError, match=r"input \(513 tokens\) is too large to process"):
        server.embed(["fits", "x" * 511])


def test_the_server_is_killed_and_started_again(llama_server_factory, right):
    server = llama_server_factory()
    vectorizer = make(server).fit(TEXTS)

    def restart():
        server.kill()
        time.sleep(1)
        server.start()

    with midway.in_the_middle(restart, first=30):
        vectors = vectorizer.transform(TEXTS)
    assert np.array_equal(vectors, right)
    assert vectorizer.report_.retried >= 1
    assert_cache_is_right(right, 120)


def test_the_server_comes_back_with_another_model_of_the_same_name_and_size(
    llama_server_factory, right, tmp_path
):
    pytest.importorskip("gguf")
    file = tmp_path / "model.gguf"
    server = llama_server_factory()
    file.write_bytes(server.model.read_bytes())
    server.kill()
    server.model = file
    vectorizer = make(server.start()).fit(TEXTS)

    def replace():
        server.kill()
        tiny_model.write(file, seed=1)
        server.start()

    with (
        midway.in_the_middle(replace, first=30),
        pytest.raises(ModelDriftError, match="of another space"),
    ):
        vectorizer.transform(TEXTS)
    assert_cache_is_right(right)
    assert 30 <= midway.held() < 120


def test_the_server_dies(llama_server_factory, right):
    server = llama_server_factory()
    vectorizer = make(server).fit(TEXTS)
    start = time.monotonic()
    with (
        midway.in_the_middle(server.kill, first=30),
        pytest.raises(EmbeddingError, match="no server answers at") as caught,
    ):
        vectorizer.transform(TEXTS)
    # Its patience is fifteen seconds; the rest is a busy machine's.
    assert time.monotonic() - start < 100
    assert isinstance(caught.value.__cause__, ServerUnavailableError)
    assert caught.value.completed >= 30
    assert_cache_is_right(right, caught.value.completed)
    with pytest.raises(ServerUnavailableError, match="host="):
        OpenAIBackend().bind(MODEL, server.host).identify()


def test_another_model_under_the_official_name_is_refused(llama_server):
    vectorizer = make(llama_server, model="embeddinggemma")
    with pytest.raises(UnverifiedModelError, match=r"another model may be loaded .*allow_unver"):
        vectorizer.fit(TEXTS)
    assert midway.held() == 0
