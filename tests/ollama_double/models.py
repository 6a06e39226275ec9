"""The models a double has: what the server says of them, and how their names are resolved."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tests.ollama_double import errors
from tests.ollama_double.vectors import Vector, VectorSource

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")
HOST, NAMESPACE = "registry.ollama.ai", "library"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Name:
    """A resolved name: always four parts."""

    host: str
    namespace: str
    model: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Name:
        """Resolve a name as Ollama does, or fail with 400 ``invalid model name``."""
        rest, tag = text, "latest"
        if ":" in text.rpartition("/")[2]:
            rest, _, tag = text.rpartition(":")
        parts = rest.split("/")
        if len(parts) > 3:
            raise errors.ApiError(400, errors.INVALID_NAME)
        host, namespace, model = [HOST, NAMESPACE][: 3 - len(parts)] + parts
        checks = ((_HOST, host), (_NAMESPACE, namespace), (_PART, model), (_PART, tag))
        if not all(pattern.fullmatch(part) for pattern, part in checks):
            raise errors.ApiError(400, errors.INVALID_NAME)
        return cls(host, namespace, model, tag)

    @property
    def key(self) -> str:
        """Names are the same whatever their case."""
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}".lower()

    @property
    def shortest(self) -> str:
        """How Ollama shows the name."""
        if self.host.lower() != HOST:
            return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"
        if self.namespace.lower() != NAMESPACE:
            return f"{self.namespace}/{self.model}:{self.tag}"
        return f"{self.model}:{self.tag}"


@dataclass(frozen=True)
class Model:
    """One model in the store. Change it with :func:`dataclasses.replace` or ``Store.change``.

    Parameters
    ----------
    name : str
        The name it is stored under.
    digest, weights : str
        SHA-256 of the manifest and of the weights; made from the other fields if empty.
    architecture : str
        ``gemma3`` as the library's embeddinggemma, ``gemma-embedding`` as an imported one.
    build : str, optional
        Whose vectors the reference texts get; None for those of the server's version.
    known : mapping of str to array
        Texts with vectors of their own.
    noise : float
        See :class:`~tests.ollama_double.vectors.VectorSource`.
    pooled : bool
        False makes it a chat model, which cannot embed.
    damaged : bool
        True: every attempt to load it fails.
    answer : callable, optional
        What a chat model says to a list of messages.
    """

    name: str = "embeddinggemma"
    digest: str = ""
    weights: str = ""
    architecture: str = "gemma3"
    dimension: int = 768
    context_length: int = 2048
    quantization: str = "BF16"
    parameter_size: str = "307.58M"
    size: int = 621_875_917
    build: str | None = None
    known: Mapping[str, Vector] = field(default_factory=dict)
    noise: float = 0.0
    pooled: bool = True
    damaged: bool = False
    answer: Callable[[list[dict[str, Any]]], str] | None = None
    modified: datetime = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)

    def __post_init__(self) -> None:
        full = Name.parse(self.name)
        if not self.weights:
            weights = sha256(f"weights of {full.model} {self.quantization}")
            object.__setattr__(self, "weights", weights)
        if not self.digest:
            digest = sha256(f"manifest of {full.model} {self.weights}")
            object.__setattr__(self, "digest", digest)

    @property
    def parsed(self) -> Name:
        return Name.parse(self.name)

    def source(self, build: str) -> VectorSource:
        """Return the model's vectors on a server whose engine has this build."""
        return VectorSource(
            self.weights, self.build or build, self.dimension, self.known, self.noise
        )

    def details(self) -> dict[str, Any]:
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.architecture,
            "families": [self.architecture],
            "parameter_size": self.parameter_size,
            "quantization_level": self.quantization,
        }

    @property
    def info(self) -> dict[str, Any]:
        """What ``/api/show`` calls model_info, sorted by key as Go sorts a map."""
        rest: dict[str, Any] = {
            "general.architecture": self.architecture,
            "general.file_type": 32,
            "general.parameter_count": 307581696,
            "general.quantization_version": 2,
            "tokenizer.ggml.add_bos_token": True,
            "tokenizer.ggml.add_eos_token": True,
            "tokenizer.ggml.bos_token_id": 2,
            "tokenizer.ggml.eos_token_id": 1,
            "tokenizer.ggml.model": "llama",
            "tokenizer.ggml.padding_token_id": 0,
            "tokenizer.ggml.pre": "default",
            "tokenizer.ggml.scores": None,
            "tokenizer.ggml.token_type": None,
            "tokenizer.ggml.tokens": None,
            "tokenizer.ggml.unknown_token_id": 3,
        }
        own: dict[str, Any] = {
            "attention.head_count": 3,
            "attention.head_count_kv": 1,
            "attention.key_length": 256,
            "attention.layer_norm_rms_epsilon": 1e-06,
            "attention.sliding_window": 512,
            "attention.value_length": 256,
            "block_count": 24,
            "context_length": self.context_length,
            "embedding_length": self.dimension,
            "feed_forward_length": 1152,
            "rope.freq_base": 1000000,
        }
        if self.architecture == "gemma3":
            own["rope.local.freq_base"] = 10000
        else:
            own["rope.freq_base_swa"] = 10000
            own |= {"dense_2_feat_in": 768, "dense_2_feat_out": 3072}
            own |= {"dense_3_feat_in": 3072, "dense_3_feat_out": 768}
            rest["tokenizer.ggml.add_space_prefix"] = False
        if self.pooled:
            own["pooling_type"] = 1
        named = {f"{self.architecture}.{key}": value for key, value in own.items()}
        return dict(sorted((named | rest).items()))


class Store:
    """The models by resolved name, in the order they were added."""

    def __init__(self, models: tuple[Model, ...] = ()) -> None:
        self._models: dict[str, Model] = {}
        self._lock = threading.Lock()
        for model in models:
            self.add(model)

    def __iter__(self) -> Iterator[Model]:
        with self._lock:
            return iter(list(self._models.values()))

    def __getitem__(self, name: str) -> Model:
        with self._lock:
            return self._models[Name.parse(name).key]

    def find(self, name: Name) -> Model | None:
        with self._lock:
            return self._models.get(name.key)

    def add(self, model: Model) -> Model:
        with self._lock:
            self._models[model.parsed.key] = model
        return model

    def remove(self, name: str) -> None:
        """Remove a model; nothing happens if it is not there."""
        with self._lock:
            self._models.pop(Name.parse(name).key, None)

    def copy(self, model: Model, name: str) -> Model:
        """Store a model under a second name: the same manifest and weights."""
        return self.add(replace(model, name=name))

    def change(self, name: str, **changes: Any) -> Model:
        """Replace fields of a stored model: the same digest with another ``build`` is a model
        silently swapped, another ``digest`` a tag pulled again.
        """
        return self.add(replace(self[name], **changes))
