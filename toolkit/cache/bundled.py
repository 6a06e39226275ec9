"""The vector packs that come with the package."""

from __future__ import annotations

import threading
from pathlib import Path

from toolkit.cache.pack_space import PackSpace
from toolkit.cache.packs import Pack, read_pack

__all__ = ["bundled_packs", "bundled_spaces", "data_root"]

_spaces: dict[Path, list[PackSpace]] = {}
_lock = threading.Lock()


def data_root() -> Path:
    """Return the folder with the data sets: inside the package, or of the checkout.

    Returns
    -------
    Path
        A folder that has one folder for each data set.

    Examples
    --------
    >>> (data_root() / "sdg" / "sdg.csv.gz").is_file()
    True
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / "datasets" / "data"
    return installed if installed.is_dir() else package.parent / "datasets"


def bundled_packs() -> list[Path]:
    """Return the files of all bundled packs.

    Examples
    --------
    >>> [path.name for path in bundled_packs()][-1]
    'sdg-clustering.safetensors'
    """
    return sorted(data_root().glob("*/*.safetensors"))


def bundled_spaces() -> list[PackSpace]:
    """Return the bundled packs as spaces, one for each identity; read once per process.

    Examples
    --------
    >>> [space.identity.model for space in bundled_spaces()]
    ['embeddinggemma']
    """
    root = data_root()
    with _lock:
        if root not in _spaces:
            groups: dict[str, list[Pack]] = {}
            for path in bundled_packs():
                pack = read_pack(path)
                groups.setdefault(pack.source, []).append(pack)
            _spaces[root] = [PackSpace(tuple(packs)) for packs in groups.values()]
        return list(_spaces[root])
