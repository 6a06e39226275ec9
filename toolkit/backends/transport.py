"""HTTP connections: one pool per process and server, bounded in time, free of secrets at rest."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import httpcore
import httpx

from toolkit.backends.hosts import is_loopback
from toolkit.errors import UsageError

__all__ = ["DeadlineTransport", "client_options", "expand_headers", "last_retry_after"]

CONNECT_SECONDS = 5.0
"""A server on this machine or network accepts a connection in far less."""

KEEP_IDLE_SECONDS = 5.0
"""How long an unused connection is kept."""

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

    httpx's own timeout restarts with every byte received. Here each read of the socket is given
    only what is left of the request's time.

    Parameters
    ----------
    seconds : float
        Most seconds from the request to the last byte of its response.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            network_backend=_DeadlineBackend(),
            keepalive_expiry=KEEP_IDLE_SECONDS,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; reading its answer is under the deadline."""
        _thread.deadline = deadline = time.monotonic() + self._seconds
        _thread.retry_after = None
        url = request.url
        with _httpx_errors(request):
            response = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        headers = httpx.Headers(response.headers)
        wait = headers.get("retry-after", "")
        _thread.retry_after = float(wait) if wait.isdigit() else None
        return httpx.Response(
            status_code=response.status,
            headers=headers,
            stream=_Body(cast(Any, response.stream), deadline, request),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _DeadlineBackend(httpcore.SyncBackend):
    """Opens sockets that keep to the deadline of the thread that reads them."""

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        return _DeadlineSocket(super().connect_tcp(*args, **kwargs))


class _DeadlineSocket(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _thread.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the whole response took too long")
        return self._inner.read(max_bytes, left if timeout is None else min(timeout, left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        return _DeadlineSocket(self._inner.start_tls(*args, **kwargs))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    def __init__(self, inner: Any, deadline: float, request: httpx.Request) -> None:
        self._inner = inner
        self._deadline = deadline
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        _thread.deadline = self._deadline
        with _httpx_errors(self._request):
            yield from self._inner

    def close(self) -> None:
        if hasattr(self._inner, "close"):
            self._inner.close()


@contextmanager
def _httpx_errors(request: httpx.Request) -> Iterator[None]:
    """Raise httpcore's errors as the errors of the same name in httpx, as httpx itself does."""
    try:
        yield
    except Exception as error:
        kind = getattr(httpx, type(error).__name__, None)
        if type(error).__module__.startswith("httpcore") and kind is not None:
            raise kind(str(error), request=request) from error
        raise


def client_options(address: str, seconds: float) -> dict[str, Any]:
    """Return the options of an httpx client for a server.

    A proxy named in the environment is never asked for an address of this machine.
    """
    local = is_loopback(address)
    return {
        "timeout": httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
        "trust_env": not local,
        "transport": DeadlineTransport(seconds),
    }
