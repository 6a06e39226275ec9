from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.cluster import tokenize
from toolkit.typography import (
    NOTHING_VISIBLE,
    format_number,
    format_percent,
    is_visible,
    shorten,
)

UNSEEN = [
    "", " \t\n", "\u200b", "\u200d\ufe0f", "\u202e\u2066\u2069", "\u00ad", "\ufeff", "\x00\x07",
    "\u3164\uffa0", "\u2800", "\u034f", "\U000e0101", "\U000e0041", "\ud800", "\u00a0\u3000",
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (-0.0, 2, "0.00"),
        (-0.004, 2, "0.00"),
        (-0.006, 2, "−0.01"),
        (np.float32(-0.25), 2, "−0.25"),
        (np.int64(-12345), 3, "−12,345"),
        (-1234.5, 1, "−1,234.5"),
        (0, 3, "0"),
        (float("nan"), 2, "–"),
        (np.float64("nan"), 2, "–"),
        (None, 2, "–"),
        (float("inf"), 2, "inf"),
    ],
)
def test_numbers(value: float | None, digits: int, written: str) -> None:
    assert format_number(value, digits) == written


def test_differences_have_their_sign_and_nothing_has_none() -> None:
    assert [format_number(v, 2, sign=True) for v in (0.1, -0.1, 0.001, -0.001, 0.0, 3, -3, 0)] == [
        "+0.10", "−0.10", "0.00", "0.00", "0.00", "+3", "−3", "0",
    ]  # fmt: skip
    assert format_percent(-0.2, 1) == "−20.0%"
    assert format_percent(1) == "100%"


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_number_reads_back_and_zero_is_never_negative(value: float, digits: int) -> None:
    written = format_number(value, digits)
    assert "-" not in written
    back = float(written.replace("−", "-").replace(",", ""))
    assert back == pytest.approx(value, abs=0.51 * 10**-digits + 1e-6)
    assert not (written.startswith("−") and back == 0)


@pytest.mark.parametrize("text", UNSEEN)
def test_what_cannot_be_seen_is_told_and_is_no_word(text: str) -> None:
    assert not is_visible(text)
    assert shorten(text) == NOTHING_VISIBLE
    assert is_visible(f"{text}a")
    assert tokenize(f"{text}{text} {text}") == []


@pytest.mark.parametrize(
    "text", ["a", "é", "e\u0301", "👍🏽", "❤\ufe0f", "\U0001fae8", "\ue000", "ｶ", "."]
)
def test_what_can_be_seen(text: str) -> None:
    assert is_visible(text)


def test_what_follows_an_emoji_is_no_part_of_the_next_word() -> None:
    assert tokenize("❤\ufe0flove 👩\u200d👩\u200d👧family") == ["love", "family"]
    # Joiners inside a word belong to it.
    assert tokenize("می\u200cخواهم") == ["می\u200cخواهم"]


@given(st.text(), st.integers(4, 80))
def test_a_shortened_text_is_one_line_of_the_length_asked_for(text: str, limit: int) -> None:
    found = shorten(text, limit)
    assert len(found) <= max(limit, len(NOTHING_VISIBLE))
    assert "\n" not in found
    assert is_visible(found)


def test_a_cut_leaves_characters_whole() -> None:
    family = "👩\u200d👩\u200d👧"
    assert shorten("abc" + family * 5, 8) in {"abc" + family + "…", "abc…"}
    assert shorten("e\u0301" * 20, 8) == "e\u0301" * 3 + "…"
    assert shorten("a" * 10_000_000, 20) == "a" * 19 + "…"
    assert shorten("\u200b" * 5_000 + "seen") == "…"
