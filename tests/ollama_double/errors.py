"""Every error text the double may answer, in one place, as Ollama words them."""

from __future__ import annotations

import json

MISSING_BODY = "missing request body"
INVALID_INPUT = "invalid input type"
INVALID_NAME = "invalid model name"
NOTHING_LEFT = "input after truncation exceeds maximum context length"
# Two spaces: Ollama's own.
QUEUE_FULL = "server busy, please try again.  maximum pending requests exceeded"
CANNOT_LOAD = (
    "llama-server process has terminated: GGML_ASSERT(buffer) failed: GGML_ASSERT(buffer) failed"
)
NO_CLOUD = "ollama cloud is disabled: remote inference is unavailable"
REQUEST_CANCELED = "request canceled"
NOT_AN_EMBEDDER_0_30 = "This server does not support embeddings. Start it with `--embeddings`"
NOT_AN_EMBEDDER_OLD = "this model does not support embeddings"


class ApiError(Exception):
    """A request ends with this status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


class ClientGoneError(Exception):
    """The client closed its connection while it was being served."""


class StoppedError(Exception):
    """The double was stopped while it was serving."""


def quote(text: str) -> str:
    """Quote as Go's ``%q`` does, for the texts that occur here."""
    return json.dumps(text, ensure_ascii=False)


def not_pulled(name: str) -> ApiError:
    return ApiError(404, f"model {quote(name)} not found, try pulling it first")


def not_found(name: str) -> ApiError:
    return ApiError(404, f"model '{name}' not found")


def two_sources(name: str) -> ApiError:
    return ApiError(400, f"use either :local or :cloud, not both: {quote(name)}")


RUNNER = "http://127.0.0.1:{port}"
_RESET = "read tcp 127.0.0.1:50000->127.0.0.1:{port}: read: connection reset by peer"
_REFUSED = "dial tcp 127.0.0.1:{port}: connect: connection refused"
RUNNER_LOST = {
    ("tokenize", "unread"): f'Post "{RUNNER}/tokenize": {_RESET}',
    ("tokenize", "read"): f'Post "{RUNNER}/tokenize": EOF',
    ("tokenize", "answering"): "unexpected EOF",
    ("tokenize", "refused"): f'Post "{RUNNER}/tokenize": {_REFUSED}',
    ("health", "unread"): f'health resp: Get "{RUNNER}/health": {_RESET}',
    ("health", "read"): f'health resp: Get "{RUNNER}/health": EOF',
    ("health", "answering"): "read health response: unexpected EOF",
    ("health", "refused"): "connection refused",
    ("embeddings", "unread"): f'do embedding request: Post "{RUNNER}/v1/embeddings": {_RESET}',
    ("embeddings", "read"): f'do embedding request: Post "{RUNNER}/v1/embeddings": EOF',
    ("embeddings", "answering"): "error reading embed response: unexpected EOF",
    ("embeddings", "refused"): f'do embedding request: Post "{RUNNER}/v1/embeddings": {_REFUSED}',
}
"""How Ollama words the loss of its engine, by the call it was at, and how far that had come.

``tests/real_ollama/crashing_engine.py`` says what the moments are; ``read`` is the usual one.
"""


def runner_lost(status: int, port: int, call: str = "embeddings", moment: str = "read") -> ApiError:
    return ApiError(status, RUNNER_LOST[call, moment].format(port=port))
