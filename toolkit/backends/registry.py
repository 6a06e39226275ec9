"""From the ``backend`` parameter to the objects that embed."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import cast

from toolkit.backends.base import Backend
from toolkit.backends.embedded import EmbeddedBackend
from toolkit.backends.hosts import parse_hosts
from toolkit.backends.ollama import OllamaBackend
from toolkit.backends.openai_compatible import OpenAIBackend
from toolkit.errors import UsageError

__all__ = ["BACKEND_NAMES", "make_backends"]

BACKEND_NAMES = ("ollama", "openai", "embedded", "cache")


def make_backends(
    backend: object, *, model: str, host: str | Sequence[str] | None
) -> tuple[Backend, ...]:
    """Return one backend per host.

    Parameters
    ----------
    backend : str, OllamaBackend, OpenAIBackend or Backend
        ``"ollama"``, ``"openai"``, ``"embedded"``, settings of a server, or any object with the
        protocol.
        (``"cache"`` is not a backend of its own: see :mod:`toolkit.embedding.cached`.)
    model : str
        The model's name, for servers.
    host : str, sequence of str or None
        Addresses, for servers; ``"openai"`` has no default one.

    Raises
    ------
    UsageError
        If it is none of these.
    """
    if backend == "ollama":
        backend = OllamaBackend()
    if backend == "openai":
        backend = OpenAIBackend()
    if backend == "embedded":
        backend = EmbeddedBackend()
    if isinstance(backend, OllamaBackend):
        addresses = [None] if host is None else parse_hosts(host)
        return tuple(backend.bind(model, address) for address in addresses)
    if isinstance(backend, OpenAIBackend):
        return _bind_openai(backend, model, host)
    if not isinstance(backend, str) and _is_backend(backend):
        return (cast(Backend, backend),)
    names = f"{', '.join(map(repr, BACKEND_NAMES))} or 'cache:SPACE'"
    if isinstance(backend, str):
        close = get_close_matches(backend.lower(), BACKEND_NAMES, n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(f"backend={backend!r} is not known.{meant} Backends: {names}.")
    raise UsageError(
        f"backend={backend!r} is not known; choose {names}, OllamaBackend(...), "
        "OpenAIBackend(...) or an object with identify(), embed(texts), max_tokens, "
        "preferred_batch and uses_prompts"
    )


def _bind_openai(
    backend: OpenAIBackend, model: str, host: str | Sequence[str] | None
) -> tuple[Backend, ...]:
    if host is None or isinstance(host, str):
        return (backend.bind(model, host),)
    parse_hosts(host)  # complains of what is no list of addresses
    bound = [backend.bind(model, address) for address in host]
    return tuple({server.address: server for server in bound}.values())


def _is_backend(candidate: object) -> bool:
    # Names only: a protocol's isinstance() would read properties, and those may ask a server.
    names = ("identify", "embed", "max_tokens", "preferred_batch", "uses_prompts")
    return all(
        hasattr(type(candidate), n) or n in getattr(candidate, "__dict__", {}) for n in names
    )
