"""Where a server is: addresses as Ollama's own command line reads them."""

from __future__ import annotations

import ipaddress
import os
import re
import warnings
from collections.abc import Sequence
from urllib.parse import urlsplit

from toolkit.errors import ToolkitWarning, UsageError

__all__ = ["DEFAULT_HOST", "host_from_environment", "is_loopback", "parse_host", "parse_hosts"]

DEFAULT_HOST = "http://127.0.0.1:11434"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[\w.-]+")
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound


def parse_host(host: str) -> str:
    """Return the base address of a server.

    Follows Ollama's rules for ``OLLAMA_HOST``: spaces and quotes around are dropped; without a
    scheme it is ``http`` and port 11434; ``http://`` alone means port 80 and ``https://`` 443; a
    bare IPv6 address is understood; a path is kept. An address to bind to (``0.0.0.0``, ``::``)
    becomes the loopback address to connect to.

    Parameters
    ----------
    host : str
        Host name or address, with or without scheme, port and path.

    Returns
    -------
    str
        Without a slash at the end.

    Raises
    ------
    UsageError
        If the name cannot be a machine's, the port is no number from 1 to 65535, the scheme is
        neither http nor https, or a user or password is named.

    Examples
    --------
    >>> parse_host("gpu-box")
    'http://gpu-box:11434'
    >>> parse_host("https://ollama.example.com/api-root/")
    'https://ollama.example.com:443/api-root'
    >>> parse_host("::1"), parse_host("0.0.0.0:9000")
    ('http://[::1]:11434', 'http://127.0.0.1:9000')
    """
    _refuse_credentials(host)
    text = host.strip().strip("\"'").strip()
    if not text:
        return DEFAULT_HOST
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
        default_port = 11434
        if rest.rstrip("/") == "ollama.com":
            scheme, default_port = "https", 443
    else:
        scheme = scheme.lower()
        if scheme not in _DEFAULT_PORTS:
            raise UsageError(
                f"host {host!r}: the scheme is http or https, not {scheme!r}, "
                "for example http://127.0.0.1:11434"
            )
        default_port = _DEFAULT_PORTS[scheme]
    if _is_ipv6(rest):
        rest = f"[{rest}]"
    try:
        split = urlsplit(f"{scheme}://{rest}")
        port = split.port
    except ValueError as error:
        raise _no_address(host, str(error)) from None
    name = split.hostname or "127.0.0.1"
    if not (_NAME.fullmatch(name) or _is_ipv6(name)):
        raise _no_address(host, f"no machine is called {name!r}")
    name = _ANY_ADDRESS.get(name, name)
    if _is_ipv6(name):
        name = f"[{name}]"
    return f"{scheme}://{name}:{port or default_port}{split.path.rstrip('/')}"


def host_from_environment() -> str:
    """Return the address in ``OLLAMA_HOST``, or the default one.

    A value that cannot be read is passed over with a warning, as Ollama does.

    Raises
    ------
    UsageError
        If it names a user or password.
    """
    value = os.environ.get("OLLAMA_HOST", "")
    _refuse_credentials(value)
    try:
        return parse_host(value)
    except UsageError as error:
        warnings.warn(
            f"the environment variable OLLAMA_HOST is passed over: {error}",
            ToolkitWarning,
            stacklevel=2,
        )
        return DEFAULT_HOST


def parse_hosts(host: str | Sequence[str] | None) -> list[str]:
    """Return the base addresses for a ``host`` parameter, without repetition.

    Raises
    ------
    UsageError
        If the list is empty or an address cannot be read.

    Examples
    --------
    >>> parse_hosts(["a", "b", "a:11434"])
    ['http://a:11434', 'http://b:11434']
    """
    if host is None:
        return [host_from_environment()]
    if isinstance(host, str):
        return [parse_host(host)]
    if not isinstance(host, Sequence) or not all(isinstance(one, str) for one in host):
        raise UsageError(f"host must be an address, a list of addresses or None, not {host!r}")
    if not host:
        raise UsageError("host is an empty list; give an address, or None for OLLAMA_HOST")
    return list(dict.fromkeys(parse_host(one) for one in host))


def is_loopback(address: str) -> bool:
    """Return whether a base address is of this machine.

    Examples
    --------
    >>> is_loopback("http://127.0.0.1:11434"), is_loopback("http://gpu-box:11434")
    (True, False)
    """
    name = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _refuse_credentials(host: str) -> None:
    """Refuse ``user:password@``, which would never be sent, without repeating it."""
    place = host.partition("://")[2] or host
    if "@" in re.split(r"[/?#]", place, maxsplit=1)[0]:
        raise UsageError(
            "the address of the server names a user or password (before the @), and these are not "
            "sent. Take them out of it; in Python give a header instead: "
            'backend=OllamaBackend(headers={"Authorization": "Basic ${MY_LOGIN}"}), with user and '
            "password as base64 in the environment variable MY_LOGIN"
        )


def _no_address(host: str, why: str) -> UsageError:
    return UsageError(
        f"host {host!r} is not an address ({why}); give for example http://127.0.0.1:11434 or "
        "my-server:11434"
    )


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False
