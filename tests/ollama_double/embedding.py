"""The work behind all three embedding endpoints: load, cut, compute."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.ollama_double import errors, tokens
from tests.ollama_double.models import Model
from tests.ollama_double.scheduler import POLL, LoadOptions, Runner
from tests.ollama_double.vectors import Row
from tests.ollama_double.wire import Request

if TYPE_CHECKING:
    from tests.ollama_double.log import Record
    from tests.ollama_double.server import OllamaDouble

# Go type of each runner option, for the complaint about a wrong one.
LOAD_TIME_OPTIONS = {
    "num_ctx": "integer",
    "num_batch": "integer",
    "num_gpu": "integer",
    "main_gpu": "integer",
    "use_mmap": "boolean",
    "num_thread": "integer",
}
_OTHER_OPTIONS = {
    "num_keep": "integer",
    "seed": "integer",
    "num_predict": "integer",
    "top_k": "integer",
    "top_p": "float32",
    "min_p": "float32",
    "typical_p": "float32",
    "repeat_last_n": "integer",
    "temperature": "float32",
    "repeat_penalty": "float32",
    "presence_penalty": "float32",
    "frequency_penalty": "float32",
    "stop": "array",
}
SMALLEST_CONTEXT = 4


@dataclass
class Job:
    """Texts to embed with one model."""

    double: OllamaDouble
    request: Request
    record: Record
    model: Model
    texts: list[str]
    options: Mapping[str, Any]
    keep_alive: float | None = None
    truncate: bool = True
    dimensions: int = 0

    def wait(self, seconds: float) -> None:
        """Wait; raise if meanwhile the client has gone or the double was stopped."""
        self.double.wait(seconds, self.request)


@dataclass
class Result:
    """The vectors, and what the response says of them."""

    rows: list[Row] = field(default_factory=list)
    tokens: int = 0
    load_nanoseconds: int = 0


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse an option of the wrong type with Ollama's 500; unknown ones are let through."""
    for name, value in options.items():
        wanted = LOAD_TIME_OPTIONS.get(name) or _OTHER_OPTIONS.get(name)
        if wanted is None or value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = {
            "integer": number,
            "float32": number,
            "boolean": isinstance(value, bool),
            "array": isinstance(value, list),
        }
        if not fits[wanted]:
            raise errors.ApiError(500, f"option {errors.quote(name)} must be of type {wanted}")


def load_options(model: Model, options: Mapping[str, Any]) -> LoadOptions:
    """Return the options as the loaded runner has them."""
    asked = _integer(options, "num_ctx", model.context_length)
    context = min(max(asked, SMALLEST_CONTEXT), model.context_length)
    batch = _integer(options, "num_batch", min(2048, asked))
    others = tuple(
        (name, options[name])
        for name in ("main_gpu", "use_mmap", "num_thread")
        if options.get(name) is not None
    )
    return LoadOptions(context, batch, _integer(options, "num_gpu", -1), others)


def _integer(options: Mapping[str, Any], name: str, default: int) -> int:
    value = options.get(name)
    return default if value is None else int(value)


def run(job: Job) -> Result:
    """Load the model and embed the texts; no text only loads the model."""
    started = time.perf_counter_ns()
    double, result = job.double, Result()
    runner = double.scheduler.acquire(
        job.model, load_options(job.model, job.options), job.keep_alive, job.wait
    )
    try:
        result.load_nanoseconds = max(time.perf_counter_ns() - started, 1)
        if job.texts:
            if not job.model.pooled:
                raise double.behaviour.not_an_embedder
            job.wait(double.request_seconds)
            _compute(job, runner, result)
    finally:
        double.scheduler.release(runner)
    return result


def _compute(job: Job, runner: Runner, result: Result) -> None:
    """Embed every text; the first failure fails the request, but only when all have run."""
    double = job.double
    limit = _integer(job.options, "num_ctx", job.model.context_length)
    limit = min(limit, job.model.context_length) if limit > 0 else job.model.context_length
    source = double.source(job.model)
    failure: errors.ApiError | None = None
    ready = time.perf_counter()
    _take_turn(job, runner)
    # By a timetable: writing vectors, waking up late and changing threads cost no time of their
    # own, so n texts that are there in time take n times as long as one on any busy machine.
    due = max(ready, runner.free_at)
    try:
        for text in job.texts:
            try:
                kept, used = _fit(text, limit, job)
            except errors.ApiError as error:
                failure = failure or error
                continue
            result.rows.append(source.row(kept))
            due += double.text_seconds + double.token_seconds * used
            _work_until(due, job, runner)
            result.tokens += used
    finally:
        runner.free_at = due
        runner.turn.release()
    if failure is not None:
        raise failure
    rows = double.faults.on_rows(job.record, job.texts, result.rows)
    result.rows = [row.cut(job.dimensions) for row in rows] if job.dimensions > 0 else rows


def _fit(text: str, limit: int, job: Job) -> tuple[str, int]:
    """Return the text that is embedded and its tokens, special ones included."""
    room = limit - tokens.SPECIAL_TOKENS if text else limit
    if room <= 0:
        raise errors.ApiError(400, errors.NOTHING_LEFT)
    used = tokens.count(text)
    if used > room:
        if not job.truncate:
            raise errors.ApiError(400, job.double.behaviour.too_long)
        text, used = tokens.cut(text, room), room
    return text, used + tokens.SPECIAL_TOKENS


def _take_turn(job: Job, runner: Runner) -> None:
    while not runner.turn.acquire(timeout=POLL):
        _check(job, runner)


def _work_until(due: float, job: Job, runner: Runner) -> None:
    while (left := due - time.perf_counter()) > 0:
        job.wait(min(left, POLL))
        _check(job, runner)
    _check(job, runner, thorough=False)


def _check(job: Job, runner: Runner, *, thorough: bool = True) -> None:
    if not runner.alive:
        raise errors.runner_lost(job.double.behaviour.runner_error_status, runner.port)
    if thorough:
        job.wait(0)
