"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from toolkit.errors import UsageError

__all__ = ["write_text_atomic"]


def write_text_atomic(path: str | os.PathLike[str], text: str, *, overwrite: bool = True) -> Path:
    """Write a text file through a temporary file and a rename.

    Parameters
    ----------
    path : str or path-like
        Where to. The folder is made if it does not exist; a symbolic link is followed; a device
        or pipe is written to directly.
    text : str
        The content, written as UTF-8. Lone surrogates become U+FFFD.
    overwrite : bool, default=True
        Whether an existing file may be replaced.

    Returns
    -------
    pathlib.Path
        The path written.

    Raises
    ------
    UsageError
        If the file exists and ``overwrite`` is False, or ``path`` is a folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text_atomic(f"{folder}/new/report.html", "<p>hello</p>").read_text()
    '<p>hello</p>'
    """
    target = Path(path)
    if target.is_symlink():
        target = target.resolve()
    if target.is_dir():
        raise UsageError(f"{target} is a folder; give the name of a file in it")
    if not overwrite and target.exists():
        raise UsageError(f"{target} exists already; allow it to be replaced, or name another file")
    target.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return Path(path)
    handle, name = tempfile.mkstemp(prefix=".toolkit-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(_permissions(target))
        if overwrite:
            temporary.replace(target)
        else:
            _link_new(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    return Path(path)


def _permissions(target: Path) -> int:
    """Return the mode the file would have had if it had been opened for writing."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _link_new(temporary: Path, target: Path) -> None:
    """Give the file its name only if nobody took it meanwhile (a rename would replace it)."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise UsageError(
            f"{target} exists already; allow it to be replaced, or name another file"
        ) from None
    except OSError:  # a file system without hard links
        temporary.replace(target)
