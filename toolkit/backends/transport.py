"""HTTP connections: one pool per process and server, bounded in time, free of secrets at rest."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from toolkit.backends.hosts import is_loopback
from toolkit.errors import UsageError

__all__ = ["DeadlineTransport", "client_options", "expand_headers", "last_retry_after"]

CONNECT_SECONDS = 5.0
"""A server on this machine or network accepts a connection in far less."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_thread = threading.local()


def expand_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return headers with ``${NAME}`` replaced by environment variables.

    So a parameter, a pickle or a report holds the variable's name, never the secret.

    Parameters
    ----------
    headers : mapping of str to str, optional
        For example ``{"Authorization": "Bearer ${MY_TOKEN}"}``.

    Raises
    ------
    UsageError
        If a variable is not set.

    Examples
    --------
    >>> import os
    >>> os.environ["DOCTEST_TOKEN"] = "s3cret"
    >>> expand_headers({"Authorization": "Bearer ${DOCTEST_TOKEN}"})
    {'Authorization': 'Bearer s3cret'}
    >>> del os.environ["DOCTEST_TOKEN"]
    """

    def value(match: re.Match[str], header: str) -> str:
        try:
            return os.environ[match[1]]
        except KeyError:
            raise UsageError(
                f"the header {header!r} names the environment variable {match[1]}, which is not "
                f"set; set it (export {match[1]}=...) or leave the header out"
            ) from None

    return {
        name: _VARIABLE.sub(lambda match, name=name: value(match, name), text)  # type: ignore[misc]
        for name, text in (headers or {}).items()
    }


def last_retry_after() -> float | None:
    """Return the seconds of this thread's last response's ``Retry-After`` header, if any."""
    return getattr(_thread, "retry_after", None)


class DeadlineTransport(httpx.BaseTransport):
    """A transport whose requests end at a deadline, however slowly the server drips bytes.

    httpx's own timeout restarts with every byte received.

    Parameters
    ----------
    seconds : float
        Most seconds from the request to the last byte of its response.
    **options
        Of ``httpx.HTTPTransport``.
    """

    def __init__(self, seconds: float, **options: Any) -> None:
        self._seconds = seconds
        self._inner = httpx.HTTPTransport(**options)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its body is read under the deadline."""
        deadline = time.monotonic() + self._seconds
        _thread.retry_after = None
        response = self._inner.handle_request(request)
        header = response.headers.get("retry-after", "")
        _thread.retry_after = float(header) if header.isdigit() else None
        assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - for mypy
        response.stream = _DeadlineStream(response.stream, deadline, request)
        return response

    def close(self) -> None:
        """Close every connection."""
        self._inner.close()


class _DeadlineStream(httpx.SyncByteStream):
    def __init__(
        self, inner: httpx.SyncByteStream, deadline: float, request: httpx.Request
    ) -> None:
        self._inner = inner
        self._deadline = deadline
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._inner:
            yield chunk
            if time.monotonic() > self._deadline:
                raise httpx.ReadTimeout("the whole response took too long", request=self._request)

    def close(self) -> None:
        self._inner.close()


def client_options(address: str, seconds: float) -> dict[str, Any]:
    """Return the options of an httpx client for a server.

    A proxy named in the environment is never asked for an address of this machine.
    """
    local = is_loopback(address)
    return {
        "timeout": httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
        "trust_env": not local,
        "transport": DeadlineTransport(seconds, trust_env=not local),
    }
