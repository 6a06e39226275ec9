"""A real Ollama, really killed: each job ends with exactly the vectors of one text at a time.

The model is EmbeddingGemma's architecture with random weights; what is tested is what the server
does. Each test has a server of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests import midway
from toolkit.backends.ollama import OllamaBackend
from toolkit.errors import EmbeddingError, EmbeddingWarning, ModelNotFoundError
from toolkit.prompts import resolve_prompt
from toolkit.vectorizer import EmbeddingGemmaVectorizer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("real ollama")]

MODEL = "test/embeddinggemma"
TEXTS = [f"number {i}" for i in range(400)]
PROMPT = resolve_prompt(MODEL, "classification")


@pytest.fixture(scope="module")
def right(real_ollama):
    """Asked for one at a time, a request a text, of a server that nobody disturbs."""
    with httpx.Client(base_url=real_ollama.host, timeout=60, trust_env=False) as client:
        rows = []
        for text in TEXTS:
            body = {"model": MODEL, "input": PROMPT.render(text), "truncate": False}
            rows += client.post("/api/embed", json=body).json()["embeddings"]
    return np.asarray(rows, dtype=np.float32)


def make(*servers, **options):
    options = {"model": MODEL, "batch_size": 16, "backend": OllamaBackend(timeout=120)} | options
    return EmbeddingGemmaVectorizer(host=[server.host for server in servers], **options)


def assert_cache_is_right(right, count=None):
    midway.assert_cache_is_right(TEXTS, PROMPT, right, count)


def test_the_runner_is_killed_twice(real_ollama_factory, right):
    server = real_ollama_factory()
    vectorizer = make(server).fit(TEXTS)

    def kill():
        # Whom it meets is chance: Ollama has a new engine ready for who did not come to this one.
        assert server.kill_runner()

    with midway.in_the_middle(kill, kill):
        vectors = vectorizer.transform(TEXTS)
    assert np.array_equal(vectors, right)
    assert_cache_is_right(right, 400)


def test_the_server_is_killed_and_started_again(real_ollama_factory, right):
    server = real_ollama_factory()
    vectorizer = make(server).fit(TEXTS)

    def restart():
        server.kill()
        time.sleep(1)
        server.start()

    with midway.in_the_middle(restart):
        vectors = vectorizer.transform(TEXTS)
    assert np.array_equal(vectors, right)
    assert_cache_is_right(right, 400)


def test_the_model_is_deleted(real_ollama_factory, right):
    server = real_ollama_factory()
    vectorizer = make(server).fit(TEXTS)

    def delete():
        httpx.request(
            "DELETE",
            f"{server.host}/api/delete",
            json={"model": MODEL},
            timeout=60,
            trust_env=False,
        ).raise_for_status()

    with (
        midway.in_the_middle(delete),
        pytest.raises(EmbeddingError, match=f"ollama pull {MODEL}") as caught,
    ):
        vectorizer.transform(TEXTS)
    assert isinstance(caught.value.__cause__, ModelNotFoundError)
    assert caught.value.completed >= 40
    assert_cache_is_right(right, caught.value.completed)


def test_another_client_reloads_the_model(real_ollama_factory, right):
    server = real_ollama_factory()
    vectorizer = make(server).fit(TEXTS)

    def reload():
        body = {"model": MODEL, "input": "x", "options": {"num_ctx": 512}}
        httpx.post(
            f"{server.host}/api/embed", json=body, timeout=60, trust_env=False
        ).raise_for_status()

    with midway.in_the_middle(reload):
        vectors = vectorizer.transform(TEXTS)
    assert np.array_equal(vectors, right)
    assert_cache_is_right(right, 400)


def test_two_servers_of_which_one_is_killed(real_ollama_factory, right):
    a, b = real_ollama_factory(), real_ollama_factory()
    vectorizer = make(a, b).fit(TEXTS)
    with midway.in_the_middle(a.kill), pytest.warns(EmbeddingWarning, match="host is dropped"):
        vectors = vectorizer.transform(TEXTS)
    assert np.array_equal(vectors, right)
    assert_cache_is_right(right, 400)


def test_limits_and_hostile_texts(real_ollama):
    """The tiny model's tokens are characters: 2,046 of them fit, prompt included."""
    room = 2046 - len(PROMPT.render(""))
    texts = ["x" * room, "y" * (room + 1), "a\0b", "\ud800", "", "z" * 10_000_000]
    vectorizer = make(real_ollama)
    with pytest.warns(EmbeddingWarning, match="2 of 6 texts are longer .* were cut"):
        vectors = vectorizer.transform(texts)
    assert vectorizer.report_.truncated == 2
    as_sent = [text.encode("utf-8", "replace").decode() for text in texts[:5]]
    as_sent[3] = "\ufffd"
    as_sent[5:] = ["z" * room]
    body = {"model": MODEL, "input": [PROMPT.render(text) for text in as_sent]}
    answer = httpx.post(f"{real_ollama.host}/api/embed", json=body, timeout=60, trust_env=False)
    assert np.array_equal(vectors, np.asarray(answer.json()["embeddings"], dtype=np.float32))

    with pytest.warns(EmbeddingWarning, match="2 of 6"):
        again = vectorizer.transform(texts)
    assert np.array_equal(again, vectors)
    assert vectorizer.report_.hits == 6

    vectorizer.set_params(long_texts="error")
    with pytest.raises(EmbeddingError, match="at position 5") as caught:
        vectorizer.transform(texts)
    assert list(caught.value.failed) == [5], "10 MB are known to be too long without asking"
    with pytest.raises(EmbeddingError, match="at position 1") as caught:
        vectorizer.transform(texts[:5])
    assert list(caught.value.failed) == [1]

    vectorizer.set_params(long_texts="mean")
    mean = vectorizer.transform(["word " * 500])
    assert np.isclose(np.linalg.norm(mean), 1, atol=1e-6)
    assert vectorizer.report_.averaged == 1


def test_ctrl_c_waits_for_no_answer_and_keeps_what_is_done(real_ollama, right, tmp_path):
    script = tmp_path / "job.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import signal
            from toolkit import EmbeddingGemmaVectorizer
            # A shell that runs the tests in the background lets its children ignore Ctrl-C.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            one = EmbeddingGemmaVectorizer(
                model={MODEL!r}, host={real_ollama.host!r}, batch_size=8, verbose=1
            )
            one.fit(["a"])
            print("ready", flush=True)
            one.transform([f"number {{i}}" for i in range(400)])
            """
        )
    )
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        midway.wait_until_held(40)
        real_ollama.freeze_runner()  # what is on its way is not answered
        try:
            process.send_signal(signal.SIGINT)
            # Two minutes is what an answer would be waited for.
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
            real_ollama.thaw_runner()
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert "of 400 texts were embedded and are in the cache" in errors
    done = midway.held()
    assert 40 <= done < 400
    assert_cache_is_right(right, done)
    one = make(real_ollama)
    assert np.array_equal(one.transform(TEXTS), right)
    assert one.report_.hits == done
