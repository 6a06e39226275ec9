"""A saved model, set up for this machine: what `predict`, `evaluate` and `assign` share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolkit.cli.console import console
from toolkit.cli.option_groups import SavedModelOptions, backend_parameter, cache_parameter

__all__ = ["open_model", "set_up_vectorizer"]


def open_model(folder: Path, options: SavedModelOptions, **more: Any) -> Any:
    """Load a model folder and say where its vectors come from here.

    Parameters
    ----------
    folder : Path
        As ``toolkit train --out`` wrote it.
    options : SavedModelOptions
        As given on the command line.
    **more
        Further parameters of the vectorizer.

    Returns
    -------
    Pipeline

    Raises
    ------
    UsageError
        If the model's vectorizer has no backend to choose.
    """
    from toolkit.classify import load_model

    return set_up_vectorizer(load_model(folder, trusted=options.trusted), options, **more)


def set_up_vectorizer(fitted: Any, options: SavedModelOptions, **more: Any) -> Any:
    """Say where a loaded pipeline's vectors come from here; as for :func:`open_model`."""
    from toolkit.errors import UsageError

    changes: dict[str, Any] = more | {
        "cache": cache_parameter(options.cache),
        "host": options.host or None,
        "long_texts": options.long_texts,
        "missing": options.missing,
        "verbose": max(console.level, 0),
    }
    if options.server_model is not None:
        changes["model"] = options.server_model
    if options.on_drift is not None:
        changes["on_drift"] = options.on_drift
    if options.backend is not None or options.allow_unverified:
        backend = options.backend or "ollama"
        changes["backend"] = backend_parameter(backend, options.allow_unverified)
    vectorizer = fitted[0] if hasattr(fitted, "steps") else fitted
    known = vectorizer.get_params(deep=False)
    if unknown := sorted(set(changes) - set(known)):
        asked = [name for name in unknown if name in ("backend", "model", "on_drift")]
        if asked:
            raise UsageError(
                f"this model's {type(vectorizer).__name__} has no {asked[0]}; leave "
                f"--{asked[0].replace('_', '-')} out"
            )
        changes = {name: value for name, value in changes.items() if name in known}
    vectorizer.set_params(**changes)
    return fitted
