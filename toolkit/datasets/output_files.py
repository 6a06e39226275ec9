"""Files that are whole or not there: written beside their place, then renamed into it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from toolkit.errors import UsageError

__all__ = ["check_output", "output_file"]


def check_output(path: str | Path, *, force: bool = False) -> Path:
    """Check, before any work is done, that a file can be written.

    Parameters
    ----------
    path : str or Path
        The file.
    force : bool, default=False
        Whether a file that is there may be overwritten.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        If the file is there and not to be overwritten, is a folder, or its folder does not exist
        or cannot be written to.
    """
    target = Path(path)
    if target.is_dir():
        raise UsageError(f"{str(path)!r} is a folder; give the name of a file")
    if not force and (target.exists() or target.is_symlink()):
        raise UsageError(f"{str(path)!r} is there already; give another name, or --force")
    folder = target.parent
    if not folder.is_dir():
        raise UsageError(f"there is no folder {str(folder)!r}; make it: mkdir -p {folder}")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"the folder {str(folder)!r} cannot be written to; give another one")
    return target


@contextmanager
def output_file(path: str | Path, *, force: bool = False) -> Generator[Path]:
    """Give a temporary name in the same folder; what is written there takes the file's place.

    If the block raises, the temporary file is removed, and what was there before stays.

    Parameters
    ----------
    path : str or Path
        The file.
    force : bool, default=False
        Whether a file that is there may be overwritten.

    Yields
    ------
    Path
        Where to write; it ends like ``path``.

    Raises
    ------
    UsageError
        As :func:`check_output`; also if the file has come into being meanwhile.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with output_file(f"{folder}/a.txt") as place:
    ...         _ = place.write_text("done")
    ...     print(Path(folder, "a.txt").read_text())
    done
    """
    target = check_output(path, force=force)
    if target.is_symlink():  # the file it points to is replaced, not the link
        target = target.resolve()
    place = target.with_name(f".{secrets.token_hex(4)}.{target.name}")
    try:
        yield place
        _sync(place)
        _move(place, target, force)
    finally:
        with suppress(FileNotFoundError):
            place.unlink()


def _sync(place: Path) -> None:
    with place.open("rb+") as file:
        os.fsync(file.fileno())


def _move(place: Path, target: Path, force: bool) -> None:
    if force:
        place.replace(target)
        return
    try:
        os.link(place, target)  # unlike a rename, fails if the target is there
    except FileExistsError:
        raise UsageError(
            f"{str(target)!r} has been made by somebody else meanwhile; give another name, or "
            "--force"
        ) from None
    except OSError:  # a file system without hard links
        check_output(target)
        place.replace(target)
