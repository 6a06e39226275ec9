"""One policy for every kind of collection, and one error that names positions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from toolkit.embedding.texts import check_texts
from toolkit.errors import InputTypeError, MissingTextError

TEXTS = ["a", "bb", "", "naïve 😀"]

MAKERS = {
    "list": list,
    "tuple": tuple,
    "generator": lambda x: (t for t in x),
    "dict view": lambda x: dict(enumerate(x)).values(),
    "object array": lambda x: np.array(x, dtype=object),
    "str array": np.array,
    "StringDType": lambda x: np.array(x, dtype=np.dtypes.StringDType()),
    "column array": lambda x: np.array(x, dtype=object)[:, None],
    "list of rows": lambda x: [[t] for t in x],
    "pandas object": lambda x: pd.Series(x, dtype=object),
    "pandas string": lambda x: pd.Series(x, dtype="string"),
    "pandas default": pd.Series,
    "pandas category": lambda x: pd.Series(x, dtype="category"),
    "pandas pyarrow": lambda x: pd.Series(x, dtype="string[pyarrow]"),
    "pandas frame": lambda x: pd.DataFrame({"text": x}),
    "pandas shuffled index": lambda x: pd.Series(x, index=[3, 1, 0, 2]),
    "pandas index": pd.Index,
    "polars series": pl.Series,
    "polars frame": lambda x: pl.DataFrame({"text": x}),
    "polars lazy": lambda x: pl.LazyFrame({"text": x}),
    "polars category": lambda x: pl.Series(x, dtype=pl.Categorical),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_every_collection_gives_the_same_texts(make):
    checked = check_texts(make(TEXTS))
    assert checked.texts == TEXTS
    assert all(type(text) is str for text in checked.texts)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x,
        lambda x: np.array(x, dtype=object),
        lambda x: pd.Series(x, dtype=object),
        lambda x: pd.Series(x, dtype="string"),
        lambda x: pd.Series(x, dtype="category"),
        pl.Series,
    ],
)
def test_missing_texts_are_named_by_position(make):
    with pytest.raises(MissingTextError, match=r"2 of 4 texts are missing.*positions 1, 3") as e:
        check_texts(make(["a", None, "b", None]))
    assert e.value.positions == (1, 3)
    checked = check_texts(make(["a", None, "b", None]), missing="empty")
    assert (checked.texts, checked.missing) == (["a", "", "b", ""], (1, 3))


@pytest.mark.parametrize(
    "absent", [None, np.nan, float("nan"), np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT")]
)
def test_every_kind_of_missing(absent):
    with pytest.raises(MissingTextError, match="at position 1"):
        check_texts(["a", absent])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("one string", r"single str; pass a list of texts, for example \[text\]"),
        (b"bytes", "single bytes"),
        ({"a": 1}, "dict"),
        ({"a", "b"}, "set, which has no order"),
        (5, "int; pass a collection"),
        (None, "NoneType; pass a collection"),
        (np.array("text"), "single value"),
        (np.zeros((3, 2)), "array of numbers"),
        (np.array([["a", "b"]]), "2 columns"),
        ([["a", "b"], ["c", "d"]], "2 columns"),
        (np.array([[["a"]]]), "3 dimensions"),
        (sparse.csr_array(np.eye(2)), "sparse"),
        (pd.DataFrame({"id": ["1"], "text": ["a"]}), r"2 columns \(id, text\).*X\['id'\]"),
        (pl.DataFrame({"id": ["1"], "text": ["a"]}), r"2 columns \(id, text\)"),
    ],
)
def test_what_is_no_collection_of_texts(wrong, words):
    with pytest.raises(InputTypeError, match=words):
        check_texts(wrong)


@pytest.mark.parametrize("value", [b"bytes", 5, 1.5, ["a"], True, object()])
def test_values_that_are_no_texts(value):
    with pytest.raises(InputTypeError, match=r"1 of 3 values are not texts .* position 1;"):
        check_texts(["a", value, "b"])


def test_bytes_get_a_hint():
    with pytest.raises(InputTypeError, match=r"decode\('utf-8'\)"):
        check_texts([b"a"])


def test_many_positions_are_counted_not_listed():
    with pytest.raises(MissingTextError, match=r"0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 90 more"):
        check_texts([None] * 100)


def test_index_and_name_are_kept():
    series = pd.Series(["a", "b"], index=["x", "y"], name="text")
    checked = check_texts(series)
    assert list(checked.index) == ["x", "y"]
    assert checked.name == "text"


def test_nothing():
    assert check_texts([]).texts == []
    assert check_texts(pd.Series([], dtype=object)).texts == []
