"""What an OpenAI-compatible server tells of itself and its model: little, and each its own way.

``/v1/models`` is all that the protocol has. llama.cpp adds sizes to it and has ``/props``, vLLM
adds the limit and has ``/version``, Text Embeddings Inference (TEI) has ``/info``, LM Studio
``/api/v0/models``, and Ollama an interface of its own. Everything is optional and believed as far
as it goes.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.backends.ollama_names import full_name, weights_digest

__all__ = ["ServerFacts", "read_facts", "read_weights"]

GetJson = Callable[[str], Any]
"""Returns the JSON at a path, or None if there is none."""

_ENGINES = {"llamacpp": "llama.cpp", "vllm": "vllm", "sglang": "sglang", "infinity": "infinity"}
"""Engines by the ``owned_by`` of their models."""


@dataclass(frozen=True)
class ServerFacts:
    """What a server tells.

    Parameters
    ----------
    engine, version : str, optional
        What computes.
    limit : int, optional
        Most tokens of one text, special tokens included.
    most_texts : int, optional
        Of one request.
    quantization : str, optional
        Of the weights, or their number format.
    digest : str, optional
        Of the model, where the server has one.
    details : str, optional
        Whatever else tells one model from another, as JSON: file, sizes, revision.
    """

    engine: str | None = None
    version: str | None = None
    limit: int | None = None
    most_texts: int | None = None
    quantization: str | None = None
    digest: str | None = None
    details: str | None = None


def read_facts(get: GetJson, model: str, engine: str | None = None) -> ServerFacts:
    """Ask a server what it is.

    Parameters
    ----------
    get : callable
        Fetches a path.
    model : str
        The model's name, which several servers ignore because they have one only.
    engine : str, optional
        What it was the last time, which is asked for first.
    """
    if engine == "ollama" and (ollama := _of_ollama(get, model)):
        return ollama
    listed = _model_entry(get("/v1/models"), model)
    engine = _ENGINES.get(str(listed.get("owned_by", "")).lower())
    if engine == "llama.cpp":
        return _of_llama_cpp(listed, _mapping(get("/props")))
    if engine is None:
        info = _mapping(get("/info"))
        if "model_id" in info and "max_input_length" in info:
            return _of_tei(info)
        if ollama := _of_ollama(get, model):
            return ollama
        lm_studio = _model_entry(get("/api/v0/models"), model, strict=True)
        if lm_studio:
            return _of_lm_studio(lm_studio)
    version = _mapping(get("/version")).get("version") if engine == "vllm" else None
    told = {k: listed.get(k) for k in ("id", "root", "owned_by") if listed.get(k)}
    return ServerFacts(
        engine=engine,
        version=version if isinstance(version, str) else None,
        limit=_count(listed.get("max_model_len")),
        details=_json(told),
    )


def read_weights(get: Callable[[str, Any], Any], model: str) -> str | None:
    """Return the digest of a model's weights, which Ollama alone tells."""
    shown = _mapping(get("/api/show", {"model": model}))
    return weights_digest(str(shown.get("modelfile", "")))


def _of_ollama(get: GetJson, model: str) -> ServerFacts | None:
    version = _mapping(get("/api/version")).get("version")
    # llama-swap answers there too, and has no models in Ollama's form.
    listed = _mapping(get("/api/tags")).get("models") if version else None
    if not isinstance(listed, list):
        return None
    models = {full_name(str(e.get("model"))): e for e in listed if isinstance(e, Mapping)}
    entry = _mapping(models.get(full_name(model)))
    details = _mapping(entry.get("details"))
    digest = entry.get("digest")
    return ServerFacts(
        engine="ollama",
        version=str(version),
        limit=_count(details.get("context_length")),
        quantization=details.get("quantization_level"),
        digest=digest if isinstance(digest, str) else None,
    )


def _of_llama_cpp(listed: Mapping[str, Any], props: Mapping[str, Any]) -> ServerFacts:
    meta = _mapping(listed.get("meta"))
    settings = _mapping(props.get("default_generation_settings"))
    build = props.get("build_info")
    # n_ctx of /props is that of one slot, which is what a text has to fit into.
    limit = _count(settings.get("n_ctx")) or _count(meta.get("n_ctx"))
    trained = _count(meta.get("n_ctx_train"))
    path = str(props.get("model_path") or listed.get("id") or "")
    told = {"file": path.replace("\\", "/").rpartition("/")[2]} | {
        k: meta.get(k) for k in ("size", "n_params", "n_embd", "n_vocab") if meta.get(k)
    }
    return ServerFacts(
        engine="llama.cpp",
        version=build if isinstance(build, str) else None,
        limit=min(filter(None, (limit, trained)), default=None),
        quantization=meta.get("ftype") or props.get("model_ftype"),
        details=_json(told),
    )


def _of_tei(info: Mapping[str, Any]) -> ServerFacts:
    # The revision is no digest of the weights: the same one gives other vectors under another
    # pooling or default prompt, so canaries have to tell.
    told = {k: info.get(k) for k in ("model_id", "model_sha", "model_type") if info.get(k)}
    version = info.get("version")
    return ServerFacts(
        engine="text-embeddings-inference",
        version=version if isinstance(version, str) else None,
        limit=_count(info.get("max_input_length")),
        most_texts=_count(info.get("max_client_batch_size")),
        quantization=info.get("model_dtype"),
        details=_json(told),
    )


def _of_lm_studio(listed: Mapping[str, Any]) -> ServerFacts:
    told = {k: listed.get(k) for k in ("id", "arch", "publisher") if listed.get(k)}
    return ServerFacts(
        engine="lm-studio",
        limit=_count(listed.get("loaded_context_length") or listed.get("max_context_length")),
        quantization=listed.get("quantization"),
        details=_json(told),
    )


def _model_entry(body: Any, model: str, *, strict: bool = False) -> Mapping[str, Any]:
    """Return the entry of a model in a list; the only entry for a server that has one model."""
    data = _mapping(body).get("data")
    entries = [e for e in data if isinstance(e, Mapping)] if isinstance(data, list) else []
    for entry in entries:
        if entry.get("id") == model:
            return entry
    return entries[0] if len(entries) == 1 and not strict else {}


def _mapping(body: Any) -> Mapping[str, Any]:
    return body if isinstance(body, Mapping) else {}


def _count(value: Any) -> int | None:
    with contextlib.suppress(TypeError, ValueError):
        return int(value) if int(value) > 0 else None
    return None


def _json(told: Mapping[str, Any]) -> str | None:
    return json.dumps(told, sort_keys=True, default=str) if told else None
