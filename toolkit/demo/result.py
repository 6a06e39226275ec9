"""What the demo found out, for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["DemoResult"]


@dataclass
class DemoResult:
    """What the demo found out and made.

    Parameters
    ----------
    folder : Path
        Where everything is.
    files : list of str
        Names in the folder, in the order they were made.
    accuracy : dict of str to float
        Mean accuracy in cross-validation: by dimension (``"768"``, ...), ``"tfidf"``, and
        ``"embedded"`` and ``"embedded tfidf"`` where that backend was shown.
    predictions : dict of str to list of (sentence, label, probability)
        By what made the vectors: ``"embeddinggemma"`` or ``"embedded"``.
    skipped : list of str
        What was left out, and why.
    """

    folder: Path
    files: list[str] = field(default_factory=list)
    accuracy: dict[str, float] = field(default_factory=dict)
    predictions: dict[str, list[tuple[str, str, float]]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
