"""The reference vectors of EmbeddingGemma, and which build a server's vectors are nearest to.

``texts.json`` holds 29 texts as they are sent, ``vectors.npz`` their vectors from the published
model (``right``) and from the two wrong builds that Ollama has shipped: ``no_window`` (0.12.7 to
0.24: no sliding attention window, so long texts differ) and ``causal`` (before 0.12.7). They were
computed in float32 with the original weights (``model.safetensors``, sha256
cbf5a78393b6a033e0b8a63a57549964f7ed5c6fbeb4ba0694214f36123f2fd2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUILDS", "Diagnosis", "diagnose", "reference_vectors"]

Build = Literal["right", "no_window", "causal", "unknown"]
BUILDS: tuple[Build, ...] = ("right", "no_window", "causal")

EXACT_COSINE = 0.99
"""Least mean cosine to a known build of weights in 16 bits or more; bfloat16 has 0.9999."""

QUANTISED_COSINE = 0.8
"""Least mean cosine to a known build of weights in fewer bits, or of unknown ones.

The official tags ``300m-qat-q8_0`` and ``300m-qat-q4_0`` were trained further for their few bits,
so they are other weights, and how far their vectors are from the published ones is nowhere stated.
Whatever it is, a build that computes them rightly is nearer to ``right`` than to ``causal``.
"""

LEAST_MARGIN = 0.1
"""Least mean cosine that the nearest build must be ahead; right and causal are 0.29 apart."""

_EXACT_FORMATS = re.compile(r"(?:all|mostly)?\s*(?:bf16|f16|f32|bfloat16|float16|float32)", re.I)
"""Number formats as servers write them; any other name is taken for fewer bits."""

_LONG_TOKENS = 257
"""Beyond the attention window of 256 tokens to each side, a windowless build differs."""

_ADVICE: Mapping[str, str] = {
    "right": "",
    "no_window": "texts of more than about 256 tokens get other vectors than the published "
    "model's (cosine 0.997 at 370 tokens, 0.93 at 1,800); short texts are right. Update Ollama "
    "to 0.30 or later",
    "causal": "the server runs the model with causal attention, which is wrong for every text. "
    "Update Ollama to 0.12.7 or later, best to 0.30 or later",
    "unknown": "a model imported without its tokenizer's settings (add_space_prefix, BOS and "
    "EOS) or without its two dense layers looks like this, and so does another model under this "
    "name. Mend it with `ollama rm {model}` and `ollama pull {model}`",
}


@cache
def _stored() -> tuple[tuple[str, ...], Mapping[str, int], Mapping[str, NDArray[np.float32]]]:
    with (files("toolkit") / "reference" / "vectors.npz").open("rb") as file:
        data = np.load(file, allow_pickle=False)
        names = tuple(str(name) for name in data["names"])
        tokens = dict(zip(names, data["tokens"].tolist(), strict=True))
        return names, tokens, {build: data[build] for build in BUILDS}


def reference_vectors(build: Build = "right") -> dict[str, NDArray[np.float32]]:
    """Return the reference vectors of a build by the text's name.

    Parameters
    ----------
    build : {"right", "no_window", "causal"}, default="right"
        Which build.

    Returns
    -------
    dict of str to ndarray of shape (768,)

    Examples
    --------
    >>> vectors = reference_vectors()
    >>> query, mars = vectors["red-planet-query"], vectors["red-planet-mars"]
    >>> round(float(query @ mars), 4)  # the model card says 0.6359
    0.6361
    """
    names, _, vectors = _stored()
    return dict(zip(names, vectors[build], strict=True))


@dataclass(frozen=True)
class Diagnosis:
    """What a comparison with the reference vectors showed.

    Parameters
    ----------
    build : {"right", "no_window", "causal", "unknown"}
        The build the vectors are nearest to.
    cosines : mapping of str to mapping of str to float
        By build, the cosine of each text compared.
    compared : int
        How many texts were compared.
    skipped : int
        How many the server refused as too long.
    exact : bool
        Whether the vectors are those of the build, and not only nearest to it.
    """

    build: Build
    cosines: Mapping[str, Mapping[str, float]]
    compared: int
    skipped: int = 0
    exact: bool = True

    @property
    def advice(self) -> str:
        """What it means and what mends it; empty if all is right."""
        return self.advice_for("embeddinggemma")

    def advice_for(self, model: str) -> str:
        """Return the advice with the commands for a model of another name or tag."""
        return _ADVICE[self.build].format(model=model)

    def summary(self) -> str:
        """Return one line with the lowest cosine to each build."""
        lowest = ", ".join(
            f"{build} {min(values.values()):.4f}" for build, values in self.cosines.items()
        )
        skipped = f", {self.skipped} refused as too long" if self.skipped else ""
        nearest = {
            "right": "its vectors are those of the published model"
            if self.exact
            else "its vectors are near those of the published model, as quantised weights' are",
            "no_window": "its vectors are nearest to the build without a sliding window",
            "causal": "its vectors are nearest to the build with causal attention",
            "unknown": "its vectors are near those of no known build",
        }[self.build]
        return f"{nearest} (lowest cosine over {self.compared} texts{skipped}: {lowest})"


def diagnose(
    vectors: Mapping[str, NDArray[Any]], *, skipped: int = 0, quantization: str | None = None
) -> Diagnosis:
    """Tell which build some vectors of reference texts are nearest to.

    Parameters
    ----------
    vectors : mapping of str to ndarray of shape (768,)
        Vectors by the reference text's name.
    skipped : int, default=0
        How many texts the server refused, for the record.
    quantization : str, optional
        Number format of the weights, as the server names it. With 16 bits or more the vectors
        must be those of a build to :data:`EXACT_COSINE`; otherwise they must be clearly nearer to
        one than to the others.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> diagnose(reference_vectors("causal")).build
    'causal'
    """
    cosines: dict[str, dict[str, float]] = {}
    for build in BUILDS:
        right = reference_vectors(build)
        cosines[build] = {
            name: _cosine(vector, right[name])
            for name, vector in vectors.items()
            if name in right and len(vector) == len(right[name])
        }
    compared = len(cosines["right"])
    if not compared:
        return Diagnosis("unknown", {}, 0, skipped)
    mean = {build: float(np.mean(list(values.values()))) for build, values in cosines.items()}
    # Short texts are the same with and without the window: that is asked for afterwards.
    straight = max(mean["right"], mean["no_window"])
    best: Build = "right" if straight >= mean["causal"] else "causal"
    nearest, margin = max(straight, mean["causal"]), abs(straight - mean["causal"])
    exact = nearest >= EXACT_COSINE
    least = EXACT_COSINE if _is_exact(quantization) else QUANTISED_COSINE
    if nearest < least or margin < LEAST_MARGIN:
        return Diagnosis("unknown", cosines, compared, skipped, exact)
    if best == "right" and _lacks_window(cosines, nearest):
        best = "no_window"
    return Diagnosis(best, cosines, compared, skipped, exact)


def _is_exact(quantization: str | None) -> bool:
    return isinstance(quantization, str) and bool(_EXACT_FORMATS.fullmatch(quantization.strip()))


def _lacks_window(cosines: Mapping[str, Mapping[str, float]], nearest: float) -> bool:
    """Return whether the long texts are clearly nearer to the build without a window.

    That is more than half of the way that such a build would be ahead by, since few bits alone
    move a vector a little towards either.
    """
    _, tokens, _ = _stored()
    long = [name for name in cosines["right"] if tokens[name] >= _LONG_TOKENS]
    right, windowless = reference_vectors("right"), reference_vectors("no_window")
    ahead = sum(cosines["no_window"][name] - cosines["right"][name] for name in long)
    whole = sum(nearest * (1.0 - _cosine(right[name], windowless[name])) for name in long)
    return ahead > whole / 2


def _cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm else 0.0
