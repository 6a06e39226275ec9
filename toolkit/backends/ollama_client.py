"""The official client of an Ollama server, once per process and settings."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit.backends.transport import client_options, expand_headers

if TYPE_CHECKING:
    import httpx
    import ollama

__all__ = ["Connection", "connect", "disconnect"]


class Connection:
    """The clients of one server in one process, over one pool of connections.

    ``keeps_seconds`` is how long the server keeps a model unless it is told otherwise, once that
    is known.
    """

    def __init__(
        self, address: str, timeout: float, headers: Mapping[str, str] | None = None
    ) -> None:
        import httpx

        self.keeps_seconds: float | None = None
        package = _import_ollama()
        sent = expand_headers(headers)
        options = client_options(address, timeout)
        self.client: ollama.Client = package.Client(address, headers=sent, **options)
        names = {name.lower() for name in sent}
        if "authorization" not in names and (key := os.environ.get("OLLAMA_API_KEY")):
            sent["authorization"] = f"Bearer {key}"
        self.http: httpx.Client = httpx.Client(base_url=address, headers=sent, **options)

    def close(self) -> None:
        """Close every connection."""
        self.http.close()
        self.client.close()  # type: ignore[no-untyped-call]


_connections: dict[tuple[object, ...], Connection] = {}
_lock = threading.Lock()


def connect(
    key: tuple[str, ...], address: str, timeout: float, headers: Mapping[str, str] | None
) -> Connection:
    """Return this process's clients for a server; a fork's child makes its own.

    Parameters
    ----------
    key : tuple of str
        Tells servers and settings apart.
    address : str
        Base address.
    timeout : float
        Most seconds of one request.
    headers : mapping of str to str, optional
        Extra headers, with the names of environment variables in them.
    """
    mine = (os.getpid(), *key)
    with _lock:
        if mine not in _connections:
            _connections[mine] = Connection(address, timeout, headers)
        return _connections[mine]


@atexit.register
def disconnect() -> None:
    """Close this process's connections; the next request opens new ones."""
    with _lock:
        for key in [key for key in _connections if key[0] == os.getpid()]:
            _connections.pop(key).close()


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
