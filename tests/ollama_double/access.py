"""Who may talk to a server that listens on loopback: Ollama checks ``Host`` and ``Origin``."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

_LOCAL_ENDINGS = (".localhost", ".local", ".internal")
_LOCAL_ORIGINS = ("localhost", "127.0.0.1", "0.0.0.0")
_APPS = ("app", "file", "tauri", "vscode-webview", "vscode-file")


def allowed(headers: Mapping[str, str]) -> bool:
    """Return whether Ollama would let the request in; if not it answers 403 without a body."""
    return _host_allowed(headers.get("host", "")) and _origin_allowed(
        headers.get("origin", ""), headers.get("host", "")
    )


def _host_allowed(host: str) -> bool:
    name = host.lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    if name in ("", "localhost", socket.gethostname().lower()):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name.endswith(_LOCAL_ENDINGS)
    return address.is_loopback or address.is_private or address.is_unspecified


def _origin_allowed(origin: str, host: str) -> bool:
    if not origin:
        return True
    parts = urlsplit(origin)
    return parts.netloc == host or parts.hostname in _LOCAL_ORIGINS or parts.scheme in _APPS
