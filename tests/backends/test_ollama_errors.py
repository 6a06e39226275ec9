"""Every row of what Ollama answers means one thing: try again, give up, or look at the text."""

from __future__ import annotations

import json
import pickle

import httpx
import ollama
import pytest

from tests.ollama_double.errors import RUNNER_LOST
from toolkit.backends.ollama_errors import from_exception, from_status
from toolkit.errors import (
    BackendError,
    InvalidVectorsError,
    ModelNotFoundError,
    ServerUnavailableError,
    TextTooLongError,
)

A = {"model": "embeddinggemma", "address": "http://127.0.0.1:11434"}


@pytest.mark.parametrize(
    ("status", "text", "kind", "retryable", "fatal"),
    [
        (400, "invalid input type", BackendError, False, False),
        (400, "Input content cannot be empty", BackendError, False, False),
        (400, "invalid model name", BackendError, False, True),
        (400, 'time: missing unit in duration "300"', BackendError, False, True),
        (400, 'time: invalid duration "soon"', BackendError, False, True),
        (
            400,
            "json: cannot unmarshal string into Go struct field EmbedRequest.dimensions",
            BackendError,
            False,
            True,
        ),
        (404, 'model "nope" not found, try pulling it first', ModelNotFoundError, False, True),
        (500, 'option "num_ctx" must be of type integer', BackendError, False, True),
        (
            501,
            "This server does not support embeddings. Start it with `--embeddings`",
            ModelNotFoundError,
            False,
            True,
        ),
        (501, "this model does not support embeddings", ModelNotFoundError, False, True),
        (400, "the input length exceeds the context length", TextTooLongError, False, False),
        (400, "input length exceeds maximum context length", TextTooLongError, False, False),
        (400, "input exceeds maximum context length", TextTooLongError, False, False),
        (
            400,
            "input after truncation exceeds maximum context length",
            TextTooLongError,
            False,
            False,
        ),
        (503, "server busy, please try again.  maximum pending requests exceeded", *[None] * 3),
        *[(400, text.format(port=1), *[None] * 3) for text in RUNNER_LOST.values()],
        (400, "server not responding", *[None] * 3),
        (400, "llama-server process no longer running: -1", *[None] * 3),
        (500, "llama-server process has terminated: GGML_ASSERT(buffer) failed", *[None] * 3),
        (500, "failed to encode response: json: unsupported value: NaN", *[None] * 3),
        (499, "request canceled", *[None] * 3),
        (502, "<html><body>Bad Gateway</body></html>", *[None] * 3),
        (504, "", *[None] * 3),
        (429, "too many", *[None] * 3),
        (401, "unauthorized", BackendError, False, True),
        (403, "", BackendError, False, True),
    ],
)
def test_by_status_and_text(status, text, kind, retryable, fatal):
    if kind is None:
        kind, retryable, fatal = BackendError, True, False
    error = from_status(status, text, **A)
    assert type(error) is kind
    assert (error.retryable, error.fatal) == (retryable, fatal)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.retryable) == (kind, str(error), error.retryable)


def test_messages_name_the_command_that_mends_it():
    assert "`ollama pull embeddinggemma`" in str(from_status(404, "not found", **A))
    assert "headers=" in str(from_status(401, "unauthorized", **A))
    refused = from_exception(httpx.ConnectError("refused"), **A)
    assert isinstance(refused, ServerUnavailableError)
    assert "`ollama serve`" in str(refused)
    assert "backend='embedded'" in str(refused)


@pytest.mark.parametrize(
    ("raised", "retryable"),
    [
        (httpx.ReadTimeout("slow"), True),
        (httpx.ConnectTimeout("slow"), True),
        (httpx.RemoteProtocolError("half a body"), True),
        (httpx.ReadError("reset"), True),
        (ConnectionError("Failed to connect"), True),
        (json.JSONDecodeError("no", "<html>", 0), True),
        (AttributeError("'str' object has no attribute 'get'"), True),
        (ollama.ResponseError('{"error": {"message": "text"}}', 400), False),
        (ollama.ResponseError('{"error": "EOF"}', 400), True),
    ],
)
def test_by_exception(raised, retryable):
    assert from_exception(raised, **A).retryable is retryable


def test_missing_or_null_vectors():
    with pytest.raises(Exception, match="embeddings") as caught:
        ollama.EmbedResponse(model="m", embeddings=[[None, 0.5]])
    assert isinstance(from_exception(caught.value, **A), InvalidVectorsError)


def test_a_long_page_is_shortened():
    assert len(str(from_status(502, "<html>" + "word " * 10_000 + "</html>", **A))) < 500
