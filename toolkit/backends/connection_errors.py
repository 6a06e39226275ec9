"""What a request means that got no answer, and how a server's words are quoted: for all servers."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx

from toolkit.errors import BackendError, ServerUnavailableError

__all__ = ["from_connection", "short_text"]

_TEXT_LIMIT = 300


def from_connection(
    error: Exception,
    address: str,
    *,
    unavailable: Callable[[str], ServerUnavailableError],
    settings: str,
) -> BackendError | None:
    """Return the error for a request that got no answer, None for any other error.

    Parameters
    ----------
    error : Exception
        What httpx raised.
    address : str
        Where the request went.
    unavailable : callable
        From the address to the error for a server that is not there.
    settings : str
        Name of the class that has the backend's ``timeout``.

    Examples
    --------
    >>> error = from_connection(httpx.ReadError("gone"), "http://127.0.0.1:1",
    ...                         unavailable=ServerUnavailableError, settings="OllamaBackend")
    >>> str(error), error.retryable, error.broken
    ('the connection to http://127.0.0.1:1 broke: gone', True, True)
    """
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | ConnectionError):
        return unavailable(address)
    if isinstance(error, httpx.TimeoutException):
        return BackendError(
            f"the server at {address} did not finish its answer in time; if it is only slow, "
            f"give {settings}(timeout=600) or a smaller batch_size",
            retryable=True,
        )
    if isinstance(error, httpx.HTTPError):
        return BackendError(
            f"the connection to {address} broke: {str(error) or type(error).__name__}",
            retryable=True,
            broken=True,
        )
    return None


def short_text(text: str) -> str:
    r"""Return what a server said in one line of at most 300 characters, without HTML's tags.

    Examples
    --------
    >>> short_text("<html><h1>502\nBad Gateway</h1></html>")
    '502 Bad Gateway'
    """
    text = re.sub(r"<[^>]*>", " ", text) if "<html" in text else text
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= _TEXT_LIMIT else text[: _TEXT_LIMIT - 1] + "…"
