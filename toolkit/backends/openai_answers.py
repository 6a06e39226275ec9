"""An answer of ``/v1/embeddings``, read: floats or base64, in the order of the texts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import InvalidVectorsError

__all__ = ["has_direction", "is_unit", "normalised", "read_tokens", "read_vectors"]

UNIT_TOLERANCE = 1e-3
"""A vector normalised in float32, and even in float16, is nearer to length 1 than this."""

_SMALLEST_NORM = 1e-6
"""A shorter vector has lost its direction in rounding; it is left for the checks to refuse."""


def read_vectors(body: Any, count: int) -> NDArray[np.float32]:
    """Return the vectors of an answer, in the order of the texts.

    Parameters
    ----------
    body : object
        The answer's JSON: ``data`` holds an ``embedding`` (a list of floats, or base64 of
        little-endian float32) and its ``index`` for each text.
    count : int
        How many texts were asked for.

    Returns
    -------
    ndarray of shape (count, d), dtype float32

    Raises
    ------
    InvalidVectorsError
        If number, order, lengths or encoding are not right. Null components become NaN, which
        the engine refuses by position.

    Examples
    --------
    >>> read_vectors({"data": [{"index": 1, "embedding": [0, 1]},
    ...                        {"index": 0, "embedding": "AACAPwAAAAA="}]}, 2)
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, list) or not all(isinstance(item, Mapping) for item in data):
        raise InvalidVectorsError("the server's answer holds no vectors")
    if len(data) != count:
        raise InvalidVectorsError(f"the server sent {len(data)} vectors for {count} texts")
    if any("index" in item for item in data):
        order = {item.get("index"): item for item in data}
        if set(order) != set(range(count)):
            raise InvalidVectorsError(
                "the server's answer does not tell which vector is of which text: its indices "
                f"are not 0 to {count - 1}"
            )
        data = [order[index] for index in range(count)]
    vectors = [_vector(item.get("embedding")) for item in data]
    if len({len(vector) for vector in vectors}) > 1:
        raise InvalidVectorsError("the server sent vectors of unequal lengths")
    return np.stack(vectors) if vectors else np.empty((0, 0), dtype=np.float32)


def read_tokens(body: Any) -> int | None:
    """Return how many tokens an answer says were read, or None if it does not.

    Examples
    --------
    >>> read_tokens({"usage": {"prompt_tokens": 7}}), read_tokens({})
    (7, None)
    """
    usage = body.get("usage") if isinstance(body, Mapping) else None
    tokens = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
    return tokens if isinstance(tokens, int) and tokens > 0 else None


def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors with length 1; those without a direction (zero, NaN) as they are.

    Examples
    --------
    >>> normalised(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32))
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    norms = _norms(vectors)
    good = _have_direction(norms)
    result: NDArray[np.float32] = (vectors / np.where(good, norms, 1.0)[:, None]).astype(np.float32)
    return result


def has_direction(vectors: NDArray[np.float32]) -> bool:
    """Return whether every vector is finite and not zero."""
    return bool(_have_direction(_norms(vectors)).all())


def is_unit(vectors: NDArray[np.float32]) -> bool:
    """Return whether every vector has length 1."""
    return bool((np.abs(_norms(vectors) - 1.0) <= UNIT_TOLERANCE).all())


def _norms(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    norms: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    return norms


def _have_direction(norms: NDArray[np.float64]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        good: NDArray[np.bool_] = np.isfinite(norms) & (norms > _SMALLEST_NORM)
    return good


def _vector(embedding: Any) -> NDArray[np.float32]:
    try:
        if isinstance(embedding, str):
            raw = base64.b64decode(embedding, validate=True)
            return np.frombuffer(raw, dtype="<f4").astype(np.float32)
        vector = np.asarray(embedding, dtype=np.float32)
    except (binascii.Error, ValueError, TypeError) as error:
        raise InvalidVectorsError(
            f"the server sent a vector that cannot be read: {error}"
        ) from None
    if vector.ndim != 1 or not len(vector):
        raise InvalidVectorsError("the server sent something else than a list of numbers")
    return vector
