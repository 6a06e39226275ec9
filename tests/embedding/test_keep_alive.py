"""A job loads its model once, shortens nobody's time, and leaves the server as it was."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest

from tests.ollama_double import faults
from tests.ollama_double.fault import Fault
from toolkit.backends.ollama import OllamaBackend
from toolkit.errors import BackendError, EmbeddingError
from toolkit.vectorizer import EmbeddingGemmaVectorizer

MODEL = "test/embeddinggemma"
TEXTS = [f"text {i}" for i in range(40)]
REAL = pytest.param("real", marks=[pytest.mark.ollama, pytest.mark.xdist_group("real ollama")])


@pytest.fixture(params=["double", REAL])
def serve(request):
    """Start the double, then the real server, with a time to keep models."""

    def start(keep_alive: int):
        if request.param == "real":
            make = request.getfixturevalue("real_ollama_factory")
            return make(OLLAMA_KEEP_ALIVE=str(keep_alive))
        double = request.getfixturevalue("ollama_double_factory")(keep_alive=float(keep_alive))
        double.models.copy(double.models["embeddinggemma"], MODEL)
        return double

    return start


def make(server, **settings):
    return EmbeddingGemmaVectorizer(
        model=MODEL, host=server.host, batch_size=8, backend=OllamaBackend(**settings)
    )


def loads(server) -> int:
    """How often a model was loaded."""
    scheduler = getattr(server, "scheduler", None)
    return scheduler.loads if scheduler else server.log().count('msg="starting llama-server"')


def seconds_left(server) -> float | None:
    """How long the model will stay, as the server says; None if it is not loaded."""
    entries = httpx.get(f"{server.host}/api/ps", timeout=60, trust_env=False).json()["models"]
    if not entries:
        return None
    end = datetime.fromisoformat(entries[0]["expires_at"])
    return (end - datetime.now(UTC)).total_seconds()


def gone(server) -> bool:
    """Whether the model leaves the memory now."""
    deadline = time.monotonic() + 120
    while seconds_left(server) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    return seconds_left(server) is None


@contextmanager
def left_with(server, seconds: float):
    """What is done within leaves the model so many seconds, counted from a request of it."""
    started = time.monotonic()
    yield
    left = seconds_left(server)
    passed = time.monotonic() - started
    assert left is not None
    # A second more or less: dates in headers have no fractions.
    assert seconds - passed - 2 < left <= seconds + 2


def ask(server, **fields):
    body = {"model": MODEL, "input": "a"} | fields
    httpx.post(f"{server.host}/api/embed", json=body, timeout=60, trust_env=False)


def test_a_server_that_drops_models_at_once_loads_once_for_a_job(serve):
    server = serve(0)
    vectorizer = make(server).fit(TEXTS)
    # One to learn that the server keeps nothing, one for all the canaries.
    assert loads(server) == 2
    assert gone(server)
    vectors = vectorizer.transform(TEXTS)
    assert loads(server) == 3
    assert gone(server), "as the server would have it"
    alone = make(server).set_params(cache=False)
    assert np.array_equal(vectors[:1], alone.transform(TEXTS[:1]))


def test_a_short_time_is_given_back(serve):
    server = serve(30)
    with left_with(server, 30):
        make(server).fit_transform(TEXTS)
    assert loads(server) == 1


def test_a_longer_time_of_the_users_is_not_touched(serve):
    server = serve(0)
    ask(server, keep_alive="24h")
    make(server).fit_transform(TEXTS)
    assert loads(server) == 1
    assert seconds_left(server) > 23 * 3600
    ask(server, keep_alive=-1)
    make(server).set_params(cache=False).transform(TEXTS)
    assert seconds_left(server) > 1e9
    assert loads(server) == 1


def test_the_usual_five_minutes_need_no_word(serve):
    server = serve(300)
    with left_with(server, 300):
        make(server).fit_transform(TEXTS)
    assert loads(server) == 1


def test_a_time_of_the_vectorizers_own_is_sent_and_stays(serve):
    server = serve(0)
    with left_with(server, 600):
        make(server, keep_alive="10m").fit_transform(TEXTS)
    assert loads(server) == 1


# --- the double alone -----------------------------------------------------------------------------


@pytest.fixture
def dropping(ollama_double_factory):
    double = ollama_double_factory(keep_alive=0.0)
    double.models.copy(double.models["embeddinggemma"], MODEL)
    return double


def test_nothing_is_sent_where_nothing_need_be(ollama_double):
    ollama_double.models.copy(ollama_double.models["embeddinggemma"], MODEL)
    make(ollama_double).fit_transform(TEXTS)
    sent = [record.body for record in ollama_double.requests.to("/api/embed")]
    assert len(sent) > 10
    assert all(body.get("keep_alive") is None for body in sent)


def test_what_is_in_the_cache_loads_no_model(dropping):
    vectorizer = make(dropping)
    vectorizer.fit_transform(TEXTS)
    before = dropping.scheduler.loads
    vectorizer.transform(TEXTS)
    assert dropping.scheduler.loads == before


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_a_job_that_is_stopped_gives_the_time_back(dropping, stop):
    vectorizer = make(dropping).fit(TEXTS)
    server = vectorizer.backend.bind(MODEL, dropping.host)

    def job():
        with server.kept_loaded() as kept:
            with left_with(dropping, 60):
                kept.embed(TEXTS[:3])
            raise stop

    with pytest.raises(stop):
        job()
    assert gone(dropping)


def test_a_job_that_fails_gives_the_time_back(dropping):
    vectorizer = make(dropping).fit(TEXTS)
    dropping.faults.add(
        Fault(faults.refused(401), times=None, skip=3, when=lambda record: bool(record.texts))
    )
    with pytest.raises((BackendError, EmbeddingError)):
        vectorizer.transform(TEXTS)
    assert gone(dropping)


def test_who_wants_it_longer_in_the_middle_has_it_longer(dropping):
    vectorizer = make(dropping).fit(TEXTS)
    server = vectorizer.backend.bind(MODEL, dropping.host)
    with server.kept_loaded() as kept:
        kept.embed(TEXTS[:3])
        ask(dropping, keep_alive="1h")
    assert seconds_left(dropping) > 3500


def test_options_of_the_job_are_those_of_every_request(dropping):
    make(dropping, options={"num_ctx": 512}).fit_transform(TEXTS)
    assert dropping.scheduler.loads == 3
    bodies = [record.body for record in dropping.requests.to("/api/embed")]
    assert {str(body.get("options")) for body in bodies} == {"{'num_ctx': 512}"}


def test_a_server_that_does_not_say_is_used_as_it_is(ollama_double):
    ollama_double.models.copy(ollama_double.models["embeddinggemma"], MODEL)
    ollama_double.faults.add(Fault(faults.proxy_page(), times=None, path="/api/ps"))
    assert len(make(ollama_double).fit_transform(TEXTS)) == 40
