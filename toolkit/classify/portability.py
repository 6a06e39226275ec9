"""What belongs to a machine and not to a model: servers, secrets and folders."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from sklearn.base import BaseEstimator

__all__ = ["named_servers", "portable"]

_ADDRESSES = ("host", "address", "base_url", "url", "endpoint")
_LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 (a name to compare with)


def portable(pipeline: BaseEstimator) -> BaseEstimator:
    """Return the pipeline without its server's address, headers and cache folders.

    The fitted state is shared, not copied, and the original stays as it is.

    Parameters
    ----------
    pipeline : estimator
        Fitted.

    Returns
    -------
    estimator

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> portable(make_pipeline("passthrough", memory="/home/me/cache")).memory is None
    True
    """
    bare = copy.copy(pipeline)
    if hasattr(bare, "steps"):
        bare.memory = None
        bare.steps = [(name, _without_machine(step)) for name, step in bare.steps]
        return bare
    return _without_machine(bare)


def named_servers(pipeline: BaseEstimator) -> list[str]:
    """Return the servers elsewhere, and the headers, that a pipeline would use.

    A model from somebody else must not send texts, or secrets of the environment, to a place its
    user has not chosen. This machine's own ports are no such place.

    Parameters
    ----------
    pipeline : estimator
        Loaded.

    Returns
    -------
    list of str
        Empty for models that :func:`portable` prepared, unless their backend needs an address.
    """
    found = []
    for step in _steps(pipeline):
        for holder in (step, getattr(step, "backend", None)):
            for name in _ADDRESSES:
                value = getattr(holder, name, None)
                addresses = value if isinstance(value, list | tuple) else [value]
                found += [a for a in addresses if isinstance(a, str) and not _is_local(a)]
            if getattr(holder, "headers", None):
                found.append("a server, with headers of its own")
    return found


def _steps(pipeline: BaseEstimator) -> Iterator[Any]:
    for _, step in getattr(pipeline, "steps", [("", pipeline)]):
        if hasattr(step, "get_params"):
            yield step


def _without_machine(step: Any) -> Any:
    if not hasattr(step, "get_params"):
        return step
    parameters = step.get_params(deep=False)
    changes: dict[str, Any] = {}
    if parameters.get("host") is not None:
        changes["host"] = None
    if not isinstance(parameters.get("cache", True), bool):
        changes["cache"] = True
    backend = parameters.get("backend")
    if dataclasses.is_dataclass(backend) and not isinstance(backend, type):
        fields = {f.name for f in dataclasses.fields(backend)}
        if "headers" in fields and getattr(backend, "headers", None):
            changes["backend"] = dataclasses.replace(backend, headers=None)
    if not changes:
        return step
    bare = copy.copy(step)
    for name, value in changes.items():
        setattr(bare, name, value)
    return bare


def _is_local(address: str) -> bool:
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname
    except ValueError:
        return False
    return (host or "localhost") in _LOOPBACK
