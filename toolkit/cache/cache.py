"""The embedding cache: a folder with one vector space for each model."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import platformdirs

from toolkit.cache.connections import exclusive, readable_errors
from toolkit.cache.export import Import, export_pack, import_pack
from toolkit.cache.index import INDEX, MATRIX
from toolkit.cache.packs import Pack
from toolkit.cache.repair import Repair, remove_leftovers, repair_space
from toolkit.cache.space import Space
from toolkit.cache.verify import SpaceReport, verify_space
from toolkit.errors import CacheError
from toolkit.identity import ModelIdentity, canary_cosines, compatible, same_space

__all__ = ["EmbeddingCache", "cache_root"]

LOCK = "lock.sqlite"
_COLUMNS = (
    *("space", "bytes", "error"),
    *("model", "backend", "identity", "dimension", "entries", "prompts"),
)
_ANY_VERSION = ("", "0.0.0")  # what development builds call themselves


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
        return [Space(folder) for folder in self._folders()]

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

        Trusted without asking the server for canaries: same kind of backend, same weights (or
        manifest, where the weights are not known), same engine and version, met before on this
        machine. If the identity has canaries all the same, they must agree (then it need not
        have been met). None if the identity knows too little of itself.
        """
        digest = identity.weights or identity.digest
        vague = digest is None or identity.engine_version in (None, *_ANY_VERSION)
        if vague and identity.canary is None:
            return None
        wanted = _recognition(identity)
        for space in self.spaces():
            known = space.sightings()
            if identity.canary is not None:
                if not compatible(space.identity, identity):
                    continue
                known.append(space.identity)
            if any(_recognition(seen) == wanted for seen in known):
                return space
        return None

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
        fitting = self._fitting(identity)
        if fitting is None:
            with exclusive(self.path / LOCK):
                fitting = self._fitting(identity)
                if fitting is None:
                    return Space.create(self._new_folder(identity), identity, seen=seen), True
        if seen and _recognition(identity) not in map(_recognition, fitting.sightings()):
            with suppress(CacheError):  # a read-only cache can be read all the same
                fitting.record(identity)
        return fitting, False

    def stats(self) -> list[dict[str, Any]]:
        """Return a row for each space: what it is of, entries, bytes, entries by prompt.

        Returns
        -------
        list of dict
            Keys ``space``, ``bytes``, ``error`` (None, or why it cannot be opened), ``model``,
            ``backend``, ``identity`` (one line), ``dimension``, ``entries``, ``prompts``
            (entries by template). The last six are None where there is an error.
        """
        rows: list[dict[str, Any]] = []
        for folder in self._folders():
            row: dict[str, Any] = dict.fromkeys(_COLUMNS)
            row["space"] = folder.name
            row["bytes"] = _size(folder)
            try:
                space = Space(folder)
                row["entries"] = len(space)
                row["prompts"] = space.counts()
            except CacheError as error:
                row["error"] = str(error)
            else:
                row["model"] = space.identity.model
                row["backend"] = space.identity.backend
                row["identity"] = space.identity.describe()
                row["dimension"] = space.dimension
            rows.append(row)
        return rows

    def verify(self) -> list[SpaceReport]:
        """Read everything and compare it: checksums, lengths, index against matrix.

        Nothing is changed, other processes may go on, and the memory it takes does not grow
        with the cache.

        Returns
        -------
        list of SpaceReport
            One for each space; ``.damaged`` says whether anything is wrong.

        Examples
        --------
        >>> import tempfile
        >>> EmbeddingCache(tempfile.mkdtemp()).verify()
        []
        """
        return [verify_space(folder) for folder in self._folders(whole=False)]

    def repair(self) -> list[Repair]:
        """Make damaged spaces usable again; nothing is deleted.

        The sound rows of a damaged space go to a new one, and its folder is moved to
        ``damaged/`` in the cache, under the date. Rows that are lost are embedded again when
        they are needed. What a killed writer left behind the last row is cut off. A process that
        is at work in a damaged space gets a :class:`~toolkit.errors.CacheError`; spaces of a
        newer format are left alone. The copy needs as much disk as the space.

        Returns
        -------
        list of Repair
            One for each space, sound ones too.

        Raises
        ------
        CacheError
            If the cache cannot be written.
        """
        folders = self._folders(whole=False)
        if not folders:
            return []
        with exclusive(self.path / LOCK):
            remove_leftovers(self.path / "spaces")
            return [repair_space(folder, self._new_folder) for folder in folders]

    def clear(self) -> int:
        """Delete every space; return how many there were.

        Only what the cache made is deleted: folders in ``spaces`` that hold an index.
        """
        found = self._folders()
        if found:
            with exclusive(self.path / LOCK):
                for folder in found:
                    shutil.rmtree(folder)
        return len(found)

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
        source = space if isinstance(space, Space) else self.space(space)
        return export_pack(source, Path(path), keys=keys, prompt=prompt, dtype=dtype)

    def import_(self, pack: str | os.PathLike[str] | Pack) -> Import:
        """Take the vectors of a pack; see :func:`~toolkit.cache.export.import_pack`."""
        return import_pack(self, pack if isinstance(pack, Pack) else Path(pack))

    # --- inside ----------------------------------------------------------------------------------

    def _folders(self, *, whole: bool = True) -> list[Path]:
        """Return the folders of spaces; those that have lost their index too, if not ``whole``."""
        folder = self.path / "spaces"
        if not folder.is_dir():
            return []
        with readable_errors(folder):
            return sorted(
                entry
                for entry in folder.iterdir()
                if not entry.name.startswith(".")
                and ((entry / INDEX).is_file() or (not whole and (entry / MATRIX).is_file()))
            )

    def _fitting(self, identity: ModelIdentity) -> Space | None:
        """Return the space that accepts the identity; the nearest, should there be several."""
        fitting: dict[float, Space] = {}
        for space in self.spaces():
            # What one sighting did not know of its weights, another may have.
            weights = {seen.weights for seen in [space.identity, *space.sightings()]} - {None}
            other = identity.weights is not None and bool(weights - {identity.weights})
            if same_space(space.identity, identity) and not other:
                fitting[min(canary_cosines(space.identity, identity).values())] = space
        return fitting[max(fitting)] if fitting else None

    def _new_folder(self, identity: ModelIdentity) -> Path:
        slug = re.sub(r"[^a-z0-9.]+", "-", identity.model.lower()).strip("-.")[:60] or "model"
        name = f"{slug}-{identity.dimension}-{uuid.uuid4().hex[:8]}"
        return self.path / "spaces" / name


def _recognition(identity: ModelIdentity) -> tuple[str | None, ...]:
    return (
        identity.backend,
        identity.weights or identity.digest,
        identity.engine,
        identity.engine_version,
    )


def _size(folder: Path) -> int:
    size = 0
    for file in folder.iterdir():
        with suppress(OSError):  # the write-ahead log comes and goes
            size += file.stat().st_size
    return size
