"""The map as a piece of an HTML page."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from toolkit.errors import UsageError
from toolkit.page import Fragment
from toolkit.typography import shorten
from toolkit.visualize.coloring import Coloring
from toolkit.visualize.groups import Group

__all__ = ["Pane", "map_fragment", "shown_rows", "stratified_sample"]

_LONGEST_NAME = 80
_SCRIPTS = ("map_dots", "map_hand", "map_pane", "map")
_PLAIN_LIMIT = 400_000
"""Texts of more characters than this are stored compressed."""


@dataclass(frozen=True, eq=False)
class Pane:
    """One stage of the page: where each text is.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        The places.
    title : str, default=""
        What is shown, where there are several stages.
    caption : str, default=""
        How far to believe it.
    """

    points: NDArray[np.floating]
    title: str = ""
    caption: str = ""


def map_fragment(
    panes: Sequence[Pane],
    colorings: Sequence[Coloring],
    texts: Sequence[str] | None,
    columns: Mapping[str, Sequence[Any]],
    *,
    name: str,
    table: bool,
    page_zoom: bool,
    links: Mapping[Any, str] | None = None,
) -> Fragment:
    """Return the interactive map with its scripts, styles and data.

    Parameters
    ----------
    panes : sequence of Pane
        The stages; with several, each shows the same texts, and what is pointed at, searched or
        singled out on one is so on all.
    colorings : sequence of Coloring
        What the map can be coloured by, first what it shows at the beginning.
    texts : sequence of str or None
    columns : mapping of str to sequence
        What else to show of a text that is read.
    name : str
        Tells several maps of a page apart.
    table : bool
        Whether to add the table of groups.
    page_zoom : bool
        Whether the wheel zooms the map only with Ctrl, so that a long page scrolls.
    links : mapping of label to str, optional
        ``"#id"`` of the place on the page that says more about a group of the first colouring.

    Returns
    -------
    toolkit.page.Fragment
    """
    n = len(panes[0].points)
    grids = [_Grid(pane.points) for pane in panes]
    data = {
        "pageZoom": page_zoom,
        "panes": [{"xy": grid.packed()} for grid in grids],
        "colorings": [
            {
                "name": coloring.name,
                "ordered": coloring.ordered,
                "codes": b64encode(coloring.codes.astype("<u2").tobytes()).decode(),
                "groups": [
                    {
                        "name": shorten(group.name, _LONGEST_NAME),
                        "count": group.count,
                        "colors": [group.color, group.dark_color],
                        "noise": group.noise,
                        "link": _anchor(group, links or {}) if first else None,
                    }
                    for group in coloring.groups
                ],
                # A group's densest spot is its own on each stage.
                "spots": [grid.spots(coloring) for grid in grids],
            }
            for first, coloring in zip((True, *[False] * len(colorings)), colorings, strict=False)
        ],
        "texts": _pack(None if texts is None else [str(text) for text in texts]),
        "columns": {str(key): list(values) for key, values in columns.items()},
    }
    shown = colorings[0]
    total = sum(group.count for group in shown.groups)
    rows = [
        {
            "name": shorten(group.name, _LONGEST_NAME),
            "count": group.count,
            "share": group.count / total,
            "color": group.color,
            "samples": []
            if texts is None
            else _samples(panes[0].points, shown.codes, i, group, texts),
        }
        for i, group in enumerate(shown.groups)
    ]
    template = _environment().get_template("map.html")
    return Fragment(
        html=Markup(  # noqa: S704 - rendered with autoescape
            template.render(
                name=name,
                n=n,
                rows=rows,
                panes=panes,
                colorings=colorings,
                table=table,
                page_zoom=page_zoom,
                has_texts=texts is not None,
            )
        ),
        scripts=tuple(_resource(f"{part}.js") for part in _SCRIPTS),
        styles=(_resource("map.css"),),
        data={f"map:{name}": data},
    )


class _Grid:
    """Places as whole numbers from 0 to 65535: a step is far below a pixel, also zoomed in."""

    def __init__(self, points: NDArray[np.floating]) -> None:
        self.points = points
        self._low = points.min(axis=0)
        self._extent = float(np.ptp(points, axis=0).max()) or 1.0

    def packed(self) -> str:
        return b64encode(self._scaled(self.points).astype("<u2").tobytes()).decode()

    def spots(self, coloring: Coloring) -> list[list[int]]:
        spots = [group.spot for group in coloring.placed_on(self.points).groups]
        return [[int(value) for value in self._scaled(np.array(spot))] for spot in spots]

    def _scaled(self, places: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.asarray(np.round((places - self._low) / self._extent * 65535))


def _anchor(group: Group, links: Mapping[Any, str]) -> str | None:
    """Return a group's link, which can only lead to another place of the same page."""
    link = links.get(group.label)
    if link is not None and not link.startswith("#"):
        raise UsageError(f"a link from the map leads to a place on its page, '#id', not {link!r}")
    return link


def shown_rows(codes: NDArray[np.intp], max_points: int) -> tuple[NDArray[np.intp], str]:
    """Return which texts the page shows, and what to say if these are not all."""
    n = len(codes)
    if n <= max_points:
        return np.arange(n), ""
    rows = stratified_sample(codes, max_points)
    return rows, f"A sample of {len(rows):,} of the {n:,} texts is shown; the counts are of all. "


def stratified_sample(
    codes: NDArray[np.intp], size: int, random_state: int = 0
) -> NDArray[np.intp]:
    """Return about ``size`` positions, each group in its share but at least 20 of each.

    Examples
    --------
    >>> import numpy as np
    >>> codes = np.repeat([0, 1], [9_000, 30])
    >>> chosen = stratified_sample(codes, 1_000)
    >>> np.bincount(codes[chosen])
    array([997,  20])
    """
    rng = np.random.default_rng(random_state)
    chosen = []
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        wanted = max(round(len(rows) / len(codes) * size), min(20, len(rows)))
        chosen.append(rng.choice(rows, size=min(wanted, len(rows)), replace=False))
    return np.sort(np.concatenate(chosen))


def _pack(texts: list[str] | None) -> Any:
    """Return texts as they are, or compressed when they are many."""
    if texts is None or sum(map(len, texts)) <= _PLAIN_LIMIT:
        return texts
    # Without a time stamp the same map gives the same file.
    packed = gzip.compress(json.dumps(texts).encode("ascii"), compresslevel=9, mtime=0)
    return {"gzip": b64encode(packed).decode()}


def _samples(
    points: NDArray[np.floating],
    codes: NDArray[np.intp],
    position: int,
    group: Group,
    texts: Sequence[str],
    size: int = 3,
) -> list[str]:
    """Return texts from where a group is densest."""
    rows = np.flatnonzero(codes == position)
    distance = np.linalg.norm(points[rows] - np.asarray(group.spot), axis=1)
    near = rows[np.argsort(distance, kind="stable")]
    found: dict[str, None] = {}
    for row in near:
        found[shorten(str(texts[row]), 180)] = None
        if len(found) == size:
            break
    return list(found)


@cache
def _resource(name: str) -> str:
    return (files("toolkit.visualize") / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader("toolkit.visualize", "templates"),
                jinja2.PackageLoader("toolkit.page", "templates"),
            ]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
