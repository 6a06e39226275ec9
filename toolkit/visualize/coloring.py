"""What a map can be coloured by: categories, numbers, times, agreement with known labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.errors import UsageError
from toolkit.typography import shorten
from toolkit.visualize.groups import Group, dense_spot, is_missing, label_values, make_groups
from toolkit.visualize.palette import NOISE, scale_colors

__all__ = ["MOST_GROUPS", "Coloring", "color_column", "label_agreement"]

MOST_GROUPS = 100
"""A column of more different values than this, and no numbers or times, is no colouring."""

_SHADES = 7
_FEW_PERIODS = 4
_MOST_UNREAD = 0.1
_UNITS = ("%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d %H:%M")


@dataclass(frozen=True, eq=False)
class Coloring:
    """One way of colouring a map.

    Parameters
    ----------
    name : str
        What the colours say.
    codes : ndarray of shape (n,)
        Position in ``groups`` of each point's group.
    groups : list of Group
        Names, colours and sizes; points without a value last.
    ordered : bool, default=False
        Whether the groups are steps of a scale, which have a place in the legend but none on the
        map.
    note : str, default=""
        What a reader should know of it: how many values could not be read.
    """

    name: str
    codes: NDArray[np.intp]
    groups: list[Group] = field(repr=False)
    ordered: bool = False
    note: str = ""

    def placed_on(self, points: NDArray[np.floating]) -> Coloring:
        """Return the same colouring of another map of the texts: colours stay, names move.

        Parameters
        ----------
        points : ndarray of shape (n, 2)
            The places.
        """
        groups = [
            replace(group, spot=dense_spot(points[self.codes == code]))
            for code, group in enumerate(self.groups)
        ]
        return replace(self, groups=groups)


def color_column(name: str, values: Sequence[Any], points: NDArray[np.floating]) -> Coloring:
    """Return the colouring by a column.

    Numbers and times, also where they were read as text (a few that cannot be read count as
    missing, and their number is said), are cut into at most seven steps of one
    scale, each with about as many texts; a single outlier would leave one shade to all others if
    the steps had equal widths. Anything else is a category a value.

    Parameters
    ----------
    name : str
        The column's name.
    values : sequence, of length n
        Its values; None, NaN and an empty text are missing.
    points : ndarray of shape (n, 2)
        The places.

    Returns
    -------
    Coloring

    Raises
    ------
    UsageError
        If there are more than 100 different values that are neither numbers nor times.

    Examples
    --------
    >>> points = np.zeros((5, 2))
    >>> coloring = color_column("stars", ["1", "2", "2", "", "5"], points)
    >>> [(group.name, group.count) for group in coloring.groups]
    [('1', 1), ('2', 2), ('5', 1), ('no value', 1)]
    >>> days = color_column("day", ["2024-01-31", "2025-03-01"] * 2, points[:4])
    >>> [group.name for group in days.groups]
    ['2024', '2025']
    """
    cells = [None if is_missing(v) or v == "" else v for v in label_values(values)]
    scale = _scale_of(name, cells, points)
    if scale is not None:
        return scale
    words = [None if cell is None else str(cell) for cell in cells]
    different = len({word for word in words if word is not None})
    if different > MOST_GROUPS:
        raise UsageError(
            f"the column {name!r} has {different:,} different values, and no more than "
            f"{MOST_GROUPS} colours can be told apart; colour by numbers, times or categories"
        )
    codes, groups = make_groups(
        np.array(words, dtype=object), points, noise_label=None, noise_name="no value"
    )
    return Coloring(name, codes, groups)


def label_agreement(labels: ArrayLike, known: ArrayLike, *, noise_label: Any = -1) -> list[Any]:
    """Return for each text whether its known label is the most frequent one of its cluster.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Clusters.
    known : array-like of shape (n,)
        Known labels; None, NaN and an empty text are none.
    noise_label : object, default=-1
        The label of texts in no cluster.

    Returns
    -------
    list of str or None, of length n
        ``"as its cluster"``, ``"another than its cluster"``, or None where one of both is
        missing. To be given to a map as a column.

    Raises
    ------
    UsageError
        If the lengths differ.

    Examples
    --------
    >>> label_agreement([0, 0, 0, -1], ["a", "a", "b", "a"])
    ['as its cluster', 'as its cluster', 'another than its cluster', None]
    """
    clusters, classes = label_values(labels), label_values(known)
    if len(clusters) != len(classes):
        raise UsageError(f"there are {len(clusters)} labels and {len(classes)} known labels")
    pairs = [
        None if is_missing(a) or a == noise_label or is_missing(b) or b == "" else (a, b)
        for a, b in zip(clusters, classes, strict=True)
    ]
    majority: dict[Any, Any] = {}
    for (cluster, label), _ in Counter(pair for pair in pairs if pair).most_common():
        majority.setdefault(cluster, label)
    said = {True: "as its cluster", False: "another than its cluster"}
    return [None if pair is None else said[majority[pair[0]] == pair[1]] for pair in pairs]


def _scale_of(name: str, cells: list[Any], points: NDArray[np.floating]) -> Coloring | None:
    """Return the colouring by numbers or times; None if the cells are neither."""
    present = sum(cell is not None for cell in cells)
    for what, read, naming in (
        ("number", _number, _number_names),
        ("time", _time, _time_names),
    ):
        values = np.array([np.nan if cell is None else read(cell) for cell in cells])
        different = len(np.unique(values[np.isfinite(values)]))
        unread = [
            cell
            for cell, value in zip(cells, values.tolist(), strict=True)
            if cell is not None and value != value and not _is_nan(cell)
        ]
        # A word among few numbers may be a category; one among hundreds of dates is a slip.
        slips = _MOST_UNREAD if different <= MOST_GROUPS else 0.5
        if different and (not unread or (different > _SHADES and len(unread) <= slips * present)):
            return _scale(name, values, points, naming, unread=unread, what=what)
    return None


def _is_nan(cell: Any) -> bool:
    return isinstance(cell, Real) and cell != cell


def _number(cell: Any) -> float:
    """Return a cell as a number, NaN if it is none."""
    if isinstance(cell, bool) or not isinstance(cell, Real | str):
        return float("nan")
    try:
        found = float(cell)
    except (ValueError, OverflowError):
        return float("nan")
    # "nan" and "inf" may be words.
    return float("nan") if isinstance(cell, str) and not np.isfinite(found) else found


def _time(cell: Any) -> float:
    """Return a cell as seconds since 1970, NaN if it is no time."""
    try:
        time = datetime.fromisoformat(cell) if isinstance(cell, str) else cell
    except ValueError:
        return float("nan")
    if isinstance(time, np.datetime64):
        time = time.astype("datetime64[us]").item()
    if isinstance(time, date) and not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day)
    if not isinstance(time, datetime):
        return float("nan")
    # Without a zone the clock is taken as it is; only the order and the unit are shown.
    found = float(np.datetime64(time.replace(tzinfo=None), "s").astype(np.int64))
    offset = time.utcoffset()
    return found if offset is None else found - offset.total_seconds()


def _scale(
    name: str,
    numbers: NDArray[np.float64],
    points: NDArray[np.floating],
    naming: Any,
    *,
    unread: list[Any],
    what: str,
) -> Coloring:
    here = np.isfinite(numbers)
    edges, names = naming(numbers[here])
    # A value on an edge belongs to the step that begins there.
    steps = np.clip(np.searchsorted(edges, numbers[here], side="right") - 1, 0, len(names) - 1)
    used = np.unique(steps)
    codes = np.full(len(numbers), len(used), dtype=np.intp)
    codes[here] = np.searchsorted(used, steps)
    shades, dark = scale_colors(len(used)), scale_colors(len(used), dark=True)
    groups = [
        Group(
            names[step], names[step], int((codes == i).sum()), shades[i],
            dense_spot(points[codes == i]), noise=False, dark=dark[i],
        )
        for i, step in enumerate(used.tolist())
    ]  # fmt: skip
    rest = ~here
    if rest.any():
        spot = dense_spot(points[rest])
        left = "no value" if not unread else f"no {what}: {len(unread):,} cannot be read"
        if unread and len(unread) < rest.sum():
            left += f", {int(rest.sum()) - len(unread):,} missing"
        groups.append(Group(None, left, int(rest.sum()), NOISE, spot, noise=True))
    note = ""
    if unread:
        note = (
            f"{len(unread):,} of {len(numbers):,} values of {name!r} cannot be read as a {what}, "
            f"for example {shorten(str(unread[0]), 40)!r}; they are grey on the map"
        )
    return Coloring(name, codes, groups, ordered=True, note=note)


def _steps(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where steps with about as many values each begin; equal values are in one step."""
    edges: list[float] = []
    left, steps, inside = len(values), _SHADES, 0
    different, counts = np.unique(values, return_counts=True)
    for value, count in zip(different.tolist(), counts.tolist(), strict=True):
        if inside == 0:
            edges.append(value)
        inside += count
        if steps > 1 and inside >= left / steps:
            left, steps, inside = left - inside, steps - 1, 0
    return np.array(edges)


def _number_names(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    different = np.unique(values)
    if len(different) <= _SHADES:
        return different, [_short(value) for value in different]
    edges = _steps(values)
    whole = bool((values == np.round(values)).all())
    names = []
    for i, low in enumerate(edges):
        inside = values[
            (values >= low) & (values < (edges[i + 1] if i + 1 < len(edges) else np.inf))
        ]
        high = inside.max()
        if whole:
            names.append(_short(low) if low == high else f"{_short(low)} to {_short(high)}")
        else:
            end = edges[i + 1] if i + 1 < len(edges) else high
            names.append(f"{_short(low)} to {_short(end)}")
    return edges, names


def _time_names(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    """Return steps of whole years, months, days or minutes: the coarsest with enough of them."""
    times = [np.datetime64(int(value), "s").item() for value in values]
    named: list[str] = []
    for unit in _UNITS:
        finer = [time.strftime(unit) for time in times]
        if len(set(finer)) > len(set(named)):
            named = finer
        if len(set(named)) >= _FEW_PERIODS:
            break
    firsts: dict[str, float] = {}
    for label, value in zip(named, values.tolist(), strict=True):
        firsts[label] = min(value, firsts.get(label, value))
    periods = sorted(firsts, key=lambda label: firsts[label])
    starts = np.array([firsts[label] for label in periods])
    if len(periods) <= _SHADES:
        return starts, periods
    position = np.searchsorted(starts, values, side="right") - 1
    kept = np.unique(np.searchsorted(starts, _steps(starts[position]), side="right") - 1)
    ends = [*(kept[1:] - 1).tolist(), len(periods) - 1]
    names = [
        periods[a] if a == b else f"{periods[a]} to {periods[b]}"
        for a, b in zip(kept.tolist(), ends, strict=True)
    ]
    return starts[kept], names


def _short(value: float) -> str:
    """Return a number for a legend."""
    value = float(value)
    if value == round(value) and abs(value) < 1e15:
        return f"{round(value):,}"
    return f"{value:,.0f}" if 999.5 <= abs(value) < 1e15 else f"{value:.3g}"
