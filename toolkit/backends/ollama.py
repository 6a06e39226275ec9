"""EmbeddingGemma and others through a local Ollama server."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.backends import ollama_builds as builds
from toolkit.backends import ollama_errors
from toolkit.backends.hosts import host_from_environment, parse_host
from toolkit.backends.ollama_client import Connection, connect
from toolkit.backends.ollama_keeping import keep_loaded
from toolkit.backends.ollama_names import full_name, weights_digest
from toolkit.errors import (
    BackendError,
    InvalidVectorsError,
    ModelNotFoundError,
    UsageError,
)
from toolkit.identity import ModelIdentity
from toolkit.reference import Diagnosis

__all__ = ["OllamaBackend", "OllamaServer"]


@dataclass(frozen=True)
class OllamaBackend:
    """Settings of an Ollama server that a vectorizer's own parameters do not cover.

    Parameters
    ----------
    timeout : float, default=120.0
        Most seconds for one request, loading the model included.
    keep_alive : float or str, optional
        How long the server keeps the model loaded: seconds, or a duration like ``"10m"``; -1 for
        ever. None leaves the server's own setting (5 minutes); if that is under a minute, the
        model is kept for a minute between the requests of a job, and then given back to it.
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
        return OllamaServer(model.strip(), where, self, from_environment=address is None)


@dataclass(frozen=True)
class OllamaServer:
    """One model on one Ollama server: a :class:`~toolkit.backends.base.Backend`.

    Holds no connection: those belong to the process (:mod:`toolkit.backends.ollama_client`), so
    an object can be pickled and used in other processes.

    Parameters
    ----------
    model : str
        The model's name.
    address : str
        Base address of the server.
    settings : OllamaBackend
        Everything else.
    keep_seconds : float, optional
        What a job sends as ``keep_alive`` where the settings leave it to the server.
    from_environment : bool, default=False
        Whether the address is what ``OLLAMA_HOST`` says here: a worker on another machine then
        asks its own server.
    """

    model: str
    address: str
    settings: OllamaBackend = OllamaBackend()
    keep_seconds: float | None = None
    from_environment: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        address = None if self.from_environment else self.address
        return _unpickled, (self.settings, self.model, address, self.keep_seconds)

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
        BackendError
            If what answers is not an Ollama server.
        """
        with self._errors():
            response = self._connection().http.get("/api/version")
            return ollama_errors.version_in(response, self.address)

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
        details = shown.details
        return {
            "architecture": architecture,
            "capabilities": list(shown.capabilities or []),
            "context_length": info.get(f"{architecture}.context_length"),
            "dimension": info.get(f"{architecture}.embedding_length"),
            "pooled": f"{architecture}.pooling_type" in info,
            "quantization": details.quantization_level if details else None,
            "weights": weights_digest(shown.modelfile or ""),
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
        if not self.settings.allow_unverified:
            builds.refuse_old(version, self.model, self.address)
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

    def verify(self, diagnosis: Diagnosis) -> None:
        """Accept or refuse the model by what its vectors are nearest to.

        Only Ollama's own name, ``embeddinggemma`` with any tag, promises the published model.

        Raises
        ------
        UnverifiedModelError
            If a model of the official name is of the causal build or of none that is known,
            unless ``allow_unverified`` is set.

        Warns
        -----
        DriftWarning
            If it is the windowless build: short texts are right, long ones are not.
        """
        builds.judge(
            diagnosis, self.model, self.address, allow_unverified=self.settings.allow_unverified
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
        vector: NDArray[np.float32] = self._embed([text], truncate=True)[0]
        return vector

    @contextlib.contextmanager
    def kept_loaded(self) -> Iterator[OllamaServer]:
        """Yield the backend for a job: while it is used, the model stays loaded."""
        if self.settings.keep_alive is not None or self.keep_seconds is not None:
            yield self
            return
        with keep_loaded(self._connection(), self.model, self.settings.options) as seconds:
            yield self if seconds is None else replace(self, keep_seconds=seconds)

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
            client.embed(model=self.model, options=self.settings.options, keep_alive=0)
            while time.monotonic() < deadline:
                names = {full_name(m.model or "") for m in client.ps().models}
                if full_name(self.model) not in names:
                    return True
                time.sleep(0.05)
        return False

    # --- inside ----------------------------------------------------------------------------------

    def _embed(self, texts: Sequence[str], *, truncate: bool) -> NDArray[np.float32]:
        settings = self.settings
        with self._errors():
            answer = self._connection().client.embed(
                model=self.model,
                input=texts,
                truncate=truncate,
                options=settings.options,
                keep_alive=self.keep_seconds
                if settings.keep_alive is None
                else settings.keep_alive,
            )
        try:
            return np.asarray(answer.embeddings, dtype=np.float32).reshape(
                len(answer.embeddings), -1
            )
        except ValueError as error:
            raise InvalidVectorsError(
                f"the server at {self.address} sent vectors of unequal lengths"
            ) from error

    def _digest(self) -> str | None:
        wanted = full_name(self.model)
        with self._errors():
            listed = self._connection().client.list()
        digests = {full_name(model.model or ""): model.digest for model in listed.models}
        return digests.get(wanted)

    def _connection(self) -> Connection:
        settings = self.settings
        return connect(self.key, self.address, float(settings.timeout), settings.headers)

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


def _unpickled(
    settings: OllamaBackend, model: str, address: str | None, keep_seconds: float | None
) -> OllamaServer:
    return replace(settings.bind(model, address), keep_seconds=keep_seconds)


def _settings_key(settings: OllamaBackend) -> str:
    return json.dumps(
        [settings.timeout, settings.keep_alive, settings.options, settings.headers],
        sort_keys=True,
        default=str,
    )
