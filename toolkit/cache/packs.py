"""Vector packs: how cached vectors travel.

A pack is a ``.safetensors`` file with three tensors, ``keys`` (uint8, n x 16), ``vectors``
(float16 or float32, n x d) and ``canary`` (float16, c x d), and one JSON text in its metadata that
says what the vectors are of and has a checksum of everything. Nothing in it is ever executed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.rows import KEY_BYTES, KeyIndex, as_keys, bad_rows, cut_rows, unit_rows
from toolkit.errors import PackError
from toolkit.identity import Canary, ModelIdentity

__all__ = ["Pack", "read_pack", "write_pack"]

METADATA_KEY = "embeddinggemma-toolkit"
FORMAT = 1


def write_pack(
    path: str | Path,
    keys: Any,
    vectors: NDArray[Any],
    identity: ModelIdentity,
    prompt: str,
    *,
    provenance: str,
    dtype: Literal["float16", "float32"] = "float16",
) -> None:
    """Write a vector pack; the same content gives the same bytes.

    Parameters
    ----------
    path : str or path
        Where to; an existing file is replaced at once or not at all.
    keys : ndarray of shape (n,) of 16 bytes
        As :func:`toolkit.embedding.keys.hash_texts` makes them.
    vectors : ndarray of shape (n, d)
        Full-length unit vectors.
    identity : ModelIdentity
        With canaries.
    prompt : str
        Template the texts were rendered with.
    provenance : str
        How the vectors were made.
    dtype : {"float16", "float32"}, default="float16"
        On disk. float16 moves a value by 1.2e-4 at most.

    Raises
    ------
    PackError
        If keys repeat, vectors are not of unit length, or there are no canaries.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.cache import bundled_spaces
    >>> space = bundled_spaces()[0]
    >>> file = f"{tempfile.mkdtemp()}/two.safetensors"
    >>> write_pack(file, space.keys()[:2], space.read(np.arange(2)), space.identity,
    ...            "{text}", provenance="the first two of the shipped ones")
    >>> len(read_pack(file))
    2
    """
    from safetensors.numpy import save

    known = as_keys(keys)
    if len(known) != len(vectors) or len(np.unique(known)) != len(known):
        raise PackError(
            f"a pack needs one distinct key for each vector; there are {len(known)} keys, "
            f"{len(np.unique(known))} of them distinct, and {len(vectors)} vectors"
        )
    if problem := bad_rows(vectors, identity.dimension):
        raise PackError(f"these vectors cannot go into a pack: {problem}")
    if identity.canary is None:
        raise PackError("a pack needs an identity with canaries, or it can never be checked")
    stored = np.ascontiguousarray(vectors, dtype=np.dtype(dtype).newbyteorder("<"))
    header = {
        "format": FORMAT,
        "identity": identity.to_dict() | {"canary": list(identity.canary.names)},
        "prompt": prompt,
        "dimension": identity.dimension,
        "count": len(known),
        "provenance": provenance,
    }
    tensors: dict[str, NDArray[Any]] = {
        "canary": np.ascontiguousarray(identity.canary.vectors, dtype="<f2"),
        "keys": known.view(np.uint8).reshape(-1, KEY_BYTES),
        "vectors": stored,
    }
    header["checksum"] = _checksum(header, tensors)
    text = _json(header)
    _write_whole(Path(path), save(tensors, metadata={METADATA_KEY: text}))


def read_pack(path: str | Path) -> Pack:
    """Read and check a vector pack.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Pack

    Raises
    ------
    PackError
        If the file is not a pack, is of a newer format, or does not match its own checksum,
        counts or norms.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> from toolkit.cache import bundled_packs
    >>> pack = read_pack(bundled_packs()[0])
    >>> pack.prompt, pack.dimension
    ('task: classification | query: {text}', 768)
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no vector pack {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            if text is None:
                raise PackError(
                    f"{path} is a safetensors file, but not a vector pack: its metadata has no "
                    f"{METADATA_KEY!r}"
                )
            header = json.loads(text)
            _check_format(path, header)
            tensors = {name: file.get_tensor(name) for name in ("keys", "vectors", "canary")}
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise PackError(f"{path} is not a readable vector pack: {error}") from error
    try:
        return _assemble(path, header, tensors)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, PackError):
            raise
        raise PackError(f"the header of the vector pack {path} is damaged: {error!r}") from error


@dataclass(frozen=True, eq=False)
class Pack:
    """A vector pack in memory.

    Parameters
    ----------
    path : Path
        Where it was read from.
    identity : ModelIdentity
        What made the vectors, with canaries.
    prompt : str
        Template the texts were rendered with.
    provenance : str
        How the vectors were made.
    stored_keys : ndarray of shape (n,)
        Keys.
    stored : ndarray of shape (n, d), dtype float16 or float32
        Vectors as on disk.
    """

    path: Path
    identity: ModelIdentity
    prompt: str
    provenance: str
    stored_keys: NDArray[np.void] = field(repr=False)
    stored: NDArray[Any] = field(repr=False)

    def __len__(self) -> int:
        return len(self.stored_keys)

    @property
    def dimension(self) -> int:
        """Length of a full vector."""
        return self.identity.dimension

    @cached_property
    def source(self) -> str:
        """The identity as text, canaries included: equal for packs of one source."""
        return _json(self.identity.to_dict())

    @cached_property
    def _index(self) -> KeyIndex:
        return KeyIndex(self.stored_keys)

    def keys(self) -> NDArray[np.void]:
        """Return the keys, in the order of the rows."""
        return self.stored_keys

    def lookup(self, keys: Any) -> NDArray[np.int64]:
        """Return the row of each key, -1 where it is not there."""
        return self._index.find(as_keys(keys))

    def read(self, rows: NDArray[np.int64], dimensions: int | None = None) -> NDArray[np.float32]:
        """Return unit vectors, shape (n, dimensions), by row."""
        vectors = unit_rows(self.stored[np.asarray(rows)].astype(np.float32))
        return cut_rows(vectors, dimensions)

    def get(
        self, keys: Any, dimensions: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of the keys that are there, and which are."""
        rows = self.lookup(keys)
        found = rows >= 0
        return self.read(rows[found], dimensions), found


# --- inside --------------------------------------------------------------------------------------


def _check_format(path: Path, header: Any) -> None:
    version = header.get("format") if isinstance(header, dict) else None
    if not isinstance(version, int):
        raise PackError(f"the header of the vector pack {path} is damaged: it has no format")
    if version > FORMAT:
        raise PackError(
            f"the vector pack {path} has format {version}, and this version reads {FORMAT}; "
            "update with: pip install --upgrade embeddinggemma-toolkit"
        )


def _assemble(path: Path, header: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Pack:
    keys, vectors, dimension = as_keys(tensors["keys"]), tensors["vectors"], header["dimension"]
    count = int(header["count"])
    if not len(keys) == len(vectors) == count:
        raise PackError(
            f"the vector pack {path} says it has {count} vectors, and has {len(vectors)} and "
            f"{len(keys)} keys"
        )
    if header.pop("checksum") != _checksum(header, tensors):
        raise PackError(f"the vector pack {path} is damaged: its checksum does not match")
    if problem := bad_rows(vectors, dimension) or bad_rows(tensors["canary"], dimension):
        raise PackError(f"the vector pack {path} is damaged: {problem}")
    if len(np.unique(keys)) != count:
        raise PackError(f"the vector pack {path} is damaged: keys repeat")
    names: Sequence[str] = header["identity"]["canary"]
    bare = ModelIdentity.from_dict(header["identity"] | {"canary": None})
    if len(names) != len(tensors["canary"]) or bare.dimension != dimension:
        raise PackError(f"the header of the vector pack {path} contradicts its tensors")
    identity = replace(bare, canary=Canary(tuple(names), tensors["canary"].astype(np.float16)))
    return Pack(path, identity, header["prompt"], header["provenance"], keys, vectors)


def _checksum(header: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> str:
    """Return the SHA-256 digest of all there is, but for the checksum itself."""
    digest = hashlib.sha256(_json(header).encode())
    for name in sorted(tensors):
        digest.update(np.ascontiguousarray(tensors[name]).view(np.uint8).data)
    return digest.hexdigest()


def _json(header: dict[str, Any]) -> str:
    return json.dumps(header, sort_keys=True, ensure_ascii=False)


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
