"""Comparing a response with the recorded one.

What is compared: status; ``Content-Type``, ``Allow`` and ``Location``; whether the body came in
chunks or with a length; error and other texts to the letter; keys and their order; number, length
and norm of vectors; which rows of a file have equal vectors and which do not (:class:`Sameness`).

What is not, because it is the recorded model's or the moment's own:

====================================== ===========================================================
``digest``, ``size``, ``modified_at``, another model file; only their type is compared
``created``, ``parameter_size``,
``quantization_level``, sizes and
counts in ``model_info``
``total_duration``, ``load_duration``,  another moment; only type, and that dates are dates
``expires_at``
``prompt_eval_count``, ``usage``        another tokenizer; compared where the text was cut, for then
                                        the count is the limit, whatever the tokenizer
numbers in vectors                      other weights
``content``, ``eval_count``             what a chat model says, and at what length
tokens over a chat model's context      another tokenizer; masked
``created_at``, durations of a chat     another moment; only type, and that dates are dates
paths of blobs                          another store; masked
ports of runners                        chosen at random; masked
``size_vram``                           read off the engine's log, which the wheel writes otherwise
list of models (tags, v1 models)        the recorded server had others beside; ``embeddinggemma``
                                        must be there, and every entry has the recorded keys
``capabilities`` in the list of models  depends on how the model came into the store
number of tensors                       fewer layers; the first one's keys are compared
a loaded model's second entry (ps)      the recorded server still held the tag's former model
====================================== ===========================================================
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

from tests.contract.exchanges import Exchange

CONTEXT = 2048
BUFFER = 2048
"""Go sends a body up to this size with its length, a longer one in chunks."""

TYPE_ONLY = {
    "digest",
    "size",
    "modified_at",
    "created",
    "parameter_size",
    "quantization_level",
    "total_duration",
    "load_duration",
    "expires_at",
    "size_vram",
    "created_at",
    "content",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
}
DATES = {"modified_at", "expires_at", "created_at"}
COUNTS = {"prompt_eval_count", "prompt_tokens", "total_tokens"}
LISTS_OF_MODELS = {"/api/tags", "/v1/models"}

_BLOB = re.compile(r"/\S*/blobs/sha256-[0-9a-f]{64}")
_PORT = re.compile(r"127\.0\.0\.1:\d+")
_TOKENS = re.compile(r"(request \(|\"n_prompt_tokens\":)\d+")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def masked(text: str) -> str:
    """Return a text without what differs between two servers alike."""
    return _TOKENS.sub(r"\1N", _PORT.sub("127.0.0.1:PORT", _BLOB.sub("BLOB", text)))


@dataclass
class Differences:
    """What one response has other than the recorded one."""

    exchange: Exchange
    found: list[str] = field(default_factory=list)
    vectors: list[tuple[Any, np.ndarray]] = field(default_factory=list)

    def check(self, what: str, got: object, wanted: object) -> None:
        if got != wanted:
            self.found.append(f"{what}: got {str(got)[:300]!r}, recorded {str(wanted)[:300]!r}")

    def compare(self, response: httpx.Response) -> None:
        """Compare a whole response."""
        recorded = self.exchange.response
        self.check("status", response.status_code, recorded["status"])
        for name in ("Content-Type", "Allow", "Location"):
            self.check(name, response.headers.get(name), recorded["headers"].get(name))
        self._framing(response, recorded)
        wanted = recorded["body"]
        if isinstance(wanted, dict) and set(wanted) == {"text"}:
            self.check("body", response.text, wanted["text"])
            return
        try:
            got = response.json()
        except ValueError:
            self.found.append(f"body is no JSON: {response.text[:200]!r}")
            return
        self.value("body", got, wanted)

    def _framing(self, response: httpx.Response, recorded: dict[str, Any]) -> None:
        """Sizes differ with the model, so the rule is compared where the size may."""
        chunked = response.headers.get("Transfer-Encoding") == "chunked"
        self.check("has Content-Length", "Content-Length" in response.headers, not chunked)
        was_chunked = recorded["headers"].get("Transfer-Encoding") == "chunked"
        if self.exchange.request["path"] in (*LISTS_OF_MODELS, "/api/ps", "/api/show"):
            if response.request.method != "HEAD":
                self.check("chunked", chunked, len(response.content) > BUFFER)
            return
        if self.exchange.request["path"] == "/api/chat" and recorded["status"] == 200:
            return  # as long as what the model says
        self.check("chunked", chunked, was_chunked)
        if recorded["status"] != 200 and not was_chunked:
            length = response.headers.get("Content-Length")
            self.check("Content-Length", length, recorded["headers"]["Content-Length"])

    def value(self, where: str, got: Any, wanted: Any) -> None:
        """Compare one JSON value."""
        name = where.rpartition(".")[2]
        if _is_vector(name, wanted):
            self._vector(where, got, wanted)
        elif name in ("prompt_eval_count", "prompt_tokens", "total_tokens"):
            self._count(where, got, wanted)
        elif name in TYPE_ONLY or (name == "capabilities" and self._lists_models()):
            self.check(f"type of {where}", type(got), type(wanted))
            if name in DATES and not _DATE.fullmatch(str(got)):
                self.found.append(f"{where} is no date: {got!r}")
            if name == "expires_at":
                self.check(f"{where} is never", str(got) > "2300", str(wanted) > "2300")
        elif name == "models" or (name == "data" and self._lists_models()):
            self._models(where, got, wanted)
        elif name == "tensors":
            self.value(f"{where}[0]", got[0], dict.fromkeys(wanted["first"][0], ...))
        elif name == "model_info":
            self.check(f"keys of {where} not on both sides", set(got) ^ set(wanted), set())
            self.check(f"order of {where}", list(got), sorted(got))
        elif isinstance(wanted, dict):
            if not isinstance(got, dict):
                self.check(where, got, wanted)
                return
            self.check(f"keys of {where}", list(got), list(wanted))
            for key in got.keys() & wanted.keys():
                self.value(f"{where}.{key}", got[key], wanted[key])
        elif isinstance(wanted, list):
            self.check(f"number of {where}", len(got), len(wanted))
            for index, pair in enumerate(zip(got, wanted, strict=False)):
                self.value(f"{where}[{index}]", *pair)
        elif wanted is not ...:
            if isinstance(got, str) and isinstance(wanted, str):
                got, wanted = masked(got), masked(wanted)
            self.check(where, got, wanted)

    def _lists_models(self) -> bool:
        return self.exchange.request["path"] in LISTS_OF_MODELS

    def _count(self, where: str, got: Any, wanted: int) -> None:
        self.check(f"type of {where}", type(got), int)
        options = self.exchange.request.get("body", {}).get("options", {})
        limit = min(options.get("num_ctx", CONTEXT), CONTEXT)
        if wanted == limit:
            self.check(where, got, wanted)

    def _models(self, where: str, got: list[Any], wanted: list[Any]) -> None:
        label = "id" if where.endswith("data") else "name"
        names = [entry[label] for entry in got]
        if self._lists_models():
            self.check(f"embeddinggemma in {where}", "embeddinggemma:latest" in names, True)
        else:
            self.check(f"names in {where}", names, list(dict.fromkeys(e[label] for e in wanted)))
        by_name = {entry[label]: entry for entry in reversed(wanted)}
        for index, entry in enumerate(got):
            if entry[label] in by_name:
                self.value(f"{where}[{index}]", entry, by_name[entry[label]])

    def _vector(self, where: str, got: Any, wanted: Any) -> None:
        if isinstance(wanted, str):
            raw = np.frombuffer(base64.b64decode(wanted), dtype="<f4")
            key, length = ("base64", *raw.tolist()), len(raw)
            got = np.frombuffer(base64.b64decode(got), dtype="<f4").tolist()
        elif isinstance(wanted, dict):
            key, length = (wanted["numbers"], *wanted["first"]), wanted["numbers"]
        else:
            key, length = tuple(wanted), len(wanted)
        vector = np.asarray(got, dtype=np.float64)
        self.check(f"length of {where}", vector.shape, (length,))
        norm = float(np.linalg.norm(vector))
        if abs(norm - 1) > 1e-5:
            self.found.append(f"norm of {where}: {norm}")
        if self.exchange.request["path"] != "/api/embeddings":  # not rounded in the same way
            self.vectors.append((key, vector))


def _is_vector(name: str, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return "numbers" in wanted
    if name == "embedding":
        return bool(wanted)
    numbers = isinstance(wanted, list) and bool(wanted)
    return numbers and all(isinstance(x, int | float) for x in wanted)


class Sameness:
    """Equal recorded vectors have to be equal again, and different ones different.

    That is how cut, mangled and renamed requests are seen to mean what they meant.
    """

    def __init__(self) -> None:
        self._first: dict[Any, tuple[str, np.ndarray]] = {}

    def add(self, differences: Differences) -> None:
        name = differences.exchange.name
        for key, vector in differences.vectors:
            seen = self._first.setdefault(key, (name, vector))
            if vector.shape != seen[1].shape or np.abs(vector - seen[1]).max() > 1e-4:
                differences.found.append(f"vector is not that of {seen[0]!r}, and was")

    def clashes(self) -> list[str]:
        """Return the pairs of rows that have the same vector and had not."""
        found = []
        items = list(self._first.items())
        for number, (_, (name, vector)) in enumerate(items):
            for _, (other, against) in items[number + 1 :]:
                same_shape = vector.shape == against.shape and len(vector) > 1
                if same_shape and np.abs(vector - against).max() < 1e-4:
                    found.append(f"{name!r} and {other!r} have the same vector, and had not")
        return found
