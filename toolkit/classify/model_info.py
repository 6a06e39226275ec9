"""``model.json``: what a saved model is, readable without opening the model."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.errors import ModelFileError
from toolkit.identity import ModelIdentity
from toolkit.saved.model_file import JOBLIB_FILE, SKOPS_FILE

__all__ = [
    "FORMAT_VERSION",
    "INFO_FILE",
    "ModelInfo",
    "read_model_info",
]

FORMAT = "embeddinggemma-toolkit model"
FORMAT_VERSION = "1.1"
"""Major and minor; folders of another major version are refused."""

INFO_FILE = "model.json"


@dataclass(frozen=True)
class ModelInfo:
    """What ``model.json`` says.

    Parameters
    ----------
    file : str
        Name of the model file: ``"model.skops"`` or ``"model.joblib"``.
    sha256 : str
        Its digest: guards against damage, not against malice.
    classes : list
        The labels the model can answer.
    dimension : int or None
        Length of its vectors.
    prompt : str or None
        Template of the prompt its texts are sent under.
    identity : ModelIdentity or None
        The vector space it was fitted in, with canaries.
    notice : str or None
        A sentence that must stand on its outputs when it is not EmbeddingGemma.
    metrics, baselines, by_dimension : dict
        Cross-validated scores, as :meth:`Score.to_dict` writes them.
    provenance : dict
        As in :class:`~toolkit.classify.result.TrainingResult`.
    versions : dict of str to str
        Of the packages that wrote it.
    date : str
        When it was written, ISO 8601, UTC.
    separator : str or None
        What stands between labels in a cell, for a model that gives several; None for one label.
    format_version : str
        Of the folder.
    """

    file: str
    sha256: str
    classes: list[Any]
    dimension: int | None = None
    prompt: str | None = None
    identity: ModelIdentity | None = None
    notice: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, Any] = field(default_factory=dict)
    by_dimension: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    date: str = ""
    separator: str | None = None
    format_version: str = FORMAT_VERSION

    @property
    def multilabel(self) -> bool:
        """Whether it gives a text several labels, or none."""
        return self.separator is not None

    def to_json(self) -> str:
        """Return the content of ``model.json``."""
        data: dict[str, Any] = {"format": FORMAT, "format_version": self.format_version}
        data |= {k: v for k, v in self.__dict__.items() if k not in ("identity", "format_version")}
        data["identity"] = self.identity.to_dict() if self.identity is not None else None
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


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
    """
    place = Path(folder)
    path = place / INFO_FILE
    if not path.is_file():
        what = "has no model.json" if place.is_dir() else "is not a folder"
        if (place / "clustering.json").is_file():
            what = "holds a clustering, which `toolkit assign` and load_clustering open"
        raise ModelFileError(
            f"{place} {what}; give the folder that save_model or `toolkit train --out` wrote"
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = str(data["format_version"])
        written_by = data.get("versions", {}).get("embeddinggemma-toolkit", "another version")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path} is not a model description: {error!r}") from error
    if data.get("format") != FORMAT or version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise ModelFileError(
            f"{place} is of the format {data.get('format')!r} {version}, and this toolkit reads "
            f"{FORMAT!r} {FORMAT_VERSION.split('.')[0]}.x. It was written by "
            f"embeddinggemma-toolkit {written_by}: install that version, or train again"
        )
    known = ModelInfo.__dataclass_fields__
    try:
        identity = data.get("identity")
        info = ModelInfo(
            **{k: v for k, v in data.items() if k in known and k != "identity"},
            identity=ModelIdentity.from_dict(identity) if identity else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path} is damaged: {error!r}") from error
    if info.file not in (SKOPS_FILE, JOBLIB_FILE) or not isinstance(info.classes, list):
        raise ModelFileError(f"{path} is damaged: file {info.file!r}, classes {info.classes!r}")
    return info
