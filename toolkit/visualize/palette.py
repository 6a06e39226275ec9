"""Fifty colours that stay apart, also for colour-blind eyes, on white and on black.

The colours were chosen greedily from the sRGB cube, each the farthest (in OKLab) from those
before it, where the distance of two colours is the least of their distances as seen by normal,
protanopic, deuteranopic and tritanopic eyes (Machado, Oliveira and Fernandes 2009, full
severity). Lightness was held between 0.42 and 0.80, so that each shows on light and on dark
paper, and chroma below 0.155, so that none shouts.

On dark paper each has a lighter partner: lifting only those that would sink put two violets on
one spot, so the partners were chosen in the same way, among colours of about the same hue (within
24 degrees) of lightness 0.53 to 0.88 that screens can show and whose contrast with the paper is 3
to 1: the farthest from the partners before it, less 0.3 times the distance from the colour itself.

Any first *k* of them are a good palette of *k*; ``tests/visualize/test_palette.py`` measures the
distances. No fifty colours can be told apart one by one: maps write the name at the place too, and
:func:`spread_colors` gives clusters that lie side by side colours that are far apart.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import UsageError

__all__ = ["NOISE", "PALETTE", "hex_color", "oklab", "on_dark", "scale_colors", "spread_colors"]

PALETTE: tuple[str, ...] = (
    "#3070af", "#df8728", "#a73868", "#00d7df", "#9797ff", "#006000", "#389f87", "#60308f",
    "#b7c778", "#877800", "#cf80bf", "#dfa7af", "#cf6058", "#7078df", "#783058", "#70bfff",
    "#68b768", "#9f5848", "#785887", "#9778a7", "#00a7d7", "#efaf28", "#5050af", "#9f3000",
    "#784840", "#008787", "#688760", "#484878", "#b78028", "#00c79f", "#206868", "#ef8f70",
    "#007838", "#b7879f", "#9fafdf", "#804097", "#8f6010", "#af6080", "#4087c7", "#588fef",
    "#9750a7", "#80bfc7", "#8f9f50", "#7860c7", "#609faf", "#cfa700", "#97b787", "#c78078",
    "#ff9797", "#af68bf",
)  # fmt: skip
"""Fifty colours, as ``#rrggbb``; the first *k* are the palette of *k* clusters."""

_ON_DARK: tuple[str, ...] = (
    "#4d8dce", "#feaf27", "#c13b44", "#3ee9ff", "#99abfd", "#8f9e53", "#4eb6a2", "#695dcf",
    "#c5e3a9", "#988218", "#d5a0cf", "#ecbbcb", "#fe7d85", "#8893fc", "#a25182", "#78ccfe",
    "#98d57a", "#bd6978", "#887ba5", "#b592c7", "#5bc0e2", "#e8dc53", "#7870e4", "#c55a53",
    "#8f6064", "#38a4a4", "#80a87e", "#75679f", "#cfa018", "#79d19b", "#538d84", "#fbb2a5",
    "#209458", "#c19fb8", "#bac7e4", "#9f5eb7", "#b18e1c", "#ca7898", "#5aa1e3", "#8ba0ff",
    "#bb6cc2", "#9edee3", "#afba5f", "#947ee8", "#77b6c7", "#d9c05e", "#aac686", "#dc9a9a",
    "#faa6af", "#d080e3",
)  # fmt: skip

NOISE = "#9aa0a3"
"""The grey of texts that belong to no cluster."""

_DARK_LIGHTNESS = 0.58

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def hex_color(color: str) -> str:
    """Return a colour, named in any way matplotlib knows, as ``#rrggbb``.

    Raises
    ------
    UsageError
        If it is none.

    Examples
    --------
    >>> hex_color("teal"), hex_color("#F80"), hex_color("#3070af")
    ('#008080', '#ff8800', '#3070af')
    """
    if re.fullmatch("#[0-9a-fA-F]{6}", str(color)):
        return str(color).lower()
    from matplotlib.colors import to_hex

    try:
        return str(to_hex(color))
    except ValueError:
        raise UsageError(
            f"{color!r} is no colour: give '#rrggbb' or a name such as 'teal' that matplotlib knows"
        ) from None


def linear_rgb(colors: tuple[str, ...]) -> NDArray[np.float64]:
    """Return colours as linear-light RGB, shape (n, 3), 0 to 1."""
    codes = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors]
    srgb = np.asarray(codes, dtype=np.float64).reshape(-1, 3) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def oklab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return linear RGB as OKLab (Ottosson 2020), where distances are about equally visible.

    Examples
    --------
    >>> oklab(linear_rgb(("#ffffff",))).round(2)[0, 0].item()
    1.0
    """
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T)


def on_dark(color: str) -> str:
    """Return a colour for dark paper: its partner, or, of one not in the palette, lightened.

    Examples
    --------
    >>> on_dark(PALETTE[0]), on_dark("#ffffff"), on_dark("#002000")
    ('#4d8dce', '#ffffff', '#61855e')
    """
    if color in PALETTE:
        return _ON_DARK[PALETTE.index(color)]
    lab = oklab(linear_rgb((color,)))[0]
    if lab[0] >= _DARK_LIGHTNESS:
        return color
    lab[0] = _DARK_LIGHTNESS
    return _hexadecimal(lab)


def scale_colors(k: int, *, dark: bool = False) -> list[str]:
    """Return the steps of one scale from low to high, for numbers and times.

    Lightness rises evenly in OKLab while the hue turns from violet over blue and green to yellow,
    so the order is seen by colour-blind eyes and in a black-and-white print, too.

    Parameters
    ----------
    k : int
        How many steps.
    dark : bool, default=False
        Whether for dark paper, on which low values need more light to be seen.

    Returns
    -------
    list of str, of length k

    Examples
    --------
    >>> scale_colors(3)
    ['#4f3b71', '#0099a2', '#d1c681']
    """
    low, high = (0.52, 0.92) if dark else (0.40, 0.82)
    share = np.linspace(0, 1, k) if k > 1 else np.array([0.5])
    hue = np.deg2rad(300 - 200 * share)
    # Less colour at the ends, where screens have none to give.
    chroma = 0.13 - 0.04 * np.abs(2 * share - 1)
    lab = np.stack([low + (high - low) * share, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    return [_hexadecimal(color) for color in lab]


def _hexadecimal(lab: NDArray[np.float64]) -> str:
    linear = np.clip(np.linalg.solve(_TO_LMS, np.linalg.solve(_TO_LAB, lab) ** 3), 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(float(value) * 255):02x}" for value in srgb)


def spread_colors(spots: NDArray[np.floating]) -> list[str]:
    """Return a colour for each place, neighbours far apart in colour.

    The first *k* colours of the palette are dealt out, then exchanged in pairs as long as that
    lowers the sum over pairs of 1 / (distance on the map x distance in colour). Beyond fifty,
    colours repeat.

    Parameters
    ----------
    spots : ndarray of shape (k, 2)
        Where the clusters are.

    Returns
    -------
    list of str, of length k

    Examples
    --------
    >>> import numpy as np
    >>> spread_colors(np.array([[0.0, 0.0]]))
    ['#3070af']
    >>> len(set(spread_colors(np.random.default_rng(0).normal(size=(50, 2)))))
    50
    """
    k = len(spots)
    colors = np.array([PALETTE[i % len(PALETTE)] for i in range(k)])
    # More than two hundred names cannot be told apart anyway; the exchange is cubic.
    if k < 3 or k > 200:
        return [str(color) for color in colors]
    scale = np.ptp(spots, axis=0).max() or 1.0
    apart = np.linalg.norm(spots[:, None] - spots[None], axis=2) / scale + 0.05
    lab = oklab(linear_rgb(tuple(colors)))
    contrast = np.linalg.norm(lab[:, None] - lab[None], axis=2) + 0.02
    near, alike = 1 / apart**2, 1 / contrast
    np.fill_diagonal(near, 0)
    np.fill_diagonal(alike, 0)
    order = np.arange(k)
    for _ in range(8):
        improved = False
        for i in range(k - 1):
            # The change of the sum when i and j exchange their colours, for every j at once.
            a = alike[np.ix_(order, order)]
            cross = near @ a
            own = np.diag(cross)
            gain = cross[i] + cross[:, i] - own[i] - own + 2 * near[i] * a[i]
            gain[i] = 0
            j = int(np.argmin(gain))
            if gain[j] < -1e-9:
                order[[i, j]] = order[[j, i]]
                improved = True
        if not improved:
            break
    return [str(color) for color in colors[order]]
