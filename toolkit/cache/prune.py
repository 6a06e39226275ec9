"""Making a cache smaller: which rows go, and what was removed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.cache import index, usage
from toolkit.cache.compaction import Removal, compact, remove_orphans
from toolkit.cache.connections import readable_errors, reading
from toolkit.cache.folders import folder_bytes, remove_folder
from toolkit.cache.index import INDEX
from toolkit.errors import CacheError

__all__ = ["Pruning", "delete_space", "prune_spaces"]

ENTRY_BYTES = 60
"""Of the index, for a row, at the least."""

EMPTY_BYTES = 65_536
"""Of the index of a space without rows, at the most."""


@dataclass(frozen=True)
class Pruning:
    """What was removed from a space.

    Parameters
    ----------
    space : str
        Its identifier.
    removed : int
        Vectors that are gone.
    kept : int or None
        Vectors that are left; None if that cannot be known, for the space cannot be opened.
    bytes_before, bytes_after : int
        Its size on disk. Of a dry run, the second is an estimate.
    last_used : int or None
        Day of the last use of what was removed, counted from 1970-01-01; None if nothing was.
    deleted : bool
        Whether the space itself is gone.
    error : str, optional
        Why nothing could be done.
    """

    space: str
    removed: int
    kept: int | None
    bytes_before: int
    bytes_after: int
    last_used: int | None = None
    deleted: bool = False
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as data that JSON can hold."""
        return asdict(self)


def prune_spaces(
    folders: Sequence[Path],
    *,
    max_bytes: int | None,
    older_than: int | None,
    dry_run: bool,
) -> list[Pruning]:
    """Remove what was not used for longest; the lock of pruning is held.

    Parameters
    ----------
    folders : sequence of Path
        The spaces.
    max_bytes : int or None
        Size of all of them that can be opened together, afterwards.
    older_than : int or None
        Days: rows that were not used on any of the last so many, nor today, go.
    dry_run : bool
        Only say what would be done.

    Returns
    -------
    list of Pruning
        One for each folder.

    Raises
    ------
    CacheError
        If the cache cannot be written, or the disk has no place for the copy.
    """
    done: dict[Path, Pruning] = {}
    removals: list[Removal] = []
    for folder in folders:
        size = folder_bytes(folder)
        done[folder] = Pruning(folder.name, 0, None, size, size)
        try:
            if not dry_run:
                remove_orphans(folder)
            removals.append(_undecided(folder))
        except CacheError as error:
            done[folder] = replace(done[folder], error=str(error))
    if older_than is not None:
        for removal in removals:
            removal.drop[removal.days < usage.today() - older_than] = True
    if max_bytes is not None:
        # Not those that cannot be opened: sound vectors are not to go for damaged ones.
        held = sum(done[removal.folder].bytes_before for removal in removals)
        _drop_down_to(removals, held - max_bytes)
    for removal in removals:
        done[removal.folder] = _carried_out(removal, done[removal.folder], dry_run=dry_run)
    return list(done.values())


def delete_space(folder: Path, *, dry_run: bool) -> Pruning:
    """Delete a whole space, damaged or not; the cache's lock is held."""
    size, rows = folder_bytes(folder), 0
    with suppress(CacheError), reading(folder / INDEX) as connection, index.interpreted(folder):
        _, rows = index.state(connection)
    if not dry_run:
        remove_folder(folder)
    return Pruning(folder.name, rows, 0, size, 0, deleted=True)


# --- inside --------------------------------------------------------------------------------------


def _undecided(folder: Path) -> Removal:
    """Return what there is to decide about: the blocks of a space, and when they were used."""
    with reading(folder / INDEX) as connection, index.interpreted(folder):
        dimension = index.read_identity(connection, folder).dimension
        name, rows = index.state(connection)
    with readable_errors(folder / name):
        written = int((folder / name).stat().st_mtime // usage.SECONDS_A_DAY)
    blocks = -(-rows // usage.BLOCK)
    days = usage.read_days(folder, index.generation(name), blocks, otherwise=written)
    return Removal(folder, name, rows, dimension, days, np.zeros(blocks, dtype=bool))


def _drop_down_to(removals: Sequence[Removal], excess: int) -> None:
    """Let blocks go until so many bytes are free, those that were not used for longest first."""
    excess -= sum(_row_bytes(r) * r.count(dropped=True) for r in removals)
    owner, block, day, size = _blocks(removals)
    order = np.lexsort((block, day))  # of one day, the ones stored first
    freed = np.cumsum(size[order])
    enough = int(np.searchsorted(freed, excess)) + 1 if excess > 0 else 0
    for place in order[:enough].tolist():
        removals[owner[place]].drop[block[place]] = True


def _blocks(removals: Sequence[Removal]) -> tuple[NDArray[np.int64], ...]:
    """Return owner, number, day and bytes of every block that stays so far."""
    parts: list[NDArray[np.int64]] = [np.zeros((4, 0), dtype=np.int64)]
    for number, removal in enumerate(removals):
        stay = np.flatnonzero(~removal.drop)
        rows = np.minimum(removal.rows - stay * usage.BLOCK, usage.BLOCK)
        owner = np.full(len(stay), number)
        parts.append(np.stack([owner, stay, removal.days[stay], rows * _row_bytes(removal)]))
    owner, block, day, size = np.concatenate(parts, axis=1)
    return owner, block, day, size


def _row_bytes(removal: Removal) -> int:
    """Return what a row takes, in the matrix and in the index; rather less than it is."""
    with reading(removal.folder / INDEX) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    entry = (int(pages) * int(page_bytes) - EMPTY_BYTES) // max(removal.rows, 1)
    return 4 * removal.dimension + max(entry, ENTRY_BYTES)


def _carried_out(removal: Removal, found: Pruning, *, dry_run: bool) -> Pruning:
    gone = removal.count(dropped=True)
    if not gone:
        return replace(found, kept=removal.rows)
    if dry_run:
        size, kept = found.bytes_before - gone * _row_bytes(removal), removal.rows - gone
    else:
        kept = compact(removal)
        size = folder_bytes(removal.folder)
    last_used = int(removal.days[removal.drop].max())
    return replace(found, removed=gone, kept=kept, bytes_after=max(0, size), last_used=last_used)
