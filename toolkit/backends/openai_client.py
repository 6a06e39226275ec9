"""HTTP with an OpenAI-compatible server: one client per process and settings."""

from __future__ import annotations

import atexit
import os
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from toolkit.backends.openai_answers import read_tokens, read_vectors
from toolkit.backends.openai_errors import (
    error_text,
    from_exception,
    from_status,
    not_an_answer,
)
from toolkit.backends.transport import client_options, expand_headers

__all__ = ["OpenAIClient", "connect", "disconnect"]

_ABOUT_ENCODING = re.compile(r"encoding_format|base64|extra (fields|inputs)", re.IGNORECASE)
_AWAY = (502, 503, 504)
_NOT_NOW = (408, 425, 429, *_AWAY)


class OpenAIClient:
    """The requests, over one pool of connections.

    ``breaks`` counts the times the server was away or cut a connection: it may have been started
    anew since, with another model.

    Parameters
    ----------
    address : str
        Base address, before ``/v1``.
    timeout : float
        Most seconds of one request.
    headers : mapping of str to str, optional
        With the names of environment variables in them.
    base64 : bool, default=True
        Whether vectors are asked for as base64, a fifth of the bytes.
    """

    def __init__(
        self,
        address: str,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        *,
        base64: bool = True,
    ) -> None:
        self.address = address
        self.breaks = 0
        self._base64 = base64
        self._http = httpx.Client(
            base_url=address, headers=expand_headers(headers), **client_options(address, timeout)
        )

    def embed(self, model: str, texts: Sequence[str]) -> tuple[NDArray[np.float32], int | None]:
        """Return the vectors of texts as the server gives them, and the tokens it says it read.

        Raises
        ------
        BackendError
            By kind: see :mod:`toolkit.backends.openai_errors`.
        """
        while True:
            base64 = self._base64
            body = {
                "model": model,
                "input": list(texts),
                "encoding_format": "base64" if base64 else "float",
            }
            response = self._send("POST", "/v1/embeddings", body)
            answer = _json(response)
            # LM Studio says some of its errors with status 200.
            failed = isinstance(answer, Mapping) and "error" in answer
            if response.status_code == 200 and not failed:
                if answer is None:
                    raise not_an_answer(response.text, self.address)
                return read_vectors(answer, len(texts)), read_tokens(answer)
            status = response.status_code if response.status_code != 200 else 400
            text = error_text(answer, response.text)
            if not (base64 and status in (400, 422, 501) and _ABOUT_ENCODING.search(text)):
                raise from_status(status, text, model=model, address=self.address)
            self._base64 = False

    def get(self, path: str, body: Any = None) -> Any:
        """Return the JSON at a path, or None where the server has nothing of that name.

        With a body it is asked for by POST.

        Raises
        ------
        BackendError
            If it does not answer, or says that it cannot now.
        """
        response = self._send("GET" if body is None else "POST", path, body)
        if response.status_code in _NOT_NOW:
            text = error_text(_json(response), response.text)
            raise from_status(response.status_code, text, model="", address=self.address)
        return _json(response) if response.status_code == 200 else None

    def _send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        try:
            response = self._http.request(method, path, json=body)
        except Exception as error:  # every way a request can fail becomes one kind of error
            if not isinstance(error, httpx.ReadTimeout):
                self.breaks += 1
            raise from_exception(error, address=self.address) from error
        if response.status_code in _AWAY:
            self.breaks += 1
        return response

    def close(self) -> None:
        """Close every connection."""
        self._http.close()


_clients: dict[tuple[object, ...], OpenAIClient] = {}
_lock = threading.Lock()


def connect(
    key: tuple[str, ...],
    address: str,
    timeout: float,
    headers: Mapping[str, str] | None,
    *,
    base64: bool = True,
) -> OpenAIClient:
    """Return this process's client for a server; a fork's child makes its own.

    Parameters
    ----------
    key : tuple of str
        Tells servers and settings apart.
    address, timeout, headers, base64
        As for :class:`OpenAIClient`.

    Raises
    ------
    UsageError
        If a header names an environment variable that is not set.
    """
    mine = (os.getpid(), *key)
    with _lock:
        if mine not in _clients:
            _clients[mine] = OpenAIClient(address, timeout, headers, base64=base64)
        return _clients[mine]


@atexit.register
def disconnect() -> None:
    """Close this process's connections; the next request opens new ones."""
    with _lock:
        for key in [key for key in _clients if key[0] == os.getpid()]:
            _clients.pop(key).close()


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
