"""The folders of a cache and its spaces: found, named, measured, deleted."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import platformdirs

from toolkit.cache.connections import readable_errors
from toolkit.cache.index import INDEX, MATRIX, sync_folder
from toolkit.errors import CacheError
from toolkit.identity import ModelIdentity

__all__ = [
    "REMOVED",
    "cache_root",
    "folder_bytes",
    "new_folder",
    "only_folder",
    "remove_folder",
    "space_folders",
]

REMOVED = ".removed-"
"""Beginning of the name of a folder that is being deleted."""


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


def space_folders(cache: Path, *, whole: bool = True) -> list[Path]:
    """Return the folders of spaces; those that have lost their index too, if not ``whole``."""
    folder = cache / "spaces"
    if not folder.is_dir():
        return []
    with readable_errors(folder):
        return sorted(
            entry
            for entry in folder.iterdir()
            if not entry.name.startswith(".")
            and ((entry / INDEX).is_file() or (not whole and (entry / MATRIX).is_file()))
        )


def only_folder(cache: Path, folders: Sequence[Path], name: str) -> Path:
    """Return the folder of the one space whose identifier is, or begins with, a name.

    Raises
    ------
    CacheError
        If there is none, or more than one.
    """
    exact = [folder for folder in folders if folder.name == name]
    found = exact or [folder for folder in folders if folder.name.startswith(name)]
    if len(found) != 1:
        listed = ", ".join(folder.name for folder in (found or folders)) or "none"
        if not name and folders:
            raise CacheError(
                f"{cache} holds {len(folders)} vector spaces; name one of them: {listed}"
            )
        raise CacheError(
            f"{len(found) or 'no'} vector spaces of {cache} begin with {name!r}; "
            f"there {'are' if found else 'is'}: {listed}"
        )
    return found[0]


def new_folder(cache: Path, identity: ModelIdentity) -> Path:
    """Return the folder for a new space of an identity."""
    slug = re.sub(r"[^a-z0-9.]+", "-", identity.model.lower()).strip("-.")[:60] or "model"
    return cache / "spaces" / f"{slug}-{identity.dimension}-{uuid.uuid4().hex[:8]}"


def folder_bytes(folder: Path) -> int:
    """Return the size of the files in a folder."""
    size = 0
    for file in folder.iterdir():
        with suppress(OSError):  # the write-ahead log comes and goes
            size += file.stat().st_size
    return size


def remove_folder(folder: Path) -> None:
    """Delete a space's folder, which is gone at once even if the work is interrupted."""
    doomed = folder.with_name(f"{REMOVED}{uuid.uuid4().hex}")
    with readable_errors(folder):
        folder.rename(doomed)
        sync_folder(doomed.parent)
        shutil.rmtree(doomed)
