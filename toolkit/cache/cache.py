"""The embedding cache: a folder with one vector space for each model."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs

from toolkit.cache.space import INDEX, MATRIX, Space
from toolkit.errors import CacheError
from toolkit.identity import ModelIdentity, same_space

__all__ = ["EmbeddingCache", "cache_root"]

LOCK = "lock.sqlite"


def cache_root(path: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of the cache.

    Parameters
    ----------
    path : str or path, optional
        None means the environment variable ``TOOLKIT_CACHE_DIR``, or else the user's cache
        folder.

    Examples
    --------
    >>> cache_root("vectors").name
    'vectors'
    """
    if path is not None:
        return Path(path).expanduser().absolute()
    named = os.environ.get("TOOLKIT_CACHE_DIR")
    if named:
        return Path(named).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("embeddinggemma-toolkit"))


class EmbeddingCache:
    """Vectors on disk, each text once, ever.

    Holds a path only: it can be pickled, and copies share the same files.

    Parameters
    ----------
    path : str or path, optional
        The cache's folder; None for the default one (:func:`cache_root`).

    Examples
    --------
    >>> import tempfile
    >>> cache = EmbeddingCache(tempfile.mkdtemp())
    >>> cache.spaces()
    []
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = cache_root(path)

    def __repr__(self) -> str:
        return f"EmbeddingCache({str(self.path)!r})"

    def spaces(self) -> list[Space]:
        """Return the vector spaces, in the order of their names.

        Raises
        ------
        CacheError
            If one is of a newer format, or damaged.
        """
        folder = self.path / "spaces"
        try:
            found = sorted(entry for entry in folder.iterdir() if (entry / INDEX).is_file())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise CacheError(f"the embedding cache {folder} cannot be read: {error}") from error
        return [Space(entry) for entry in found if not entry.name.startswith(".")]

    def space(self, name: str) -> Space:
        """Return a space by its identifier or the beginning of it.

        Raises
        ------
        CacheError
            If there is none, or more than one.
        """
        spaces = self.spaces()
        found = [space for space in spaces if space.id.startswith(name)]
        if len(found) != 1:
            listed = ", ".join(space.id for space in (found or spaces)) or "none"
            raise CacheError(
                f"{len(found) or 'no'} vector spaces of {self.path} begin with {name!r}; "
                f"there {'are' if found else 'is'}: {listed}"
            )
        return found[0]

    def find(self, identity: ModelIdentity) -> Space | None:
        """Return the space that this very model, on this very engine, is known to give.

        Trusted without asking for canaries: same kind of backend, same weights (or manifest,
        where the weights are not known), same engine and version.
        """
        if identity.weights is None and identity.digest is None:
            return None
        wanted = _recognition(identity)
        for space in self.spaces():
            if any(_recognition(seen) == wanted for seen in space.sightings()):
                return space
        return None

    def resolve(self, identity: ModelIdentity) -> tuple[Space, bool]:
        """Return the space of an identity with canaries, and whether it is new.

        A space that :func:`~toolkit.identity.same_space` accepts is joined, and the identity is
        noted there; else a new one is made.

        Raises
        ------
        CacheError
            If the cache cannot be written and no space fits.
        """
        fitting = self._fitting(identity)
        if fitting is None:
            with self._lock():
                fitting = self._fitting(identity)
                if fitting is None:
                    return Space.create(self._new_folder(identity), identity), True
        if _recognition(identity) not in map(_recognition, fitting.sightings()):
            with suppress(CacheError):  # a read-only cache can be read all the same
                fitting.record(identity)
        return fitting, False

    def stats(self) -> list[dict[str, Any]]:
        """Return a row for each space: what it is of, entries, bytes, entries by prompt.

        Returns
        -------
        list of dict
            Keys ``space``, ``model``, ``backend``, ``identity``, ``dimension``, ``entries``,
            ``bytes``, ``prompts``.
        """
        rows = []
        for space in self.spaces():
            files = [f for f in space.path.iterdir() if f.name.startswith((INDEX, MATRIX))]
            rows.append(
                {
                    "space": space.id,
                    "model": space.identity.model,
                    "backend": space.identity.backend,
                    "identity": space.identity.describe(),
                    "dimension": space.dimension,
                    "entries": len(space),
                    "bytes": sum(file.stat().st_size for file in files),
                    "prompts": space.counts(),
                }
            )
        return rows

    def clear(self) -> int:
        """Delete every space; return how many there were.

        Only what the cache made is deleted: folders in ``spaces`` that hold an index.
        """
        folder = self.path / "spaces"
        if not folder.is_dir():
            return 0
        with self._lock():
            found = [entry for entry in folder.iterdir() if (entry / INDEX).is_file()]
            for entry in found:
                shutil.rmtree(entry)
        return len(found)

    # --- inside ----------------------------------------------------------------------------------

    def _fitting(self, identity: ModelIdentity) -> Space | None:
        for space in self.spaces():
            known = [space.identity, *space.sightings()]
            weights = {seen.weights for seen in known} - {None}
            if identity.weights is not None and weights and identity.weights not in weights:
                continue
            if same_space(space.identity, identity) or (
                identity.weights in weights
                and same_space(_with_weights(space.identity, identity.weights), identity)
            ):
                return space
        return None

    def _new_folder(self, identity: ModelIdentity) -> Path:
        slug = re.sub(r"[^a-z0-9.]+", "-", identity.model.lower()).strip("-.")[:60] or "model"
        name = f"{slug}-{identity.dimension}-{uuid.uuid4().hex[:8]}"
        return self.path / "spaces" / name

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep other processes from making the same space at the same time."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path / LOCK, timeout=60.0, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise CacheError(f"the embedding cache {self.path} cannot be made: {error}") from error
        try:
            connection.execute("BEGIN EXCLUSIVE")
            yield
        except sqlite3.Error as error:
            raise CacheError(f"the embedding cache {self.path} is locked: {error}") from error
        finally:
            connection.close()


def _recognition(identity: ModelIdentity) -> tuple[str | None, ...]:
    return (
        identity.backend,
        identity.weights or identity.digest,
        identity.engine,
        identity.engine_version,
    )


def _with_weights(identity: ModelIdentity, weights: str | None) -> ModelIdentity:
    return replace(identity, weights=weights)
