"""Where the double's vectors come from, and how they are written.

A known text (the reference texts, and whatever a test brings) gets its real vector. Any other text
gets a unit vector that depends on the text and on the model's weights digest alone: the components
of one fixed unit vector, shuffled and signed by a hash. That keeps the norm exact, makes two texts
nearly orthogonal, and lets the JSON be put together from 1,536 ready strings.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

REFERENCE = Path(__file__).resolve().parents[2] / "toolkit" / "reference"
"""Read by path: the double does not import the package it is a test of."""


@cache
def reference_vectors(build: str) -> Mapping[str, Vector]:
    """Return text -> vector of the reference texts from one of the three known builds."""
    texts = json.loads((REFERENCE / "texts.json").read_text(encoding="utf-8"))
    with np.load(REFERENCE / "vectors.npz", allow_pickle=False) as stored:
        position = {str(name): row for row, name in enumerate(stored["names"])}
        vectors = stored[build]
    return {item["text"]: vectors[position[item["name"]]] for item in texts}


def unit(vector: Vector) -> Vector:
    """Normalise in float32, as Ollama does."""
    norm = max(float(np.sqrt(np.dot(vector, vector))), 1e-12)
    return (vector * np.float32(1.0 / norm)).astype(np.float32)


def shortest(vector: Vector) -> list[str]:
    """Write each float32 in the fewest digits that read back the same, in Go's notation."""
    written: list[str] = vector.astype(np.str_).tolist()
    for index, text in enumerate(written):
        if text.endswith(".0"):
            written[index] = text[:-2]
        elif "e" in text:
            number = vector[index]
            written[index] = (
                np.format_float_positional(number, unique=True, trim="-")
                if 1e-6 <= abs(number) < 1e21
                else text.replace("e-0", "e-").replace("e+0", "e+")
            )
    return written


class Row:
    """One vector of a response: its numbers, and its JSON (which a fault may have spoilt)."""

    __slots__ = ("_json", "vector")

    def __init__(self, vector: Vector, written: bytes | None = None) -> None:
        self.vector = vector
        self._json = written

    @property
    def json(self) -> bytes:
        if self._json is None:
            self._json = ("[" + ",".join(shortest(self.vector)) + "]").encode()
        return self._json

    def cut(self, dimensions: int) -> Row:
        """Return the first components, normalised again; all of them if that is no cut."""
        if 0 < dimensions < len(self.vector):
            return Row(unit(self.vector[:dimensions]))
        return self


class _Alphabet:
    """The components all made-up vectors of one length share, and their JSON."""

    def __init__(self, dimension: int) -> None:
        quantiles = [NormalDist().inv_cdf((i + 0.5) / dimension) for i in range(dimension)]
        positive = unit(np.array(quantiles, dtype=np.float32))
        self.numbers = np.concatenate([positive, -positive])
        self.strings = np.array(shortest(self.numbers), dtype=object)


@cache
def _alphabet(dimension: int) -> _Alphabet:
    return _Alphabet(dimension)


def made_up(text: str, seed: bytes, dimension: int) -> Row:
    """Return the vector of a text that is not known."""
    alphabet = _alphabet(dimension)
    head = hashlib.blake2b(text.encode("utf-8", "replace"), key=seed, digest_size=32).digest()
    bits = np.frombuffer(hashlib.shake_128(head).digest(4 * dimension), dtype=np.uint32)
    # The high bits order, the lowest one is the sign; stable, so that ties are no matter of luck.
    choice = np.argsort(bits >> 1, kind="stable") + dimension * (bits & 1)
    written = ("[" + ",".join(alphabet.strings[choice]) + "]").encode()
    return Row(alphabet.numbers[choice], written)


class VectorSource:
    """The vectors of one model.

    Parameters
    ----------
    weights : str
        Digest of the weights: the seed of unknown texts.
    build : {"right", "no_window", "causal", "random"}
        Whose vectors the reference texts get; "random": made-up ones, and another seed.
    dimension : int
        Length of the vectors.
    known : mapping of str to array
        Texts with vectors of their own, whatever the build.
    noise : float
        Length of a random vector added to known vectors: 0.01 turns them by a cosine of 0.99995,
        as another quantisation does.
    """

    def __init__(
        self,
        weights: str,
        build: str,
        dimension: int,
        known: Mapping[str, Vector],
        noise: float = 0.0,
    ) -> None:
        seed = weights + (" random" if build == "random" else "")
        self._seed = hashlib.blake2b(seed.encode(), digest_size=32).digest()
        self._dimension = dimension
        self._noise = noise
        self._known = dict(reference_vectors(build)) if build != "random" else {}
        self._known.update(known)
        self._rows: dict[str, Row] = {}
        self._lock = threading.Lock()

    def row(self, text: str) -> Row:
        """Return the vector of a text as it is, prompt and all."""
        if text not in self._known:
            return made_up(text, self._seed, self._dimension)
        with self._lock:
            if text not in self._rows:
                self._rows[text] = Row(self._real(text))
            return self._rows[text]

    def _real(self, text: str) -> Vector:
        vector = np.asarray(self._known[text], dtype=np.float32)
        if self._noise:
            vector = (
                vector
                + np.float32(self._noise) * made_up("noise " + text, self._seed, len(vector)).vector
            )
        return unit(vector)
