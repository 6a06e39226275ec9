"""How long the vectors are that a model is asked for."""

from __future__ import annotations

import warnings

from toolkit.errors import EmbeddingWarning, UsageError
from toolkit.identity import ModelIdentity
from toolkit.prompts import find_family

__all__ = ["check_dimensions"]


def check_dimensions(dimensions: int | None, identity: ModelIdentity) -> int:
    """Return the length of the vectors, and warn where the model may not be made for it.

    Parameters
    ----------
    dimensions : int or None
        What is asked for; None for all of the model's.
    identity : ModelIdentity
        What makes the vectors.

    Raises
    ------
    UsageError
        If the model has fewer.

    Examples
    --------
    >>> gemma = ModelIdentity("ollama", "embeddinggemma", 768)
    >>> check_dimensions(None, gemma), check_dimensions(256, gemma)
    (768, 256)
    """
    if dimensions is None:
        return identity.dimension
    if dimensions > identity.dimension:
        raise UsageError(
            f"dimensions={dimensions} is more than the {identity.dimension} that "
            f"{identity.model} has"
        )
    if find_family(identity.model) is None and dimensions < identity.dimension:
        warnings.warn(
            f"{identity.model} is not known to be trained for shorter vectors; cut to "
            f"{dimensions} of {identity.dimension} dimensions they may be worse than "
            "the cut suggests",
            EmbeddingWarning,
            stacklevel=3,
        )
    return dimensions
