from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from toolkit.classify.multilabel.label_sets import (
    as_label_sets,
    cell_of_labels,
    join_labels,
    rarest_labels,
)
from toolkit.errors import DataError, ToolkitError, UsageError

SETS = [["b", "a"], [], ["a"], ["c", "b"]]
MATRIX = [[1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 1, 1]]


@pytest.mark.parametrize(
    "y",
    [
        SETS,
        [tuple(s) for s in SETS],
        [set(s) for s in SETS],
        [np.array(s, dtype=object) for s in SETS],
        pd.Series(SETS, index=[3, 1, 2, 0]),
        pl.Series(SETS),
        pd.DataFrame(MATRIX, columns=list("abc"), index=[3, 1, 2, 0]),
        pl.DataFrame(MATRIX, schema=list("abc"), orient="row"),
        pd.DataFrame(MATRIX, columns=list("abc")).astype(bool),
    ],
)
def test_every_form_is_the_same_matrix(y):
    found = as_label_sets(y, 4)
    assert found.labels.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(found.Y, np.array(MATRIX, dtype=bool))


def test_cells_and_bare_matrices():
    found = as_label_sets(["a; b", ";", "a", "c;b;b;"], 4, separator=";")
    np.testing.assert_array_equal(found.Y, np.array(MATRIX, dtype=bool))
    assert found.joined() == ["a;b", "", "a", "b;c"]
    for y in (np.array(MATRIX), sp.csr_matrix(MATRIX), MATRIX, [tuple(row) for row in MATRIX]):
        assert as_label_sets(y, 4).labels.tolist() == ["0", "1", "2"]


def test_hostile_labels_survive():
    names = ["<script>", "a\x00b", "\ud800", "🤖", "\u202eevil"]
    found = as_label_sets([names, names[:1]], 2)
    assert sorted(names) == found.labels.tolist()
    assert found.Y.sum() == 6


@pytest.mark.parametrize(
    ("y", "separator", "kind", "said"),
    [
        (["a;b", "a", ""], ";", DataError, r"1 of 3 rows have no labels \(positions 2\)"),
        (["a;b", None, float("nan")], ";", DataError, r"2 of 3 rows.*positions 1, 2"),
        (["a;b", "a", "b"], "|", UsageError, "no label has the separator '|'"),
        (["a;b", "a", "b"], None, UsageError, "say what stands between"),
        (["a;b", "a", "b"], "", UsageError, "cannot separate labels"),
        (["a;b", "a", "b"], "x", UsageError, "cannot separate labels"),
        ("abc", ";", DataError, "not a single str"),
        ([["a"], ["a"], []], None, DataError, "hold 1 class, 'a'"),
        ([["a"], ["b"]], None, DataError, "3 texts and 2 label sets"),
        ([["a"], ["b", None], ["b"]], None, DataError, "position 1 has an empty label"),
        ([["a;b"], ["b"], ["b"]], ";", UsageError, "contains the separator"),
        ([1, 2, 3], None, DataError, "position 0 are of type int"),
        (np.array([[0, 2], [1, 0], [1, 1]]), None, DataError, "row 0, column 1 is"),
        (np.array([["a", "b"]] * 3), None, DataError, "holds 0 and 1"),
        (np.ones((2, 2)), None, DataError, "3 texts and 2 rows"),
    ],
)
def test_mistakes_are_named(y, separator, kind, said):
    with pytest.raises(kind, match=said):
        as_label_sets(y, 3, separator=separator)


def test_cells_of_lists():
    convert = cell_of_labels(";")
    assert [convert(v) for v in (["a", "b"], "a;b", [], 3)] == ["a;b", "a;b", ";", "3"]
    with pytest.raises(ToolkitError, match="contains the separator"):
        convert(["a;b"])


def test_rows_are_told_by_their_rarest_label():
    Y = np.array(MATRIX, dtype=bool)
    assert rarest_labels(Y).tolist() == [0, -1, 0, 2]
    assert join_labels(Y[:1], np.array(list("abc"), dtype=object), "|") == ["a|b"]
