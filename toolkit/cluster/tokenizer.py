r"""Words of any script.

The tokenizers in common use take English for granted: ``\b\w\w+\b`` breaks Hindi, Tamil and Thai
words at their vowel signs, keeps a whole Chinese or Japanese sentence as one word, and loses
"C++" and "3.5". This one assumes no language: it goes by Unicode's character properties alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import chain, pairwise

from toolkit.typography import INVISIBLE

__all__ = ["fold", "is_unspaced", "tokenize"]

# Blocks whose writing puts no spaces between words. Their digits and punctuation are left out.
_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003fffd"  # Han
    "\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # Kana
)
_SOUTH_EAST = (
    "\u0e01-\u0e3a\u0e40-\u0e4e",  # Thai
    "\u0e81-\u0eb0\u0eb1-\u0ebd\u0ec0-\u0ece\u0edc-\u0edf",  # Lao
    "\u1780-\u17d3\u17d7\u17dc\u17dd",  # Khmer
    "\u1000-\u103f\u1050-\u108f\u109a-\u109f",  # Burmese
)
_UNSPACED = _CJK + "".join(_SOUTH_EAST)

# Thai and Lao vowels written before their consonant, and those written after it in full width:
# letters to Unicode, but a reader does not cut a syllable there.
_LEADING = "\u0e40-\u0e44\u0ec0-\u0ec4"
_TRAILING = "\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3"
# Signs that stack the next consonant under the last one: Khmer coeng, Burmese virama.
_STACKING = "\u17d2\u1039"

# Marks are in the first two planes, and the variation selectors of plane 14. The other planes hold
# Han and private characters; looking at all million of them took a third of a second.
_END_OF_MARKS = 0x20000
_VARIATION_SELECTORS = range(0xE0100, 0xE01F0)

_WIDE = re.compile("[\uff01-\uffef]+")


_PLAIN = re.compile(r"\w\w+")


@cache
def _marks() -> str:
    r"""Return all of Unicode's combining marks as the inside of a character class.

    Python's ``\w`` has letters and digits but no marks.
    """
    ranges: list[list[int]] = []
    for code in chain(range(0x300, _END_OF_MARKS), _VARIATION_SELECTORS):
        if unicodedata.category(chr(code)).startswith("M"):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of words, of anything unspaced, of unspaced runs, and of their units."""
    # Zero-width joiner and non-joiner stand inside Persian and Indic words.
    letter = rf"(?:(?![{_UNSPACED}])[\w{_marks()}\u200c\u200d])"
    word = re.compile(
        rf"[^\W\d_]\+\+\d*(?!\w)|[^\W\d_]\#(?!\w)"  # C++, c++20, F#
        rf"|(?<!\w)[^\W\d_]{{1,2}}&[^\W\d_]{{1,2}}(?!\w)"  # R&D
        rf"|[^\W\d_]?\d+(?:[.,]\d+)+{letter}*"  # 3.5, 1,000, v1.2.3 and 10.5kg
        # A word, with apostrophes inside; and the "++" of others than C.
        rf"|{letter}+(?:['\u2019\u02bc]{letter}+)*(?:\+\+(?!\w))?"
    )
    runs = "|".join(rf"[{block}][{block}{_marks()}]*" for block in (_CJK, *_SOUTH_EAST))
    unit = (
        rf"[{_LEADING}]?[^{_marks()}{_TRAILING}{_LEADING}]"
        rf"(?:[{_STACKING}][\u1000-\u17ff]|[{_marks()}{_TRAILING}])*|."
    )
    return word, re.compile(rf"[{_UNSPACED}]"), re.compile(runs), re.compile(unit)


@cache
def _beyond_plain() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what a text has in it, if ASCII or not, whose words are not just runs of letters.

    Most texts have none of it, and their words are then found three times as fast.
    """
    signs = r"\+\+|[#&']|\d[.,]\d"
    beyond = rf"{signs}|[{_UNSPACED}{_marks()}{INVISIBLE}]"
    return re.compile(signs), re.compile(beyond)


def is_unspaced(text: str) -> bool:
    """Return whether a text has letters of a script that puts no spaces between words.

    Examples
    --------
    >>> is_unspaced("持続可能"), is_unspaced("sustainable")
    (True, False)
    """
    return not text.isascii() and _patterns()[1].search(text) is not None


def fold(text: str) -> str:
    """Return a text in the form its words are compared in.

    Lower case, Unicode's normal form C, full-width Latin and half-width Katakana in their usual
    width, and one kind of apostrophe.

    Examples
    --------
    >>> fold("Ｄｏｎ’ｔ ｶﾀｶﾅ")
    "don't カタカナ"
    """
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFC", text)
    # Compatibility normalisation of the whole text would take Thai sara am apart.
    text = _WIDE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return text.lower().replace("\u2019", "'").replace("\u02bc", "'")


def tokenize(text: str) -> list[str]:
    """Split a text into lower-case words, whatever its script.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        Words in their order. Han, Kana, Thai, Lao, Khmer and Burmese, which have no spaces between
        words, give overlapping pairs of characters (a vowel or tone sign stays with its
        consonant), which is what search engines do without a dictionary. A word of one letter is
        left out, as scikit-learn does.

    Notes
    -----
    Overlapping pairs: "Unicode Text Segmentation", UAX #29, says that these scripts need a
    dictionary; pairs go back to Lucene's ``CJKBigramFilter``. Texts are put into one form first
    (:func:`fold`).

    Examples
    --------
    >>> tokenize("Don't rewrite C++ 3.5 in F# - R&D says 1,000 reasons.")
    ["don't", 'rewrite', 'c++', '3.5', 'in', 'f#', 'r&d', 'says', '1,000', 'reasons']
    >>> tokenize("सतत विकास हिन्दी में")
    ['सतत', 'विकास', 'हिन्दी', 'में']
    >>> tokenize("可持续发展 GmbH")
    ['可持', '持续', '续发', '发展', 'gmbh']
    >>> tokenize("น้ำสะอาด")
    ['น้ำสะ', 'สะอา', 'อาด']
    """
    text = fold(text)
    if _beyond_plain()[0 if text.isascii() else 1].search(text) is None:
        found = _PLAIN.findall(text)
        return found if "_" not in text else _kept(found)
    word, unspaced, runs, unit = _patterns()
    if text.isascii() or unspaced.search(text) is None:
        return _kept(word.findall(text))
    tokens: list[str] = []
    end = 0
    for run in runs.finditer(text):
        tokens += _kept(word.findall(text[end : run.start()]))
        units = unit.findall(run[0])
        tokens += map("".join, pairwise(units)) if len(units) > 1 else units
        end = run.end()
    return tokens + _kept(word.findall(text[end:]))


def _kept(words: Iterable[str]) -> list[str]:
    kept = []
    for word in words:
        seen = word
        if not word.isascii():
            # What follows an emoji belongs to it, not to the word after it.
            word = word.lstrip(INVISIBLE)
            seen = word.strip(INVISIBLE)
        # A combining mark makes a word of one letter longer than one character.
        if len(word) > 1 and seen.strip("_"):
            kept.append(word)
    return kept
