"""The OpenAI-compatible endpoints."""

from __future__ import annotations

import base64
from collections.abc import Callable

from tests.ollama_double import api, errors, gojson
from tests.ollama_double.embedding import run
from tests.ollama_double.vectors import Row
from tests.ollama_double.wire import JSON, OPENAI_JSON, Reply

_KINDS = {400: "invalid_request_error", 404: "not_found_error"}


def error_reply(status: int, text: str, content_type: str = OPENAI_JSON) -> Reply:
    """Return an error in OpenAI's shape.

    Errors found before the request is handed on end without a newline and with Ollama's usual
    content type; those rewritten from a native error end with one.
    """
    body = gojson.dumps(
        {
            "error": {
                "message": text,
                "type": _KINDS.get(status, "api_error"),
                "param": None,
                "code": None,
            }
        }
    )
    return Reply(status, body + (b"" if content_type == JSON else b"\n"), content_type)


def embeddings(call: api.Call) -> Reply:
    """Answer ``/v1/embeddings``: no truncate, options or keep_alive."""
    fields = {"input": "any", "model": "string", "dimensions": "int"}
    if call.double.behaviour.has_base64:
        fields["encoding_format"] = "string"
    try:
        body = call.bind("EmbedRequest", fields, package="openai")
    except errors.ApiError as error:
        text = "EOF" if error.text == errors.MISSING_BODY else error.text
        return error_reply(400, text, JSON)
    wanted = body.get("encoding_format", "")
    if wanted.lower() not in ("", "float", "base64"):
        text = f"Invalid value for 'encoding_format' = {wanted}. "
        return error_reply(400, text + "Supported values: ['float', 'base64'].", JSON)
    if body.get("input") == "":
        body["input"] = [""]
    if body.get("input") in (None, []):
        return error_reply(400, "invalid input", JSON)
    if not call.double.behaviour.has_dimensions:
        body.pop("dimensions", None)
    try:
        result = run(api.embed_job(call, body))
    except errors.ApiError as error:
        return error_reply(error.status, error.text)
    write = _base64 if wanted.lower() == "base64" else _floats
    data = b",".join(
        b'{"object":"embedding","embedding":%b,"index":%d}' % (write(row), index)
        for index, row in enumerate(result.rows)
    )
    rest = {
        "model": body.get("model", ""),
        "usage": {"prompt_tokens": result.tokens, "total_tokens": result.tokens},
    }
    return Reply(
        200,
        b'{"object":"list","data":[' + data + b"]," + gojson.dumps(rest)[1:] + b"\n",
        OPENAI_JSON,
    )


def _floats(row: Row) -> bytes:
    return row.json


def _base64(row: Row) -> bytes:
    return b'"' + base64.b64encode(row.vector.astype("<f4").tobytes()) + b'"'


def models(call: api.Call) -> Reply:
    """Answer ``/v1/models``."""
    data = [
        {
            "id": model.parsed.shortest,
            "object": "model",
            "created": int(model.modified.timestamp()),
            "owned_by": model.parsed.namespace,
        }
        for model in call.double.models
    ]
    body = gojson.dumps({"object": "list", "data": data or None})
    return Reply(200, body + b"\n", OPENAI_JSON)


def routes() -> dict[str, dict[str, Callable[[api.Call], Reply]]]:
    """Return path -> method -> handler."""
    return {"/v1/embeddings": {"POST": embeddings}, "/v1/models": {"GET": models}}
