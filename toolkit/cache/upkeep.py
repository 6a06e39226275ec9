"""What is done to a cache as a whole: looked through, repaired, made smaller, emptied."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path

from toolkit.cache.connections import exclusive
from toolkit.cache.folders import new_folder, only_folder, remove_folder, space_folders
from toolkit.cache.limits import parse_age, parse_size
from toolkit.cache.prune import Pruning, delete_space, prune_spaces
from toolkit.cache.repair import Repair, remove_leftovers, repair_space
from toolkit.cache.space import Space
from toolkit.cache.verify import SpaceReport, verify_space
from toolkit.errors import UsageError

__all__ = ["LOCK", "Upkeep"]

LOCK = "lock.sqlite"
PRUNE_LOCK = "prune.sqlite"


class Upkeep:
    """The part of :class:`~toolkit.cache.EmbeddingCache` that looks after its folder."""

    path: Path

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
        >>> from toolkit.cache import EmbeddingCache
        >>> EmbeddingCache(tempfile.mkdtemp()).verify()
        []
        """
        return [verify_space(folder) for folder in space_folders(self.path, whole=False)]

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
        folders = space_folders(self.path, whole=False)
        if not folders:
            return []
        with exclusive(self.path / LOCK):
            remove_leftovers(self.path / "spaces")
            return [repair_space(folder, partial(new_folder, self.path)) for folder in folders]

    def prune(
        self,
        *,
        max_bytes: int | str | None = None,
        older_than: int | str | timedelta | None = None,
        space: Space | str | None = None,
        dry_run: bool = False,
    ) -> list[Pruning]:
        """Remove vectors: the oldest, down to a size, or a whole space.

        What remains is copied to a new matrix, which takes the place of the old one at once: other
        processes read and write meanwhile, and ``kill -9`` at any moment loses nothing. The copy
        needs as much disk as what remains.

        *Last used* is the day (in UTC) on which a vector was last stored, or read for a
        ``transform``, by key, into a pack or with the matrix; days are noted for 64 rows together,
        so a vector may count as used when a neighbour was. Where nothing was noted (a read-only
        cache, a copied one), it is the day of the last write to the space.

        Parameters
        ----------
        max_bytes : int or str, optional
            The size of all spaces together (or of ``space``), such as ``"2GB"``: what was not used
            for longest goes until they have it. Spaces that cannot be opened do not count; an
            empty one still takes some 60 kB.
        older_than : int, str or timedelta, optional
            Days, or such as ``"30d"``: what was last used more days ago than that goes. 0 is
            everything not used today.
        space : Space or str, optional
            Only this one, by the beginning of its identifier; without the other two, the whole
            space is deleted, damaged or not, and processes at work in it get a
            :class:`~toolkit.errors.CacheError`.
        dry_run : bool, default=False
            Change nothing; say what would be removed.

        Returns
        -------
        list of Pruning
            One for each space that was looked at; with ``error`` for one that cannot be opened.

        Raises
        ------
        UsageError
            If nothing says what to remove, or a size or an age is none.
        CacheCorruptedError
            If a row that stays is damaged (nothing is removed from its space): repair it first.
        CacheError
            If the cache cannot be written, or there is not one such space.

        Examples
        --------
        >>> import tempfile
        >>> from toolkit.cache import EmbeddingCache
        >>> EmbeddingCache(tempfile.mkdtemp()).prune(max_bytes="2GB", older_than="1y")
        []
        """
        if max_bytes is None and older_than is None and space is None:
            raise UsageError("say what to prune: max_bytes='2GB', older_than='30d' or space='...'")
        size = None if max_bytes is None else parse_size(max_bytes)
        age = None if older_than is None else parse_age(older_than)
        folders = space_folders(self.path, whole=False)
        if space is not None:
            name = space.id if isinstance(space, Space) else space
            folders = [only_folder(self.path, folders, name)]
        if not folders:
            return []
        with nullcontext() if dry_run else exclusive(self.path / PRUNE_LOCK):
            if size is not None or age is not None:
                return prune_spaces(folders, max_bytes=size, older_than=age, dry_run=dry_run)
            with nullcontext() if dry_run else exclusive(self.path / LOCK):
                return [delete_space(folders[0], dry_run=dry_run)]

    def clear(self) -> int:
        """Delete every space; return how many there were.

        Only what the cache made is deleted: folders in ``spaces`` that hold an index or a matrix.
        """
        found = space_folders(self.path, whole=False)
        if found:
            with exclusive(self.path / LOCK):
                remove_leftovers(self.path / "spaces")
                for folder in found:
                    remove_folder(folder)
        return len(found)
