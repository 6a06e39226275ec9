"""The map as a piece of an HTML page."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from toolkit.errors import UsageError
from toolkit.page import Fragment
from toolkit.visualize.groups import Group
from toolkit.visualize.interactive import SVG_LIMIT
from toolkit.visualize.palette import on_dark

__all__ = ["map_fragment", "stratified_sample"]

_PLAIN_LIMIT = 400_000
"""Texts of more characters than this are stored compressed."""


def map_fragment(
    points: NDArray[np.floating],
    codes: NDArray[np.intp],
    groups: list[Group],
    texts: Sequence[str] | None,
    columns: Mapping[str, Sequence[Any]],
    *,
    name: str,
    caption: str,
    table: bool,
    page_zoom: bool,
    links: Mapping[Any, str] | None = None,
) -> Fragment:
    """Return the interactive map with its scripts, styles and data.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
    codes : ndarray of shape (n,)
        Position in ``groups`` of each point's group.
    groups : list of Group
    texts : sequence of str or None
    columns : mapping of str to sequence
        What else to show of a text that is read.
    name : str
        Tells several maps of a page apart.
    caption : str
    table : bool
        Whether to add the table of groups.
    page_zoom : bool
        Whether the wheel zooms the map only with Ctrl, so that a long page scrolls.
    links : mapping of label to str, optional
        ``"#id"`` of the place on the page that says more about a group.

    Returns
    -------
    toolkit.page.Fragment
    """
    from plotly.offline import get_plotlyjs

    n = len(points)
    plotly = get_plotlyjs()
    low = points.min(axis=0)
    extent = float(np.ptp(points, axis=0).max()) or 1.0
    # 1/65535 of the picture's size is far below a pixel, also when zoomed in.
    grid = np.round((points - low) / extent * 65535).astype("<u2")
    data = {
        "webgl": n > SVG_LIMIT,
        "pageZoom": page_zoom,
        "xy": b64encode(grid.tobytes()).decode(),
        "codes": b64encode(codes.astype("<u2").tobytes()).decode(),
        "groups": [
            {
                "name": group.name,
                "count": group.count,
                "colors": [group.color, on_dark(group.color)],
                "noise": group.noise,
                "link": _anchor(group, links or {}),
                "spot": [
                    round(float((spot - edge) / extent * 65535))
                    for spot, edge in zip(group.spot, low, strict=True)
                ],
            }
            for group in groups
        ],
        "texts": _pack(None if texts is None else [str(text) for text in texts]),
        "columns": {str(key): list(values) for key, values in columns.items()},
    }
    rows = [
        {
            "name": group.name,
            "count": group.count,
            "share": group.count / n,
            "color": group.color,
            "samples": [] if texts is None else _samples(points, codes, i, group, texts),
        }
        for i, group in enumerate(groups)
    ]
    template = _environment().get_template("map.html")
    return Fragment(
        html=Markup(  # noqa: S704 - rendered with autoescape
            template.render(
                name=name,
                n=n,
                rows=rows,
                caption=caption,
                table=table,
                page_zoom=page_zoom,
                has_texts=texts is not None,
                placeholders=_own_style_ids(plotly),
            )
        ),
        scripts=(plotly, _resource("map.js")),
        styles=(_resource("map.css"),),
        data={f"map:{name}": data},
        unsafe_eval=n > SVG_LIMIT,
        empty_style=True,
    )


def _anchor(group: Group, links: Mapping[Any, str]) -> str | None:
    """Return a group's link, which can only lead to another place of the same page."""
    link = links.get(group.label)
    if link is not None and not link.startswith("#"):
        raise UsageError(f"a link from the map leads to a place on its page, '#id', not {link!r}")
    return link


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
        text = " ".join(str(texts[row]).split())
        found[text if len(text) <= 180 else text[:179] + "…"] = None
        if len(found) == size:
            break
    return list(found)


@cache
def _own_style_ids(plotly: str) -> tuple[str, ...]:
    """Return the ids of style sheets that plotly.js would add on loading.

    Its map library brings a sheet for geographic maps, which the policy would refuse with a
    message on the console; it does not try where an element with the id is there already.
    """
    return tuple(sorted(set(re.findall(r'getElementById\("([0-9a-f]{40,64})"\)', plotly))))


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
