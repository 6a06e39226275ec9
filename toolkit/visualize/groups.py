"""The groups a map is coloured by: names, colours, sizes and where each is densest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.errors import UsageError
from toolkit.visualize.palette import NOISE, hex_color, on_dark, spread_colors

__all__ = ["Group", "dense_spot", "is_missing", "label_values", "make_groups"]

Names = Mapping[Any, str] | Sequence[str] | None


@dataclass(frozen=True)
class Group:
    """Points of one label.

    Parameters
    ----------
    label : object
        The label itself.
    name : str
        What to call it.
    count : int
        How many points have it.
    color : str
        ``#rrggbb``.
    spot : tuple of float
        Where it is densest.
    noise : bool
        Whether it stands for "no group".
    dark : str, optional
        Colour on dark paper; by default the partner of ``color``.
    """

    label: Any
    name: str
    count: int
    color: str
    spot: tuple[float, float]
    noise: bool
    dark: str | None = None

    @property
    def dark_color(self) -> str:
        """Colour on dark paper."""
        return self.dark or on_dark(self.color)


def make_groups(
    labels: ArrayLike | None,
    points: NDArray[np.floating],
    *,
    names: Names = None,
    noise_label: Any = -1,
    noise_name: str = "in no group",
    colors: Mapping[Any, str] | None = None,
) -> tuple[NDArray[np.intp], list[Group]]:
    """Sort labels into groups.

    Parameters
    ----------
    labels : array-like of shape (n,) or None
        A label each; None or NaN is no label, which counts as noise. None for the whole: one
        group.
    points : ndarray of shape (n, 2)
        The places.
    names : mapping or sequence of str, optional
        Name by label, or by position for labels 0, 1, ...
    noise_label : object, default=-1
        The label of points in no group.
    noise_name : str, default="in no group"
        What to call them where ``names`` does not say.
    colors : mapping of label to str, optional
        Colours to keep, for example those of another map: ``"#rrggbb"``, or a name that
        matplotlib knows.

    Returns
    -------
    codes : ndarray of shape (n,)
        Position in ``groups`` of each point's group.
    groups : list of Group
        By label; noise last.

    Raises
    ------
    UsageError
        If ``labels`` has another length than ``points``, or a colour is none.
    """
    n = len(points)
    if labels is None:
        whole = Group(None, "all texts", n, "#3070af", dense_spot(points), noise=False)
        return np.zeros(n, dtype=np.intp), [whole]
    values = label_values(labels)
    if len(values) != n:
        raise UsageError(f"there are {len(values)} labels for {n} texts")
    is_noise = [is_missing(v) or v == noise_label for v in values]
    found = {v for v, noise in zip(values, is_noise, strict=True) if not noise}
    known = sorted(found, key=_sorting_key)
    position = {label: i for i, label in enumerate(known)}
    codes = np.array(
        [len(known) if noise else position[v] for v, noise in zip(values, is_noise, strict=True)],
        dtype=np.intp,
    )
    spots = np.array([dense_spot(points[codes == i]) for i in range(len(known))]).reshape(-1, 2)
    palette = spread_colors(spots)
    groups = [
        Group(
            label,
            _name(label, names),
            int((codes == i).sum()),
            hex_color((colors or {}).get(label, palette[i])),
            (float(spots[i, 0]), float(spots[i, 1])),
            noise=False,
        )
        for i, label in enumerate(known)
    ]
    rest = codes == len(known)
    if rest.any():
        listed = names.get(noise_label) if isinstance(names, Mapping) else None
        groups.append(
            Group(
                noise_label,
                listed or noise_name,
                int(rest.sum()),
                NOISE,
                dense_spot(points[rest]),
                noise=True,
            )
        )
    return codes, groups


def dense_spot(points: NDArray[np.floating], limit: int = 600) -> tuple[float, float]:
    """Return the point of a cloud around which it is densest.

    A mean would lie in the empty middle of a ring or between two islands. Density is a Gaussian
    kernel's, of half Scott's width, over at most ``limit`` evenly taken points.

    Examples
    --------
    >>> import numpy as np
    >>> dense_spot(np.array([[0, 0], [0.1, 0], [0.1, 0.1], [9, 9.0]]))
    (0.1, 0.0)
    """
    m = len(points)
    if m == 0:
        return (0.0, 0.0)
    sample = points[np.linspace(0, m - 1, min(m, limit)).astype(np.intp)].astype(np.float64)
    spread = float(sample.std(axis=0).mean()) or 1.0
    width = 0.5 * spread * len(sample) ** (-1 / 6)
    squares = ((sample[:, None] - sample[None]) ** 2).sum(axis=2)
    density = np.exp(-squares / (2 * width**2)).sum(axis=1)
    x, y = sample[int(np.argmax(density.round(9)))]
    return (float(x), float(y))


def label_values(labels: ArrayLike) -> list[Any]:
    """Return labels as Python values.

    Raises
    ------
    UsageError
        If they are not in one dimension.
    """
    values = np.asarray(labels, dtype=object) if not hasattr(labels, "tolist") else labels
    if len(shape := np.shape(values)) != 1:
        raise UsageError(f"labels are one for each text, in one dimension, not of shape {shape}")
    return list(values.tolist())


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN or pandas' NA."""
    # pandas.NA has no truth value, so it is told by its type's name rather than by comparing.
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def _sorting_key(label: Any) -> tuple[int, Any, str]:
    if isinstance(label, int | float):
        return (0, label, "")
    return (1, 0, str(label))


def _name(label: Any, names: Names) -> str:
    if isinstance(names, Mapping):
        return str(names.get(label, label))
    # pandas makes floats of whole numbers where some are missing.
    whole = int(label) if isinstance(label, float) and label.is_integer() else label
    if names is not None and isinstance(whole, int) and 0 <= whole < len(names):
        return str(names[whole])
    return str(whole)
