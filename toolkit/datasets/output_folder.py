"""A folder that remembers which files in it were made by the program, and touches no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from toolkit.errors import UsageError

__all__ = ["OutputFolder"]


class OutputFolder:
    """A folder of results that can be made again, and again.

    The names of the files made are kept in a file of their own, written before each of them: a
    run that was interrupted can be repeated. What somebody else put there stays.

    Parameters
    ----------
    path : str or Path
        The folder; made if it does not exist.
    maker : str
        Who makes the files: the name of the list, and what tells another program's apart.
    force : bool, default=False
        Whether files of others may be overwritten, and a folder of others used.

    Raises
    ------
    UsageError
        If it is no folder, or holds something and was not made by ``maker``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = OutputFolder(f"{place}/new", "example")
    ...     _ = folder.claim("a.txt").write_text("made")
    ...     again = OutputFolder(f"{place}/new", "example")
    ...     again.clear()
    ...     (again.path / "a.txt").exists()
    False
    """

    def __init__(self, path: str | Path, maker: str, *, force: bool = False) -> None:
        self.path = Path(path)
        self.maker = maker
        self.force = force
        self._list = self.path / f".{maker.replace(' ', '-')}.json"
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{str(self.path)!r} is a file; give a folder")
        self.files = self._read()
        if not self._list.is_file() and not force and self._holds_something():
            raise UsageError(
                f"the folder {str(self.path)!r} holds something that `{maker}` did not make; "
                "give another folder, or --force to add to it"
            )

    def claim(self, name: str) -> Path:
        """Return the path for a file that is about to be made, and note its name.

        Parameters
        ----------
        name : str
            Name in the folder, with ``/`` for folders in it, which are made.

        Raises
        ------
        UsageError
            If a file of somebody else has that name.
        """
        place = self.path / name
        if name not in self.files:
            if not self.force and (place.exists() or place.is_symlink()):
                raise UsageError(
                    f"{str(place)!r} was not made by `{self.maker}`; move it away, or give --force"
                )
            self.files.append(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._write()
        return place

    def clear(self) -> None:
        """Delete the files made earlier, and folders that are empty then."""
        folders: set[Path] = set()
        for place in self._made():
            with suppress(FileNotFoundError, IsADirectoryError):
                place.unlink()
            folders.update(parent for parent in place.parents if self.path in parent.parents)
        for folder in sorted(folders, key=lambda one: len(one.parts), reverse=True):
            with suppress(OSError):
                folder.rmdir()
        self.files = []
        if self.path.is_dir():
            self._write()

    def _made(self) -> Iterator[Path]:
        for name in self.files:
            parts = PurePosixPath(name).parts
            # The list is a file like any other: it must not lead out of the folder.
            inside = parts and ".." not in parts and not PurePosixPath(name).is_absolute()
            if inside and not any((self.path / p).is_symlink() for p in _folders(name)):
                yield self.path / name

    def _holds_something(self) -> bool:
        return self.path.is_dir() and any(self.path.iterdir())

    def _read(self) -> list[str]:
        try:
            content = json.loads(self._list.read_text(encoding="utf-8"))
            return [name for name in content["files"] if isinstance(name, str)]
        except (OSError, ValueError, KeyError, TypeError):  # none yet, or nothing to go by
            return []

    def _write(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        content = {"made by": self.maker, "files": self.files}
        self._list.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _folders(name: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(name).parents if str(parent) != "."]
