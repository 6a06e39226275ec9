from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from toolkit.cluster import term_matrix, word_blocks
from toolkit.cluster.terms import count_terms
from toolkit.cluster.tokenizer import tokenize
from toolkit.datasets import load
from toolkit.errors import InputTypeError, UsageError

ODD = [
    "a\u00a0b cc\u3000dd",
    "Σ ΟΔΟΣ ΟΔΟΣ, x",
    "don’t ｶﾀ ｶﾅ",
    "C++ 3.5 R&D 1,000",
    "\x1cfoo\x1dbar \u0301abc",
    "",
    "___ __",
    "可持续发展 GmbH น้ำสะอาด",
]
pieces = st.sampled_from(
    [*" \t\n\u00a0\u3000\x1c\u2028'’.,+#&_", "ab", "C", "7", "Σ", "Ａ", "水", "น้ำ"]
)
documents = st.lists(st.one_of(st.lists(pieces, max_size=12).map("".join), st.text(max_size=20)))


def as_counters(found):
    rows = found.counts.toarray()
    return [
        Counter({str(t): int(n) for t, n in zip(found.terms, row, strict=True) if n})
        for row in rows
    ]


@settings(max_examples=200, deadline=None)
@given(documents)
def test_counts_are_those_of_the_words_of_each_whole_text(texts):
    assert as_counters(count_terms(texts, min_df=1)) == [Counter(tokenize(t)) for t in texts]


def test_odd_texts_have_the_words_they_have_alone():
    assert as_counters(count_terms(ODD, min_df=1)) == [Counter(tokenize(t)) for t in ODD]


@pytest.mark.parametrize("limits", [{}, {"min_df": 1}, {"max_terms": 50}])
def test_a_tokenizer_that_does_the_same_makes_the_same_counts(limits):
    texts = [*ODD, *load("udhr").data[::9], *load("sdg").data[:50]]
    found = count_terms(texts, **limits)
    theirs = count_terms(texts, tokenizer=lambda text: tokenize(text), **limits)
    assert list(found.terms) == list(theirs.terms)
    assert (found.counts != theirs.counts).nnz == 0


@pytest.mark.parametrize("name", ["sdg", "assist_intents", "udhr"])
@pytest.mark.parametrize("limits", [{"min_df": 2}, {"min_df": 0.01, "max_df": 0.5}])
def test_limits_mean_what_they_mean_to_scikit_learn(name, limits):
    texts = list(load(name).data)
    found = count_terms(texts, **limits)
    theirs = CountVectorizer(analyzer=tokenize, **limits)
    counts = theirs.fit_transform(texts)
    assert list(found.terms) == list(theirs.get_feature_names_out())
    assert (found.counts != counts).nnz == 0
    assert found.counts.dtype == np.int32


def test_the_most_frequent_terms_are_kept_and_of_equal_ones_the_first():
    found = count_terms(["bb cc aa", "bb cc aa", "cc dd dd dd dd"], min_df=1, max_terms=3)
    assert list(found.terms) == ["aa", "cc", "dd"]


@pytest.mark.parametrize("at_once", [1, 2, 1024])
def test_terms_are_left_out_in_any_block(monkeypatch, at_once):
    monkeypatch.setattr(word_blocks, "CHARACTERS_AT_ONCE", at_once)
    monkeypatch.setattr(term_matrix, "_ROWS_AT_ONCE", at_once)
    texts = ["bb aa", "once", "", "aa aa cc", "cc never bb again", "rare", "bb"]
    found = count_terms(texts)
    assert list(found.terms) == ["aa", "bb", "cc"]
    kept = [[word for word in text.split() if word in ("aa", "bb", "cc")] for text in texts]
    assert as_counters(found) == [Counter(words) for words in kept]


def test_texts_without_words_have_no_terms():
    found = count_terms(["", "!", "a"], min_df=1)
    assert found.counts.shape == (3, 0)
    assert found.terms.shape == (0,)
    assert count_terms([]).counts.shape == (0, 0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ngram_range": 2}, "ngram_range=2 is not the fewest and most"),
        ({"ngram_range": (2, 1)}, "ngram_range"),
        ({"ngram_range": (1, 2.5)}, "ngram_range"),
        ({"min_df": -1}, "min_df=-1 is neither"),
        ({"min_df": 1.5}, "min_df=1.5 is neither"),
        ({"max_df": "all"}, "max_df='all' is neither"),
        ({"max_terms": 0}, "max_terms=0 is not a whole number"),
        ({"tokenizer": None}, "tokenizer=None cannot be called"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(wrong, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        count_terms(["blue sea", "blue hill"], **wrong)


@pytest.mark.parametrize("texts", ["a single text", [1, 2]])
def test_what_are_no_texts_is_refused(texts):
    with pytest.raises(InputTypeError):
        count_terms(texts)
