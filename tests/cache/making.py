"""Keys whose right vector anybody can work out, identities, and a check that shares no code."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit.identity import CANARY_NAMES, Canary, ModelIdentity

DIMENSION = 160  # two blocks of checksums, the second not full
PROMPT = "task: test | query: {text}"


def keys_of(names: Iterable[object]) -> NDArray[np.void]:
    data = b"".join(blake2b(str(name).encode(), digest_size=16).digest() for name in names)
    return np.frombuffer(data, dtype=np.dtype((np.void, 16)))


def vectors_of(keys: NDArray[np.void], dimension: int = DIMENSION) -> NDArray[np.float32]:
    """Return the one right vector of each key."""
    out = np.empty((len(keys), dimension), dtype=np.float32)
    for row, key in zip(out, keys.tolist(), strict=True):
        row[:] = np.random.default_rng(list(key)).standard_normal(dimension, dtype=np.float32)
        row /= np.linalg.norm(row)
    return out


def identity_of(
    space: str = "one", dimension: int = DIMENSION, nearness: float = 1.0, **known: str | None
) -> ModelIdentity:
    """Return an identity; ``nearness`` is the cosine of its canaries to those of its space."""
    right = vectors_of(keys_of(f"{space} {name}" for name in CANARY_NAMES), dimension)
    aside = vectors_of(keys_of(f"aside {name}" for name in CANARY_NAMES), dimension)
    aside -= right * np.einsum("ij,ij->i", right, aside)[:, None]
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    canary = nearness * right + np.sqrt(1 - nearness**2) * aside
    values: dict[str, str | None] = {
        "weights": "ab" * 32, "engine": "ollama", "engine_version": "0.32.15", **known
    }  # fmt: skip
    kind = values.pop("backend", "ollama") or ""
    model = values.pop("model", "embeddinggemma") or ""
    return ModelIdentity(kind, model, dimension, **values).with_canary(  # type: ignore[arg-type]
        Canary.of(dict(zip(CANARY_NAMES, canary, strict=True)))
    )


def check_by_hand(folder: Path) -> dict[bytes, int]:
    """Compare a space's index, checksums and matrix by other means than its own.

    Returns
    -------
    dict of bytes to int
        Row by key.
    """
    connection = sqlite3.connect(folder / "index.sqlite")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        entries = connection.execute("SELECT row, key, checksum FROM entries ORDER BY row")
        entries = entries.fetchall()
    finally:
        connection.close()
    dimension = json.loads(meta["identity"])["dimension"]
    data = np.fromfile(folder / meta["matrix"], dtype="<f4")
    data = data[: len(entries) * dimension].reshape(len(entries), dimension)
    assert [row for row, _, _ in entries] == list(range(len(entries)))
    keys = np.frombuffer(b"".join(key for _, key, _ in entries), dtype=np.dtype((np.void, 16)))
    assert np.array_equal(data, vectors_of(keys, dimension))
    for (_, _, checksum), vector in zip(entries, data, strict=True):
        words = vector.view("<u4").tolist()
        sums = [sum(words[i : i + 128]) % 2**32 for i in range(0, dimension, 128)]
        assert checksum == b"".join(one.to_bytes(4, "little") for one in sums)
    return {key: row for row, key, _ in entries}
