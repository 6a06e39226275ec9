"""What the double does beyond the recorded exchanges: vectors, tokens, versions, time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ollama_double import jitter, tokens
from tests.ollama_double.process import DoubleProcess
from tests.ollama_double.scheduler import LoadOptions
from tests.ollama_double.server import Model, OllamaDouble
from tests.ollama_double.vectors import REFERENCE, Row, made_up, reference_vectors, shortest

REFERENCES = json.loads((REFERENCE / "texts.json").read_text(encoding="utf-8"))
Factory = Callable[..., OllamaDouble]


def post(double: OllamaDouble, wanted: Any, model: str = "embeddinggemma", **fields: Any) -> Any:
    body = {"model": model, "input": wanted, **fields}
    return httpx.post(f"{double.host}/api/embed", json=body, timeout=60, trust_env=False)


def vectors(double: OllamaDouble, wanted: Any, **fields: Any) -> np.ndarray:
    response = post(double, wanted, **fields)
    assert response.status_code == 200, response.text
    return np.array(response.json()["embeddings"], dtype=np.float32)


@pytest.mark.parametrize(
    ("version", "build"),
    [("0.32.15", "right"), ("0.24.0", "no_window"), ("0.12.6", "causal"), ("0.11.10", "causal")],
)
def test_each_version_has_its_build(
    ollama_double_factory: Factory, version: str, build: str
) -> None:
    wanted = reference_vectors(build)
    got = vectors(ollama_double_factory(version), list(wanted))
    # Ollama normalises again, which may move the last bit.
    np.testing.assert_allclose(got, np.array(list(wanted.values())), atol=1e-7)


def test_an_upgrade_changes_vectors_and_not_the_digest(ollama_double: OllamaDouble) -> None:
    ollama_double.restart("0.12.6")
    text = "why is the sky blue?"
    old, tags = vectors(ollama_double, text)[0], digests(ollama_double)
    ollama_double.restart("0.32.15")
    new = vectors(ollama_double, text)[0]
    assert old @ new == pytest.approx(0.70, abs=0.05)
    assert digests(ollama_double) == tags


def digests(double: OllamaDouble) -> list[str]:
    models = httpx.get(f"{double.host}/api/tags", timeout=60, trust_env=False).json()["models"]
    return [model["digest"] for model in models]


def test_unknown_texts_go_by_the_weights(ollama_double_factory: Factory) -> None:
    double = ollama_double_factory(
        models=[
            Model("first"),
            Model("second", weights=Model("first").weights, build="causal"),
            Model("third"),
            Model("fourth", weights=Model("first").weights, build="random"),
        ]
    )
    texts = ["some text", "some text ", "Some text", "why is the sky blue?"]
    first, second, third, fourth = (
        vectors(double, texts, model=name) for name in ("first", "second", "third", "fourth")
    )
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-6)
    assert np.abs(first[:3] @ first[:3].T - np.eye(3)).max() < 0.2
    np.testing.assert_array_equal(first[:3], second[:3])
    assert not np.allclose(first[3], second[3])
    assert np.abs((first[:3] * third[:3]).sum(axis=1)).max() < 0.2
    np.testing.assert_array_equal(first[3], third[3])
    assert np.abs((first * fourth).sum(axis=1)).max() < 0.2


def test_known_vectors_and_noise(ollama_double_factory: Factory) -> None:
    known = {"mine": np.eye(768, dtype=np.float32)[5]}
    double = ollama_double_factory(
        models=[Model(known=known), Model("blurred", known=known, noise=0.02)]
    )
    assert vectors(double, "mine")[0, 5] == 1
    assert vectors(double, "mine", model="blurred")[0, 5] == pytest.approx(0.9998, abs=1e-4)


def test_cut_text_has_the_vector_of_what_is_left(ollama_double: OllamaDouble) -> None:
    text = "the quick brown fox " * 1000
    kept = tokens.cut(text, 2046)
    assert tokens.count(kept) == 2046
    np.testing.assert_array_equal(vectors(ollama_double, text), vectors(ollama_double, kept))
    assert post(ollama_double, kept, truncate=False).status_code == 200
    assert post(ollama_double, kept + "!", truncate=False).status_code == 400


@pytest.mark.parametrize("item", REFERENCES, ids=lambda item: item["name"])
def test_reference_texts_fit(item: dict[str, Any]) -> None:
    assert 0 < tokens.count(item["text"]) <= 2046


def test_tokens_of_scripts() -> None:
    assert tokens.count("") == 0
    assert tokens.count("abcde") == 2
    assert tokens.count("abç") == 1
    assert tokens.count("你好吗") == 3
    assert tokens.count("ab你") == 2
    assert tokens.cut("ab你好", 2) == "ab你"


@given(st.text(), st.integers(1, 20))
def test_a_cut_text_is_a_beginning_and_counts_the_same_again(text: str, limit: int) -> None:
    kept = tokens.cut(text, limit)
    assert text.startswith(kept)
    assert tokens.count(kept) == min(limit, tokens.count(text))


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_written_numbers_read_back_the_same(numbers: list[float]) -> None:
    vector = np.array(numbers, dtype=np.float32)
    again = np.array(json.loads(Row(vector).json), dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(again, vector)


def test_numbers_are_written_as_go_writes_them() -> None:
    numbers = np.array([-1, 0, 0.1, 1e-5, 1e-7, -0.0017594862, 3.25], dtype=np.float32)
    assert shortest(numbers) == ["-1", "0", "0.1", "0.00001", "1e-7", "-0.0017594862", "3.25"]
    row = made_up("text", b"seed", 768)
    assert row.json == Row(row.vector).json


def test_base64_needs_a_version_that_has_it(ollama_double_factory: Factory) -> None:
    body = {"model": "embeddinggemma", "input": "a", "encoding_format": "base64", "dimensions": 4}
    for version, kind, length in (
        ("0.32.15", str, 24),
        ("0.12.6", list, 4),
        ("0.11.10", list, 768),
    ):
        host = ollama_double_factory(version).host
        answer = httpx.post(f"{host}/v1/embeddings", json=body, timeout=60, trust_env=False).json()
        vector = answer["data"][0]["embedding"]
        assert (type(vector), len(vector)) == (kind, length)


@pytest.mark.parametrize(
    ("version", "too_long", "not_an_embedder"),
    [
        ("0.32.15", "the input length exceeds the context length", 501),
        ("0.24.0", "the input length exceeds the context length", 501),
        ("0.12.6", "input length exceeds maximum context length", 500),
    ],
)
def test_texts_of_versions(
    ollama_double_factory: Factory, version: str, too_long: str, not_an_embedder: int
) -> None:
    double = ollama_double_factory(version, models=[Model(), Model("chat", pooled=False)])
    long = post(double, "x" * 20_000, truncate=False)
    assert (long.status_code, long.json()["error"]) == (400, too_long)
    assert post(double, "a", model="chat").status_code == not_an_embedder


def test_one_text_at_a_time(ollama_double_factory: Factory) -> None:
    double = ollama_double_factory(text_seconds=0.01)
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert all(
            r.status_code == 200 for r in pool.map(lambda _: post(double, ["a"] * 10), [0] * 4)
        )
    assert time.monotonic() - started >= 0.4


def test_threads_get_their_own_vectors(ollama_double: OllamaDouble) -> None:
    texts = [f"text {number}" for number in range(200)]
    wanted = dict(zip(texts, vectors(ollama_double, texts), strict=True))
    with (
        httpx.Client(
            base_url=ollama_double.host,
            timeout=60,
            limits=httpx.Limits(keepalive_expiry=None),
            trust_env=False,
        ) as client,
        ThreadPoolExecutor(8) as pool,
    ):

        def ask(text: str) -> list[float]:
            body = {"model": "embeddinggemma", "input": text}
            answer: list[float] = client.post("/api/embed", json=body).json()["embeddings"][0]
            return answer

        for text, got in zip(texts, pool.map(ask, texts), strict=True):
            np.testing.assert_array_equal(np.array(got, dtype=np.float32), wanted[text])
    assert ollama_double.connections <= 9


def test_loading_and_keeping(ollama_double_factory: Factory) -> None:
    double = ollama_double_factory(load_seconds=0.1)
    assert post(double, "a").json()["load_duration"] >= 1e8
    post(double, "a")
    assert double.scheduler.loads == 1
    post(double, "a", keep_alive=0.05)
    time.sleep(0.1)
    assert double.scheduler.loaded() == []
    post(double, "a", options={"num_ctx": 512})
    post(double, "a", options={"num_ctx": 512, "num_gpu": -1, "seed": 1})
    post(double, "a", options={"num_ctx": 512, "num_gpu": 0})
    assert double.scheduler.loads == 3
    assert double.scheduler.loaded()[0].options.num_ctx == 512


def test_one_loads_one_waits_the_third_is_refused(ollama_double_factory: Factory) -> None:
    double = ollama_double_factory(max_queue=1)
    # Nothing is loaded as long as the model is in use with other options.
    held = double.scheduler.acquire(
        double.models["embeddinggemma"], LoadOptions(), None, double.wait
    )
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(post, double, "a", options={"num_ctx": n}) for n in (512, 256)]
        until(lambda: double.scheduler.waiting == 1)
        refused = post(double, "a", options={"num_ctx": 128})
        double.scheduler.release(held)
        assert refused.status_code == 503
        assert [future.result().status_code for future in sent] == [200, 200]


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_at_most_three_models_stay(ollama_double_factory: Factory) -> None:
    names = ["one", "two", "three", "four"]
    double = ollama_double_factory(models=[Model(name) for name in names])
    for name in names:
        post(double, "a", model=name, keep_alive=100 + len(name))
    assert len(double.scheduler.loaded()) == 3


def test_chunked_requests_and_expect(ollama_double: OllamaDouble) -> None:
    raw = json.dumps({"model": "embeddinggemma", "input": "a"}).encode()
    chunked = httpx.post(
        f"{ollama_double.host}/api/embed",
        content=iter([raw[:10], raw[10:]]),
        timeout=60,
        trust_env=False,
    )
    assert chunked.status_code == 200
    expecting = httpx.post(
        f"{ollama_double.host}/api/embed",
        content=raw,
        headers={"Expect": "100-continue"},
        timeout=60,
        trust_env=False,
    )
    assert expecting.status_code == 200


def test_a_process_of_its_own(tmp_path: Any) -> None:
    known = tmp_path / "known.npz"
    np.savez(known, texts=np.array(["mine"]), vectors=np.eye(768, dtype=np.float16)[:1])
    log = tmp_path / "log.jsonl"
    with DoubleProcess("--version", "0.24.0", "--known", str(known), "--log", str(log)) as double:
        assert httpx.get(f"{double.host}/api/version", timeout=60, trust_env=False).json() == {
            "version": "0.24.0"
        }
        body = {"model": "embeddinggemma", "input": ["mine"]}
        answer = httpx.post(
            f"{double.host}/api/embed", json=body, timeout=60, trust_env=False
        ).json()
        assert answer["embeddings"][0][:2] == [1, 0]
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert lines[1] == {"path": "/api/embed", "status": 200, "texts": ["mine"]}


def test_jitter_is_as_asked_for_and_none_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(jitter.time, "sleep", waited.append)
    monkeypatch.delenv(jitter.VARIABLE, raising=False)
    jitter.Jitter.from_environment().wait()
    assert waited == []
    monkeypatch.setenv(jitter.VARIABLE, "50 7")
    for made in (jitter.Jitter.from_environment(), jitter.Jitter.from_environment()):
        for _ in range(100):
            made.wait()
    assert waited[:100] == waited[100:]
    assert 0 <= min(waited) < 0.001 < 0.04 < max(waited) <= 0.05


def test_it_is_quick(ollama_double: OllamaDouble) -> None:
    """Benchmarks and big tests lean on this; 0.08 ms of processor time a text, client and all."""
    texts = [f"a short text with the number {number}" for number in range(512)]
    post(ollama_double, texts)
    started = time.process_time()
    post(ollama_double, texts)
    assert (time.process_time() - started) / len(texts) < 0.001
