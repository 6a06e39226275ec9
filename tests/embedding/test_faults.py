"""Whatever the server does, the user gets the right vectors or a clear error, and the cache holds
exactly the good ones."""

from __future__ import annotations

import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.ollama_double import faults
from tests.ollama_double.errors import RUNNER_LOST
from tests.ollama_double.fault import Fault
from tests.ollama_double.models import Model
from tests.ollama_double.server import OllamaDouble
from toolkit.backends.ollama import OllamaBackend
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
)
from toolkit.prompts import resolve_prompt
from toolkit.vectorizer import EmbeddingGemmaVectorizer

TEXTS = [f"text number {i}" for i in range(100)]
PROMPT = resolve_prompt("embeddinggemma", "classification")


@pytest.fixture
def vectorizer(ollama_double):
    return make(ollama_double).fit(TEXTS)


def make(double, *, timeout=60.0, **options):
    options = {"batch_size": 10} | options
    return EmbeddingGemmaVectorizer(
        host=double.host, backend=OllamaBackend(timeout=timeout), **options
    )


def expected(texts=TEXTS):
    """Each text asked for alone, of a server without faults."""
    with OllamaDouble() as double:
        one = EmbeddingGemmaVectorizer(host=double.host, cache=False)
        return np.vstack([one.transform([text]) for text in texts])


RIGHT = expected()


def cached() -> dict[bytes, np.ndarray]:
    spaces = EmbeddingCache().spaces()
    assert len(spaces) <= 1
    keys = hash_texts(TEXTS, PROMPT)
    vectors, found = spaces[0].get(keys)
    assert len(spaces[0]) == found.sum(), "nothing else is in the cache"
    return dict(zip(np.flatnonzero(found).tolist(), vectors, strict=True))


def assert_cache_holds(positions):
    held = cached()
    assert set(held) == set(positions)
    for position, vector in held.items():
        assert np.array_equal(vector, RIGHT[position])


PASSING = {
    "500 EOF": faults.runner_lost(code=500),
    "queue full": faults.queue_full(),
    "load failed": faults.load_failed(),
    "canceled": faults.canceled(),
    "429": faults.rate_limited("0"),
    "proxy page": faults.proxy_page(),
    "openai error": faults.openai_error(),
    "string error": faults.string_error(),
    "not json": faults.not_json(),
    "no embeddings": faults.no_embeddings(),
    "disconnect": faults.disconnect(),
    "half a body": faults.disconnect_mid_body(),
    "short list": faults.short_list(),
    "long list": faults.long_list(),
    "zeros": faults.zero_vectors(),
    "one zero": faults.zero_vectors("number 7"),
    "null": faults.null_component("number 7"),
    "nan": faults.nan_literal("number 7"),
    "wrong length": faults.wrong_length(512),
    "one of wrong length": faults.wrong_length(512, "number 7"),
    "not a unit vector": faults.scaled(1.1, "number 7"),
    "reloaded by another": faults.reloaded_by_another(),
    **{
        f"lost at {call} {moment}": faults.runner_lost(call, moment) for call, moment in RUNNER_LOST
    },
}


@pytest.mark.parametrize("effect", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("times", [1, 2])
def test_a_passing_fault_costs_nothing_but_time(ollama_double, vectorizer, effect, times):
    ollama_double.faults.add(Fault(effect, times=times, skip=2))
    assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    assert vectorizer.report_.embedded == 100
    assert_cache_holds(range(100))


def test_a_slow_answer_is_given_up_and_asked_for_again(ollama_double):
    vectorizer = make(ollama_double, timeout=5).fit(TEXTS)
    # To its end it would take more than an hour.
    ollama_double.faults.add(Fault(faults.slow_loris(0.05), skip=2))
    assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    assert vectorizer.report_.retried >= 1
    assert_cache_holds(range(100))


def test_a_hang_is_given_up_and_asked_for_again(ollama_double):
    vectorizer = make(ollama_double, timeout=5).fit(TEXTS)
    ollama_double.faults.add(Fault(faults.hang(), skip=2))
    assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    assert_cache_holds(range(100))


@pytest.mark.parametrize(
    "effect",
    [
        faults.status(400, "cannot make sense of this"),
        faults.runner_lost(),
        faults.zero_vectors("number 42"),
        faults.null_component("number 42"),
        faults.wrong_length(512, "number 42"),
    ],
    ids=["400", "crash", "zeros", "null", "length"],
)
def test_one_poison_text_kills_nothing_else(ollama_double, vectorizer, effect):
    ollama_double.faults.add(Fault(effect, times=None, containing="number 42"))
    with pytest.raises(EmbeddingError, match="1 of 100 texts could not be embedded") as caught:
        vectorizer.transform(TEXTS)
    assert list(caught.value.failed) == [42]
    assert caught.value.completed == 99
    assert vectorizer.report_.failed == 1
    assert_cache_holds(set(range(100)) - {42})

    vectorizer.set_params(on_error="nan")
    with pytest.warns(EmbeddingWarning, match=r"1 of 100 texts .* rows of NaN"):
        vectors = vectorizer.transform(TEXTS)
    assert np.isnan(vectors[42]).all()
    assert np.array_equal(np.delete(vectors, 42, 0), np.delete(RIGHT, 42, 0))


def test_one_poison_text_in_a_thousand_is_found_by_halves(ollama_double, vectorizer):
    texts = [f"text number {i}" for i in range(1000)]
    vectorizer.set_params(batch_size=100)
    ollama_double.faults.add(Fault(faults.status(400, "no"), times=None, containing="number 642"))
    with pytest.raises(EmbeddingError, match="1 of 1,000 texts could not be embedded") as caught:
        vectorizer.transform(texts)
    assert caught.value.failed.keys() == {642}
    assert caught.value.completed == 999
    # Ten batches, and twice seven to halve one of a hundred down to a text.
    assert vectorizer.report_.requests <= 10 + 2 * 7
    (space,) = EmbeddingCache().spaces()
    vectors, found = space.get(hash_texts(texts, PROMPT))
    assert np.flatnonzero(~found).tolist() == [642]
    assert len(space) == 999
    assert np.array_equal(vectors[:100], RIGHT)


def test_what_a_refusal_taught_is_remembered(ollama_double_factory):
    """The server's context is smaller than the model's, which nobody tells beforehand."""
    double = ollama_double_factory(models=[Model(context_length=2048)])
    vectorizer = make(double, batch_size=20, n_jobs=1)
    vectorizer.set_params(backend=OllamaBackend(options={"num_ctx": 512}))
    long = [f"{i} {'once upon a time ' * 140}" for i in range(200)]
    texts = [*long, *TEXTS]
    with pytest.warns(EmbeddingWarning, match="200 of 300 texts are longer"):
        vectors = vectorizer.transform(texts)
    assert np.array_equal(vectors[200:], RIGHT)
    refused = [r for r in double.requests.to("/api/embed") if r.status == 400]
    together = [record for record in refused if record.count > 1]
    # One batch was asked for, and halved until a text was found out; no other text went with more.
    assert len({text for record in together for text in record.texts}) == 20


def test_a_piece_that_fails_costs_its_own_text_only(ollama_double, vectorizer):
    """Of twenty long texts that are averaged, the one with the poison in it fails."""
    long = [f"{'once upon a time ' * 700}in {i} lands" for i in range(20)]
    long[13] += " number 42"
    vectorizer.set_params(long_texts="mean")

    def is_poison(record):
        return any("number 42" in text and len(text) < 9_000 for text in record.texts)

    ollama_double.faults.add(Fault(faults.status(400, "no"), times=None, when=is_poison))
    with pytest.raises(EmbeddingError, match="a piece of it could not be embedded") as caught:
        vectorizer.transform([*TEXTS[:42], *long])
    assert list(caught.value.failed) == [42 + 13]
    assert caught.value.completed == 61
    assert vectorizer.report_.averaged == 19
    (space,) = EmbeddingCache().spaces()
    assert len(space) == 61
    ollama_double.faults.clear()
    vectors = vectorizer.transform([*TEXTS[:42], *long])
    assert vectorizer.report_.hits == 61
    assert np.array_equal(vectors[:42], RIGHT[:42])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_failed_positions_are_those_of_the_input(ollama_double, vectorizer):
    ollama_double.faults.add(Fault(faults.status(400, "no"), times=None, containing="number 42"))
    doubled = ["text number 42", "a", "text number 42", "a", "b"]
    with pytest.raises(EmbeddingError) as caught:
        vectorizer.transform(doubled)
    assert list(caught.value.failed) == [0, 2]
    assert caught.value.completed == 3


def test_zeros_until_the_model_is_unloaded(ollama_double, vectorizer):
    ollama_double.faults.add(Fault(faults.zero_vectors(), times=None, skip=1, until_unload=True))
    assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    assert_cache_holds(range(100))


def test_zeros_for_ever_end_the_job_soon(ollama_double, vectorizer):
    ollama_double.requests.clear()
    ollama_double.faults.add(Fault(faults.zero_vectors(), times=None, skip=5))
    texts = [*TEXTS, *(f"another text {i}" for i in range(2000))]
    with pytest.raises(EmbeddingError, match=r"only bad vectors \(the last: all zeros\)") as caught:
        vectorizer.transform(texts)
    # Requests overtake one another: which five were answered well, the server knows. One that is
    # still on its way when the job gives up is not waited for.
    asked = ollama_double.requests.to("/api/embed")
    answered = {text for record in asked if not record.faults for text in record.texts}
    assert len(answered) == 50
    (space,) = EmbeddingCache().spaces()
    vectors, found = space.get(hash_texts(texts, PROMPT))
    assert {PROMPT.render(texts[i]) for i in np.flatnonzero(found)} <= answered
    assert len(space) == caught.value.completed > 0
    assert np.array_equal(vectors[: found[:100].sum()], RIGHT[found[:100]])
    assert len(asked) < 300


def test_a_dead_server_fails_in_seconds_with_one_message(ollama_double, vectorizer):
    ollama_double.faults.add(Fault(faults.act(lambda double: double.stop()), skip=3))
    start = time.monotonic()
    with pytest.raises(EmbeddingError, match="no Ollama server answers") as caught:
        vectorizer.transform(TEXTS)
    # Its patience is fifteen seconds; the rest is a busy machine's.
    assert time.monotonic() - start < 100
    assert isinstance(caught.value.__cause__, ServerUnavailableError)
    held = cached()
    assert_cache_holds(held)
    assert caught.value.completed == len(held)


def test_a_server_that_comes_back_is_found_again(ollama_double, vectorizer):
    def restart(double):
        double.stop()
        threading.Timer(1.0, double.start).start()

    ollama_double.faults.add(Fault(faults.act(restart), skip=3))
    assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    assert_cache_holds(range(100))


def test_a_server_that_mixes_up_rows_is_refused(ollama_double):
    ollama_double.faults.add(
        Fault(faults.swapped(), times=None, when=lambda record: len(record.texts) > 1)
    )
    with pytest.raises(BackendError, match="another vector in a batch than alone"):
        make(ollama_double).fit(TEXTS)
    assert EmbeddingCache().spaces() == []


def test_a_server_that_always_fails_ends_the_job(ollama_double, vectorizer):
    ollama_double.faults.add(Fault(faults.status(500, "broken"), times=None, skip=3))
    with pytest.raises(EmbeddingError, match="broken"):
        vectorizer.transform(TEXTS)
    assert_cache_holds(cached())
    assert len([r for r in ollama_double.requests if r.path == "/api/embed"]) < 40


def test_the_model_is_removed_in_the_middle(ollama_double, vectorizer):
    ollama_double.faults.add(Fault(faults.model_removed(), skip=5))
    with pytest.raises(EmbeddingError, match="`ollama pull embeddinggemma`") as caught:
        vectorizer.transform(TEXTS)
    assert isinstance(caught.value.__cause__, ModelNotFoundError)
    held = cached()
    assert len(held) >= 30
    assert_cache_holds(held)


def test_the_same_weights_pulled_again_change_nothing(ollama_double, vectorizer):
    ollama_double.faults.add(Fault(faults.model_repulled(), skip=5))
    assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    assert_cache_holds(range(100))


def test_other_weights_pulled_in_the_middle_end_the_job(ollama_double, vectorizer):
    ollama_double.faults.add(Fault(faults.model_repulled(weights="e" * 64), skip=5))
    with pytest.raises(ModelDriftError, match="another space than those this job began with"):
        vectorizer.transform(TEXTS)
    spaces = EmbeddingCache().spaces()
    vectors, found = min(spaces, key=lambda s: s.identity.weights == "e" * 64).get(
        hash_texts(TEXTS, PROMPT)
    )
    assert 30 <= found.sum() < 100
    assert np.array_equal(vectors, RIGHT[found])


def test_a_refusal_is_not_repeated_for_every_text(ollama_double, vectorizer):
    ollama_double.faults.add(Fault(faults.refused(401), times=None))
    with pytest.raises(BackendError, match="headers="):
        vectorizer.transform([f"another text {i}" for i in range(3000)])
    assert len([r for r in ollama_double.requests if r.status == 401]) < 60


def test_an_interrupted_job_goes_on_where_it_was(ollama_double, vectorizer):
    ollama_double.faults.add(Fault(faults.status(401, "no"), times=None, skip=5))
    with pytest.raises(EmbeddingError):
        vectorizer.transform(TEXTS)
    done = cached()
    ollama_double.faults.clear()
    before = len(ollama_double.texts_received)
    assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    # What the first job had on its way, which it does not wait for, may still come in.
    again = set(ollama_double.texts_received[before:])
    assert not again & {PROMPT.render(TEXTS[position]) for position in done}
    assert vectorizer.report_.embedded == 100 - len(done)
    assert vectorizer.report_.hits == len(done)


def test_without_a_server_a_fitted_vectorizer_goes_by_its_cache(ollama_double, vectorizer):
    vectorizer.transform(TEXTS)
    ollama_double.stop()
    forget_identities()
    with pytest.warns(EmbeddingWarning, match="no server answers; all texts were in the cache"):
        assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
    with pytest.raises(ServerUnavailableError):
        vectorizer.transform([*TEXTS, "a new one"])
    with pytest.raises(ServerUnavailableError):
        make(ollama_double).transform(TEXTS)


def test_a_cache_that_cannot_be_written_only_warns(ollama_double, vectorizer, monkeypatch):
    folder = Path(EmbeddingCache().path)
    blocked = folder.with_name("blocked")
    blocked.write_text("a file where a folder should be")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        vectors = make(ollama_double, cache=str(blocked)).transform(TEXTS)
    assert np.array_equal(vectors, RIGHT)
    assert any("cannot be kept in the cache" in str(w.message) for w in caught)
