"""How vLLM, TEI, LM Studio, OpenAI and others differ: what they tell, refuse, cut and omit."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tests.backends.openai_stub import DIMENSION, Stub, vector_of
from toolkit.backends.openai_compatible import OpenAIBackend
from toolkit.backends.registry import make_backends
from toolkit.embedding.engine import EngineSettings, embed
from toolkit.embedding.spaces import find_source
from toolkit.errors import (
    BackendError,
    EmbeddingWarning,
    InvalidVectorsError,
    ModelNotFoundError,
    ServerUnavailableError,
    TextTooLongError,
    UsageError,
)
from toolkit.prompts.template import RAW
from toolkit.vectorizer import EmbeddingGemmaVectorizer

TEXTS = [f"text number {i}" for i in range(20)]
RIGHT = np.stack([vector_of(text) for text in TEXTS])
LONG = " ".join(f"w{i}" for i in range(3000))


def vllm_refusal(given, limit):
    text = (
        f"This model's maximum context length is {limit} tokens. However, you requested {given} "
        "tokens in the input for embedding generation. Please reduce the length of the input."
    )
    return 400, {"object": "error", "message": text, "type": "BadRequestError", "code": 400}


def tei_refusal(given, limit):
    text = f"Input validation error: `inputs` must have less than {limit} tokens. Given: {given}"
    return 413, {"message": text, "code": 413, "type": "Validation"}


def openai_refusal(given, limit):
    text = f"Invalid 'input[0]': maximum input length is {limit} tokens."
    return 400, {"error": {"message": text, "type": "invalid_request_error", "code": None}}


def vllm_pages(limit):
    entry = {"id": "m", "owned_by": "vllm", "root": "org/m", "max_model_len": limit}
    return {"/v1/models": {"data": [entry]}, "/version": {"version": "0.11.0"}}


def tei_pages(limit, most=8):
    info = {
        "model_id": "org/m",
        "model_sha": "5617a9f61b028005a4858fdac845db406aefb181",
        "model_dtype": "float16",
        "model_type": {"embedding": {"pooling": "mean"}},
        "max_input_length": limit,
        "max_client_batch_size": most,
        "auto_truncate": True,
        "version": "1.9.3",
    }
    return {"/info": info}


def lm_studio_pages(limit):
    entry = {"id": "m", "type": "embeddings", "arch": "gemma", "quantization": "Q8_0"}
    return {
        "/v1/models": {"data": [{"id": "m", "owned_by": "organization_owner"}, {"id": "n"}]},
        "/api/v0/models": {"data": [entry | {"loaded_context_length": limit}, {"id": "n"}]},
        # LM Studio answers 200 to whatever it does not know.
        "/info": {"error": "Unexpected endpoint or method. (GET /info)"},
        "/api/version": {"error": "Unexpected endpoint or method. (GET /api/version)"},
    }


def bind(stub, **settings):
    return OpenAIBackend(**settings).bind("m", stub.host)


SERVERS = {
    "vllm": {"pages": vllm_pages(100), "limit": 100, "refusal": vllm_refusal},
    "tei": {"pages": tei_pages(100), "limit": 100, "refusal": tei_refusal, "most_texts": 8},
    "tei that cuts": {"pages": tei_pages(100), "limit": 100, "most_texts": 8},
    "lm studio": {"pages": lm_studio_pages(100), "limit": 100, "has_base64": False},
    "openai": {"limit": 8192, "refusal": openai_refusal},
    "silent": {"limit": 512, "has_base64": None, "norm": 7.5},
    "silent about a short limit": {"limit": 40, "norm": 0.2},
    "without a limit": {},
}


@pytest.fixture(params=SERVERS.values(), ids=SERVERS)
def stub(request):
    with Stub(**request.param) as server:
        yield server


def test_vectors_in_order_and_of_length_one(stub):
    assert np.allclose(bind(stub).embed(TEXTS), RIGHT, atol=1e-6)
    if stub.has_base64 is None:
        asked = [request["encoding_format"] for request in stub.requests]
        assert asked[0] == "base64"
        assert set(asked[1:]) == {"float"}, "asked for once"


def test_no_text_is_cut_in_silence(stub):
    """Just under the limit is whole; over it is refused here, if not by the server."""
    server = bind(stub)
    limit = stub.limit or 3000
    fits = " ".join(LONG.split()[: limit - 1])
    assert np.allclose(server.embed([fits]), vector_of(fits), atol=1e-6)
    if stub.limit is None or stub.limit > 3000:
        return
    with pytest.raises(TextTooLongError):
        server.embed(["short", LONG])
    vector = server.embed_truncated(LONG)
    read = stub.requests[-1]["input"][0]
    assert LONG.startswith(read)
    if stub.refusal is None:
        read = " ".join(LONG.split()[:limit])
    assert limit * 0.85 <= len(read.split()) <= limit, "as much as fits, or nearly"
    assert np.allclose(vector, vector_of(read), atol=1e-6)


def test_a_whole_job_with_a_long_text(stub):
    if stub.limit is None or stub.limit > 3000:
        return
    with pytest.warns(EmbeddingWarning, match="1 of 22 texts .* cut"):
        vectors = EmbeddingGemmaVectorizer(
            model="m", host=stub.host, backend="openai", task=None
        ).transform([*TEXTS, LONG, "last"])
    assert np.allclose(vectors[:20], RIGHT, atol=1e-6)
    assert np.allclose(vectors[21], vector_of("last"), atol=1e-6)
    assert np.isclose(np.linalg.norm(vectors[20]), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        (vllm_pages(100), ("vllm", "0.11.0", 100, None, "org/m")),
        (tei_pages(100), ("text-embeddings-inference", "1.9.3", 100, "float16", "5617a9f61b02")),
        (lm_studio_pages(100), ("lm-studio", None, 100, "Q8_0", "gemma")),
        ({}, (None, None, 100, None, None)),
        ({"/v1/models": {"data": None}, "/info": [], "/version": 3}, (None, None, 100, None, None)),
    ],
    ids=["vllm", "tei", "lm studio", "nothing", "nonsense"],
)
def test_identity_is_what_the_server_tells(pages, told):
    with Stub(pages, limit=100, refusal=vllm_refusal) as stub:
        server = bind(stub)
        identity = server.identify()
        assert server.fingerprint() == f"{identity.engine_version} {identity.digest}"
    engine, version, limit, quantization, detail = told
    assert (identity.engine, identity.engine_version) == (engine, version)
    assert (identity.context_length, identity.quantization) == (limit, quantization)
    assert identity.dimension == DIMENSION
    assert detail is None or detail in identity.provenance
    assert identity.digest is identity.weights is None


def test_the_fingerprint_changes_with_the_model():
    with Stub(tei_pages(100), limit=100, refusal=tei_refusal) as stub:
        server = bind(stub)
        identity = server.identify()
        before = server.fingerprint()
        stub.pages["/info"] = stub.pages["/info"] | {"model_sha": "0" * 40}
        assert server.fingerprint() != before
        server.identify()
        assert server.fingerprint() == before == f"{identity.engine_version} None"


def test_a_request_is_never_larger_than_the_server_allows():
    with Stub(tei_pages(100, most=8), limit=100, refusal=tei_refusal, most_texts=8) as stub:
        server = bind(stub)
        assert server.preferred_batch == 8
        assert np.array_equal(server.embed(TEXTS), RIGHT)
        assert [len(request["input"]) for request in stub.requests[-3:]] == [8, 8, 4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "19 vectors for 20 texts"),
        (lambda data: [*data, data[0]], "21 vectors for 20 texts"),
        (lambda data: [item | {"index": 0} for item in data], "which vector is of which text"),
        (lambda data: [item | {"embedding": None} for item in data], "list of numbers"),
        (lambda data: [item | {"embedding": "%"} for item in data], "cannot be read"),
        (lambda data: [*data[1:], data[0] | {"embedding": [1.0]}], "unequal lengths"),
        (lambda data: ["vector"] * len(data), "no vectors"),
    ],
    ids=["short", "long", "indices", "null", "not base64", "lengths", "strings"],
)
def test_an_answer_that_cannot_be_trusted(change, message):
    with Stub() as stub:
        server = bind(stub)
        server.identify()
        stub.change = change
        with pytest.raises(InvalidVectorsError, match=message) as caught:
            server.embed(TEXTS)
        assert caught.value.retryable


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[::-1],
        lambda data: [{"embedding": item["embedding"]} for item in data],
        lambda data: [item | {"index": item["index"], "extra": 1} for item in data],
    ],
    ids=["other order", "no indices", "more fields"],
)
def test_an_answer_in_another_form(change):
    with Stub(change=change) as stub:
        assert np.array_equal(bind(stub).embed(TEXTS), RIGHT)


def test_zero_and_nan_are_left_for_the_engine():
    with Stub(norm=3.0) as stub:
        server = bind(stub, encoding_format="float")
        server.identify()
        bad = [[0.0] * DIMENSION, [None, *[0.1] * (DIMENSION - 1)]]
        stub.change = lambda data: [
            item | {"embedding": vector} for item, vector in zip(data, bad, strict=True)
        ]
        vectors = server.embed(["a", "b"])
    assert not vectors[0].any()
    assert np.isnan(vectors[1, 0])


def test_a_vector_of_another_length_from_a_server_of_unit_vectors_is_a_fault():
    with Stub() as stub:
        server = bind(stub)
        server.identify()
        stub.norm = 1.5
        assert np.allclose(np.linalg.norm(server.embed(["a"])), 1.5), "for the engine to refuse"


def test_a_server_whose_first_vector_is_zero():
    with Stub(norm=0.0) as stub, pytest.raises(InvalidVectorsError, match="zero or not finite"):
        bind(stub).identify()


# --- keys, addresses, settings --------------------------------------------------------------------


def test_the_key_comes_from_the_environment_and_is_kept_nowhere(monkeypatch):
    monkeypatch.setenv("DOUBLE_KEY", "s3cret")
    with Stub(vllm_pages(100), limit=100, refusal=vllm_refusal, key="s3cret") as stub:
        settings = OpenAIBackend(api_key_env="DOUBLE_KEY")
        vectorizer = EmbeddingGemmaVectorizer(
            model="m", host=stub.host, backend=settings, task=None
        ).fit(TEXTS)
        assert np.array_equal(vectorizer.transform(TEXTS), RIGHT)
        server = settings.bind("m", stub.host)
        for kept in (server, vectorizer, settings):
            assert "s3cret" not in repr(kept)
            assert b"s3cret" not in pickle.dumps(kept)
        again = pickle.loads(pickle.dumps(server))
        assert again == server
        assert np.array_equal(again.embed(TEXTS[:2]), RIGHT[:2])
        assert "s3cret" not in str(vectorizer.identity_.to_dict())

        with pytest.raises(BackendError, match=r"refuses access.*api_key_env") as caught:
            OpenAIBackend().bind("m", stub.host).identify()
        assert caught.value.fatal
        monkeypatch.delenv("DOUBLE_KEY")
        with pytest.raises(UsageError, match="DOUBLE_KEY, which is not set"):
            OpenAIBackend(api_key_env="DOUBLE_KEY", timeout=1).bind("m", stub.host).identify()


def test_where_the_server_is():
    bound = OpenAIBackend().bind
    for given in ("127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1"):
        assert bound("m", given).address == "http://127.0.0.1:8080"
    assert bound("m", "https://x.example/api/v1/").address == "https://x.example:443/api"
    for missing in (None, "", " "):
        with pytest.raises(UsageError, match="needs the server's address: host="):
            bound("m", missing)
    for portless in ("gpu-box", "gpu-box/v1", "::1"):
        with pytest.raises(UsageError, match="names no port"):
            bound("m", portless)


def test_through_the_registry():
    with pytest.raises(UsageError, match="needs the server's address"):
        make_backends("openai", model="m", host=None)
    with pytest.raises(UsageError, match="empty list"):
        make_backends("openai", model="m", host=[])
    hosts = ["a:1", "http://a:1/v1", "b:1"]
    servers = make_backends(OpenAIBackend(headers={"X": "y"}), model="m", host=hosts)
    assert [server.address for server in servers] == ["http://a:1", "http://b:1"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timeout": 0}, "timeout must be"),
        ({"encoding_format": "hex"}, "encoding_format must be"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(UsageError, match=message):
        OpenAIBackend(**settings).bind("m", "a:1")


def test_the_public_name():
    import toolkit

    assert toolkit.OpenAIBackend is OpenAIBackend


def test_a_server_without_the_path():
    with Stub() as stub:
        with pytest.raises(BackendError, match="no /v1/embeddings") as caught:
            OpenAIBackend().bind("m", stub.host + "/elsewhere").identify()
        assert caught.value.fatal


def test_errors_with_status_200(monkeypatch):
    said = (200, {"error": "No models loaded. Please load a model in the developer page."})
    with Stub() as stub:
        monkeypatch.setattr(stub, "post", lambda path, body: said)
        with pytest.raises(ModelNotFoundError, match="No models loaded"):
            bind(stub).identify()


def test_nobody_there():
    server = OpenAIBackend().bind("m", "127.0.0.1:9")
    with pytest.raises(ServerUnavailableError, match=r"llama-server --embeddings.*host="):
        server.identify()


def test_the_engine_embeds_long_texts_by_their_pieces():
    with Stub(limit=100) as stub:
        source = find_source((bind(stub),), None)
        settings = EngineSettings(long_texts="mean")
        vectors = embed(["short", LONG], prompt=RAW, source=source, settings=settings)
    assert np.allclose(vectors[0], vector_of("short"), atol=1e-6)
    assert np.isclose(np.linalg.norm(vectors[1]), 1, atol=1e-6)


def test_a_server_that_refuses_after_all_is_trusted_from_then_on():
    """Its limit is not told and beyond what it was tried with; a long text finds it out."""
    text = " ".join(LONG.split()[:2990])
    with Stub(limit=3000, refusal=openai_refusal) as stub:
        server = bind(stub)
        server.identify()
        assert server.max_tokens is None
        before = len(stub.requests)
        assert np.array_equal(server.embed([text])[0], vector_of(text))
        assert len(stub.requests) - before == 2, "asked for again with something behind it"
        assert server.max_tokens == 3000
        assert np.array_equal(server.embed([text])[0], vector_of(text))
        assert len(stub.requests) - before == 3


def test_a_huge_text_is_cut_in_few_requests():
    text = "word " * 100_000
    with Stub(limit=2048, refusal=openai_refusal) as stub:
        server = bind(stub)
        server.identify()
        before = len(stub.requests)
        server.embed_truncated(text)
        assert len(stub.requests) - before < 30
        assert 0.9 * 2048 <= len(stub.requests[-1]["input"][0].split()) <= 2048
