"""Projections kept on disk: the same vectors, parameters and versions are not projected twice."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.cache import cache_root
from toolkit.provenance import package_versions

__all__ = ["forget_places", "kept_places", "load_places", "places_key", "store_places"]

_FORMAT = 2
_MOST = 50
_PACKAGES = ("umap-learn", "pynndescent", "numba", "numpy", "scipy", "scikit-learn")


def places_key(vectors: NDArray[np.float32], made: Mapping[str, Any]) -> str:
    """Return what tells a projection from all others.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        What is projected.
    made : mapping of str to object
        Method and parameters, seed included.

    Returns
    -------
    str
        SHA-256 of the vectors, the parameters, the versions of the packages that decide places
        and the kind of machine (UMAP is reproducible on one machine only).

    Examples
    --------
    >>> X = np.eye(4, dtype=np.float32)
    >>> places_key(X, {"n_neighbors": 3}) == places_key(X, {"n_neighbors": 2})
    False
    """
    circumstances = {
        "format": _FORMAT,
        "shape": vectors.shape,
        "made": dict(made),
        "versions": package_versions(_PACKAGES),
        "machine": [platform.system(), platform.machine(), platform.node()],
    }
    digest = sha256(json.dumps(circumstances, sort_keys=True, default=str).encode())
    digest.update(np.ascontiguousarray(vectors, dtype="<f4").data)
    return digest.hexdigest()


def load_places(
    key: str, n: int, cache: str | os.PathLike[str] | None = None
) -> NDArray[np.float32] | None:
    """Return kept places; None if there are none or the file is damaged.

    Parameters
    ----------
    key : str
        As :func:`places_key` gives it.
    n : int
        How many there must be.
    cache : str or path, optional
        Folder of the cache; by default the one of the vectors.

    Returns
    -------
    ndarray of shape (n, 2) or None
    """
    path = _folder(cache) / f"{key}.npy"
    try:
        points: NDArray[np.float32] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if points.shape != (n, 2) or points.dtype != np.float32 or not np.isfinite(points).all():
        return None
    with suppress(OSError):
        os.utime(path)  # the ones not used for longest go first
    return points


def store_places(
    key: str, points: NDArray[Any], cache: str | os.PathLike[str] | None = None
) -> None:
    """Keep places, and no more than the 50 used last.

    Nothing is kept, and nothing said, where the disk is full or cannot be written: it would only
    save time.

    Parameters
    ----------
    key : str
        As :func:`places_key` gives it.
    points : ndarray of shape (n, 2)
        The places.
    cache : str or path, optional
        Folder of the cache; by default the one of the vectors.
    """
    folder = _folder(cache)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            try:
                np.save(file, np.asarray(points, dtype=np.float32), allow_pickle=False)
                file.close()
                temporary.replace(folder / f"{key}.npy")
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
        for path in kept_places(cache)[:-_MOST]:
            path.unlink(missing_ok=True)


def kept_places(cache: str | os.PathLike[str] | None = None) -> list[Path]:
    """Return the files of kept places, the one not used for longest first.

    Parameters
    ----------
    cache : str or path, optional
        Folder of the cache; by default the one of the vectors.

    Returns
    -------
    list of Path
        The time of a file's last change is that of its last use.

    Examples
    --------
    >>> kept_places("/no/such/folder")
    []
    """
    found: dict[Path, float] = {}
    for path in _folder(cache).glob("*.npy"):
        with suppress(OSError):  # another process may have taken it away
            found[path] = path.stat().st_mtime
    return sorted(found, key=lambda path: found[path])


def forget_places(
    cache: str | os.PathLike[str] | None = None, *, used_before: float | None = None
) -> int:
    """Delete kept places; maps take as long as the first time again.

    Parameters
    ----------
    cache : str or path, optional
        Folder of the cache; by default the one of the vectors.
    used_before : float, optional
        Only those last used before this time, in seconds since 1970.

    Returns
    -------
    int
        How many were deleted.

    Raises
    ------
    OSError
        If one cannot be.
    """
    count = 0
    for path in kept_places(cache):
        with suppress(FileNotFoundError):
            if used_before is None or path.stat().st_mtime < used_before:
                path.unlink()
                count += 1
    return count


def _folder(cache: str | os.PathLike[str] | None) -> Path:
    return cache_root(cache) / "projections"
