"""Pictures inside a page."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["picture"]


def picture(
    figure: Figure, alt: str, *, dark: Figure | None = None, kind: str = "svg", dpi: int = 144
) -> Markup:
    """Return a matplotlib figure as an ``<img>`` that needs no file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The picture.
    alt : str
        What it shows, for those who cannot see it.
    dark : matplotlib.figure.Figure, optional
        The same picture for a dark screen.
    kind : {"svg", "png"}, default="svg"
        Use ``"png"`` from a few thousand marks on.
    dpi : int, default=144
        Resolution of a PNG.

    Returns
    -------
    markupsafe.Markup

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> str(picture(Figure(figsize=(1, 1)), "nothing yet"))[:29]
    '<img src="data:image/svg+xml;'
    """
    image = Markup('<img src="{}" alt="{}">').format(_address(figure, kind, dpi), alt)
    if dark is None:
        return image
    return Markup(
        '<picture><source media="(prefers-color-scheme: dark)" srcset="{}">{}</picture>'
    ).format(_address(dark, kind, dpi), image)


def _address(figure: Figure, kind: str, dpi: int) -> str:
    buffer = BytesIO()
    # A date in the file would make two runs differ.
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata, bbox_inches="tight")
    mime = "image/svg+xml" if kind == "svg" else "image/png"
    return f"data:{mime};base64,{b64encode(buffer.getvalue()).decode()}"
