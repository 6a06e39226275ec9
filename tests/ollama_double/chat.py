"""``/api/chat`` without streaming: what a client that asks for an answer of a given form sees."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.ollama_double import api, errors, tokens
from tests.ollama_double.durations import date, from_now
from tests.ollama_double.embedding import check_options, load_options
from tests.ollama_double.models import Model
from tests.ollama_double.wire import Reply


def chat(call: api.Call) -> Reply:
    started = time.perf_counter_ns()
    fields = {
        "model": "string",
        "messages": "any",
        "stream": "bool",
        "format": "any",
        "think": "any",
        "keep_alive": "duration",
        "options": api.OPTIONS,
    }
    body = call.bind("ChatRequest", fields)
    double, asked = call.double, body.get("model", "")
    name = api.resolve(double, asked, missing=errors.ApiError(400, "model is required"))
    model = double.models.find(name)
    if model is None:
        raise errors.not_found(asked)
    if model.pooled:
        raise errors.ApiError(400, f"{errors.quote(asked)} does not support chat")
    options = body.get("options") or {}
    check_options(options)
    form = body.get("format")
    if form is not None and form != "json" and not isinstance(form, dict):
        shown = errors.quote(json.dumps(form))
        raise errors.ApiError(
            500, f'invalid format: {shown}; expected "json" or a valid JSON Schema object'
        )
    assert body.get("stream") is False, "the double does not stream answers"
    messages = body.get("messages") or []
    runner = double.scheduler.acquire(
        model,
        load_options(model, options),
        body.get("keep_alive"),
        lambda seconds: double.wait(seconds, call.request),
    )
    try:
        loaded = time.perf_counter_ns()
        double.wait(double.request_seconds, call.request)
        if not messages:
            return Reply.json(_answer(asked, "", "load"))
        prompt = sum(tokens.count(str(message.get("content", ""))) for message in messages)
        if prompt > runner.options.num_ctx:
            raise errors.ApiError(400, _too_long(prompt, runner.options.num_ctx))
        content = _written(model, messages)
    finally:
        double.scheduler.release(runner)
    done = time.perf_counter_ns()
    return Reply.json(
        _answer(asked, content, "stop")
        | {
            "total_duration": done - started,
            "load_duration": loaded - started,
            "prompt_eval_count": prompt,
            "prompt_eval_duration": max(done - loaded, 1),
            "eval_count": max(tokens.count(content), 1),
            "eval_duration": max(done - loaded, 1),
        }
    )


def _answer(model: str, content: str, reason: str) -> dict[str, Any]:
    return {
        "model": model,
        "created_at": date(from_now(0)),
        "message": {"role": "assistant", "content": content},
        "done": True,
        "done_reason": reason,
    }


def _written(model: Model, messages: list[dict[str, Any]]) -> str:
    """Return what the model says: by default what a tiny one of random weights says."""
    return '{"name" :"" }' if model.answer is None else model.answer(messages)


def _too_long(found: int, context: int) -> str:
    return json.dumps(
        {
            "error": {
                "code": 400,
                "message": f"request ({found} tokens) exceeds the available context size "
                f"({context} tokens), try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": found,
                "n_ctx": context,
            }
        },
        separators=(",", ":"),
    )
