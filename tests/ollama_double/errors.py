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


def runner_eof(status: int, port: int, route: str = "/v1/embeddings") -> ApiError:
    prefix = "do embedding request: " if route == "/v1/embeddings" else ""
    return ApiError(status, f'{prefix}Post "http://127.0.0.1:{port}{route}": EOF')
