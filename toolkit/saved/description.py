"""What a saved folder is, as JSON beside the model file: readable without opening that."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from toolkit.errors import ModelFileError
from toolkit.identity import ModelIdentity
from toolkit.saved.model_file import JOBLIB_FILE, SKOPS_FILE

__all__ = ["CLUSTERING", "MODEL", "Description", "FolderKind"]


@dataclass(frozen=True)
class FolderKind:
    """A kind of saved folder, and what messages say of it.

    Parameters
    ----------
    noun : str
        What it holds: ``"model"``.
    described_in : str
        Name of the file that describes it and tells it from other folders.
    version : str
        Major and minor; folders of another major version are refused.
    contents, opened_by, written_by, remake : str
        What it holds, what opens it, what writes it, and how to get one anew, for messages.
    """

    noun: str
    described_in: str
    version: str
    contents: str
    opened_by: str
    written_by: str
    remake: str

    @property
    def format(self) -> str:
        """What its description calls itself."""
        return f"embeddinggemma-toolkit {self.noun}"

    @property
    def major(self) -> str:
        """The part of the version that must agree."""
        return self.version.split(".")[0]


MODEL = FolderKind(
    "model",
    "model.json",
    "1.1",
    contents="a classifier",
    opened_by="`toolkit predict` and load_model",
    written_by="save_model or `toolkit train --out`",
    remake="train again",
)
CLUSTERING = FolderKind(
    "clustering",
    "clustering.json",
    "1.0",
    contents="a clustering",
    opened_by="`toolkit assign` and load_clustering",
    written_by="save_clustering or `toolkit cluster --save`",
    remake="cluster again",
)


@dataclass(frozen=True, kw_only=True)
class Description:
    """What the description of every kind of folder says.

    Parameters
    ----------
    file : str
        Name of the model file: ``"model.skops"`` or ``"model.joblib"``.
    sha256 : str
        Its digest: guards against damage, not against malice.
    dimension : int or None
        Length of its vectors.
    prompt : str or None
        Template of the prompt its texts are sent under.
    identity : ModelIdentity or None
        The vector space it was made in, with canaries.
    notice : str or None
        A sentence that must stand on its outputs when it is not EmbeddingGemma.
    provenance : dict
        How it was made.
    versions : dict of str to str
        Of the packages that wrote the folder.
    date : str
        When it was written, ISO 8601, UTC.
    format_version : str
        Of the folder.
    """

    kind: ClassVar[FolderKind]

    file: str
    sha256: str
    dimension: int | None = None
    prompt: str | None = None
    identity: ModelIdentity | None = None
    notice: str | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    date: str = ""
    format_version: str = ""

    def damage(self) -> str | None:
        """Return what is wrong with the content of a file that was read, if anything is."""
        return None

    def to_json(self) -> str:
        """Return the content of the file."""
        data: dict[str, Any] = {"format": self.kind.format, "format_version": self.kind.version}
        data |= {k: v for k, v in vars(self).items() if k not in ("identity", "format_version")}
        data["identity"] = self.identity.to_dict() if self.identity is not None else None
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, folder: str | Path) -> Self:
        """Read and check the description of a folder.

        Raises
        ------
        ModelFileError
            If it is no folder of this kind, or of another format.
        """
        place, kind = Path(folder), cls.kind
        path = place / kind.described_in
        data = _load(place, kind)
        identity = data.get("identity")
        try:
            info = cls(
                **{k: v for k, v in data.items() if k in cls.__dataclass_fields__}
                | {"identity": ModelIdentity.from_dict(identity) if identity else None}
            )
            wrong = info.damage()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelFileError(f"{path} is damaged: {error!r}") from error
        if info.file not in (SKOPS_FILE, JOBLIB_FILE):
            wrong = f"file {info.file!r}"
        if wrong is not None:
            raise ModelFileError(f"{path} is damaged: {wrong}")
        return info


def _load(place: Path, kind: FolderKind) -> dict[str, Any]:
    path = place / kind.described_in
    if not path.is_file():
        what = f"has no {path.name}" if place.is_dir() else "is not a folder"
        for other in (MODEL, CLUSTERING):
            if (place / other.described_in).is_file():
                what = f"holds {other.contents}, which {other.opened_by} open"
        raise ModelFileError(f"{place} {what}; give the folder that {kind.written_by} wrote")
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = str(data["format_version"])
        written_by = data.get("versions", {}).get("embeddinggemma-toolkit", "another version")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{path} is not the description of a {kind.noun}: {error!r}"
        ) from error
    if data.get("format") != kind.format or version.split(".")[0] != kind.major:
        raise ModelFileError(
            f"{place} is of the format {data.get('format')!r} {version}, and this toolkit reads "
            f"{kind.format!r} {kind.major}.x. It was written by embeddinggemma-toolkit "
            f"{written_by}: install that version, or {kind.remake}"
        )
    return data
