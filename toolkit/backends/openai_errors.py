"""What a failed request to an OpenAI-compatible server means: by its text, then by its status.

The servers agree on the path and the shape of an answer, not on their errors: a text over the
limit is a 400 with vLLM and OpenAI, a 413 or 422 with Text Embeddings Inference (TEI), and a 500
with llama.cpp. The texts are llama.cpp's as recorded from the ``xllamacpp`` wheel 2026.10, and the
others' as in their sources and issue threads.
"""

from __future__ import annotations

import json
import re
from typing import Any

from toolkit.backends.connection_errors import from_connection, short_text
from toolkit.backends.transport import last_retry_after
from toolkit.errors import (
    BackendError,
    ModelNotFoundError,
    ServerUnavailableError,
    TextTooLongError,
)

__all__ = [
    "error_text",
    "from_exception",
    "from_status",
    "not_an_answer",
    "token_counts",
    "unavailable",
]

_TOO_LONG = re.compile(
    r"too large to process|maximum (context|input|model|sequence) length|max context \d"
    r"|must have less than \d+ tokens|exceeds? the (available |model's |maximum )?context"
    r"|context_length_exceeded|exceed_context_size|input length exceeds|(input|prompt) is too long"
)
_NO_MODEL = re.compile(
    r"model[^.]{0,200}(does not exist|not found|not loaded)|no models? (is |are )?loaded"
    r"|(unknown|invalid|unsupported) model",
    re.IGNORECASE,
)
_NOT_AN_EMBEDDER = re.compile(
    r"(not|n't) support (the )?embeddings?|Start it with `--embeddings?`|not an embedding model",
    re.IGNORECASE,
)
_NO_MONEY = re.compile(r"insufficient_quota|exceeded your current quota|billing")

_GIVEN = re.compile(
    r"(?:input|request) \((\d+) tokens\)|Given: (\d+)|requested (\d+) tokens|prompt \(length (\d+)"
)
_LIMIT = re.compile(
    r"batch size: (\d+)|less than (\d+) tokens|length is (\d+) tokens|context size \((\d+) tokens"
    r"|model length of (\d+)|max context (\d+)"
)


def unavailable(address: str) -> ServerUnavailableError:
    """Return the error for a server that does not answer."""
    return ServerUnavailableError(
        f"no server answers at {address}. Start it (for example `llama-server --embeddings -m "
        "model.gguf`), give its address with host=... (--host), or work without a server: "
        "backend='cache' answers from vectors made earlier."
    )


def token_counts(text: str) -> tuple[int | None, int | None]:
    """Return the tokens of a refused text and the limit, where an error's text tells them.

    Examples
    --------
    >>> token_counts("`inputs` must have less than 512 tokens. Given: 600")
    (600, 512)
    >>> token_counts("maximum context length is 512 tokens. Your prompt has at least 513")
    (None, 512)
    """
    given, limit = _GIVEN.search(text), _LIMIT.search(text)
    # "At least": the server stopped counting where it was clear.
    certain = given is not None and "at least" not in text
    return _number(given) if certain else None, _number(limit)


def from_status(status: int, text: str, *, model: str, address: str) -> BackendError:
    """Return the error for a response that is not 200.

    Parameters
    ----------
    status : int
        HTTP status.
    text : str
        The error text, or the body where it has none.
    model, address : str
        What was asked, and where.

    Returns
    -------
    BackendError
        Retryable, fatal, or neither, by text and status.

    Examples
    --------
    >>> text = "input (3002 tokens) is too large to process"
    >>> type(from_status(500, text, model="m", address="a")).__name__
    'TextTooLongError'
    """
    text = short_text(text)
    said = f"the server at {address} answered {status}: {text or 'an empty reply'}"
    if _TOO_LONG.search(text):
        return TextTooLongError(f"a text is longer than the model's context ({said})")
    if _NOT_AN_EMBEDDER.search(text):
        return ModelNotFoundError(
            f"{model!r} does not make embeddings there ({said}); llama.cpp's server needs "
            "--embeddings, vLLM an embedding model"
        )
    if status in (401, 403):
        return BackendError(
            f"the server at {address} refuses access ({said}). If it wants a key: "
            "OpenAIBackend(api_key_env='MY_KEY') reads it from the environment variable MY_KEY",
            fatal=True,
        )
    if _NO_MODEL.search(text):
        return ModelNotFoundError(
            f"the server at {address} does not have the model {model!r} ({said}); its models are "
            f"listed at {address}/v1/models"
        )
    if status in (404, 405, 501):
        return BackendError(
            f"there is no /v1/embeddings at {address} ({said}); is host the address before /v1, "
            "and the server one that makes embeddings?",
            fatal=True,
        )
    if status == 503 and "oading model" in text:
        return ServerUnavailableError(
            f"the server at {address} is still loading its model; try again in a moment"
        )
    if status == 429 and _NO_MONEY.search(text):
        return BackendError(said, fatal=True)
    if status in (408, 425, 429, 499, 500, 502, 503, 504):
        return BackendError(said, retryable=True, retry_after=last_retry_after())
    return BackendError(said)


def from_exception(error: Exception, *, address: str) -> BackendError:
    """Return the error for what httpx raised."""
    if isinstance(error, BackendError):
        return error
    lost = from_connection(error, address, unavailable=unavailable, settings="OpenAIBackend")
    if lost is not None:
        return lost
    return not_an_answer(f"{type(error).__name__}: {error}", address)


def not_an_answer(text: str, address: str) -> BackendError:
    """Return the error for a reply with status 200 that is something else altogether."""
    return BackendError(
        f"the server at {address} sent something that is not an answer ({short_text(text)}); is it "
        "a proxy's page?",
        retryable=True,
    )


def error_text(body: Any, raw: str = "") -> str:
    """Return the error text of a body, whatever shape the server gives it.

    Parameters
    ----------
    body : object
        The body's JSON, or None.
    raw : str, default=""
        The body itself, for where there is no JSON.

    Examples
    --------
    >>> error_text({"error": {"message": "no", "code": 400}}), error_text({"detail": "no"})
    ('no', 'no')
    """
    while isinstance(body, dict):
        found = next((body[k] for k in ("error", "message", "detail") if body.get(k)), None)
        if found is None:
            return json.dumps(body)
        body = found
    if body is None:
        return raw
    return body if isinstance(body, str) else json.dumps(body)


def _number(match: re.Match[str] | None) -> int | None:
    return int(next(filter(None, match.groups()))) if match is not None else None
