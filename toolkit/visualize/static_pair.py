"""Two maps as one matplotlib drawing."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from toolkit.visualize.fonts import bold_font, drawable, font_families
from toolkit.visualize.static import DARK, LIGHT, draw_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toolkit.visualize.display import EmbeddingMapDisplay

__all__ = ["draw_pair"]


def draw_pair(
    maps: tuple[EmbeddingMapDisplay, EmbeddingMapDisplay],
    titles: tuple[str, str],
    *,
    title: str | None,
    caption: str,
    names: bool,
    color_by: str | None,
    dark: bool,
) -> Figure:
    """Draw two maps side by side, the caption under both."""
    import matplotlib.pyplot as plt
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    theme = DARK if dark else LIGHT
    engine = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)
    figure, axes = plt.subplots(1, 2, figsize=(14, 7.2), layout=engine)
    figure.set_facecolor(theme["paper"])
    family = font_families(f"{title or ''}{caption}")
    # Before the maps are drawn: names are placed for the room that is left.
    if title:
        drawn = drawable(title, family)
        figure.suptitle(
            textwrap.fill(drawn, 110), x=0.012, ha="left", color=theme["ink"], fontsize=14,
            parse_math=False, **bold_font(drawn, family),
        )  # fmt: skip
    figure.supxlabel(
        textwrap.fill(drawable(caption, family), 190), x=0.012, ha="left", fontsize=8.5,
        color=theme["muted"], fontfamily=family, parse_math=False,
    )  # fmt: skip
    # One colouring for both, or a category could have two colours.
    coloring = maps[0].coloring(color_by)
    for ax, one, name in zip(axes, maps, titles, strict=True):
        draw_map(
            ax,
            one.points,
            coloring.placed_on(one.points),
            title=name,
            caption="" if one.quality is None else str(one.quality),
            names=names,
            legend=ax is axes[1],
            dark=dark,
        )
    return figure
