"""Several vector packs of one model, read as one space."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.packs import Pack
from toolkit.cache.rows import as_keys
from toolkit.errors import PackError
from toolkit.identity import ModelIdentity

__all__ = ["PackSpace"]


@dataclass(frozen=True, eq=False)
class PackSpace:
    """Several packs of one identity, read as one space; nothing can be written to it.

    Parameters
    ----------
    packs : tuple of Pack
        At least one. Where two hold one key, the first answers.

    Raises
    ------
    PackError
        If they are of different identities.
    """

    packs: tuple[Pack, ...]

    def __post_init__(self) -> None:
        if not self.packs:
            raise PackError("a space of packs needs at least one")
        if len({pack.source for pack in self.packs}) > 1:
            raise PackError("these packs are of different models; each has a space of its own")

    def __len__(self) -> int:
        return sum(len(pack) for pack in self.packs)

    @property
    def id(self) -> str:
        """A name that says it is made of packs, whose, and of which."""
        digest = hashlib.sha256(self.packs[0].source.encode()).hexdigest()
        return f"pack-{self.identity.model}-{digest[:8]}"

    @property
    def identity(self) -> ModelIdentity:
        """What made the vectors, with canaries."""
        return self.packs[0].identity

    @property
    def dimension(self) -> int:
        """Length of a full vector."""
        return self.identity.dimension

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.cumsum([0, *(len(pack) for pack in self.packs)])

    def keys(self) -> NDArray[np.void]:
        """Return all keys, in the order of the rows."""
        return np.concatenate([pack.stored_keys for pack in self.packs])

    def lookup(self, keys: Any) -> NDArray[np.int64]:
        """Return the row of each key, counted over all packs, -1 where it is not there."""
        known = as_keys(keys)
        found = np.full(len(known), -1, dtype=np.int64)
        for start, pack in zip(self._starts, self.packs, strict=False):
            todo = np.flatnonzero(found < 0)
            rows = pack.lookup(known[todo])
            found[todo] = np.where(rows >= 0, rows + start, -1)
        return found

    def read(self, rows: NDArray[np.int64], dimensions: int | None = None) -> NDArray[np.float32]:
        """Return unit vectors, shape (n, dimensions), by row."""
        rows = np.asarray(rows)
        width = self.dimension if dimensions is None else min(dimensions, self.dimension)
        out = np.empty((len(rows), width), dtype=np.float32)
        owner = np.searchsorted(self._starts, rows, side="right") - 1
        for number, pack in enumerate(self.packs):
            mine = np.flatnonzero(owner == number)
            if len(mine):
                out[mine] = pack.read(rows[mine] - self._starts[number], dimensions)
        return out

    def get(
        self, keys: Any, dimensions: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of the keys that are there, and which are."""
        rows = self.lookup(keys)
        found = rows >= 0
        return self.read(rows[found], dimensions), found
