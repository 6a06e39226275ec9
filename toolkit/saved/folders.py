"""Folders that appear whole or not at all, and never in the place of somebody's files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.saved.description import FolderKind

__all__ = ["check_can_write", "write_folder"]


def check_can_write(target: Path, kind: FolderKind, *, force: bool) -> None:
    """Refuse to write where something else is.

    Parameters
    ----------
    target : Path
        The folder to be.
    kind : FolderKind
        What it is to hold.
    force : bool
        Whether an earlier folder of the same kind may be replaced.

    Raises
    ------
    UsageError
        If there is a file, another kind of folder, or, without ``force``, one of the same kind.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{target} is a file; give a folder that does not exist yet")
    if not any(target.iterdir()):
        return
    if not (target / kind.described_in).is_file():
        raise UsageError(
            f"{target} holds other files than a {kind.noun}'s and is never replaced; give a "
            "folder that does not exist yet"
        )
    if not force:
        raise UsageError(
            f"{target} holds a {kind.noun} already; replace it with force=True (--force)"
        )


def write_folder(target: Path, files: Mapping[str, bytes | str]) -> None:
    """Write a folder of files beside its place, then move it there.

    Parameters
    ----------
    target : Path
        The folder; one that exists is replaced.
    files : mapping of str to bytes or str
        Content by name; text becomes UTF-8.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as place:
    ...     write_folder(Path(place, "a"), {"b.txt": "c"})
    ...     Path(place, "a", "b.txt").read_text()
    'c'
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        staging.chmod(0o755)  # mkdtemp's 0700 would keep the colleague out
        for name, content in files.items():
            if isinstance(content, str):
                (staging / name).write_text(content, encoding="utf-8")
            else:
                (staging / name).write_bytes(content)
        _swap(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _swap(staging: Path, target: Path) -> None:
    if not target.exists():
        staging.rename(target)
        return
    # A folder cannot be renamed over another that holds files.
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(old / "model")
    try:
        staging.rename(target)
    except OSError:
        (old / "model").rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
