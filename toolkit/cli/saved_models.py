"""A saved model, set up for this machine: what `predict`, `evaluate` and `assign` share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolkit.cli.console import console
from toolkit.cli.option_groups import backend_parameter, cache_parameter

__all__ = ["open_model", "set_up_vectorizer"]


def open_model(
    folder: Path,
    *,
    trusted: bool,
    backend: str | None,
    server_model: str | None,
    allow_unverified: bool,
    cache: str | None,
    **parameters: Any,
) -> Any:
    """Load a model folder and say where its vectors come from here.

    Parameters
    ----------
    folder : Path
        As ``toolkit train --out`` wrote it.
    trusted, backend, server_model, allow_unverified, cache
        As given on the command line.
    **parameters
        Of the vectorizer, as given.

    Returns
    -------
    Pipeline

    Raises
    ------
    UsageError
        If the model's vectorizer has no backend to choose.
    """
    from toolkit.classify import load_model

    return set_up_vectorizer(
        load_model(folder, trusted=trusted),
        backend=backend,
        server_model=server_model,
        allow_unverified=allow_unverified,
        cache=cache,
        **parameters,
    )


def set_up_vectorizer(
    fitted: Any,
    *,
    backend: str | None,
    server_model: str | None,
    allow_unverified: bool,
    cache: str | None,
    **parameters: Any,
) -> Any:
    """Say where a loaded pipeline's vectors come from here; as for :func:`open_model`."""
    from toolkit.errors import UsageError

    changes = parameters | {"cache": cache_parameter(cache), "verbose": max(console.level, 0)}
    if server_model is not None:
        changes["model"] = server_model
    if backend is not None or allow_unverified:
        changes["backend"] = backend_parameter(backend or "ollama", allow_unverified)
    vectorizer = fitted[0] if hasattr(fitted, "steps") else fitted
    known = vectorizer.get_params(deep=False)
    if unknown := sorted(set(changes) - set(known)):
        if "backend" in changes or "model" in changes:
            raise UsageError(f"this model's {type(vectorizer).__name__} has no {unknown[0]}")
        changes = {name: value for name, value in changes.items() if name in known}
    vectorizer.set_params(**changes)
    return fitted
