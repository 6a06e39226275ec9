"""Cached vectors into packs, and packs into the cache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from toolkit.cache.packs import Pack, read_pack, write_pack
from toolkit.cache.rows import as_keys, unit_rows
from toolkit.cache.space import Space
from toolkit.errors import PackError

if TYPE_CHECKING:
    from toolkit.cache.cache import EmbeddingCache

__all__ = ["Import", "export_pack", "import_pack"]

BATCH = 4096


@dataclass(frozen=True)
class Import:
    """What an import did.

    Parameters
    ----------
    space : Space
        Where the vectors are now.
    new_space : bool
        Whether the space was made for them.
    added : int
        Vectors that are new.
    present : int
        Vectors that were there already, and were left as they are.
    """

    space: Space
    new_space: bool
    added: int
    present: int


def export_pack(
    space: Space,
    path: str | Path,
    *,
    keys: Any = None,
    prompt: str | None = None,
    dtype: Literal["float16", "float32"] = "float32",
    provenance: str | None = None,
) -> int:
    """Write vectors of a space to a pack.

    Parameters
    ----------
    space : Space
        Where they are.
    path : str or path
        The pack; an existing file is replaced.
    keys : ndarray of shape (n,) of 16 bytes, optional
        Which ones; every vector of the prompt if not given.
    prompt : str, optional
        Template of the vectors; may be left out if the space has vectors of one prompt only.
    dtype : {"float16", "float32"}, default="float32"
        On disk. float16 halves the file and moves a value by 1.2e-4 at most.
    provenance : str, optional
        How the vectors were made; says the identity if not given.

    Returns
    -------
    int
        How many vectors the pack has.

    Raises
    ------
    PackError
        If there is nothing to export, the prompt is not clear, or keys are not in the space
        under this prompt.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.cache import EmbeddingCache, bundled_packs
    >>> place = tempfile.mkdtemp()
    >>> space = EmbeddingCache(f"{place}/cache").import_(bundled_packs()[0]).space
    >>> export_pack(space, f"{place}/mine.safetensors", keys=space.keys()[:100])
    100
    """
    counts = space.counts()
    if prompt is None:
        if len(counts) != 1:
            listed = "".join(f"\n  {n:,} vectors of {t!r}" for t, n in counts.items())
            raise PackError(
                f"a pack has the vectors of one prompt; name one of those in {space.id}:"
                f"{listed or ' it is empty'}"
            )
        (prompt,) = counts
    there = space.keys(prompt)
    if keys is None:
        chosen = there
    else:
        chosen = np.unique(as_keys(keys))
        if missing := int((~np.isin(chosen, there)).sum()):
            raise PackError(
                f"{missing:,} of {len(chosen):,} texts are not in {space.id} under the prompt "
                f"{prompt!r}; embed them first"
            )
    if not len(chosen):
        raise PackError(f"{space.id} has no vectors of the prompt {prompt!r} to export")
    # Sorted: the same content gives the same file, whatever the order it was embedded in.
    chosen = np.sort(chosen)
    vectors = space.read(space.lookup(chosen))
    write_pack(
        path,
        chosen,
        vectors,
        space.identity,
        prompt,
        provenance=provenance or space.identity.provenance or space.identity.describe(),
        dtype=dtype,
    )
    return len(chosen)


def import_pack(cache: EmbeddingCache, pack: str | Path | Pack) -> Import:
    """Take the vectors of a pack into the cache.

    The pack joins the space of its identity: same kind of backend, same weights where both know
    theirs, agreeing canaries. Vectors that are there already are passed over.

    Parameters
    ----------
    cache : EmbeddingCache
        Where to.
    pack : str, path or Pack
        A pack or its file.

    Returns
    -------
    Import

    Raises
    ------
    PackError
        If the pack is damaged.
    CacheError
        If the cache cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.cache import EmbeddingCache, bundled_packs
    >>> cache = EmbeddingCache(tempfile.mkdtemp())
    >>> done = import_pack(cache, bundled_packs()[0])
    >>> done.new_space, done.added == len(done.space), done.present
    (True, True, 0)
    """
    source = pack if isinstance(pack, Pack) else read_pack(pack)
    space, new_space = cache.resolve(source.identity, seen=False)
    keys, added = source.keys(), 0
    for start in range(0, len(keys), BATCH):
        part = start + np.flatnonzero(space.lookup(keys[start : start + BATCH]) < 0)
        # float16 leaves a vector a little off its length.
        vectors = unit_rows(source.stored[part].astype(np.float32))
        added += space.put(keys[part], vectors, source.prompt)
    return Import(space, new_space, added, len(keys) - added)
