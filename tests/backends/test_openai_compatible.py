"""The engine through ``/v1/embeddings``: whatever the server does, right vectors or a clear error.

The double is an Ollama; behind a proxy that passes ``/v1`` alone it cannot be told from other
servers, and cuts long texts like many of them. (Recognised: ``test_openai_ollama.py``.)
"""

from __future__ import annotations

import threading

import httpx
import numpy as np
import pytest

from tests.ollama_double import faults
from tests.ollama_double.fault import Fault
from tests.ollama_double.server import OllamaDouble
from toolkit.backends.openai_compatible import OpenAIBackend
from toolkit.cache import EmbeddingCache
from toolkit.embedding.identities import forget_identities
from toolkit.embedding.keys import hash_texts
from toolkit.errors import (
    BackendError,
    EmbeddingError,
    EmbeddingWarning,
    ModelDriftError,
    ModelNotFoundError,
    ServerUnavailableError,
    UnverifiedModelError,
)
from toolkit.prompts import resolve_prompt
from toolkit.vectorizer import EmbeddingGemmaVectorizer

TEXTS = [f"text number {i}" for i in range(100)]
PROMPT = resolve_prompt("embeddinggemma", "classification")
PATH = "/v1/embeddings"


@pytest.fixture
def proxied(ollama_double):
    """The double with nothing but ``/v1`` to be seen."""
    away = faults.status(404, "not found")
    ollama_double.faults.add(
        Fault(away, times=None, path=None, when=lambda record: not record.path.startswith("/v1"))
    )
    return ollama_double


@pytest.fixture
def vectorizer(proxied):
    return make(proxied).fit(TEXTS)


def make(double, *, timeout=60.0, **options):
    options = {"batch_size": 10, "backend": OpenAIBackend(timeout=timeout)} | options
    return EmbeddingGemmaVectorizer(host=double.host, **options)


def expected(texts=TEXTS):
    """Each text asked for alone over Ollama's own interface, of a server without faults."""
    with OllamaDouble() as double:
        one = EmbeddingGemmaVectorizer(host=double.host, cache=False)
        return np.vstack([one.transform([text]) for text in texts])


RIGHT = expected()


def assert_cache_holds(positions):
    (space,) = EmbeddingCache().spaces()
    vectors, found = space.get(hash_texts(TEXTS, PROMPT))
    assert len(space) == found.sum(), "nothing else is in the cache"
    assert set(np.flatnonzero(found).tolist()) == set(positions)
    assert np.array_equal(vectors, RIGHT[found])


def cached() -> list[int]:
    (space,) = EmbeddingCache().spaces()
    return np.flatnonzero(space.get(hash_texts(TEXTS, PROMPT))[1]).tolist()


# --- Ollama, not recognised -----------------------------------------------------------------------


def test_that_the_real_ollama_cuts_is_found_out_by_its_vectors(real_ollama_factory, monkeypatch):
    monkeypatch.setattr("toolkit.backends.openai_facts._of_ollama", lambda *_: None)
    monkeypatch.setattr("toolkit.backends.openai_known.USUAL_LIMIT", 128)
    monkeypatch.setattr("toolkit.backends.openai_lengths.USUAL_LIMIT", 128)
    ollama = real_ollama_factory(OLLAMA_CONTEXT_LENGTH="512")
    server = OpenAIBackend().bind("test/embeddinggemma", ollama.host)
    text = "never say never again " * 40
    with pytest.raises(BackendError, match="cut it without saying so"):
        server.embed([text])
    body = {"model": server.model, "input": [text[:510]], "truncate": False}
    answer = httpx.post(f"{ollama.host}/api/embed", json=body, timeout=60, trust_env=False)
    right = np.asarray(answer.json()["embeddings"][0], dtype=np.float32)
    assert np.array_equal(server.embed_truncated(text), right)


# --- the job --------------------------------------------------------------------------------------


def test_vectors_are_ollamas_own_and_asked_for_once(proxied, vectorizer):
    assert np.array_equal(vectorizer.transform([*TEXTS, *TEXTS[::-1]]), [*RIGHT, *RIGHT[::-1]])
    assert_cache_holds(range(100))
    sent = proxied.texts_received
    forget_identities()
    before = len(sent)
    again = make(proxied)
    assert np.array_equal(again.transform(TEXTS), RIGHT)
    assert again.report_.hits == 100, "found by the canaries alone"
    assert len(proxied.texts_received) - before < 40
    assert len(EmbeddingCache().spaces()) == 1


PASSING = {
    "400 of a crash": faults.openai_error(500, 'Post "http://127.0.0.1:1/tokenize": EOF'),
    "queue full": faults.queue_full(),
    "429": faults.rate_limited("0"),
    "proxy page": faults.proxy_page(),
    "string error": faults.string_error(),
    "not json": faults.not_json(),
    "no data": faults.no_embeddings(),
    "disconnect": faults.disconnect(),
    "half a body": faults.disconnect_mid_body(),
    "short list": faults.short_list(),
    "long list": faults.long_list(),
    "zeros": faults.zero_vectors(),
    "one zero": faults.zero_vectors("number 7"),
    "nan": faults.nan_literal("number 7"),
    "wrong length": faults.wrong_length(512),
    "one of wrong length": faults.wrong_length(512, "number 7"),
    "not a unit vector": faults.scaled(1.1, "number 7"),
}


@pytest.mark.parametrize("encoding", ["auto", "float"])
@pytest.mark.parametrize("effect", PASSING.values(), ids=PASSING)
def test_a_passing_fault_costs_nothing_but_time(proxied, effect, encoding):
    vectorizer = make(proxied, backend=OpenAIBackend(timeout=60, encoding_format=encoding))
    vectorizer.fit(TEXTS)
    proxied.faults.add(Fault(effect, times=2, skip=2, path=PATH))
    assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    assert vectorizer.report_.embedded == 100
    assert_cache_holds(range(100))


@pytest.mark.parametrize("effect", [faults.slow_loris(0.05), faults.hang()], ids=["slow", "hang"])
def test_a_slow_answer_is_given_up_and_asked_for_again(proxied, effect):
    vectorizer = make(proxied, timeout=5).fit(TEXTS)
    proxied.faults.add(Fault(effect, skip=2, path=PATH))
    assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    assert_cache_holds(range(100))


@pytest.mark.parametrize(
    "effect",
    [
        faults.openai_error(400, "cannot make sense of this"),
        faults.openai_error(500, "broken"),
        faults.zero_vectors("number 42"),
        faults.nan_literal("number 42"),
        faults.wrong_length(512, "number 42"),
    ],
    ids=["400", "500", "zeros", "nan", "length"],
)
def test_one_poison_text_kills_nothing_else(proxied, vectorizer, effect):
    proxied.faults.add(Fault(effect, times=None, containing="number 42", path=PATH))
    with pytest.raises(EmbeddingError, match="1 of 100 texts could not be embedded") as caught:
        vectorizer.transform(TEXTS)
    assert list(caught.value.failed) == [42]
    assert caught.value.completed == 99
    assert_cache_holds(set(range(100)) - {42})
    vectorizer.set_params(on_error="nan")
    with pytest.warns(EmbeddingWarning, match="rows of NaN"):
        vectors = vectorizer.transform(TEXTS)
    assert np.isnan(vectors[42]).all()


def test_the_model_is_removed_in_the_middle(proxied, vectorizer):
    proxied.faults.add(Fault(faults.model_removed(), skip=5, path=PATH))
    with pytest.raises(EmbeddingError, match="does not have the model 'embeddinggemma'") as caught:
        vectorizer.transform(TEXTS)
    assert isinstance(caught.value.__cause__, ModelNotFoundError)
    assert caught.value.completed >= 30
    assert_cache_holds(cached())


def test_a_server_that_comes_back_is_found_again(proxied, vectorizer):
    def restart(double):
        double.stop()
        threading.Timer(1.0, double.start).start()

    proxied.faults.add(Fault(faults.act(restart), skip=3, path=PATH))
    assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    assert_cache_holds(range(100))


def test_a_server_that_comes_back_with_another_model_is_found_out(proxied):
    """It tells nothing of its model, but it was away: the canaries decide."""
    proxied.models.copy(proxied.models["embeddinggemma"], "test/embeddinggemma")
    vectorizer = make(proxied, model="test/embeddinggemma").fit(TEXTS)

    def replace(double):
        double.stop()
        double.models.change("test/embeddinggemma", weights="e" * 64, build="causal")
        threading.Timer(0.5, double.start).start()

    proxied.faults.add(Fault(faults.act(replace), skip=3, path=PATH))
    with pytest.raises(ModelDriftError, match="lowest cosine"):
        vectorizer.transform(TEXTS)
    assert 10 <= len(cached()) < 100
    assert_cache_holds(cached())


def test_without_a_server_a_fitted_vectorizer_goes_by_its_cache(proxied, vectorizer):
    vectorizer.transform(TEXTS)
    proxied.stop()
    forget_identities()
    with pytest.warns(EmbeddingWarning, match="no server answers; all texts were in the cache"):
        assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    with pytest.raises(ServerUnavailableError, match="host="):
        vectorizer.transform(["a new one"])


def test_a_refusal_is_not_repeated_for_every_text(proxied, vectorizer):
    proxied.faults.add(Fault(faults.refused(401), times=None, path=PATH))
    with pytest.raises(BackendError, match="api_key_env"):
        vectorizer.transform([f"another text {i}" for i in range(3000)])
    assert len([r for r in proxied.requests if r.status == 401]) < 60


# --- long texts on a server that cuts -------------------------------------------------------------

LONG = " ".join(f"word{i}" for i in range(3000))


def test_a_text_that_the_server_would_cut(proxied, vectorizer):
    texts = [*TEXTS[:30], LONG, TEXTS[30]]
    with pytest.warns(EmbeddingWarning, match="1 of 32 texts is longer"):
        vectors = vectorizer.transform(texts)
    assert vectorizer.report_.truncated == 1
    assert np.array_equal(np.delete(vectors, 30, 0), RIGHT[:31])
    with pytest.warns(EmbeddingWarning, match="longer"):
        as_ollama_cuts = expected([LONG])
    assert np.array_equal(vectors[30], as_ollama_cuts[0])
    (space,) = EmbeddingCache().spaces()
    assert (space.lookup(hash_texts([LONG], PROMPT)) < 0).all(), "not kept as the whole text's"

    vectorizer.set_params(long_texts="error")
    with pytest.raises(EmbeddingError, match="at position 30") as caught:
        vectorizer.transform(texts)
    assert list(caught.value.failed) == [30]

    vectorizer.set_params(long_texts="mean")
    mean = vectorizer.transform(texts)
    assert vectorizer.report_.averaged == 1
    assert np.array_equal(np.delete(mean, 30, 0), RIGHT[:31])
    assert not np.allclose(mean[30], vectors[30])


def test_long_texts_that_fit_are_whole(proxied, vectorizer):
    """Between what is certain to fit and the limit, each text is asked for twice."""
    fits = LONG[:7000]
    vectors = vectorizer.transform(["a", fits])
    assert vectorizer.report_.truncated == 0
    assert np.array_equal(vectors, expected(["a", fits]))


def test_short_texts_are_asked_for_once(proxied, vectorizer):
    before = len(proxied.requests.to(PATH))
    vectorizer.transform(TEXTS)
    assert len(proxied.requests.to(PATH)) - before == 10


# --- what the vectors say -------------------------------------------------------------------------


def test_a_causal_server_is_refused_and_a_windowless_one_warned_of(ollama_double_factory):
    def behind_a_proxy(version):
        double = ollama_double_factory(version)
        away = faults.status(404, "not found")
        double.faults.add(
            Fault(away, times=None, path=None, when=lambda r: not r.path.startswith("/v1"))
        )
        return double

    causal = behind_a_proxy("0.12.6")
    with pytest.raises(UnverifiedModelError, match="causal attention"):
        make(causal).fit(TEXTS)
    with pytest.warns(UserWarning, match="causal attention"):
        make(causal, backend=OpenAIBackend(allow_unverified=True), cache=False).fit(TEXTS)
    with pytest.warns(UserWarning, match="more than about 256 tokens"):
        make(behind_a_proxy("0.24.0")).fit(TEXTS)
