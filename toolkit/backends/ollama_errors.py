"""What a failed request to Ollama means: by its text first, because its status misleads.

Since Ollama 0.13.3 a crashed runner answers 400 like a bad request does, so a status alone does
not tell what may be tried again. Texts and statuses as recorded from Ollama 0.24.0 and 0.32.15,
and as in its source from 0.11.10 to 0.33.0.
"""

from __future__ import annotations

import json
import re

import httpx

from toolkit.backends.connection_errors import from_connection, short_text
from toolkit.backends.transport import last_retry_after
from toolkit.errors import (
    BackendError,
    InvalidVectorsError,
    ModelNotFoundError,
    ServerUnavailableError,
    TextTooLongError,
)

__all__ = ["from_exception", "from_status", "unavailable", "version_in"]

_TOO_LONG = re.compile(
    r"input length exceeds|exceeds (the |maximum )?context length|input after truncation exceeds"
    r"|too large to process"
)
_RUNNER_GONE = re.compile(
    r"EOF|dial tcp|connection re(fused|set)|connectex|health resp|not responding"
    r"|no longer running|no slots available|broken pipe"
)
_CANNOT_LOAD = re.compile(
    r"llama-server process has terminated|timed out waiting for llama-server"
    r"|llama runner process has terminated|llama-server binary not found|unable to load model"
)
_NOT_AN_EMBEDDER = re.compile(r"does not support embeddings|Start it with `--embeddings`")
_NO_SUCH_PAGE = (301, 302, 303, 307, 308, 404, 405, 410, 501)


def unavailable(address: str) -> ServerUnavailableError:
    """Return the error for a server that does not answer."""
    return ServerUnavailableError(
        f"no Ollama server answers at {address}. Start it with `ollama serve` (Ollama is at "
        "https://ollama.com/download), give its address with host=... (--host) or OLLAMA_HOST, "
        "or work without a server: backend='cache' answers from vectors made earlier, "
        "backend='embedded' is a small built-in model."
    )


def version_in(response: httpx.Response, address: str) -> str:
    """Return the version in the answer to ``/api/version``, which tells Ollama from other servers.

    Raises
    ------
    BackendError
        If something else than Ollama answers there.
    httpx.HTTPStatusError
        If the answer is an error that an Ollama, or a proxy before it, may give.
    """
    status = response.status_code
    if status not in _NO_SUCH_PAGE:
        response.raise_for_status()
        try:
            return str(response.json()["version"])
        except (ValueError, KeyError, TypeError, IndexError):
            pass
    raise BackendError(
        f"what answers at {address} is not an Ollama server (status {status}, and no version, at "
        f"{address}/api/version). Give the address of Ollama with host=... (--host) or "
        "OLLAMA_HOST; if it is a server with OpenAI's /v1/embeddings (llama.cpp, vLLM, LM "
        "Studio), say so with backend='openai' (--backend openai)",
        fatal=True,
    )


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
    >>> error = from_status(400, 'Post "http://127.0.0.1:1/tokenize": EOF', model="m", address="a")
    >>> error.retryable, error.fatal
    (True, False)
    """
    text = short_text(text)
    said = f"Ollama at {address} answered {status}: {text}"
    if _TOO_LONG.search(text):
        return TextTooLongError(f"a text is longer than the model's context ({said})")
    if status == 404:
        return ModelNotFoundError(
            f"the model {model!r} is not on the server at {address}; get it with "
            f"`ollama pull {model}` ({said})"
        )
    if _NOT_AN_EMBEDDER.search(text):
        return ModelNotFoundError(
            f"{model!r} is not an embedding model ({said}); use `ollama pull embeddinggemma`"
        )
    if status in (401, 403):
        return BackendError(
            f"the server at {address} refuses access ({said or 'empty reply'}). A proxy may want "
            "a key: OllamaBackend(headers={'Authorization': 'Bearer ${MY_TOKEN}'}) reads it from "
            "the environment variable MY_TOKEN",
            fatal=True,
        )
    if _CANNOT_LOAD.search(text):
        return BackendError(
            f"the server cannot load {model!r} ({said}). Pull the model again with "
            f"`ollama pull {model}`, and see the server's log",
            retryable=True,
        )
    if text.startswith("option ") or "cannot unmarshal" in text or "invalid model name" in text:
        return BackendError(f"the request is not accepted ({said})", fatal=True)
    if "invalid duration" in text or "missing unit in duration" in text:
        return BackendError(f"keep_alive is not accepted ({said}); use 300 or '5m'", fatal=True)
    if status in (429, 499, 500, 502, 503, 504) or _RUNNER_GONE.search(text):
        return BackendError(said, retryable=True, retry_after=last_retry_after())
    return BackendError(said)


def from_exception(error: Exception, *, model: str, address: str) -> BackendError:
    """Return the error for what the ``ollama`` package or httpx raised.

    The package lets a good part of what may go wrong through as it is: timeouts, half bodies,
    bodies that are no JSON or lack vectors.
    """
    if isinstance(error, BackendError):
        return error
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return from_status(status, _text_of(error), model=model, address=address)
    if isinstance(error, httpx.HTTPStatusError):
        answer = error.response
        return from_status(answer.status_code, answer.text, model=model, address=address)
    lost = from_connection(error, address, unavailable=unavailable, settings="OllamaBackend")
    if lost is not None:
        return lost
    if type(error).__name__ == "ValidationError":  # pydantic's: no vectors, or nulls in them
        return InvalidVectorsError(
            f"the server at {address} sent no vectors, or vectors with holes "
            f"({short_text(str(error))})"
        )
    return BackendError(
        f"the server at {address} sent something that is not an answer "
        f"({type(error).__name__}: {short_text(str(error))}); is it Ollama, or a proxy's page?",
        retryable=True,
    )


def _text_of(error: Exception) -> str:
    """Return the text of an ``ollama.ResponseError``, whatever shape the body had."""
    found = getattr(error, "error", None)
    if isinstance(found, dict):  # OpenAI's shape
        return str(found.get("message", json.dumps(found)))
    return str(found if found is not None else error)
