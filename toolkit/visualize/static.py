"""The map as a matplotlib drawing."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from toolkit.visualize.coloring import Coloring
from toolkit.visualize.fonts import bold_font, drawable, font_families
from toolkit.visualize.groups import Group
from toolkit.visualize.placing import place_boxes, wrap_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_map", "point_alpha", "point_area"]

LIGHT = {"paper": "#ffffff", "ink": "#1d2429", "muted": "#58646d"}
DARK = {"paper": "#13171a", "ink": "#e5e9e8", "muted": "#9eabb2"}


def point_area(n: int) -> float:
    """Return the area of a point, in square points, for a map of so many.

    Examples
    --------
    >>> [round(point_area(n), 1) for n in (100, 1_000, 10_000, 100_000)]
    [40.0, 14.5, 4.6, 1.5]
    """
    return float(np.clip(460 / np.sqrt(max(n, 1)), 0.8, 40))


def point_alpha(n: int) -> float:
    """Return the opacity of a point for a map of so many.

    Examples
    --------
    >>> [round(point_alpha(n), 2) for n in (100, 1_000, 10_000, 100_000)]
    [0.9, 0.79, 0.57, 0.35]
    """
    return float(np.clip(1.45 - 0.22 * np.log10(max(n, 1)), 0.2, 0.9))


def draw_map(
    ax: Axes,
    points: NDArray[np.floating],
    coloring: Coloring,
    *,
    title: str | None,
    caption: str,
    names: bool,
    legend: bool = True,
    dark: bool,
    size: float | None = None,
    alpha: float | None = None,
) -> None:
    """Draw points, names or the legend of a scale, title and caption into axes."""
    theme = DARK if dark else LIGHT
    around = _theme_around(ax)
    n = len(points)
    codes, groups = coloring.codes, coloring.groups
    ax.set_facecolor(theme["paper"])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_aspect("equal", adjustable="datalim")
    area = point_area(n) if size is None else size
    opacity = point_alpha(n) if alpha is None else alpha
    colors = np.array([g.dark_color if dark else g.color for g in groups])
    noise = np.array([group.noise for group in groups])[codes]
    # In the order of the data one group would lie on top of another for no reason.
    order = np.random.default_rng(0).permutation(n)
    for layer, part in enumerate((order[noise[order]], order[~noise[order]])):
        ax.scatter(
            points[part, 0],
            points[part, 1],
            s=area * (0.7 if layer == 0 else 1),
            c=colors[codes[part]],
            alpha=opacity * (0.55 if layer == 0 else 1),
            linewidths=0.4 if n <= 2000 else 0,
            edgecolors=theme["paper"],
            rasterized=n > 2000,
            zorder=1 + layer,
        )
    ax.margins(0.04)
    written = "".join([title or "", caption, coloring.name, *(group.name for group in groups)])
    family = font_families(written)
    if title:
        drawn = drawable(title, family)
        ax.set_title(
            _wrap_to_width(ax, drawn, 16), loc="left", color=around["ink"], fontsize=13,
            parse_math=False,
            **bold_font(drawn, family),
        )  # fmt: skip
    # As the label of the x axis the caption takes part in every layout engine.
    ax.set_xlabel(
        _wrap_to_width(ax, drawable(caption, family), 8), loc="left", fontsize=8,
        color=around["muted"], fontfamily=family, linespacing=1.35, parse_math=False,
    )  # fmt: skip
    if coloring.ordered and legend:
        _write_scale(ax, coloring, around, family, dark=dark)
    if names and not coloring.ordered and len(groups) > 1:
        _write_names(ax, points, groups, theme, family, dark=dark)


def _write_scale(
    ax: Axes, coloring: Coloring, theme: dict[str, str], family: list[str], *, dark: bool
) -> None:
    """Draw the legend of numbers or times: steps lie everywhere, so none has a place of its own."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.lines import Line2D

    dots = [
        Line2D(
            [], [], linestyle="", marker="o", markersize=6,
            color=group.dark_color if dark else group.color,
            label=f"{drawable(group.name, family)} ({group.count:,})",
        )
        for group in coloring.groups
    ]  # fmt: skip
    name = drawable(coloring.name, family)
    legend = ax.legend(
        handles=dots, title=name, loc="center left",
        bbox_to_anchor=(1.0, 0.5), frameon=False, labelcolor=theme["ink"],
        alignment="left", handletextpad=0.3,
        prop=FontProperties(family=family, size=8.5),
        title_fontproperties=FontProperties(size=9, **bold_font(name, family)),
    )  # fmt: skip
    legend.get_title().set_color(theme["ink"])
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)


def _write_names(
    ax: Axes,
    points: NDArray[np.floating],
    groups: list[Group],
    theme: dict[str, str],
    family: list[str],
    *,
    dark: bool,
) -> None:
    from matplotlib.patheffects import withStroke

    named = sorted((g for g in groups if not g.noise), key=lambda g: -g.count)
    if not named:
        return
    fontsize = 9.5 if len(named) <= 12 else 8.0 if len(named) <= 25 else 6.8
    written = [drawable(group.name, family) for group in named]
    texts = [
        ax.text(
            *group.spot,
            wrap_name(name, 18),
            ha="center",
            va="center",
            fontsize=fontsize,
            **bold_font(name, family),
            linespacing=1.05,
            color=_mix(group.dark_color if dark else group.color, theme["ink"], 0.6),
            path_effects=[withStroke(linewidth=2.6, foreground=theme["paper"], alpha=0.92)],
            parse_math=False,
            zorder=5,
            in_layout=False,
        )
        for group, name in zip(named, written, strict=True)
    ]
    figure = ax.get_figure(root=True)
    if figure is None:
        return
    # Widths are known only once the layout is: limits, aspect and title have their say.
    figure.draw_without_rendering()
    sizes = np.array([[b.width, b.height] for b in (t.get_window_extent() for t in texts)])
    anchors = ax.transData.transform([group.spot for group in named])
    box = ax.get_window_extent()
    places = place_boxes(
        anchors,
        sizes,
        (box.x0, box.y0, box.x1, box.y1),
        points=ax.transData.transform(points),
        counts=[group.count for group in named],
    )
    inverse = ax.transData.inverted()
    for text, group, place in zip(texts, named, places, strict=True):
        if place is None:
            text.remove()
            continue
        x, y = inverse.transform((place.x, place.y))
        text.set_position((x, y))
        if place.moved:
            ax.plot(
                [group.spot[0], x], [group.spot[1], y],
                color=theme["ink"], alpha=0.45, linewidth=0.7, zorder=4, solid_capstyle="round",
            )  # fmt: skip


def _theme_around(ax: Axes) -> dict[str, str]:
    """Return the colours for what is written outside of the axes, on the figure's own ground."""
    from matplotlib.colors import to_rgb

    figure = ax.get_figure(root=True)
    ground = (1.0, 1.0, 1.0) if figure is None else to_rgb(figure.get_facecolor())
    return DARK if np.dot(ground, (0.299, 0.587, 0.114)) < 0.5 else LIGHT


def _wrap_to_width(ax: Axes, text: str, fontsize: float) -> str:
    """Return a text in lines about as wide as the axes; letters are about half as wide as high."""
    figure = ax.get_figure(root=True)
    share, spec = ax.get_position().width, ax.get_subplotspec()
    if figure is not None and spec is not None and figure.get_layout_engine() is not None:
        # The layout is still to be made, and will give the axes about all of their column.
        share = 0.94 * len(spec.colspan) / spec.get_gridspec().ncols
    inches = share * (figure.get_size_inches()[0] if figure else 6)
    return textwrap.fill(text, max(30, int(inches * 72 / (fontsize * 0.52))))


def _mix(a: str, b: str, share: float) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    mixed = (1 - share) * np.array(to_rgb(a)) + share * np.array(to_rgb(b))
    return (float(mixed[0]), float(mixed[1]), float(mixed[2]))
