"""Everything that can go wrong, as objects a test adds to a double.

A ``Fault`` (in ``fault.py``) says which requests are met and how often; its effect, from here, says
what happens::

    double.faults.add(Fault(status(503, QUEUE_FULL), times=2))
    double.faults.add(Fault(status(400, "cannot do this one"), times=None, containing="poison"))
    double.faults.add(Fault(zero_vectors(only="bad text"), times=None, until_unload=True))
    double.faults.add(Fault(model_repulled("embeddinggemma", build="causal"), skip=3))

Several faults may meet one request: all do their part, in the order they were added, and the first
that answers outright is the answer.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.ollama_double import errors
from tests.ollama_double.fault import Effect
from tests.ollama_double.fault import Fault as Fault  # tests take both from here
from tests.ollama_double.vectors import Row
from tests.ollama_double.wire import OPENAI_JSON, Reply, Request

if TYPE_CHECKING:
    from tests.ollama_double.server import OllamaDouble


# --- an answer instead of the work ----------------------------------------------------------------


@dataclass
class _Answer(Effect):
    reply: Reply
    name: str = "status"

    def before(self, double: OllamaDouble, request: Request) -> Reply | None:
        return self.reply


def status(code: int, error: object, *, headers: Sequence[tuple[str, str]] = ()) -> Effect:
    """Answer this status with ``{"error": error}``."""
    reply = Reply.json({"error": error}, code)
    reply.headers = headers
    return _Answer(reply, f"status {code}")


def body(raw: bytes, *, code: int = 200, content_type: str = OPENAI_JSON) -> Effect:
    """Answer this body."""
    return _Answer(Reply(code, raw, content_type), f"body with {code}")


def runner_lost(call: str = "embeddings", moment: str = "read", *, code: int = 400) -> Effect:
    """The runner crashed under the request: since 0.13.3 that is a 400."""
    error = errors.runner_lost(code, 40999, call, moment)
    return status(error.status, error.text)


def queue_full() -> Effect:
    return status(503, errors.QUEUE_FULL)


def load_failed(error: str = errors.CANNOT_LOAD) -> Effect:
    return status(500, error)


def not_an_embedder() -> Effect:
    return status(501, errors.NOT_AN_EMBEDDER_0_30)


def canceled() -> Effect:
    return status(499, errors.REQUEST_CANCELED)


def rate_limited(retry_after: str = "1") -> Effect:
    return status(429, "too many requests", headers=[("Retry-After", retry_after)])


def proxy_page(code: int = 502) -> Effect:
    """The page of a proxy whose server is away."""
    page = f"<html><head><title>{code} Bad Gateway</title></head><body><hr>nginx</body></html>"
    return body(page.encode(), code=code, content_type="text/html")


def refused(code: int = 401) -> Effect:
    """401 or 403 as a proxy with a key says it."""
    return status(code, "unauthorized" if code == 401 else "forbidden")


def openai_error(code: int = 500, text: str = "the model is overloaded") -> Effect:
    """An error body in OpenAI's shape, on the native endpoint."""
    return status(code, {"message": text, "type": "api_error", "param": None, "code": None})


def string_error(code: int = 500, text: str = "something broke") -> Effect:
    """An error body that is a JSON string."""
    return body(b'"%b"' % text.encode(), code=code)


def not_json(text: str = "OK") -> Effect:
    """200 with something that is not JSON."""
    return body(text.encode(), content_type="text/plain")


def no_embeddings() -> Effect:
    """200 with JSON that has no ``embeddings``."""
    return body(b'{"model":"embeddinggemma"}')


# --- vectors that are wrong, with status 200 ------------------------------------------------------


@dataclass
class _Rows(Effect):
    change: Callable[[list[Row]], list[Row]]
    name: str

    def on_rows(self, texts: Sequence[str], rows: list[Row]) -> list[Row]:
        return self.change(rows)


@dataclass
class _EachRow(Effect):
    change: Callable[[Row], Row]
    name: str
    only: str | None = None

    def on_rows(self, texts: Sequence[str], rows: list[Row]) -> list[Row]:
        # Another fault may have made the list longer or shorter than the texts.
        chosen = [self.only is None or self.only in text for text in texts]
        chosen += [self.only is None] * len(rows)
        return [self.change(row) if yes else row for yes, row in zip(chosen, rows, strict=False)]


def zero_vectors(only: str | None = None) -> Effect:
    """All zeros, for the texts that contain ``only``."""
    return _EachRow(lambda row: Row(np.zeros_like(row.vector)), "zero vectors", only)


def _first_component(literal: bytes) -> Callable[[Row], Row]:
    def change(row: Row) -> Row:
        vector = row.vector.copy()
        vector[0] = np.nan
        return Row(vector, b"[" + literal + row.json[row.json.index(b",") :])

    return change


def null_component(only: str | None = None) -> Effect:
    """JSON's ``null`` in place of the first component."""
    return _EachRow(_first_component(b"null"), "null component", only)


def nan_literal(only: str | None = None) -> Effect:
    """``NaN`` in place of the first component, which is no JSON."""
    return _EachRow(_first_component(b"NaN"), "NaN literal", only)


def wrong_length(length: int, only: str | None = None) -> Effect:
    """Vectors of another length."""

    def change(row: Row) -> Row:
        return Row(np.resize(row.vector, length))

    return _EachRow(change, "wrong length", only)


def scaled(factor: float, only: str | None = None) -> Effect:
    """Vectors that are not of unit length."""
    return _EachRow(lambda row: Row(row.vector * np.float32(factor)), "scaled", only)


def short_list(by: int = 1) -> Effect:
    """Fewer vectors than texts."""
    return _Rows(lambda rows: rows[:-by], "short list")


def long_list(by: int = 1) -> Effect:
    """More vectors than texts."""
    return _Rows(lambda rows: rows + rows[:1] * by, "long list")


def swapped(first: int = 0, second: int = 1) -> Effect:
    """Two vectors in each other's place."""

    def change(rows: list[Row]) -> list[Row]:
        rows = list(rows)
        rows[first], rows[second] = rows[second], rows[first]
        return rows

    return _Rows(change, "swapped rows")


# --- the connection -------------------------------------------------------------------------------


@dataclass
class _Wait(Effect):
    seconds: float
    name: str = "delay"

    def before(self, double: OllamaDouble, request: Request) -> Reply | None:
        double.wait(self.seconds, request)
        return None


def delay(seconds: float) -> Effect:
    """Answer late."""
    return _Wait(seconds)


def hang() -> Effect:
    """Never answer; ends when the client goes or the double is stopped."""
    return _Wait(float("inf"), "hang")


@dataclass
class _Cut(Effect):
    part: float
    name: str
    cuts = True

    def send(self, double: OllamaDouble, request: Request, reply: Reply) -> bool:
        head, framed = reply.parts()
        if self.part > 0:
            request.connection.sendall(head + framed[: int(len(framed) * self.part)])
        request.connection.shutdown(socket.SHUT_RDWR)
        return True


def disconnect() -> Effect:
    """Close the connection without a response, after the work."""
    return _Cut(0.0, "disconnect")


def disconnect_mid_body(part: float = 0.5) -> Effect:
    """Close the connection after a part of the body."""
    return _Cut(part, "disconnect mid-body")


@dataclass
class _Drip(Effect):
    seconds: float
    size: int
    name: str = "slow loris"

    def send(self, double: OllamaDouble, request: Request, reply: Reply) -> bool:
        framed = reply.framed()
        for start in range(0, len(framed), self.size):
            request.connection.sendall(framed[start : start + self.size])
            double.wait(self.seconds, request)
        return True


def slow_loris(seconds: float, size: int = 1) -> Effect:
    """Send ``size`` bytes every so many seconds."""
    return _Drip(seconds, size)


# --- the world around the request -----------------------------------------------------------------


@dataclass
class _Act(Effect):
    action: Callable[[OllamaDouble], object]
    name: str = "act"

    def before(self, double: OllamaDouble, request: Request) -> Reply | None:
        self.action(double)
        return None


def act(action: Callable[[OllamaDouble], object], name: str = "act") -> Effect:
    """Do something to the double just before the request is worked on."""
    return _Act(action, name)


def model_removed(model: str = "embeddinggemma") -> Effect:
    return act(lambda double: double.models.remove(model), "model removed")


def model_repulled(model: str = "embeddinggemma", **changes: Any) -> Effect:
    """The tag is pulled again: another manifest digest, and whatever else changes."""

    def pull(double: OllamaDouble) -> None:
        digest = re.sub("^.{8}", "0" * 8, double.models[model].digest)
        double.models.change(model, **({"digest": digest} | changes))

    return act(pull, "model re-pulled")


def model_swapped(model: str = "embeddinggemma", **changes: Any) -> Effect:
    """Other vectors under the same digests: ``build=...`` or ``known=...``."""
    return act(lambda double: double.models.change(model, **changes), "model swapped")


def listed_twice(model: str = "embeddinggemma:latest", digest: str = "f" * 64) -> Effect:
    """``/api/ps`` lists a loaded model a second time, under another digest."""
    return act(lambda double: double.ghosts.append((model, digest)), "listed twice")


def reloaded_by_another(num_ctx: int = 512, model: str = "embeddinggemma") -> Effect:
    """Another client makes the server load the model with other options."""
    return act(lambda double: double.load(model, num_ctx=num_ctx), "reloaded by another")
