"""The map as a plotly figure."""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toolkit.visualize.coloring import Coloring
from toolkit.visualize.groups import Group
from toolkit.visualize.placing import place_boxes, wrap_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

__all__ = ["SVG_LIMIT", "build_figure", "plotly_text"]

SVG_LIMIT = 5_000
"""Up to so many points plotly draws SVG, which is sharp and needs no WebGL. Measured in Chromium:
5,000 points drawn in 0.15 s, 20,000 in 0.7 s."""

_HEIGHT = 680
_WIDE, _HIGH = 620, 560
"""The plot in pixels, beside a legend and in a notebook: names are placed for that."""


def plotly_text(text: str, width: int = 60, lines: int = 8) -> str:
    """Return a text as plotly shows it: wrapped, and with none of its tags understood.

    Examples
    --------
    >>> plotly_text('<a href="javascript:alert(1)">hi</a>')
    '&lt;a href="javascript:alert(1)"&gt;hi&lt;/a&gt;'
    """
    wrapped = textwrap.wrap(text, width, max_lines=lines, placeholder=" …")
    return "<br>".join(escape(line, quote=False) for line in wrapped)


def build_figure(
    points: NDArray[np.floating],
    coloring: Coloring,
    texts: Sequence[str] | None,
    *,
    title: str | None,
    caption: str,
) -> go.Figure:
    """Return the figure: one trace per group, noise underneath, names where groups are dense."""
    import plotly.graph_objects as go

    n = len(points)
    codes, groups = coloring.codes, coloring.groups
    kind: Any = go.Scatter if n <= SVG_LIMIT else go.Scattergl
    size = float(np.clip(26 * max(n, 1) ** -0.2, 2.2, 10))
    figure = go.Figure()
    for position in sorted(range(len(groups)), key=lambda i: not groups[i].noise):
        group = groups[position]
        rows = np.flatnonzero(codes == position).tolist()
        figure.add_trace(
            kind(
                x=points[rows, 0],
                y=points[rows, 1],
                mode="markers",
                name=plotly_text(group.name, 32, 2),
                marker={
                    "size": size,
                    "color": group.color,
                    "opacity": 0.5 if group.noise else 0.85,
                },
                customdata=None if texts is None else [plotly_text(texts[i]) for i in rows],
                hovertemplate=("" if texts is None else "%{customdata}")
                + f"<extra>{plotly_text(group.name, 32, 2)}</extra>",
            )
        )
    hidden = {"visible": False}
    figure.update_layout(
        template="plotly_white",
        title=None if not title else {"text": plotly_text(title, 80), "x": 0.02},
        width=None,
        height=_HEIGHT,
        xaxis=hidden,
        yaxis=hidden | {"scaleanchor": "x"},
        hovermode="closest",
        dragmode="pan",
        margin={"l": 10, "r": 10, "t": 50 if title else 10, "b": 60},
        showlegend=len(groups) > 1,
        legend={
            "itemsizing": "constant",
            "title": {"text": plotly_text(coloring.name, 32, 2) if coloring.ordered else ""},
        },
        hoverlabel={"align": "left"},
    )
    figure.add_annotation(
        text=plotly_text(caption, 130, 4), xref="paper", yref="paper", x=0, y=0, yshift=-8,
        xanchor="left", yanchor="top", showarrow=False, align="left",
        font={"size": 11, "color": "#58646d"},
    )  # fmt: skip
    if not coloring.ordered:
        _add_names(figure, points, groups)
    return figure


def _add_names(figure: go.Figure, points: NDArray[np.floating], groups: list[Group]) -> None:
    named = sorted((g for g in groups if not g.noise), key=lambda g: -g.count)
    if len(named) < 2:
        return
    low, high = points.min(axis=0), points.max(axis=0)
    scale = min(_WIDE / (np.ptp(points[:, 0]) or 1), _HIGH / (np.ptp(points[:, 1]) or 1))
    size = 12 if len(named) <= 25 else 10
    wrapped = [wrap_name(group.name, 20) for group in named]
    sizes = np.array(
        [
            [0.62 * size * max(map(len, w.split("\n"))), 1.3 * size * (w.count("\n") + 1)]
            for w in wrapped
        ]
    )
    spots = np.array([group.spot for group in named])
    far = (high - low) * scale
    places = place_boxes(
        (spots - low) * scale,
        sizes,
        (0, 0, float(far[0]), float(far[1])),
        points=(points - low) * scale,
        counts=[group.count for group in named],
    )
    for text, group, place in zip(wrapped, named, places, strict=True):
        if place is None:
            continue
        lines = "<br>".join(escape(line, quote=False) for line in text.split("\n"))
        x, y = low[0] + place.x / scale, low[1] + place.y / scale
        # A name that was moved has a line to its group, or it would be taken for another's.
        line: dict[str, Any] = {"x": x, "y": y, "showarrow": False}
        if place.moved:
            line = {
                "x": group.spot[0], "y": group.spot[1], "ax": x, "ay": y, "axref": "x",
                "ayref": "y", "showarrow": True, "arrowhead": 0, "arrowwidth": 0.8,
                "arrowcolor": "#58646d",
            }  # fmt: skip
        figure.add_annotation(
            **line, text=f"<b>{lines}</b>", font={"size": size, "color": "#1d2429"},
            bgcolor="rgba(255,255,255,0.45)", borderpad=1, captureevents=False,
        )  # fmt: skip
