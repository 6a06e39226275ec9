"""Projections kept on disk: the same vectors, parameters and versions are not projected twice."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from numbers import Integral
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.cache import cache_root
from toolkit.provenance import package_versions

__all__ = [
    "forget_places",
    "kept_places",
    "load_places",
    "places_key",
    "projection_key",
    "projection_parameters",
    "store_places",
]

Where = bool | str | os.PathLike[str] | None

_FORMAT = 3
_MOST = 200
_WITHOUT_EFFECT = ("verbose", "n_jobs", "cache")
_PACKAGES = ("umap-learn", "pynndescent", "numba", "numpy", "scipy", "scikit-learn")


def projection_parameters(projector: Any) -> dict[str, Any]:
    """Return the method of a projection and what it was told, as far as it says and it matters.

    Parameters
    ----------
    projector : transformer
        Such as a :class:`~toolkit.visualize.UMAPProjector`.

    Returns
    -------
    dict of str to object

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> projection_parameters(PCA(2))["n_components"]
    2
    """
    found: dict[str, Any] = {}
    if hasattr(projector, "get_params"):
        found |= projector.get_params(deep=False)
    init = found.get("init")
    if hasattr(projector, "settings"):
        found |= projector.settings()
    made = {
        key: value
        for key, value in found.items()
        if isinstance(value, str | int | float | bool) and key not in _WITHOUT_EFFECT
    }
    if init is not None and not isinstance(init, str):
        places = np.ascontiguousarray(init, dtype="<f4")
        made["init"] = f"places {sha256(places.data).hexdigest()}"
    return {"method": type(projector).__name__} | made


def projection_key(projector: Any, vectors: NDArray[np.float32]) -> str | None:
    """Return the name under which a projector keeps its places; None if it keeps none.

    Parameters
    ----------
    projector : UMAPProjector
        Without a seed each projection is meant to be another; and labels are not in the key.
    vectors : ndarray of shape (n, d)
        What is projected.

    Returns
    -------
    str or None
    """
    seeded = isinstance(projector.random_state, Integral)
    if projector.cache is False or projector.supervised or not seeded:
        return None
    made = projection_parameters(projector) | {"random_state": int(projector.random_state)}
    return places_key(vectors, made)


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
    key: str, shape: tuple[int, int], cache: Where = None
) -> NDArray[np.float32] | None:
    """Return kept places; None if there are none or the file is damaged.

    Parameters
    ----------
    key : str
        As :func:`places_key` gives it.
    shape : (int, int)
        How many there must be, and in how many dimensions.
    cache : bool, str or path, optional
        Folder of the cache; by default, and where it is a bool, the one of the vectors.

    Returns
    -------
    ndarray of that shape, or None
    """
    path = _folder(cache) / f"{key}.npy"
    try:
        points: NDArray[np.float32] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if points.shape != shape or points.dtype != np.float32 or not np.isfinite(points).all():
        return None
    with suppress(OSError):
        os.utime(path)  # the ones not used for longest go first
    return points


def store_places(key: str, points: NDArray[Any], cache: Where = None) -> None:
    """Keep places, and no more than the 200 used last.

    Nothing is kept, and nothing said, where the disk is full or cannot be written: it would only
    save time.

    Parameters
    ----------
    key : str
        As :func:`places_key` gives it.
    points : ndarray of shape (n, c)
        The places.
    cache : bool, str or path, optional
        Folder of the cache; by default, and where it is a bool, the one of the vectors.
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


def kept_places(cache: Where = None) -> list[Path]:
    """Return the files of kept places, the one not used for longest first.

    Parameters
    ----------
    cache : bool, str or path, optional
        Folder of the cache; by default, and where it is a bool, the one of the vectors.

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


def forget_places(cache: Where = None, *, used_before: float | None = None) -> int:
    """Delete kept places; maps take as long as the first time again.

    Parameters
    ----------
    cache : bool, str or path, optional
        Folder of the cache; by default, and where it is a bool, the one of the vectors.
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


def _folder(cache: Where) -> Path:
    return cache_root(None if isinstance(cache, bool) else cache) / "projections"
