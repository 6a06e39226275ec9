"""Every way servers say no means one thing: try again, give up, or look at the text."""

from __future__ import annotations

import pickle

import httpx
import pytest

from toolkit.backends.openai_errors import error_text, from_exception, from_status, token_counts
from toolkit.errors import (
    BackendError,
    ModelNotFoundError,
    ServerUnavailableError,
    TextTooLongError,
)

A = {"model": "m", "address": "http://127.0.0.1:8080"}

TOO_LONG = [
    (
        500,
        "input (3002 tokens) is too large to process. increase the physical batch size (current "
        "batch size: 2048)",
        (3002, 2048),
    ),
    (
        400,
        "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it",
        (9000, 8192),
    ),
    (
        400,
        "This model's maximum context length is 8192 tokens. However, you requested 10288 tokens "
        "in the input for embedding generation. Please reduce the length of the input.",
        (10288, 8192),
    ),
    (
        400,
        "This model's maximum context length is 512 tokens. However, you requested 0 output tokens "
        "and your prompt contains at least 513 input tokens, for a total of at least 513 tokens.",
        (None, 512),
    ),
    (400, "max context 8192 tokens, the prompt had at least 8193", (None, 8192)),
    (
        400,
        "The decoder prompt (length 8193) is longer than the maximum model length of 8192.",
        (8193, 8192),
    ),
    (
        413,
        "Input validation error: `inputs` must have less than 512 tokens. Given: 600",
        (600, 512),
    ),
    (422, "`inputs` must have less than 384 tokens. Given: 601", (601, 384)),
    (400, "Invalid 'input[0]': maximum input length is 8192 tokens.", (None, 8192)),
    (
        400,
        "This model's maximum context length is 8192 tokens, however you requested 17143 tokens",
        (17143, 8192),
    ),
    (400, "the input length exceeds the context length", (None, None)),
]


@pytest.mark.parametrize(("status", "text", "counts"), TOO_LONG)
def test_a_text_that_is_too_long(status, text, counts):
    error = from_status(status, text, **A)
    assert type(error) is TextTooLongError
    assert not error.retryable
    assert not error.fatal
    assert token_counts(str(error)) == counts


@pytest.mark.parametrize(
    ("status", "text", "kind", "retryable", "fatal"),
    [
        (400, '"input" must not be empty', BackendError, False, False),
        (422, "batch size 64 > maximum allowed batch size 32", BackendError, False, False),
        (
            400,
            "Requested 423544 tokens, max 300000 tokens per request",
            BackendError,
            False,
            False,
        ),
        (413, "Payload Too Large", BackendError, False, False),
        (404, "The model `m` does not exist.", ModelNotFoundError, False, True),
        (404, 'model "m" not found, try pulling it first', ModelNotFoundError, False, True),
        (400, "No models loaded. Please load a model", ModelNotFoundError, False, True),
        (404, "Not Found", BackendError, False, True),
        (404, "File Not Found", BackendError, False, True),
        (405, "Method Not Allowed", BackendError, False, True),
        (
            501,
            "This server does not support embeddings. Start it with `--embeddings`",
            ModelNotFoundError,
            False,
            True,
        ),
        (
            400,
            "The model does not support Embeddings API",
            ModelNotFoundError,
            False,
            True,
        ),
        (401, "Invalid API Key", BackendError, False, True),
        (403, "", BackendError, False, True),
        (429, "You exceeded your current quota (insufficient_quota)", BackendError, False, True),
        (429, "Rate limit reached for requests", BackendError, True, False),
        (429, "Model is overloaded", BackendError, True, False),
        (500, "Internal Server Error", BackendError, True, False),
        (502, "<html><body><h1>502 Bad Gateway</h1></body></html>", BackendError, True, False),
        (503, "Loading model", ServerUnavailableError, True, False),
        (504, "", BackendError, True, False),
    ],
)
def test_by_text_then_status(status, text, kind, retryable, fatal):
    error = from_status(status, text, **A)
    assert type(error) is kind
    assert (error.retryable, error.fatal) == (retryable, fatal)
    assert A["address"] in str(error)
    assert "<" not in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.retryable, again.fatal) == (str(error), retryable, fatal)


@pytest.mark.parametrize(
    ("raised", "kind", "message"),
    [
        (httpx.ConnectError("refused"), ServerUnavailableError, "no server answers"),
        (httpx.ConnectTimeout("slow"), ServerUnavailableError, "no server answers"),
        (httpx.ReadTimeout("slow"), BackendError, "timeout=600"),
        (httpx.RemoteProtocolError("half a body"), BackendError, "half a body"),
        (httpx.ReadError(""), BackendError, "ReadError"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), BackendError, "not an answer"),
    ],
)
def test_what_httpx_raises(raised, kind, message):
    error = from_exception(raised, address="http://a:1")
    assert type(error) is kind
    assert error.retryable
    assert message in str(error)


def test_an_error_of_ours_stays_as_it_is():
    error = BackendError("no", fatal=True)
    assert from_exception(error, address="a") is error


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"code": 400, "message": "no", "type": "x"}}, "no"),
        ({"object": "error", "message": "no", "code": 400}, "no"),
        ({"error": "no", "error_type": "Validation"}, "no"),
        ({"detail": "no"}, "no"),
        ({"detail": [{"msg": "no"}]}, '[{"msg": "no"}]'),
        ({"status": 1}, '{"status": 1}'),
        ("no", "no"),
        (None, "raw"),
    ],
)
def test_the_text_of_an_error(body, text):
    assert error_text(body, "raw") == text
