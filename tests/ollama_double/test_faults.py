"""Each fault does what it says, seen with plain HTTP."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from tests.ollama_double import errors, faults
from tests.ollama_double.fault import Effect, Fault
from tests.ollama_double.server import Model, OllamaDouble

TEXTS = ["one", "two", "three"]


@pytest.fixture
def client(ollama_double: OllamaDouble) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=ollama_double.host, timeout=60, trust_env=False) as client:
        yield client


def reading(seconds: float) -> httpx.Timeout:
    """A limit for what is read alone: connecting may take its time on a busy machine."""
    return httpx.Timeout(60, read=seconds)


def embed(client: httpx.Client, given: Any = None, **fields: Any) -> httpx.Response:
    body = {"model": "embeddinggemma", "input": TEXTS if given is None else given, **fields}
    return client.post("/api/embed", json=body)


def vectors(client: httpx.Client, given: Any = None) -> np.ndarray:
    response = embed(client, given)
    assert response.status_code == 200, response.text
    return np.array(response.json()["embeddings"], dtype=np.float64)


@pytest.mark.parametrize(
    ("effect", "code", "error"),
    [
        (faults.status(500, "any text"), 500, "any text"),
        (
            faults.runner_lost(),
            400,
            'do embedding request: Post "http://127.0.0.1:40999/v1/embeddings": EOF',
        ),
        (faults.queue_full(), 503, errors.QUEUE_FULL),
        (faults.load_failed(), 500, errors.CANNOT_LOAD),
        (faults.not_an_embedder(), 501, errors.NOT_AN_EMBEDDER_0_30),
        (faults.canceled(), 499, errors.REQUEST_CANCELED),
        (faults.rate_limited("3"), 429, "too many requests"),
        (faults.refused(), 401, "unauthorized"),
        (faults.refused(403), 403, "forbidden"),
        (
            faults.openai_error(500, "overloaded"),
            500,
            {"message": "overloaded", "type": "api_error", "param": None, "code": None},
        ),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_statuses_meet_one_request(
    ollama_double: OllamaDouble, client: httpx.Client, effect: Effect, code: int, error: object
) -> None:
    ollama_double.faults.add(effect)
    response = embed(client)
    assert response.status_code == code
    assert response.json() == {"error": error}
    assert response.headers.get("Retry-After") == ("3" if code == 429 else None)
    assert embed(client).status_code == 200
    assert [record.status for record in ollama_double.requests] == [code, 200]
    assert [record.count for record in ollama_double.requests] == [3, 3]
    assert ollama_double.requests[0].faults == [effect.name]
    assert ollama_double.requests.embedded == TEXTS
    assert ollama_double.texts_received == TEXTS + TEXTS


def test_bodies_that_are_no_answer(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    ollama_double.faults.add(
        Fault(faults.proxy_page()),
        Fault(faults.string_error(500, "broke"), skip=1),
        Fault(faults.not_json("hello"), skip=2),
        Fault(faults.no_embeddings(), skip=3),
    )
    page = embed(client)
    assert (page.status_code, page.headers["Content-Type"]) == (502, "text/html")
    assert "<html>" in page.text
    string = embed(client)
    assert (string.status_code, string.json()) == (500, "broke")
    words = embed(client)
    assert (words.status_code, words.text) == (200, "hello")
    assert embed(client).json() == {"model": "embeddinggemma"}
    assert embed(client).json().keys() >= {"embeddings"}


def test_times_skip_and_forever(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    fault = ollama_double.faults.add(Fault(faults.queue_full(), times=2, skip=1))
    assert [embed(client).status_code for _ in range(5)] == [200, 503, 503, 200, 200]
    assert (fault.seen, fault.hits) == (5, 2)
    forever = ollama_double.faults.add(Fault(faults.queue_full(), times=None))
    assert {embed(client).status_code for _ in range(4)} == {503}
    ollama_double.faults.remove(forever)
    assert embed(client).status_code == 200
    ollama_double.faults.add(Fault(faults.queue_full(), times=None))
    ollama_double.faults.clear()
    assert len(ollama_double.faults) == 0
    assert embed(client).status_code == 200


def test_poison_path_and_predicate(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    ollama_double.faults.add(
        Fault(faults.status(400, "no"), times=None, containing="poison"),
        Fault(faults.status(418, "tea"), times=None, path="/api/tags"),
        Fault(faults.status(413, "big"), times=None, when=lambda record: record.count > 5),
    )
    assert embed(client).status_code == 200
    assert embed(client, ["fine", "the poisoned one"]).status_code == 400
    assert embed(client, ["x"] * 6).status_code == 413
    assert client.get("/api/tags").status_code == 418
    assert client.get("/api/version").status_code == 200


def test_zero_vectors_for_chosen_texts(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    ollama_double.faults.add(Fault(faults.zero_vectors(only="w"), times=1))
    assert (np.linalg.norm(vectors(client), axis=1) > 0).tolist() == [True, False, True]
    assert np.linalg.norm(vectors(client), axis=1).min() > 0.99


def test_zero_vectors_until_unload(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    ollama_double.faults.add(Fault(faults.zero_vectors(), times=None, until_unload=True))
    for _ in range(3):
        assert not vectors(client).any()
    embed(client, [], keep_alive=0)
    assert client.get("/api/ps").json() == {"models": []}
    assert vectors(client).any()


def test_zero_vectors_forever(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    ollama_double.faults.add(Fault(faults.zero_vectors(), times=None))
    assert not vectors(client).any()
    embed(client, [], keep_alive=0)
    assert not vectors(client).any()


def test_spoilt_numbers(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    good = vectors(client)
    ollama_double.faults.add(faults.null_component(only="two"))
    rows = embed(client).json()["embeddings"]
    assert [row[0] is None for row in rows] == [False, True, False]
    assert rows[1][1:] == good[1][1:].tolist()
    ollama_double.faults.add(faults.nan_literal())
    assert embed(client).text.count("[NaN,") == 3
    ollama_double.faults.add(faults.scaled(2.0))
    np.testing.assert_allclose(vectors(client), 2 * good, rtol=1e-6)


def test_spoilt_lists(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    good = vectors(client)
    ollama_double.faults.add(faults.short_list())
    assert len(vectors(client)) == 2
    ollama_double.faults.add(faults.long_list(2))
    assert len(vectors(client)) == 5
    ollama_double.faults.add(faults.swapped(0, 2))
    np.testing.assert_array_equal(vectors(client), good[[2, 1, 0]])
    ollama_double.faults.add(faults.wrong_length(512))
    assert vectors(client).shape == (3, 512)
    ollama_double.faults.add(faults.wrong_length(512, only="two"))
    assert [len(row) for row in embed(client).json()["embeddings"]] == [768, 512, 768]


def test_spoilt_vectors_reach_the_other_endpoints(
    ollama_double: OllamaDouble, client: httpx.Client
) -> None:
    ollama_double.faults.add(Fault(faults.zero_vectors(), times=None, path=None))
    for encoding in ("float", "base64"):
        body = {"model": "embeddinggemma", "input": "a", "encoding_format": encoding}
        given = client.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]
        assert given == ([0] * 768 if encoding == "float" else "A" * 4096)
    body = {"model": "embeddinggemma", "prompt": "a"}
    assert not any(client.post("/api/embeddings", json=body).json()["embedding"])


def test_disconnects(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    ollama_double.faults.add(faults.disconnect())
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        embed(client)
    ollama_double.faults.add(faults.disconnect_mid_body())
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        embed(client)
    ollama_double.faults.add(faults.disconnect_mid_body(0.9))
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        embed(client, "a", dimensions=64)
    assert [record.status for record in ollama_double.requests] == [0, 0, 0]
    assert embed(client).status_code == 200


def test_slow_answers(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    ollama_double.faults.add(faults.delay(0.2))
    started = time.monotonic()
    assert embed(client).status_code == 200
    assert time.monotonic() - started >= 0.2
    ollama_double.faults.add(faults.delay(5))
    with pytest.raises(httpx.ReadTimeout):
        client.post("/api/embed", json={"model": "embeddinggemma"}, timeout=reading(0.1))
    ollama_double.faults.add(faults.slow_loris(0.02, size=10))
    started = time.monotonic()
    body = json.dumps({"model": "embeddinggemma", "input": []})
    assert client.post("/api/embed", content=body).json()["embeddings"] == []
    assert time.monotonic() - started >= 0.2


def test_slow_loris_outlasts_a_read_timeout(
    ollama_double: OllamaDouble, client: httpx.Client
) -> None:
    """A read timeout counts from byte to byte: it takes a limit on the whole to see this."""
    ollama_double.faults.add(faults.slow_loris(0.02, size=2))
    body = {"model": "embeddinggemma", "input": "a"}
    with client.stream("POST", "/api/embed", json=body, timeout=reading(3.0)) as response:
        started, got = time.monotonic(), b""
        for chunk in response.iter_raw():
            got += chunk
            if time.monotonic() - started > 4:
                break
    assert 0 < len(got) < 5000, "a vector is longer"


def test_hang_ends_with_the_client_and_with_the_double(
    ollama_double: OllamaDouble, client: httpx.Client
) -> None:
    ollama_double.faults.add(Fault(faults.hang(), times=2))
    body = {"model": "embeddinggemma", "input": "a"}
    with pytest.raises(httpx.ReadTimeout):
        client.post("/api/embed", json=body, timeout=reading(0.2))
    deadline = time.monotonic() + 60
    # It may come in when the client is gone; its time is 0 as long as it hangs.
    while not any(record.seconds for record in ollama_double.requests):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [record.status for record in ollama_double.requests] == [0]


def test_down_and_up_again(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    host = ollama_double.host
    before = vectors(client)
    ollama_double.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(host, timeout=60, trust_env=False)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", ollama_double.port))
    ollama_double.start()
    assert ollama_double.host == host
    with httpx.Client(base_url=host, timeout=60, trust_env=False) as again:
        assert again.get("/api/ps").json() == {"models": []}
        np.testing.assert_array_equal(vectors(again), before)


def test_model_removed_mid_job(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    ollama_double.faults.add(Fault(faults.model_removed(), skip=1))
    assert embed(client).status_code == 200
    response = embed(client)
    assert response.status_code == 404
    assert response.json()["error"] == ('model "embeddinggemma" not found, try pulling it first')


def test_model_repulled_mid_job(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    def digest() -> str:
        return str(client.get("/api/tags").json()["models"][0]["digest"])

    first, before = digest(), vectors(client)
    ollama_double.faults.add(faults.model_repulled())
    np.testing.assert_array_equal(vectors(client), before)  # the same weights
    assert digest() != first
    ollama_double.faults.add(faults.model_repulled(weights="b" * 64))
    assert not np.allclose(vectors(client), before)
    shown = client.post("/api/show", json={"model": "embeddinggemma"}).json()["modelfile"]
    assert "sha256-" + "b" * 64 in shown
    # The former weights are still in memory: one name, two entries.
    names = [model["name"] for model in client.get("/api/ps").json()["models"]]
    assert names == ["embeddinggemma:latest"] * 2


def test_model_swapped_silently(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    known, unknown = "why is the sky blue?", "a text of no list"
    tags, before = client.get("/api/tags").json(), vectors(client, [known, unknown])
    ollama_double.faults.add(faults.model_swapped(build="causal"))
    after = vectors(client, [known, unknown])
    assert client.get("/api/tags").json() == tags
    assert before[0] @ after[0] == pytest.approx(0.70, abs=0.05)
    np.testing.assert_array_equal(before[1], after[1])


def test_listed_twice(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    ollama_double.faults.add(faults.listed_twice())
    embed(client)
    models = client.get("/api/ps").json()["models"]
    assert [model["name"] for model in models] == ["embeddinggemma:latest"] * 2
    assert models[1]["digest"] == "f" * 64 != models[0]["digest"]


def test_reloaded_by_another(ollama_double: OllamaDouble, client: httpx.Client) -> None:
    embed(client)
    assert ollama_double.scheduler.loads == 1
    ollama_double.faults.add(faults.reloaded_by_another(512))
    assert embed(client).status_code == 200
    assert ollama_double.scheduler.loads == 3
    embed(client)
    assert ollama_double.scheduler.loads == 3


def test_acting_and_several_faults_at_once(
    ollama_double: OllamaDouble, client: httpx.Client
) -> None:
    seen: list[int] = []
    ollama_double.faults.add(
        Fault(faults.act(lambda double: seen.append(len(double.requests))), times=None),
        Fault(faults.zero_vectors(only="one"), times=None),
        Fault(faults.swapped(0, 1), times=None),
    )
    assert (np.linalg.norm(vectors(client), axis=1) > 0).tolist() == [True, False, True]
    assert seen == [1]
    assert ollama_double.requests[0].faults == ["act", "zero vectors", "swapped rows"]


def test_a_damaged_model_and_a_chat_model(
    ollama_double_factory: Callable[..., OllamaDouble],
) -> None:
    models = [Model("damaged", damaged=True), Model("chat", pooled=False)]
    double = ollama_double_factory(models=models)
    with httpx.Client(base_url=double.host, timeout=60, trust_env=False) as client:
        for name, code in (("damaged", 500), ("chat", 501)):
            response = client.post("/api/embed", json={"model": name, "input": "a"})
            assert response.status_code == code
