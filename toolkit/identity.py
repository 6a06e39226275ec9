"""Which model made a vector, and whether two sets of vectors are of one space.

A model's name and digest do not tell: one Ollama model digest gave three different sets of
vectors over Ollama's versions. So an identity carries *canaries*: the vectors of a few fixed
texts (short, non-Latin, and one long enough to show a missing attention window), and two spaces
are compared by them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CANARY_COSINE",
    "CANARY_NAMES",
    "Canary",
    "ModelIdentity",
    "canary_cosines",
    "canary_texts",
    "compatible",
    "reference_texts",
    "same_space",
]

CANARY_NAMES: tuple[str, ...] = (
    "sky",
    "class-short",
    "class-emoji",
    "udhr-arb",
    "udhr-cmn_hans",
    "udhr-hin",
    "long-250",
)
"""Names of the canary texts among the reference texts."""

CANARY_COSINE = 0.9995
"""Vectors of one text from one space have at least this cosine.

Measured: two llama.cpp builds of one model agree to 0.99998 and better, bfloat16 with float32 to
about 0.9999; a build without the sliding window gives 0.9967 on the canary of 370 tokens, and a
causal one 0.84 or less on every text.
"""

_MIN_SHARED_CANARIES = 3


@cache
def reference_texts() -> Mapping[str, str]:
    """Return the 29 reference texts by name, as they are sent (prompt included).

    Examples
    --------
    >>> reference_texts()["red-planet-query"]
    'task: search result | query: Which planet is known as the Red Planet?'
    """
    raw = (files("toolkit") / "reference" / "texts.json").read_text(encoding="utf-8")
    return {item["name"]: item["text"] for item in json.loads(raw)}


def canary_texts() -> dict[str, str]:
    """Return the canary texts by name, as they are sent.

    Examples
    --------
    >>> canary_texts()["sky"]
    'why is the sky blue?'
    """
    texts = reference_texts()
    return {name: texts[name] for name in CANARY_NAMES}


@dataclass(frozen=True, eq=False)
class Canary:
    """Vectors of canary texts, kept as float16 (which moves a cosine by less than 1e-6).

    Parameters
    ----------
    names : tuple of str, of length c
        Names of the texts; texts a server refuses as too long are left out.
    vectors : ndarray of shape (c, dimension), dtype float16
        Unit vectors.

    Examples
    --------
    >>> canary = Canary.of({"sky": [1.0, 0.0], "class-short": [0.0, 1.0]})
    >>> canary.names, canary.vectors.shape
    (('sky', 'class-short'), (2, 2))
    """

    names: tuple[str, ...]
    vectors: NDArray[np.float16]

    @classmethod
    def of(cls, vectors: Mapping[str, NDArray[Any]]) -> Canary:
        """Make a canary from vectors by name."""
        return cls(tuple(vectors), np.asarray(list(vectors.values()), dtype=np.float16))

    def to_dict(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        data = base64.b64encode(self.vectors.astype("<f2").tobytes()).decode()
        return {"names": list(self.names), "shape": list(self.vectors.shape), "float16": data}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Canary:
        """Read what :meth:`to_dict` wrote."""
        flat = np.frombuffer(base64.b64decode(data["float16"]), dtype="<f2")
        return cls(tuple(data["names"]), flat.reshape(data["shape"]).astype(np.float16))


@dataclass(frozen=True)
class ModelIdentity:
    """What made a vector.

    Parameters
    ----------
    backend : str
        Kind of backend: ``"ollama"``, ``"openai"``, ``"embedded"``, ``"pack"``, or a third
        party's own.
    model : str
        The model's name as it was asked for.
    dimension : int
        Length of a full vector.
    digest : str, optional
        Digest of the model's manifest, 64 hexadecimal digits.
    weights : str, optional
        Digest of the weights alone, where the backend knows it.
    engine, engine_version : str, optional
        What computed the vectors, and its version.
    quantization : str, optional
        Of the weights, as the backend names it.
    context_length : int, optional
        Most tokens of one text, special tokens included.
    provenance : str, optional
        How the vectors were made, for packs.
    canary : Canary, optional
        Vectors of the canary texts.

    Examples
    --------
    >>> identity = ModelIdentity("ollama", "embeddinggemma", 768, engine_version="0.32.15")
    >>> ModelIdentity.from_dict(identity.to_dict()) == identity
    True
    """

    backend: str
    model: str
    dimension: int
    digest: str | None = None
    weights: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    provenance: str | None = None
    canary: Canary | None = field(default=None, compare=False, repr=False)

    def with_canary(self, canary: Canary | None) -> ModelIdentity:
        """Return the same identity with these canaries."""
        return replace(self, canary=canary)

    def to_dict(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "canary"}
        return data | {"canary": self.canary.to_dict() if self.canary is not None else None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelIdentity:
        """Read what :meth:`to_dict` wrote; keys of later versions are ignored."""
        known = {f.name for f in fields(cls)} - {"canary"}
        canary = data.get("canary")
        return cls(
            **{k: v for k, v in data.items() if k in known},
            canary=Canary.from_dict(canary) if canary else None,
        )

    def describe(self) -> str:
        """Return one line for messages and reports.

        Examples
        --------
        >>> ModelIdentity("ollama", "embeddinggemma", 768, engine="ollama",
        ...               engine_version="0.32.15", weights="ab" * 32).describe()
        'embeddinggemma through ollama (ollama 0.32.15, weights abababababab, 768 dimensions)'
        """
        details = []
        if self.engine:
            details.append(f"{self.engine} {self.engine_version or ''}".strip())
        if self.weights:
            details.append(f"weights {self.weights[:12]}")
        elif self.digest:
            details.append(f"digest {self.digest[:12]}")
        if self.quantization:
            details.append(self.quantization)
        details.append(f"{self.dimension} dimensions")
        return f"{self.model} through {self.backend} ({', '.join(details)})"


def canary_cosines(a: ModelIdentity, b: ModelIdentity) -> dict[str, float]:
    """Return the cosine of each canary that both identities have.

    Parameters
    ----------
    a, b : ModelIdentity
        With or without canaries.

    Returns
    -------
    dict of str to float
        Empty where one has no canaries or the dimensions differ.

    Examples
    --------
    >>> one = ModelIdentity("ollama", "a", 2, canary=Canary.of({"sky": [1.0, 0.0]}))
    >>> other = ModelIdentity("ollama", "a", 2, canary=Canary.of({"sky": [0.6, 0.8]}))
    >>> {name: round(cosine, 3) for name, cosine in canary_cosines(one, other).items()}
    {'sky': 0.6}
    """
    if a.canary is None or b.canary is None or a.dimension != b.dimension:
        return {}
    others = dict(zip(b.canary.names, b.canary.vectors.astype(np.float64), strict=True))
    cosines = {}
    for name, mine in zip(a.canary.names, a.canary.vectors.astype(np.float64), strict=True):
        if name in others:
            other = others[name]
            norm = float(np.linalg.norm(mine) * np.linalg.norm(other))
            cosines[name] = float(mine @ other) / norm if norm else 0.0
    return cosines


def compatible(a: ModelIdentity, b: ModelIdentity) -> bool:
    """Return whether a model fitted on vectors of one may be used on vectors of the other.

    True if at least three canaries are shared and each agrees to :data:`CANARY_COSINE`, whatever
    the digests say. What an OpenAI-compatible server or a pack does not know of its weights is
    no obstacle.

    Examples
    --------
    A pack, and a server that gives the same vectors:

    >>> canary = Canary(CANARY_NAMES, np.eye(7, dtype=np.float16))
    >>> server = ModelIdentity("ollama", "embeddinggemma", 7, weights="ab" * 32, canary=canary)
    >>> pack = ModelIdentity("pack", "embeddinggemma", 7, canary=canary)
    >>> compatible(server, pack), same_space(server, pack)
    (True, False)
    """
    cosines = canary_cosines(a, b)
    return len(cosines) >= _MIN_SHARED_CANARIES and min(cosines.values()) >= CANARY_COSINE


def same_space(a: ModelIdentity, b: ModelIdentity) -> bool:
    """Return whether vectors of the two may be kept in one matrix.

    True if they come from the same kind of backend, their weights digests are equal or one is
    unknown, and they are :func:`compatible`. An 8-bit build agrees with its 16-bit source to
    0.9997 and must stay apart, hence the digests; and vectors made elsewhere (a pack from
    another library) stay apart from a server's own, hence the kind.

    Examples
    --------
    >>> canary = Canary(CANARY_NAMES, np.eye(7, dtype=np.float16))
    >>> one = ModelIdentity("ollama", "embeddinggemma", 7, weights="ab" * 32, canary=canary)
    >>> same_space(one, replace(one, engine_version="0.32.15"))
    True
    >>> same_space(one, replace(one, weights="cd" * 32, quantization="Q8_0"))
    False
    """
    if a.backend != b.backend:
        return False
    if a.weights is not None and b.weights is not None and a.weights != b.weights:
        return False
    return compatible(a, b)
