"""EmbeddingGemma and others through a local Ollama server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toolkit.backends import ollama_errors
from toolkit.backends.hosts import host_from_environment, parse_host
from toolkit.backends.transport import client_options, expand_headers
from toolkit.errors import BackendError, ModelNotFoundError, ServerTooOldError, UsageError
from toolkit.identity import ModelIdentity
from toolkit.prompts import find_family

if TYPE_CHECKING:
    import httpx
    import ollama

__all__ = ["OllamaBackend", "OllamaServer", "parse_version"]

FIRST_RIGHT_VERSION = (0, 12, 7)
"""Ollama before this ran embeddinggemma with causal attention: other vectors altogether."""

SPECIAL_TOKENS = 2
"""EmbeddingGemma's tokens around a text: beginning and end."""


@dataclass(frozen=True)
class OllamaBackend:
    """Settings of an Ollama server that a vectorizer's own parameters do not cover.

    Parameters
    ----------
    timeout : float, default=120.0
        Most seconds for one request, loading the model included.
    keep_alive : float or str, optional
        How long the server keeps the model loaded: seconds, or a duration like ``"10m"``; -1 for
        ever. None leaves the server's own setting (5 minutes).
    options : mapping, optional
        Runner options, for example ``{"num_gpu": 0}``. They are the same on every request, or
        the server would load the model anew.
    headers : mapping of str to str, optional
        Extra headers. ``${NAME}`` in a value is replaced by an environment variable when
        connecting, so that no secret is in a parameter or a pickle.
    allow_unverified : bool, default=False
        Accept a model of an official name whose vectors are not those of the published model,
        or a server too old to make them.

    Examples
    --------
    >>> OllamaBackend(timeout=600, keep_alive="1h")
    OllamaBackend(timeout=600, keep_alive='1h', options=None, headers=None, allow_unverified=False)
    """

    timeout: float = 120.0
    keep_alive: float | str | None = None
    options: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    allow_unverified: bool = False

    def bind(self, model: str, address: str | None = None) -> OllamaServer:
        """Return the backend for one model on one server.

        Parameters
        ----------
        model : str
            The model's name.
        address : str, optional
            The server's address; None for ``OLLAMA_HOST`` or the default.
        """
        if not isinstance(model, str) or not model.strip():
            raise UsageError(f"model must be a model's name, not {model!r}")
        if not isinstance(self.timeout, int | float) or self.timeout <= 0:
            raise UsageError(f"timeout must be a positive number of seconds, not {self.timeout!r}")
        where = host_from_environment() if address is None else parse_host(address)
        return OllamaServer(model=model.strip(), address=where, settings=self)


@dataclass(frozen=True)
class OllamaServer:
    """One model on one Ollama server: a :class:`~toolkit.backends.base.Backend`.

    Holds no connection: those belong to the process (:func:`_connection`), so an object can be
    pickled and used in other processes.

    Parameters
    ----------
    model : str
        The model's name.
    address : str
        Base address of the server.
    settings : OllamaBackend
        Everything else.
    """

    model: str
    address: str
    settings: OllamaBackend = OllamaBackend()

    @property
    def max_tokens(self) -> int | None:
        """Most tokens of one text, special tokens included."""
        return self.identify().context_length

    @property
    def preferred_batch(self) -> int:
        """32: measured, more texts a request gain nothing on a CPU."""
        return 32

    @property
    def uses_prompts(self) -> bool:
        """Models behind Ollama get their prompt from the client."""
        return True

    @property
    def key(self) -> tuple[str, ...]:
        """What the process-wide memory of identities goes by."""
        return ("ollama", self.address, self.model, _settings_key(self.settings))

    def version(self) -> str:
        """Return the server's version.

        Raises
        ------
        ServerUnavailableError
            If no server answers.
        """
        with self._errors():
            response = self._connection().http.get("/api/version")
            response.raise_for_status()
            return str(response.json()["version"])

    def fingerprint(self) -> str:
        """Return a text that changes when the server or the model behind the name does.

        Two requests of about a millisecond; no model is loaded.
        """
        return f"{self.version()} {self._digest()}"

    def describe_model(self) -> dict[str, Any]:
        """Return what the server says of the model: weights digest, sizes, capabilities.

        Raises
        ------
        ModelNotFoundError
            If the server does not have it.
        """
        with self._errors():
            shown = self._connection().client.show(self.model)
        info = dict(shown.modelinfo or {})
        architecture = str(info.get("general.architecture", ""))
        weights = re.search(r"^FROM \S*sha256-([0-9a-f]{64})", shown.modelfile or "", re.MULTILINE)
        details = shown.details
        return {
            "architecture": architecture,
            "capabilities": list(shown.capabilities or []),
            "context_length": info.get(f"{architecture}.context_length"),
            "dimension": info.get(f"{architecture}.embedding_length"),
            "pooled": f"{architecture}.pooling_type" in info,
            "quantization": details.quantization_level if details else None,
            "weights": weights[1] if weights else None,
        }

    def identify(self) -> ModelIdentity:
        """Return what makes the vectors: three requests, no model is loaded.

        Raises
        ------
        ServerUnavailableError
            If no server answers.
        ModelNotFoundError
            If the server does not have the model, or it makes no embeddings.
        ServerTooOldError
            If the server is known to compute embeddinggemma wrongly.
        """
        version = self.version()
        described = self.describe_model()
        if described["capabilities"] and "embedding" not in described["capabilities"]:
            raise ModelNotFoundError(
                f"{self.model!r} on {self.address} is not an embedding model (it can: "
                f"{', '.join(described['capabilities'])}); use `ollama pull embeddinggemma`"
            )
        self._refuse_old(version)
        return ModelIdentity(
            backend="ollama",
            model=self.model,
            dimension=int(described["dimension"] or 0),
            digest=self._digest(),
            weights=described["weights"],
            engine="ollama",
            engine_version=version,
            quantization=described["quantization"],
            context_length=described["context_length"],
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of rendered texts, as the server gives them.

        Raises
        ------
        TextTooLongError
            If a text is over the model's context; nothing is cut.
        BackendError
            Anything else, by kind (:mod:`toolkit.backends.ollama_errors`).
        """
        return self._embed(texts, truncate=False)

    def embed_truncated(self, text: str) -> NDArray[np.float32]:
        """Return the vector, shape (d,), of as much of a text's beginning as fits."""
        return self._embed([text], truncate=True)[0]

    def unload(self, *, seconds: float = 10.0) -> bool:
        """Ask the server to drop the model from memory, and wait until it has.

        Returns
        -------
        bool
            Whether it was gone before the time was up.
        """
        deadline = time.monotonic() + seconds
        with self._errors():
            client = self._connection().client
            client.embed(model=self.model, keep_alive=0)
            while time.monotonic() < deadline:
                names = {_full_name(m.model or "") for m in client.ps().models}
                if _full_name(self.model) not in names:
                    return True
                time.sleep(0.05)
        return False

    def interrupt(self) -> None:
        """Close this process's connections to the server; running requests end with an error."""
        with _lock:
            connection = _connections.pop((os.getpid(), *self.key), None)
        if connection is not None:
            connection.close()

    # --- inside ----------------------------------------------------------------------------------

    def _embed(self, texts: Sequence[str], *, truncate: bool) -> NDArray[np.float32]:
        settings = self.settings
        with self._errors():
            answer = self._connection().client.embed(
                model=self.model,
                input=texts,
                truncate=truncate,
                options=settings.options,
                keep_alive=settings.keep_alive,
            )
        try:
            return np.asarray(answer.embeddings, dtype=np.float32).reshape(
                len(answer.embeddings), -1
            )
        except ValueError as error:
            raise BackendError(
                f"the server at {self.address} sent vectors of unequal lengths", retryable=True
            ) from error

    def _digest(self) -> str | None:
        wanted = _full_name(self.model)
        with self._errors():
            listed = self._connection().client.list()
        for model in listed.models:
            if _full_name(model.model or "") == wanted:
                return model.digest
        return None

    def _refuse_old(self, version: str) -> None:
        family = find_family(self.model)
        number = parse_version(version)
        if (
            family is not None
            and family.name.startswith("embeddinggemma")
            and number is not None
            and number < FIRST_RIGHT_VERSION
            and not self.settings.allow_unverified
        ):
            raise ServerTooOldError(
                f"Ollama {version} at {self.address} computes {self.model} with causal attention, "
                "which gives wrong vectors (their cosine to the right ones is 0.5 to 0.8). Update "
                "Ollama to 0.12.7 or later, best to 0.30 or later (https://ollama.com/download), "
                "or accept them with OllamaBackend(allow_unverified=True) (--allow-unverified)."
            )

    def _connection(self) -> _Connection:
        return _connection(self)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (BackendError, UsageError):
            raise
        except Exception as error:  # every way a request can fail becomes one kind of error
            raise ollama_errors.from_exception(
                error, model=self.model, address=self.address
            ) from error


class _Connection:
    """The clients of one server in one process, over one pool of connections."""

    def __init__(self, server: OllamaServer) -> None:
        import httpx

        ollama = _import_ollama()
        headers = expand_headers(server.settings.headers)
        options = client_options(server.address, float(server.settings.timeout))
        self.client: ollama.Client = ollama.Client(server.address, headers=headers, **options)
        names = {name.lower() for name in headers}
        if "authorization" not in names and (key := os.environ.get("OLLAMA_API_KEY")):
            headers["authorization"] = f"Bearer {key}"
        self.http: httpx.Client = httpx.Client(base_url=server.address, headers=headers, **options)

    def close(self) -> None:
        self.http.close()
        self.client.close()


_connections: dict[tuple[object, ...], _Connection] = {}
_lock = threading.Lock()


def _connection(server: OllamaServer) -> _Connection:
    """Return this process's clients for a server; a fork's child makes its own."""
    key = (os.getpid(), *server.key)
    with _lock:
        if key not in _connections:
            _connections[key] = _Connection(server)
        return _connections[key]


def _import_ollama() -> Any:
    """Import the package, which fails on an ``OLLAMA_HOST`` that Ollama itself accepts."""
    value = os.environ.get("OLLAMA_HOST")
    if value is None:
        import ollama

        return ollama
    try:
        os.environ["OLLAMA_HOST"] = ""
        import ollama
    finally:
        os.environ["OLLAMA_HOST"] = value
    return ollama


def parse_version(version: str) -> tuple[int, ...] | None:
    """Return a version's numbers, or None for a development build.

    Examples
    --------
    >>> parse_version("0.12.7-rc1"), parse_version("0.0.0")
    ((0, 12, 7), None)
    """
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    if match is None:
        return None
    numbers = tuple(int(part) for part in match.groups())
    return numbers if any(numbers) else None


def _full_name(model: str) -> str:
    """Return a model's name as Ollama resolves it: registry, namespace, tag, in lower case.

    Examples
    --------
    >>> _full_name("EmbeddingGemma")
    'registry.ollama.ai/library/embeddinggemma:latest'
    """
    name = model.strip().lower().removesuffix(":local")
    path, _, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    parts = [part for part in path.split("/") if part]
    if not parts:
        parts = ["registry.ollama.ai", "library"]
    elif len(parts) == 1:
        parts = ["registry.ollama.ai", *parts]
    return f"{'/'.join(parts)}/{base}:{tag or 'latest'}"


def is_official(model: str) -> bool:
    """Return whether a name is Ollama's own ``embeddinggemma``, with any tag.

    Examples
    --------
    >>> is_official("embeddinggemma:300m-qat-q8_0"), is_official("me/embeddinggemma")
    (True, False)
    """
    return _full_name(model).rpartition(":")[0] == "registry.ollama.ai/library/embeddinggemma"


def _settings_key(settings: OllamaBackend) -> str:
    return json.dumps(
        [settings.timeout, settings.keep_alive, settings.options, settings.headers],
        sort_keys=True,
        default=str,
    )
