"""The recorded faults again: crashes, deletions, unloading and reloading in the middle of a batch.

Each scenario runs against the double and against a real server, with the same assertions; statuses,
texts and numbers of vectors come from the recording. What is smaller here than in the recording:

===================================== ============================================================
400 texts a batch                     ``BATCH``: a second or two of work on the tiny model
a batch whose runner is killed        on the real server one text, of which it is sure how the loss
                                      is worded; ``test_runner_lost.py`` has the other wordings
3,000 texts in one request            600 on the real server
the engine stopped for 12 s           1 s
eight requests on a queue of one      how many of them are refused is chance on the real server;
                                      on both some are, at once, and some are not
the server's own SIGKILL (double)     the double in a process of its own
===================================== ============================================================
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from tests.contract import exchanges
from tests.contract.compare import masked
from tests.ollama_double.process import DoubleProcess
from tests.ollama_double.server import OllamaDouble
from tests.real_ollama import processes
from tests.real_ollama.server import RealOllama
from tests.servers import Server, warm

RECORDED = exchanges.read_faults("ollama-0.32.15-faults.json")
BATCH = 180
MODEL = "embeddinggemma"
# The double's pace: a batch lasts longer than what is done in its middle takes a busy machine.
TEXT_SECONDS, LOAD_SECONDS = 0.03, 0.1


@pytest.fixture(params=["double", pytest.param("real", marks=pytest.mark.ollama)])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A fresh server of either kind, its model loaded."""
    if request.param == "double":
        with OllamaDouble(text_seconds=TEXT_SECONDS, load_seconds=LOAD_SECONDS) as double:
            warm(double)
            yield double
    else:
        with RealOllama(request.getfixturevalue("real_ollama_executable")) as real:
            warm(real)
            yield real


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


def texts(count: int) -> list[str]:
    return [f"text number {number}" for number in range(count)]


def embed(server: Server, given: Any, model: str = MODEL, **fields: Any) -> httpx.Response:
    body = {"model": model, "input": given, **fields}
    return httpx.post(f"{server.host}/api/embed", json=body, timeout=60, trust_env=False)


def batch_in_flight(
    server: Server, pool: ThreadPoolExecutor, model: str = MODEL, count: int = BATCH
) -> Future[httpx.Response]:
    """Send a batch and return when it is being worked on."""
    before = _work_begun(server)
    future = pool.submit(embed, server, texts(count), model)
    assert soon(lambda: _work_begun(server) > before)
    assert not future.done(), "the batch was over before anything could happen to it"
    return future


def _work_begun(server: Server) -> int:
    """Return how many texts an engine has begun (real), or at how many batches it is (double)."""
    if isinstance(server, RealOllama):
        return server.log().count("processing task")
    assert isinstance(server, OllamaDouble)
    return sum(runner.turn.locked() for runner in server.scheduler.loaded())


def loaded(server: Server | DoubleProcess) -> list[str]:
    shown = httpx.get(f"{server.host}/api/ps", timeout=60, trust_env=False).json()["models"]
    return [model["name"] for model in shown]


def soon(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def same(response: httpx.Response, recorded: dict[str, Any], sent: int = 1) -> None:
    """Compare with a recording: status, keys, the error's text or the number of vectors."""
    assert response.status_code == recorded["status"], response.text[:300]
    wanted = recorded["body"]
    if wanted == {"text": ""}:
        assert response.text == ""
        return
    got = response.json()
    assert list(got) == list(wanted)
    if "error" in wanted:
        assert masked(got["error"]) == masked(wanted["error"])
        return
    if not wanted["embeddings"]:
        assert got["embeddings"] == []
        return
    vectors = np.array(got["embeddings"])
    assert vectors.shape == (sent, wanted["embeddings"]["length"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_runner_killed_mid_batch(server: Server, pool: ThreadPoolExecutor) -> None:
    same(embed(server, "a"), RECORDED["warm"]["response"])
    if isinstance(server, RealOllama):
        response = killed_while_computing(server, pool)
    else:
        future = batch_in_flight(server, pool)
        assert server.kill_runner() == 1
        response = future.result()
    same(response, RECORDED["runner killed mid-batch"]["response"])
    same(embed(server, "a"), RECORDED["after the kill"]["response"])


def killed_while_computing(server: RealOllama, pool: ThreadPoolExecutor) -> httpx.Response:
    """Return the answer to a text whose runner was killed after reading it, long before answering.

    A text of its own: of a batch, another text's call may be the first to fail, and be worded as
    ``RUNNER_LOST`` has it. The runner is stopped before it is killed, so that it can be seen how
    far it is: it said that it began, and it has spent less than half of what the text takes.
    """
    text = "long " * 300
    (runner,) = map(psutil.Process, server.runner_pids())

    def spent() -> float:
        times = runner.cpu_times()
        return float(times.user + times.system)

    start = spent()
    assert embed(server, text).status_code == 200
    whole = spent() - start
    assert whole > 0.1, "the text is too short to kill a runner in the middle of it"
    while True:
        start, begun = spent(), _work_begun(server)
        future = pool.submit(embed, server, text)
        assert soon(lambda: _work_begun(server) > begun)  # noqa: B023
        server.freeze_runner()
        if spent() - start < whole / 2:
            assert server.kill_runner() == 1
            return future.result()
        server.thaw_runner()
        assert future.result().status_code == 200


def test_runner_stopped(server: Server, pool: ThreadPoolExecutor) -> None:
    recorded = RECORDED["runner stopped for 12 s while idle"]
    server.freeze_runner()
    future = pool.submit(embed, server, "a")
    time.sleep(1)
    hung = not future.done()
    server.thaw_runner()
    same(future.result(), recorded["second_request_meanwhile"])
    assert hung, "a request was answered without an engine"
    same(embed(server, "a"), RECORDED["after the hang"]["response"])


def test_model_deleted_mid_batch(server: Server, pool: ThreadPoolExecutor) -> None:
    recorded = RECORDED["model deleted mid-batch"]
    copied = {"source": MODEL, "destination": "victim"}
    assert (
        httpx.post(f"{server.host}/api/copy", json=copied, timeout=60, trust_env=False).status_code
        == 200
    )
    future = batch_in_flight(server, pool, model="victim")
    deleted = httpx.request(
        "DELETE", f"{server.host}/api/delete", json={"model": "victim"}, timeout=60, trust_env=False
    )
    same(deleted, recorded["delete"])
    same(future.result(), recorded["response"], BATCH)
    same(embed(server, "a", model="victim"), RECORDED["after the delete"]["response"])
    assert embed(server, "a").status_code == 200


def test_unload_asked_mid_batch(server: Server, pool: ThreadPoolExecutor) -> None:
    recorded = RECORDED["unload asked mid-batch"]
    future = batch_in_flight(server, pool)
    same(embed(server, [], keep_alive=0), recorded["unload"])
    assert loaded(server) == [model["name"] for model in recorded["ps_meanwhile"]["models"]]
    same(future.result(), recorded["response"], BATCH)
    assert recorded["ps_after"]["models"] == []
    assert soon(lambda: loaded(server) == [])


def test_other_options_mid_batch(server: Server, pool: ThreadPoolExecutor) -> None:
    recorded = RECORDED["other num_ctx mid-batch"]
    future = batch_in_flight(server, pool)
    other = pool.submit(embed, server, "a", options={"num_ctx": 512})
    same(future.result(), recorded["response"], BATCH)
    same(other.result(), recorded["other"])
    assert _reloaded_after_the_batch(server)
    shown = httpx.get(f"{server.host}/api/ps", timeout=60, trust_env=False).json()["models"]
    assert [model["context_length"] for model in shown] == [512]


def _reloaded_after_the_batch(server: Server) -> bool:
    """Return whether the second model was loaded when the first one's batch was over."""
    if isinstance(server, RealOllama):
        _, before, _ = server.log().split("starting llama-server")
        # What the engine says passes through two processes; its last words may be missing.
        return before.count("processing task") > BATCH / 2
    assert isinstance(server, OllamaDouble)
    batch, other = server.requests.to("/api/embed")[-2:]
    return other.started + other.seconds > batch.started + BATCH * TEXT_SECONDS


def test_client_gone_mid_batch(server: Server) -> None:
    # On the double two minutes of work; a real server has many connections to its engine at once.
    count = 12_000 if isinstance(server, OllamaDouble) else 1200
    address = ("127.0.0.1", int(server.host.rpartition(":")[2]))
    request = httpx.Request(
        "POST", f"{server.host}/api/embed", json={"model": MODEL, "input": texts(count)}
    )
    started, before = time.monotonic(), _work_begun(server)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with socket.create_connection(address) as connection:
        connection.sendall(f"POST /api/embed HTTP/1.1\r\n{head}\r\n".encode() + request.content)
        assert soon(lambda: _work_begun(server) > before)
    same(embed(server, "a"), RECORDED["client gone mid-batch"]["response"])
    if isinstance(server, OllamaDouble):
        done = (time.monotonic() - started) / TEXT_SECONDS
    else:
        done = _work_begun(server) - before
    assert done < count / 2, "the next request waited for texts nobody wants"


def test_one_big_request(server: Server) -> None:
    count = 3000 if isinstance(server, OllamaDouble) else 600
    if isinstance(server, OllamaDouble):
        server.text_seconds = 0
    same(embed(server, texts(count)), RECORDED["one request of 3,000 texts"]["response"], count)


def test_server_ended_mid_batch_and_down(server: Server, pool: ThreadPoolExecutor) -> None:
    assert "RemoteDisconnected" in RECORDED["server SIGTERM mid-batch"]["response"]["error"]
    future = batch_in_flight(server, pool)
    server.stop()
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending a response"):
        future.result()
    assert "ConnectionRefusedError" in RECORDED["server down"]["response"]["error"]
    with pytest.raises(httpx.ConnectError, match="refused"):
        embed(server, "a")
    server.start()
    assert embed(server, "a").status_code == 200


@pytest.mark.ollama
def test_real_server_killed_mid_batch(
    real_ollama_factory: Callable[..., RealOllama], pool: ThreadPoolExecutor
) -> None:
    recorded = RECORDED["server SIGKILL mid-batch"]
    server = real_ollama_factory()
    warm(server)
    future = batch_in_flight(server, pool)
    runners = server.runner_pids()
    left = server.kill()
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending a response"):
        future.result()
    assert recorded["runner_survives"]
    assert left == runners
    assert not any(processes.alive(pid) for pid in left), "an orphan was not ended"


def test_double_killed_mid_batch(pool: ThreadPoolExecutor) -> None:
    with DoubleProcess("--text-seconds", "1") as double:
        future = pool.submit(
            httpx.post,
            f"{double.host}/api/embed",
            json={"model": MODEL, "input": texts(BATCH)},
            timeout=60,
            trust_env=False,
        )
        assert soon(lambda: loaded(double) != [])  # it loads the model for the batch
        double.kill()
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            future.result()
        double.start()
        assert httpx.get(double.host, timeout=60, trust_env=False).text == "Ollama is running"


@pytest.mark.parametrize("kind", ["double", pytest.param("real", marks=pytest.mark.ollama)])
def test_queue_full(kind: str, request: pytest.FixtureRequest, pool: ThreadPoolExecutor) -> None:
    responses = RECORDED["queue of 1, eight requests with eight num_ctx"]["response"]
    refused = next(response for response in responses if response["status"] == 503)
    server: Server
    if kind == "double":
        server = request.getfixturevalue("ollama_double_factory")(max_queue=1, load_seconds=0.5)
    else:
        server = request.getfixturevalue("real_ollama_factory")(OLLAMA_MAX_QUEUE="1")
    start = threading.Barrier(8)

    def ask(number: int) -> httpx.Response:
        body = {"model": MODEL, "input": "a", "options": {"num_ctx": 256 + 64 * number}}
        with httpx.Client(base_url=server.host, timeout=60, trust_env=False) as client:
            start.wait()  # making a client takes as long as a load, on a busy machine
            return client.post("/api/embed", json=body)

    answers = list(pool.map(ask, range(8)))
    busy = [answer for answer in answers if answer.status_code == 503]
    served = [answer for answer in answers if answer.status_code == 200]
    assert len(busy) + len(served) == 8
    assert busy
    assert served
    for answer in busy:
        same(answer, refused)
    for answer in served:
        same(answer, responses[0])
