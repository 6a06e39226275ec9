"""How to embed: the parameters of a vectorizer that the engine needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["EngineSettings", "LongTexts"]

LongTexts = Literal["truncate", "error", "mean"]


@dataclass(frozen=True)
class EngineSettings:
    """How to embed; each field is a parameter of the vectorizer.

    Examples
    --------
    >>> EngineSettings(batch_size=8).long_texts
    'truncate'
    """

    batch_size: int | Literal["auto"] = "auto"
    n_jobs: int | None = None
    long_texts: LongTexts = "truncate"
    on_error: Literal["raise", "nan"] = "raise"
    dimensions: int | None = None
    verbose: int = 0
