"""A chat model on an Ollama server: one question, one answer of a given form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.backends import ollama_errors
from toolkit.backends.hosts import host_from_environment, parse_host
from toolkit.backends.ollama import OllamaBackend, OllamaServer
from toolkit.backends.ollama_client import connect
from toolkit.errors import BackendError, ModelNotFoundError, UsageError

__all__ = ["OllamaChat"]

_CANNOT_CHAT = "does not support chat"
_LONGEST_ANSWER = 200
"""Tokens; whatever a model rambles on, it is cut off there."""


@dataclass(frozen=True)
class OllamaChat:
    """One chat model on one Ollama server.

    Parameters
    ----------
    model : str
        The model's name.
    host : str, optional
        Address of the server; None for ``OLLAMA_HOST`` or the default. Nothing is sent anywhere
        else.
    settings : OllamaBackend, optional
        Timeout, headers, ``keep_alive`` and runner options.
    """

    model: str
    host: str | None = None
    settings: OllamaBackend = field(default_factory=OllamaBackend)

    @property
    def address(self) -> str:
        """Base address of the server."""
        return host_from_environment() if self.host is None else parse_host(self.host)

    def digest(self) -> str | None:
        """Return the digest of the model, after checking that it is there and can chat.

        Raises
        ------
        ServerUnavailableError
            If no server answers.
        ModelNotFoundError
            If the server does not have the model, or it cannot chat.
        """
        server = self._server()
        can = server.describe_model()["capabilities"]
        if can and "completion" not in can:
            raise self._cannot_chat(f"it can: {', '.join(can)}")
        # "version digest"; the version decides nothing here.
        digest = server.fingerprint().partition(" ")[2]
        return None if digest == "None" else digest

    def ask(
        self, system: str, user: str, schema: Mapping[str, Any], *, seed: int = 0
    ) -> dict[str, Any]:
        """Return the answer as an object of the schema.

        Parameters
        ----------
        system, user : str
            Instructions, and what they are about.
        schema : mapping
            JSON schema of the answer; the server lets the model write nothing else.
        seed : int, default=0
            0 asks for the likeliest answer, others for one drawn with this seed.

        Raises
        ------
        ServerUnavailableError, ModelNotFoundError
            As for :meth:`digest`.
        BackendError
            If the request fails or the answer is not such an object, as one cut off is not.
        """
        options = {**(self.settings.options or {}), "num_predict": _LONGEST_ANSWER, "seed": seed}
        options["temperature"] = 0 if seed == 0 else 0.7
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": user},
            ],
            "stream": False,
            "think": False,
            "format": dict(schema),
            "options": options,
        }
        if self.settings.keep_alive is not None:
            body["keep_alive"] = self.settings.keep_alive
        server = self._server()
        http = connect(
            server.key, server.address, float(self.settings.timeout), self.settings.headers
        ).http
        try:
            response = http.post("/api/chat", json=body)
            text = None if response.is_success else _error_text(response.text)
            content = response.json()["message"]["content"] if text is None else None
        except Exception as error:  # every way a request can fail becomes one kind of error
            raise ollama_errors.from_exception(
                error, model=self.model, address=server.address
            ) from error
        if text is not None:
            if _CANNOT_CHAT in text:
                raise self._cannot_chat(text)
            raise ollama_errors.from_status(
                response.status_code, text, model=self.model, address=server.address
            )
        return _object(content, self.model)

    def _server(self) -> OllamaServer:
        if not isinstance(self.model, str) or not self.model.strip():
            raise UsageError(f"model must be a chat model's name, not {self.model!r}")
        return OllamaServer(self.model.strip(), self.address, self.settings)

    def _cannot_chat(self, why: str) -> ModelNotFoundError:
        return ModelNotFoundError(
            f"{self.model!r} on {self.address} is not a chat model ({why}); pull one, for example "
            "`ollama pull gemma3`, and give its name"
        )


def _error_text(body: str) -> str:
    try:
        found = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return body
    return found if isinstance(found, str) else json.dumps(found)


def _object(content: object, model: str) -> dict[str, Any]:
    try:
        found = json.loads(content) if isinstance(content, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BackendError(f"{model!r} gave no answer of the form asked for: {content!r:.200}")
    return found
