"""Fonts of a matplotlib drawing: which there are, and what to write where none has a sign."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import groupby
from typing import Any

from toolkit.typography import INVISIBLE

__all__ = ["bold_font", "drawable", "font_families"]

# Families with the scripts of the world, tried in order for each character.
_FONTS = (
    "Noto Sans", "DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Arabic",
    "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Tamil", "Noto Sans Thai",
    "Arial Unicode MS", "Noto Emoji",
)  # fmt: skip
# Made to show a box for every character, or for formulas: there other signs stand at the places.
_UNFIT = re.compile("last ?resort|adobe blank|unifont|^cm[a-z]+[0-9]+$|^stix", re.IGNORECASE)
_WEIGHTS = (400, "normal", 700, "bold")
_REGIONAL_A = 0x1F1E6


def font_families(text: str = "") -> list[str]:
    """Return the installed families to write a text with, in the order to try them.

    Parameters
    ----------
    text : str, default=""
        Everything that will be written. For a sign that none of the usual families has, any
        installed one that has it is added.

    Returns
    -------
    list of str
        Only installed ones: naming an absent one makes matplotlib warn.
    """
    from matplotlib import font_manager, rcParams

    installed = set(font_manager.get_font_names())
    default: list[Any] = [name for name in rcParams["font.sans-serif"] if name in installed]
    families = list(dict.fromkeys([*default[:1], *(f for f in _FONTS if f in installed)])) or [
        "sans-serif"
    ]
    for character in sorted(_missing(text, families)):
        if not any(_has(family, character) for family in families):
            found = _family_with(character)
            if found is not None:
                families.append(found)
    return families


def drawable(text: str, families: list[str]) -> str:
    r"""Return a text in which no sign would be drawn as an empty box.

    Emoji that no font has are written by name, flags by their letters, letters of a script that
    no font has by the name of the script; what cannot be seen anyway is left out. (Fonts of
    coloured emoji are pictures, which matplotlib cannot draw.)

    Parameters
    ----------
    text : str
        Any text.
    families : list of str
        As :func:`font_families` returns them.

    Returns
    -------
    str

    Examples
    --------
    >>> drawable("Party \U0001f389", ["DejaVu Sans"])
    'Party [party popper]'
    """
    missing = _missing(text, families)
    if not missing:
        return text
    parts = []
    for kind, run in groupby(text, key=lambda c: _kind(c) if c in missing else ""):
        characters = "".join(run)
        if kind == "":
            parts.append(characters)
        elif kind == "flag":
            parts.append("".join(chr(ord(c) - _REGIONAL_A + ord("A")) for c in characters))
        elif kind == "letter":
            script = unicodedata.name(characters[0], "unknown script").split()[0].lower()
            parts.append(f"[{script}]")
        elif kind == "sign":
            named = [unicodedata.name(c, f"U+{ord(c):04X}") for c in characters]
            parts += [f"[{n if n.startswith('U+') else n.lower()}]" for n in named]
    return "".join(parts)


def bold_font(text: str, families: list[str]) -> dict[str, Any]:
    """Return family and weight to write a text with: bold, where fonts with its signs are.

    matplotlib complains of each family that is asked for a weight it does not have, needed or not.

    Parameters
    ----------
    text : str
        As :func:`drawable` returns it.
    families : list of str
        As :func:`font_families` returns them.

    Returns
    -------
    dict
        ``family`` and ``weight``, as matplotlib's texts and font properties take them.

    Examples
    --------
    >>> bold_font("Water", ["DejaVu Sans"])
    {'family': ['DejaVu Sans'], 'weight': 'bold'}
    """
    bold = [family for family in families if _has_bold(family)]
    if bold and not (_missing(text, bold) - _missing(text, families)):
        return {"family": bold, "weight": "bold"}
    return {"family": families, "weight": "normal"}


@cache
def _has_bold(family: str) -> bool:
    from matplotlib.font_manager import fontManager

    weights = {
        entry.weight
        for entry in fontManager.ttflist
        if entry.name == family and entry.style == "normal"
    }
    # "sans-serif" is no family but a wish for one; matplotlib's own has a bold face.
    return not weights or not weights.isdisjoint(_WEIGHTS[2:])


def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if character in INVISIBLE or category in ("Cc", "Cf", "Cs", "Mn", "Me"):
        return "unseen"
    if 0 <= ord(character) - _REGIONAL_A < 26:
        return "flag"
    if "\U0001f3fb" <= character <= "\U0001f3ff":
        return "unseen"  # the skin of the emoji before it
    return "letter" if category[0] in "LM" else "sign"


def _missing(text: str, families: list[str]) -> set[str]:
    return {
        character
        for character in set(text)
        if not character.isspace() and not any(_has(family, character) for family in families)
    }


@cache
def _has(family: str, character: str) -> bool:
    """Return whether a family has a glyph for a character, in both weights that are used."""
    return all(font.get_char_index(ord(character)) for font in _faces(family))


@cache
def _faces(family: str) -> list[Any]:
    """Return the upright faces of a family in the two weights that are used."""
    from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

    files: dict[str, None] = {}
    for entry in fontManager.ttflist:
        if entry.name == family and entry.style == "normal" and entry.weight in _WEIGHTS:
            files[entry.fname] = None
    if not files:
        # A light face alone, or "sans-serif", which is no family but a wish for one.
        named = [entry.fname for entry in fontManager.ttflist if entry.name == family]
        files[named[0] if named else findfont(FontProperties(family=[family]))] = None
    return [get_font(name) for name in files]


@cache
def _family_with(character: str) -> str | None:
    """Return an installed family that has a character: by name, first of those with a bold face."""
    from matplotlib.font_manager import fontManager

    bold = {entry.name for entry in fontManager.ttflist if entry.weight in _WEIGHTS[2:]}
    names = {entry.name for entry in fontManager.ttflist if not _UNFIT.search(entry.name)}
    for name in sorted(names, key=lambda name: (name not in bold, name)):
        if _has(name, character):
            return name
    return None
