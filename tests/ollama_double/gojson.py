"""JSON as Go's ``encoding/json`` reads and writes it, with its error texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.ollama_double import errors
from tests.ollama_double.durations import parse_keep_alive

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_ESCAPED = re.compile("[<>&\u2028\u2029]")

# What Go says of the character at which Python's decoder stopped.
_COMPLAINTS = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}


class GoFloat(float):
    """A number that remembers how it was written, which Go's errors repeat."""

    literal: str

    def __new__(cls, literal: str) -> GoFloat:
        number = super().__new__(cls, literal)
        number.literal = literal
        return number


def _refuse_constant(name: str) -> Any:
    raise errors.ApiError(400, f"invalid character '{name[0]}' looking for beginning of value")


_decoder = json.JSONDecoder(parse_float=GoFloat, parse_constant=_refuse_constant)


def decode(raw: bytes) -> Any:
    """Return the first JSON value of a body; what follows it is ignored, as Go ignores it."""
    text = raw.decode("utf-8", errors="replace").lstrip(" \t\r\n")
    if not text:
        raise errors.ApiError(400, errors.MISSING_BODY)
    try:
        return _decoder.raw_decode(text)[0]
    except json.JSONDecodeError as error:
        raise errors.ApiError(400, _complaint(error, text)) from error


def _complaint(error: json.JSONDecodeError, text: str) -> str:
    if error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip(" \t\r\n")):
        return "unexpected EOF"
    for start, complaint in _COMPLAINTS.items():
        if error.msg.startswith(start):
            return f"invalid character {_go_rune(text[error.pos])} {complaint}"
    return "unexpected EOF"


def _go_rune(character: str) -> str:
    if character == "'":
        return "'\\''"
    if character == '"':
        return "'\"'"
    return "'" + json.dumps(character, ensure_ascii=False)[1:-1] + "'"


def clean(text: str) -> str:
    """Replace lone surrogates, which only an escape can bring in, by U+FFFD."""
    if text.isascii():
        return text
    return _SURROGATE.sub("\ufffd", text)


def bind(body: Any, struct: str, package: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a request by name, or fail as Go's decoder fails.

    ``fields`` gives the Go type of each field: ``string``, ``bool``, ``int``, ``any``,
    ``duration`` (Ollama's keep_alive) or ``map[string]interface {}``. Names are matched whatever
    their case; null leaves a field out.
    """
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise errors.ApiError(
            400,
            f"json: cannot unmarshal {_kind(body)} into Go value of type {package}.{struct}",
        )
    bound: dict[str, Any] = {}
    for key, value in body.items():
        name = key if key in fields else key.lower()
        if name not in fields or value is None:
            continue
        wanted = fields[name]
        if wanted == "duration":
            bound[name] = parse_keep_alive(value)
        elif _fits(value, wanted):
            bound[name] = clean(value) if wanted == "string" else value
        else:
            kind = _kind(value, literal=wanted == "int")
            raise errors.ApiError(
                400,
                f"json: cannot unmarshal {kind} into Go struct field {struct}.{name} "
                f"of type {wanted}",
            )
    return bound


def _fits(value: Any, wanted: str) -> bool:
    if wanted == "any":
        return True
    if wanted == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    kinds: dict[str, type] = {"string": str, "bool": bool, "map[string]interface {}": dict}
    return isinstance(value, kinds[wanted])


def _kind(value: Any, *, literal: bool = False) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return f"number {getattr(value, 'literal', value)}" if literal else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def dumps(value: Any) -> bytes:
    """Encode compactly, with Go's escapes of HTML characters."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _ESCAPED.sub(lambda match: _ESCAPES[match[0]], text).encode()
