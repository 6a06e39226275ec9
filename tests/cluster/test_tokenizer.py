from __future__ import annotations

import re
import sys
import unicodedata

import pytest

from toolkit.cluster.tokenizer import (
    _beyond_plain,
    _kept,
    _marks,
    _patterns,
    fold,
    is_unspaced,
    tokenize,
)
from toolkit.datasets import load


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # Numbers, versions and names with signs.
        (
            "C++ or c++20, C# and F#; notepad++",
            ["c++", "or", "c++20", "c#", "and", "f#", "notepad++"],
        ),
        (
            "3.5% of 1,000,000 is 10.5kg in v1.2.3",
            ["3.5", "of", "1,000,000", "is", "10.5kg", "in", "v1.2.3"],
        ),
        ("end.Begin 5. Six, 7,8", ["end", "begin", "six", "7,8"]),
        ("R&D at AT&T, salt & pepper", ["r&d", "at", "at&t", "salt", "pepper"]),
        ("don't l’eau rock'n'roll 'quoted'", ["don't", "l'eau", "rock'n'roll", "quoted"]),
        ("a I x 1 _ __", []),
        ("snake_case low-income #tag @name", ["snake_case", "low", "income", "tag", "name"]),
        # Marks belong to their word: Devanagari, Tamil, Arabic with its vowels, Hebrew with points.
        ("हिन्दी में शिक्षा का अधिकार", ["हिन्दी", "में", "शिक्षा", "का", "अधिकार"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("مِنْ حَقِّ كلّ فرد،", ["مِنْ", "حَقِّ", "كلّ", "فرد"]),
        ("בְּרֵאשִׁית בָּרָא", ["בְּרֵאשִׁית", "בָּרָא"]),
        ("می‌خواهم", ["می\u200cخواهم"]),
        # Scripts without spaces, in pairs; beside others.
        ("可持续发展", ["可持", "持续", "续发", "发展"]),
        ("水。火", ["水", "火"]),
        ("iPhone手机 中文", ["iphone", "手机", "中文"]),
        ("शिक्षा中文", ["शिक्षा", "中文"]),
        ("日本語のｶﾀｶﾅ", ["日本", "本語", "語の", "のカ", "カタ", "タカ", "カナ"]),
        ("食べる", ["食べ", "べる"]),
        ("เด็กกินน้ำ 2563", ["เด็ก", "กกิ", "กิน", "นน้ำ", "2563"]),
        ("ສະບາຍດີ", ["ສະບາ", "ບາຍ", "ຍດີ"]),
        ("កម្ពុជា", ["កម្ពុ", "ម្ពុជា"]),
        ("모든 사람은", ["모든", "사람은"]),
        ("ＡＢＣ　１２", ["abc", "12"]),
        ("ÉCOLE e\u0301cole", ["école", "école"]),
        ("", []),
        ("🚀 ❤️", []),
    ],
)
def test_words_of_every_script(text: str, words: list[str]):
    assert tokenize(text) == words


def test_no_letter_of_the_declaration_is_lost_or_left_a_bare_mark():
    udhr = load("udhr")
    assert len(set(udhr.lang)) >= 20
    for text in udhr.data:
        words = tokenize(text)
        letters = {c for c in fold(text) if unicodedata.category(c)[0] == "L"}
        # Single letters are left out on purpose; every other must be in some word.
        single = {w for w in fold(text).split() if len(w) == 1}
        missing = letters - set("".join(words)) - single
        assert len(missing) <= 2, (text[:40], missing)
        assert all(unicodedata.category(word[0])[0] != "M" for word in words)


def test_unspaced_scripts_are_told():
    assert all(map(is_unspaced, ("中", "か", "カ", "ไ", "ລ", "ក", "မ")))
    assert not any(map(is_unspaced, ("a", "я", "ع", "ह", "한", "é", "5", "๕")))


def test_marks_are_those_of_all_planes() -> None:
    marks = {
        chr(c) for c in range(0x300, sys.maxunicode + 1) if unicodedata.category(chr(c))[0] == "M"
    }
    known = re.compile(f"[{_marks()}]")
    assert all(known.fullmatch(mark) for mark in marks)
    assert sum(len(part) for part in known.findall("".join(map(chr, range(0x20000))))) == sum(
        ord(mark) < 0x20000 for mark in marks
    )


@pytest.mark.parametrize(
    "name", ["sdg", "factbook", "assist_intents", "emoji_multilingual", "udhr"]
)
def test_plain_texts_have_the_same_words_by_the_short_way(name: str) -> None:
    word = _patterns()[0]
    plain = 0
    for text in map(fold, load(name).data):
        if _beyond_plain()[0 if text.isascii() else 1].search(text) is None:
            plain += 1
            assert tokenize(text) == _kept(word.findall(text))
    assert plain


@pytest.mark.parametrize(
    "text", ["a_b __ _x x_ 1_0", "x" * 10, "été naïve", "1. 2, 3.", "+ a+ b", ""]
)
def test_plain_oddities_have_the_same_words_by_the_short_way(text: str) -> None:
    assert _beyond_plain()[1].search(text) is None
    assert tokenize(text) == _kept(_patterns()[0].findall(text))
