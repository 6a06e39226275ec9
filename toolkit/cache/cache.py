"""The embedding cache: a folder with one vector space for each model."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.connections import exclusive
from toolkit.cache.export import Import, export_pack, import_pack
from toolkit.cache.finding import fitting_space, known_space, recognition
from toolkit.cache.folders import cache_root, new_folder, only_folder, space_folders
from toolkit.cache.packs import Pack
from toolkit.cache.space import Space
from toolkit.cache.statistics import space_statistics
from toolkit.cache.upkeep import LOCK, Upkeep
from toolkit.errors import CacheError
from toolkit.identity import ModelIdentity

__all__ = ["EmbeddingCache", "cache_root"]


class EmbeddingCache(Upkeep):
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
        return [Space(folder) for folder in space_folders(self.path)]

    def space(self, name: str) -> Space:
        """Return a space by its identifier or the beginning of it.

        Raises
        ------
        CacheError
            If there is none, or more than one.
        """
        return Space(only_folder(self.path, space_folders(self.path), name))

    def get(
        self, keys: Any, space: Space | str = "", dimensions: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of the keys that are there, and which are.

        Parameters
        ----------
        keys : ndarray of shape (n,) of 16 bytes
            As :func:`toolkit.embedding.keys.hash_texts` makes them.
        space : Space or str, optional
            Where to look, or the beginning of its identifier; may be left out if there is one.
        dimensions : int, optional
            The first so many values, scaled to unit length again; None for all.

        Returns
        -------
        vectors : ndarray of shape (number found, dimensions), dtype float32
            Unit vectors, in the order of the keys.
        found : ndarray of shape (n,), dtype bool

        Raises
        ------
        CacheError
            If there is not one such space.
        CacheCorruptedError
            If a vector is not what was stored.

        Examples
        --------
        >>> import tempfile
        >>> from toolkit.cache import bundled_packs
        >>> from toolkit.datasets import load
        >>> from toolkit.embedding.keys import hash_texts
        >>> from toolkit.prompts import resolve_prompt
        >>> cache = EmbeddingCache(tempfile.mkdtemp())
        >>> for pack in bundled_packs():
        ...     done = cache.import_(pack)
        >>> prompt = resolve_prompt("embeddinggemma", "classification")
        >>> keys = hash_texts([load("sdg").data[0], "a new text"], prompt)
        >>> vectors, found = cache.get(keys, dimensions=256)
        >>> vectors.shape, found
        ((1, 256), array([ True, False]))
        """
        return self._space(space).get(keys, dimensions)

    def put(self, keys: Any, vectors: NDArray[Any], prompt: str, space: Space | str = "") -> int:
        """Store vectors; return how many are new.

        When it returns, they are on disk (see :meth:`toolkit.cache.Space.put`).

        Parameters
        ----------
        keys : ndarray of shape (n,) of 16 bytes
        vectors : ndarray of shape (n, dimension)
            Full-length unit vectors of the space's model.
        prompt : str
            Template the texts were rendered with.
        space : Space or str, optional
            Where to, or the beginning of its identifier; may be left out if there is one.

        Raises
        ------
        CacheError
            If a vector is not finite or not of length 1, the disk is full, or there is not one
            such space (:meth:`resolve` makes one).

        Examples
        --------
        >>> import tempfile
        >>> from toolkit.cache import bundled_spaces
        >>> pack = bundled_spaces()[0]
        >>> cache = EmbeddingCache(tempfile.mkdtemp())
        >>> space, new = cache.resolve(pack.identity)
        >>> cache.put(pack.keys()[:2], pack.get(pack.keys()[:2])[0], "{text}")
        2
        """
        return self._space(space).put(keys, vectors, prompt)

    def matrix(self, space: Space | str = "") -> NDArray[np.float32]:
        """Return all vectors of a space, shape (n, dimension), memory-mapped and read-only.

        For work on more vectors than fit into memory; :meth:`toolkit.cache.Space.snapshot` gives
        the keys of its rows too.

        Parameters
        ----------
        space : Space or str, optional
            Which, or the beginning of its identifier; may be left out if there is one.

        Examples
        --------
        >>> import tempfile
        >>> from toolkit.cache import bundled_packs
        >>> cache = EmbeddingCache(tempfile.mkdtemp())
        >>> done = cache.import_(bundled_packs()[0])
        >>> cache.matrix().shape == (done.added, 768)
        True
        """
        return self._space(space).matrix()

    def find(self, identity: ModelIdentity) -> Space | None:
        """Return the space that this very model, on this very engine, is known to give.

        Trusted without asking the server for canaries: same kind of backend, same weights (or
        manifest, where the weights are not known), same engine and version, met before on this
        machine. If the identity has canaries all the same, they must agree (then it need not
        have been met). None if the identity knows too little of itself.
        """
        return known_space(self.spaces(), identity)

    def resolve(self, identity: ModelIdentity, *, seen: bool = True) -> tuple[Space, bool]:
        """Return the space of an identity with canaries, and whether it is new.

        A space that :func:`~toolkit.identity.same_space` accepts is joined, and the identity is
        noted there; else a new one is made.

        Parameters
        ----------
        identity : ModelIdentity
            With canaries.
        seen : bool, default=True
            Whether a backend of this machine gave the canaries. What only a pack says of itself
            is not noted: a server is never trusted on a file's word.

        Returns
        -------
        space : Space
        created : bool

        Raises
        ------
        CacheError
            If the identity has no canaries, or no space fits and the cache cannot be written.
        """
        if identity.canary is None:
            raise CacheError(f"{identity.describe()} has no canaries to find its vector space by")
        fitting = fitting_space(self.spaces(), identity)
        if fitting is None:
            with exclusive(self.path / LOCK):
                fitting = fitting_space(self.spaces(), identity)
                if fitting is None:
                    folder = new_folder(self.path, identity)
                    return Space.create(folder, identity, seen=seen), True
        if seen and recognition(identity) not in map(recognition, fitting.sightings()):
            with suppress(CacheError):  # a read-only cache can be read all the same
                fitting.record(identity)
        return fitting, False

    def stats(self) -> list[dict[str, Any]]:
        """Return a row for each space: what it is of, its size, and how it was used.

        A hit is a text of a call that was in the cache (or came into it while the call waited for
        another one that was embedding it), a miss one that was not; each distinct text of a call
        counts once. Processes note counts every five seconds and at their end: what one that is
        killed had not yet noted is lost.

        Returns
        -------
        list of dict
            Keys ``space``, ``bytes``, ``error`` (None, or why it cannot be opened), ``model``,
            ``backend``, ``identity`` (one line), ``dimension``, ``entries``, ``prompts``
            (entries by template), ``hits``, ``misses``, ``last_used`` (seconds since 1970, to
            the day where no call was counted; None if never), and ``tasks``: a dict with
            ``entries``, ``hits``, ``misses`` and ``last_used`` for each template (``""`` is what
            was read by key). The keys from ``model`` on are None where there is an error, counts
            are None where they cannot be read.

        Examples
        --------
        >>> import tempfile
        >>> EmbeddingCache(tempfile.mkdtemp()).stats()
        []
        """
        return [space_statistics(folder) for folder in space_folders(self.path)]

    def export(
        self,
        path: str | os.PathLike[str],
        space: Space | str = "",
        *,
        keys: Any = None,
        prompt: str | None = None,
        dtype: Literal["float16", "float32"] = "float32",
    ) -> int:
        """Write vectors to a pack; see :func:`~toolkit.cache.export.export_pack`.

        ``space`` is one, or the beginning of its identifier; it may be left out if there is one.
        """
        return export_pack(self._space(space), Path(path), keys=keys, prompt=prompt, dtype=dtype)

    def import_(self, pack: str | os.PathLike[str] | Pack) -> Import:
        """Take the vectors of a pack; see :func:`~toolkit.cache.export.import_pack`."""
        return import_pack(self, pack if isinstance(pack, Pack) else Path(pack))

    def _space(self, space: Space | str) -> Space:
        return space if isinstance(space, Space) else self.space(space)
