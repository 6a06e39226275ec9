"""Which builds of EmbeddingGemma on an Ollama are accepted, warned of and refused."""

from __future__ import annotations

import warnings

from toolkit.backends.ollama_names import is_official, parse_version
from toolkit.errors import DriftWarning, ServerTooOldError, UnverifiedModelError
from toolkit.prompts import find_family
from toolkit.reference import Diagnosis

__all__ = ["judge", "refuse_old"]

FIRST_RIGHT_VERSION = (0, 12, 7)
"""Ollama before this ran embeddinggemma with causal attention: other vectors altogether."""


def refuse_old(version: str, model: str, address: str) -> None:
    """Raise if a version of Ollama is known to compute a model wrongly.

    Raises
    ------
    ServerTooOldError
        With the version to update to.

    Examples
    --------
    >>> refuse_old("0.12.6", "nomic-embed-text", "http://127.0.0.1:11434")
    """
    family, number = find_family(model), parse_version(version)
    if family is None or not family.name.startswith("embeddinggemma"):
        return
    if number is not None and number < FIRST_RIGHT_VERSION:
        raise ServerTooOldError(
            f"Ollama {version} at {address} computes {model} with causal attention, "
            "which gives wrong vectors (their cosine to the right ones is 0.5 to 0.8). Update "
            "Ollama to 0.12.7 or later, best to 0.30 or later (https://ollama.com/download), "
            "or accept them with OllamaBackend(allow_unverified=True) (--allow-unverified)."
        )


def judge(diagnosis: Diagnosis, model: str, address: str, *, allow_unverified: bool) -> None:
    """Accept a model by what its vectors are nearest to, warn of it or refuse it.

    Only Ollama's own name, ``embeddinggemma`` with any tag, promises the published model.

    Parameters
    ----------
    diagnosis : Diagnosis
        Of its vectors.
    model, address : str
        Which, and where.
    allow_unverified : bool
        Whether to warn instead of refusing.

    Raises
    ------
    UnverifiedModelError
        If a model of the official name is of the causal build or of none that is known.

    Warns
    -----
    DriftWarning
        If it is the windowless build: short texts are right, long ones are not.
    """
    if not is_official(model) or diagnosis.build == "right":
        return
    advice = diagnosis.advice_for(model)
    message = (
        f"{model} on {address} is not the published model: {diagnosis.summary()}. "
        f"{advice[:1].upper()}{advice[1:]}."
    )
    if diagnosis.build == "no_window" or allow_unverified:
        warnings.warn(message, DriftWarning, stacklevel=2)
        return
    raise UnverifiedModelError(
        f"{message} To use these vectors all the same: "
        "OllamaBackend(allow_unverified=True) (--allow-unverified)."
    )
