"""``model.json``: what a saved model is, readable without opening the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.saved.description import MODEL, Description

__all__ = ["FORMAT_VERSION", "ModelInfo", "read_model_info"]

FORMAT_VERSION = MODEL.version
"""Major and minor; folders of another major version are refused."""


@dataclass(frozen=True, kw_only=True)
class ModelInfo(Description):
    """What ``model.json`` says: what :class:`~toolkit.saved.description.Description` has, and this.

    Parameters
    ----------
    classes : list
        The labels the model can answer.
    metrics, baselines, by_dimension : dict
        Cross-validated scores, as :meth:`Score.to_dict` writes them.
    separator : str or None
        What stands between labels in a cell, for a model that gives several; None for one label.
    """

    kind = MODEL

    classes: list[Any]
    metrics: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, Any] = field(default_factory=dict)
    by_dimension: dict[str, Any] = field(default_factory=dict)
    separator: str | None = None
    format_version: str = MODEL.version

    @property
    def multilabel(self) -> bool:
        """Whether it gives a text several labels, or none."""
        return self.separator is not None

    def damage(self) -> str | None:
        """Return what is wrong with the content, if anything is."""
        return None if isinstance(self.classes, list) else f"classes {self.classes!r}"


def read_model_info(folder: str | Path) -> ModelInfo:
    """Read and check what a model folder says of itself, without opening the model.

    Parameters
    ----------
    folder : path
        As :func:`save_model` wrote it.

    Returns
    -------
    ModelInfo

    Raises
    ------
    ModelFileError
        If it is no model folder, or of another format.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from toolkit import save_model
    >>> model = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression())
    >>> model = model.fit(["red apple", "fast car"], ["fruit", "vehicle"])
    >>> read_model_info(save_model(model, f"{tempfile.mkdtemp()}/model")).classes
    ['fruit', 'vehicle']
    """
    return ModelInfo.read(folder)
