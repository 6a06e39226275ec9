"""What belongs to a machine and not to a model: servers, secrets and folders."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["named_servers", "portable"]

_ADDRESSES = ("host", "address", "base_url", "url", "endpoint")
_SECRETS = ("headers", "api_key_env")
"""Fields of a backend that name variables of the environment to be sent."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def portable(pipeline: BaseEstimator) -> BaseEstimator:
    """Return a copy of the pipeline without its servers' addresses, headers and cache folders.

    Parameters
    ----------
    pipeline : estimator
        Fitted; stays as it is.

    Returns
    -------
    estimator

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> portable(make_pipeline("passthrough", memory="/home/me/cache")).memory is None
    True
    """
    bare = copy.deepcopy(pipeline)
    for part in list(_parts(bare)):
        if not isinstance(part, BaseEstimator):
            continue
        parameters = part.get_params(deep=False)
        if parameters.get("memory") is not None:
            part.memory = None
        if parameters.get("host") is not None:
            part.host = None
        if not isinstance(parameters.get("cache", True), bool):
            part.cache = True
        backend = parameters.get("backend")
        if dataclasses.is_dataclass(backend) and not isinstance(backend, type):
            names = {f.name for f in dataclasses.fields(backend)} & set(_SECRETS)
            if any(getattr(backend, name) for name in names):
                part.backend = dataclasses.replace(backend, **dict.fromkeys(names))
    return bare


def named_servers(pipeline: BaseEstimator) -> list[str]:
    """Return the servers elsewhere, and the headers, that a pipeline would use.

    A model from somebody else must not send texts, or secrets of the environment, to a place its
    user has not chosen. This machine's own ports are no such place. Every part is looked at,
    fitted attributes included, not only the parameters: those are what a fitted pipeline uses.

    Parameters
    ----------
    pipeline : estimator
        Loaded.

    Returns
    -------
    list of str
        Empty for models that :func:`portable` prepared, unless their backend needs an address.

    Examples
    --------
    >>> from toolkit import EmbeddingGemmaVectorizer
    >>> named_servers(EmbeddingGemmaVectorizer(host="http://example.com:11434"))
    ['http://example.com:11434']
    """
    found = []
    for part in _parts(pipeline):
        state = getattr(part, "__dict__", None)
        if not isinstance(state, Mapping):  # compiled code of a fitted UMAP
            continue
        for name in _ADDRESSES:
            value = state.get(name)
            addresses = value if isinstance(value, list | tuple) else [value]
            found += [a for a in addresses if isinstance(a, str) and a and not _is_local(a)]
        if any(state.get(name) for name in _SECRETS):
            found.append("a server, with headers or a key of its own")
    return found


def _parts(root: Any) -> Iterator[Any]:
    """Yield everything a pipeline is made of, once each."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | bytes | int | float | type | None):
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, Mapping):
            waiting += part.values()
        elif isinstance(part, list | tuple | set):
            waiting += part
        elif isinstance(part, np.ndarray):
            waiting += part.ravel().tolist() if part.dtype.kind == "O" else []
        else:
            state = getattr(part, "__dict__", None)
            # What compiled code of a fitted UMAP calls __dict__ need not be one.
            waiting += state.values() if isinstance(state, Mapping) else []


def _is_local(address: str) -> bool:
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname
    except ValueError:
        return False
    return host in _LOOPBACK
