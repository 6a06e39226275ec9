from __future__ import annotations

import warnings

import numpy as np
import pytest

from toolkit.visualize import EmbeddingMapDisplay
from toolkit.visualize.fonts import _faces, _family_with, bold_font, drawable, font_families

plt = pytest.importorskip("matplotlib.pyplot")
ONE = ["DejaVu Sans"]  # comes with matplotlib, so what it lacks is the same everywhere


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Salt & pepper", "Salt & pepper"),
        ("Grinning \U0001f600", "Grinning \U0001f600"),
        ("\U0001f984\U0001f308 day", "[unicorn face][rainbow] day"),
        ("\U0001f984\U0001f3fd\ufe0f", "[unicorn face]"),
        ("\U0001f1eb\U0001f1ee", "FI"),
        ("\U00010330\U00010331\U00010332 text", "[gothic] text"),
        ("a\x00b\u202ec", "abc"),
    ],
)
def test_signs_without_a_glyph_are_written_in_words(text: str, written: str) -> None:
    # Fonts have glyphs for some of what cannot be seen, and those are blank.
    blank = str.maketrans("", "", "\u202e\ufe0f")
    assert drawable(text, ONE).translate(blank) == written


def test_an_installed_family_that_has_the_sign_is_added() -> None:
    usual = font_families()
    assert font_families("plain words") == usual
    assert font_families("\u2654 \U0001f984")[: len(usual)] == usual
    king = _family_with("\u2654")  # in a font that comes with matplotlib
    assert king is not None
    assert drawable("\u2654", [king]) == "\u2654"
    assert _family_with("\ue123\ufffe"[1]) is None


def test_bold_only_where_a_bold_font_has_the_signs() -> None:
    light = "STIXSizeFiveSym"  # comes with matplotlib, in one weight
    assert bold_font("Water", [*ONE, light]) == {"family": ONE, "weight": "bold"}
    usual = _faces(ONE[0])[0].get_charmap()
    only = next(chr(c) for c in _faces(light)[0].get_charmap() if c not in usual)
    assert bold_font(only, [*ONE, light]) == {"family": [*ONE, light], "weight": "normal"}


def test_no_box_is_ever_drawn(caplog: pytest.LogCaptureFixture) -> None:
    points = np.random.default_rng(0).normal(size=(80, 2)) + np.repeat(np.arange(8), 10)[:, None]
    names = [
        "\U0001f600 joy", "\U0001f984\U0001f308", "\U0001f44d\U0001f3fd", "\U0001fae8 shaking",
        "\u0634\u0643\u0631\u0627", "\u05e9\u05dc\u05d5\u05dd", "\U00010330\U00010331",
        "\ue000 \u210f",
    ]  # fmt: skip
    display = EmbeddingMapDisplay(
        points,
        labels=np.repeat(np.arange(8), 10),
        names=names,
        title="Party \U0001f389 \x00",
        columns={"\U0001f984 size": list(range(80))},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every glyph that is missing
        for color_by in (None, "\U0001f984 size"):
            figure = display.plot(color_by=color_by).figure_
            figure.canvas.draw()
            plt.close(figure)
    assert caplog.messages == []  # nor is any font asked for a weight that it lacks
