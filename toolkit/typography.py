"""How numbers, names and texts are written where people read them, and in tables."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = [
    "INVISIBLE",
    "NOTHING_VISIBLE",
    "counted",
    "format_number",
    "format_percent",
    "format_share",
    "is_visible",
    "isolated",
    "positioned",
    "rounded",
    "shorten",
]

_DIGITS = 6
_POSITIONS = 10
MINUS = "\u2212"
NOTHING_VISIBLE = "(nothing visible)"
"""What stands in the place of a text that would look like an empty one."""

# Letters to Unicode, and yet blank: the Hangul fillers, and the pattern of Braille with no dot.
_BLANK = "\u115f\u1160\u3164\uffa0\u2800"
# Marks that change how the character before them is drawn, and draw nothing themselves.
_SELECTORS = "".join(chr(c) for c in (0x34F, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)))
INVISIBLE = "\u200c\u200d" + _BLANK + _SELECTORS + "".join(map(chr, range(0xE0100, 0xE01F0)))
"""Characters that can stand inside a word, and alone cannot be seen."""

# Not what is private or unknown to this Python: newer emoji are unknown to it, and are seen.
_UNSEEN = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf", "Cs"))
_ALSO = frozenset(INVISIBLE)


def format_number(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """Return a number for reading: integers with thousands, others with fixed digits.

    Parameters
    ----------
    value : number or None
        NaN and None are a dash.
    digits : int, default=3
        Decimals of a number that is no integer.
    sign : bool, default=False
        Whether a positive number gets a plus sign, as differences do.

    Returns
    -------
    str
        With the typographic minus sign; what rounds to zero has no sign.

    Examples
    --------
    >>> format_number(12345), format_number(0.77412), format_number(float("nan"))
    ('12,345', '0.774', '–')
    >>> format_number(-0.126, 2), format_number(-0.001, 2), format_number(0.02, 2, sign=True)
    ('−0.13', '0.00', '+0.02')
    """
    if value is None or value != value:
        return "–"
    plus = "+" if sign and value > 0 else ""
    if isinstance(value, int) or (hasattr(value, "dtype") and value.dtype.kind in "iu"):
        return f"{plus}{int(value):,}".replace("-", MINUS)
    # The format's "z" makes a number that rounds to -0.0 positive.
    written = f"{float(value):z,.{digits}f}"
    return (plus if written.strip("0.") else "") + written.replace("-", MINUS)


def format_percent(value: float | None, digits: int = 0) -> str:
    """Return a share as per cent.

    Examples
    --------
    >>> format_percent(0.253), format_percent(-0.004)
    ('25%', '0%')
    """
    return "–" if value is None or value != value else f"{format_number(100.0 * value, digits)}%"


def format_share(value: float | None, digits: int = 0) -> str:
    """Return a part of a whole as per cent; what is more than nothing is never 0%.

    Examples
    --------
    >>> format_share(0.253), format_share(0.004), format_share(0.0002, 1), format_share(0.0)
    ('25%', '<1%', '<0.1%', '0%')
    """
    written = format_percent(value, digits)
    some = value is not None and value > 0
    return "<" + written[:-2] + "1%" if some and not written.strip("0.%") else written


def counted(number: int, noun: str, many: str | None = None) -> str:
    """Return a number and what it counts, with commas and in the right form.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        The word for one.
    many : str, optional
        The word for several, where that is not ``noun`` with an s.

    Returns
    -------
    str

    Examples
    --------
    >>> counted(1, "text"), counted(2000, "text"), counted(0, "class", "classes")
    ('1 text', '2,000 texts', '0 classes')
    """
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def positioned(positions: Sequence[int]) -> str:
    """Return the first ten positions as a part of a sentence, and how many more there are.

    Examples
    --------
    >>> positioned([4]), positioned(range(2000))
    ('position 4', 'positions 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1,990 more')
    """
    word = "position" if len(positions) == 1 else "positions"
    more = len(positions) - _POSITIONS
    shown = ", ".join(map(str, positions[:_POSITIONS]))
    return f"{word} {shown}" + (f" and {more:,} more" if more > 0 else "")


def rounded(value: float | None) -> float | None:
    """Return a probability or similarity with six significant digits.

    Vectors are float32, which has about seven; what stands behind them is noise, and differs from
    machine to machine.

    Parameters
    ----------
    value : float or None
        The number; None where there is none.

    Returns
    -------
    float or None

    Examples
    --------
    >>> rounded(0.39142857142857146), rounded(1.0), rounded(None)
    (0.391429, 1.0, None)
    """
    return None if value is None else float(f"{float(value):.{_DIGITS}g}")


def is_visible(text: str) -> bool:
    r"""Return whether anything of a text can be seen.

    Spaces, controls, zero-width and direction characters, variation selectors and fillers
    cannot. A combining mark can.

    Examples
    --------
    >>> is_visible("\u200d\ufe0f \u202e"), is_visible("a\u200d"), is_visible("👍🏽")
    (False, True, True)
    """
    first = text[:1]
    if first.isascii() and first.isalnum():  # as of most texts: no need to read on
        return True
    return any(
        character not in _ALSO and unicodedata.category(character) not in _UNSEEN
        for character in text
    )


def isolated(text: str) -> str:
    """Return a text that cannot turn the sentence around it, if it runs right to left.

    Examples
    --------
    >>> isolated("water"), len(isolated("ماء"))
    ('water', 5)
    """
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return f"\u2068{text}\u2069"
    return text


def shorten(text: str, limit: int = 60) -> str:
    r"""Return a text in one line of at most so many characters, the last "…" if it was cut.

    Parameters
    ----------
    text : str
        Any text.
    limit : int, default=60
        Most characters. A character is not cut from its combining marks and joiners.

    Returns
    -------
    str
        ``"(nothing visible)"`` for a text of which nothing can be seen.

    Examples
    --------
    >>> shorten("sustainable cities", 12), shorten("cities"), shorten("\u200b")
    ('sustainable…', 'cities', '(nothing visible)')
    """
    # Ten megabytes need not be split to see the first words of them.
    head = text[: 8 * limit + 200]
    line = " ".join(head.split())
    if not is_visible(line):
        return NOTHING_VISIBLE if not is_visible(text) else "…"
    if len(line) <= limit and len(head) == len(text):
        return line
    end = min(limit - 1, len(line))
    while end > limit // 4 and end < len(line) and _continues(line[end - 1], line[end]):
        end -= 1
    return line[:end].rstrip(" ,;:") + "…"


def _continues(before: str, character: str) -> bool:
    """Return whether a character belongs to the one before it."""
    return (
        before == "\u200d"
        or character == "\u200d"
        or unicodedata.category(character)[0] == "M"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
