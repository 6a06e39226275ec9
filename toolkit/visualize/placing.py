"""Names on a map that do not cover each other."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Placed", "place_boxes", "wrap_name"]

_CELLS = 400
_HIDING, _WORTH = 0.4, 4.0


@dataclass(frozen=True)
class Placed:
    """Where a box went.

    Parameters
    ----------
    x, y : float
        Its centre.
    moved : bool
        Whether it is so far from where it belongs that a line should lead there.
    """

    x: float
    y: float
    moved: bool


def place_boxes(
    anchors: NDArray[np.float64],
    sizes: NDArray[np.float64],
    bounds: tuple[float, float, float, float],
    *,
    padding: float = 2.0,
    points: NDArray[np.float64] | None = None,
    counts: Sequence[int] | None = None,
) -> list[Placed | None]:
    """Place boxes at their anchors, or as near as there is room.

    Boxes are placed in the order given, each at the best of its anchor and of points on widening
    ellipses around it where it covers no earlier box and stays inside the bounds: the nearest,
    unless it would hide a good part of a small group.

    Parameters
    ----------
    anchors : ndarray of shape (k, 2)
        Where each box would like its centre.
    sizes : ndarray of shape (k, 2)
        Widths and heights, in the same unit.
    bounds : tuple of float
        Left, bottom, right, top.
    padding : float, default=2.0
        Room to keep between boxes.
    points : ndarray of shape (n, 2), optional
        Dots that a box would cover.
    counts : sequence of int, of length k, optional
        How many dots each box is the name of. A box that covers 40% as many dots as it names, or
        more, is as bad as one that is four times its height away.

    Returns
    -------
    list of Placed or None, of length k
        None where there was no room within a third of the area's size.

    Examples
    --------
    >>> import numpy as np
    >>> boxes = place_boxes(np.zeros((2, 2)), np.full((2, 2), 10.0), (-50, -50, 50, 50))
    >>> (boxes[0].x, boxes[0].y), abs(boxes[1].x) >= 10 or abs(boxes[1].y) >= 10
    ((0.0, 0.0), True)
    """
    left, bottom, right, top = bounds
    taken = np.empty((0, 4))
    result: list[Placed | None] = []
    reach = max(right - left, top - bottom) / 3
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False) + np.pi / 2
    covered_by = None if points is None else _dots_in(points, bounds)
    for position, (anchor, size) in enumerate(zip(anchors, sizes, strict=True)):
        half = size / 2 + padding / 2
        low = np.array([left, bottom]) + half
        high = np.maximum(np.array([right, top]) - half, low)
        start = np.clip(anchor, low, high)
        step = max(3.0, size[1] / 3)
        radii = np.arange(step, max(reach, step * 2), step)
        # Wide boxes move up and down before they move sideways.
        ring = np.stack([np.cos(angles), np.sin(angles) * 0.8], axis=1)
        offsets = (radii[:, None, None] * ring[None]).reshape(-1, 2)
        centres = np.clip(start + np.vstack([np.zeros((1, 2)), offsets]), low, high)
        boxes = np.hstack([centres - half, centres + half])
        free = _free(boxes, taken)
        if not free.any():
            result.append(None)
            continue
        # Clipping at the border can put a far candidate near, so look at true distances.
        distance = np.where(free, np.hypot(*(centres - anchor).T), np.inf)
        cost = distance / max(float(size[1]), 1e-9)
        if covered_by is not None and counts is not None:
            hidden = covered_by(boxes) / max(_HIDING * counts[position], 1e-9)
            cost = cost + _WORTH * np.minimum(hidden, 1)
        best = int(np.argmin(cost))
        taken = np.vstack([taken, boxes[best]])
        result.append(
            Placed(
                float(centres[best, 0]),
                float(centres[best, 1]),
                moved=bool(distance[best] > 1.2 * size[1]),
            )
        )
    return result


def _dots_in(
    points: NDArray[np.float64], bounds: tuple[float, float, float, float]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return what counts the dots in boxes, from sums over a grid."""
    left, bottom, right, top = bounds
    low, extent = np.array([left, bottom]), np.array([right - left, top - bottom])
    grid, _, _ = np.histogram2d(
        points[:, 0], points[:, 1], bins=_CELLS, range=[[left, right], [bottom, top]]
    )
    sums = np.zeros((_CELLS + 1, _CELLS + 1))
    sums[1:, 1:] = grid.cumsum(axis=0).cumsum(axis=1)

    def count(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        places = (boxes.reshape(-1, 2, 2) - low) / extent * _CELLS
        edges = np.clip(places.round(), 0, _CELLS).astype(np.intp)
        (a, c), (b, d) = edges[:, 0].T, edges[:, 1].T
        return np.asarray(sums[b, d] - sums[a, d] - sums[b, c] + sums[a, c])

    return count


def _free(boxes: NDArray[np.float64], taken: NDArray[np.float64]) -> NDArray[np.bool_]:
    if not len(taken):
        return np.ones(len(boxes), dtype=bool)
    apart = (
        (boxes[:, None, 2] <= taken[None, :, 0])
        | (boxes[:, None, 0] >= taken[None, :, 2])
        | (boxes[:, None, 3] <= taken[None, :, 1])
        | (boxes[:, None, 1] >= taken[None, :, 3])
    )
    return np.asarray(apart.all(axis=1))


def wrap_name(name: str, width: int = 20, lines: int = 3) -> str:
    r"""Return a name in short lines, cut with an ellipsis if it is very long.

    Examples
    --------
    >>> wrap_name("Peace, Justice and Strong Institutions")
    'Peace, Justice and\nStrong Institutions'
    """
    wrapped = textwrap.wrap(name, width, max_lines=lines, placeholder=" …", break_long_words=True)
    return "\n".join(wrapped)
