"""Several labels for a text: cells, lists or an indicator matrix, checked once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.embedding.texts import is_missing
from toolkit.errors import DataError, UsageError

__all__ = [
    "LabelSets",
    "as_label_sets",
    "cell_of_labels",
    "choose_separator",
    "join_labels",
    "rarest_labels",
    "split_labels",
]

SEPARATORS = (";", "|", ", ", "\t", "\n")
"""What may stand between labels, the first that is in none of them."""

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class LabelSets:
    """Which labels each text has.

    Parameters
    ----------
    Y : ndarray of shape (n, n_labels), bool
        Whether row i has label j.
    labels : ndarray of shape (n_labels,), object
        The sorted labels, as text.
    separator : str
        What stands between them in a cell.
    """

    Y: NDArray[np.bool_]
    labels: NDArray[Any]
    separator: str

    def joined(self) -> list[str]:
        """Return the labels of each row as a cell."""
        return join_labels(self.Y, self.labels, self.separator)


def split_labels(cell: str, separator: str) -> tuple[str, ...]:
    """Return the labels of a cell, without the spaces around them and without repetitions.

    Examples
    --------
    >>> split_labels("sea; land ;sea;", ";")
    ('sea', 'land')
    >>> split_labels(";", ";")
    ()
    """
    parts = (part.strip() for part in cell.split(separator))
    return tuple(dict.fromkeys(part for part in parts if part))


def join_labels(Y: NDArray[Any], labels: NDArray[Any], separator: str) -> list[str]:
    """Return the labels of each row as a cell.

    Examples
    --------
    >>> join_labels(np.array([[1, 1], [0, 0]]), np.array(["a", "b"], dtype=object), ";")
    ['a;b', '']
    """
    return [separator.join(str(labels[j]) for j in np.flatnonzero(row)) for row in Y]


def cell_of_labels(separator: str) -> Callable[[Any], str]:
    """Return what makes a cell of a value: JSON Lines and Parquet may hold lists of labels.

    Examples
    --------
    >>> cell_of_labels(";")(["a", "b"]), cell_of_labels(";")("a;b"), cell_of_labels(";")([])
    ('a;b', 'a;b', ';')
    """
    _check_separator(separator)

    def convert(value: Any) -> str:
        if not _is_collection(value):
            return str(value)
        parts = [str(part) for part in value]
        if held := [part for part in parts if separator in part]:
            raise DataError(
                f"the label {held[0]!r} contains the separator {separator!r}; choose another"
            )
        return separator.join(parts) or separator

    return convert


def as_label_sets(
    y: Any, n_rows: int, *, separator: str | None = None, training: bool = True
) -> LabelSets:
    """Return label sets as a matrix, or say what is wrong with them.

    Parameters
    ----------
    y : sequence of str, sequence of collections of labels, or matrix of shape (n_rows, n_labels)
        Cells with a ``separator`` between labels; lists, tuples or sets; or an indicator matrix
        of 0 and 1 (also as a list of lists), of which a frame brings the names. A row without
        labels is an empty list, or a cell that holds the separator alone: an empty cell is a
        missing one.
    n_rows : int
        How many there have to be.
    separator : str, optional
        What stands between the labels of a cell, and between those of a prediction. Needed for
        cells.
    training : bool, default=True
        Whether there must be enough to learn from: two labels, and the separator in some cell.

    Returns
    -------
    LabelSets

    Raises
    ------
    DataError
        If their number differs, some are missing, or there are fewer than two labels.
    UsageError
        If the separator is missing, empty, or in no cell.

    Examples
    --------
    >>> found = as_label_sets(["sea;land", "sea"], 2, separator=";")
    >>> found.labels.tolist(), found.Y.tolist()
    (['land', 'sea'], [[True, True], [False, True]])
    >>> as_label_sets([{"sea", "land"}, []], 2).joined()
    ['land;sea', '']
    """
    if separator is not None:
        _check_separator(separator)
    if isinstance(y, str | bytes):
        raise DataError(f"labels must be one set per text, not a single {type(y).__name__}")
    if hasattr(y, "columns") or getattr(y, "ndim", 1) == 2:
        return _from_matrix(y, n_rows, separator, training)
    rows: list[Any] = list(y if hasattr(y, "__iter__") else np.asarray(y))
    if len(rows) != n_rows:
        raise DataError(f"there are {n_rows} texts and {len(rows)} label sets")
    if _is_matrix(rows):
        return _from_matrix(np.asarray(rows), n_rows, separator, training)
    absent = [
        i
        for i, row in enumerate(rows)
        if not _is_collection(row) and (is_missing(row) or not str(row).strip())
    ]
    if absent:
        raise DataError(
            f"{len(absent)} of {n_rows} rows have no labels (positions {_first(absent)}); leave "
            "them out, or, if none of the labels fits, give an empty list, or a cell that is the "
            "separator alone"
        )
    sets = [_labels_of(row, at, separator) for at, row in enumerate(rows)]
    names = sorted({label for row in sets for label in row})
    place = {name: j for j, name in enumerate(names)}
    Y = np.zeros((n_rows, len(names)), dtype=bool)
    for i, row in enumerate(sets):
        Y[i, [place[label] for label in row]] = True
    cells = any(isinstance(row, str) for row in rows)
    if (
        training
        and cells
        and separator is not None
        and not any(separator in str(row) for row in rows)
    ):
        raise UsageError(
            f"no label has the separator {separator!r} in it (the first: {str(rows[0])!r}); give "
            "the one that stands between labels, or none where each text has one label"
        )
    return _checked(Y, names, separator, training)


def rarest_labels(Y: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rarest label of each row, -1 for rows without any.

    Rows dealt out by it deal out every label in proportion, the rare ones most carefully (as the
    iterative stratification of Sechidis, Tsoumakas and Vlahavas 2011 does, one label at a time).

    Examples
    --------
    >>> rarest_labels(np.array([[1, 1], [1, 0], [0, 0]], dtype=bool)).tolist()
    [1, 0, -1]
    """
    counts = np.where(Y, Y.sum(axis=0), len(Y) + 1)
    rarest: NDArray[np.int64] = np.where(Y.any(axis=1), counts.argmin(axis=1), -1)
    return rarest


def choose_separator(labels: Iterable[str]) -> str:
    r"""Return a separator that is in none of the labels.

    Examples
    --------
    >>> choose_separator(["a", "b"]), choose_separator(["a;b"])
    (';', '|')
    """
    listed = list(labels)
    for separator in SEPARATORS:
        if not any(separator in label for label in listed):
            return separator
    raise UsageError(
        "the labels contain every usual separator; rename some, or give a separator that is in none"
    )


def _labels_of(row: Any, at: int, separator: str | None) -> Sequence[str]:
    if isinstance(row, str):
        if separator is None:
            raise UsageError(
                f"the labels at position {at} are one text ({row[:80]!r}); say what stands between "
                "labels (label_separator=';'), or give lists of labels"
            )
        return split_labels(row, separator)
    if not _is_collection(row):
        if separator is None:
            raise DataError(
                f"the labels at position {at} are of type {type(row).__name__}; give a list of "
                "labels for each text"
            )
        return split_labels(str(row), separator)
    found = []
    for label in row:
        if is_missing(label) or not str(label).strip():
            raise DataError(f"position {at} has an empty label among its labels")
        found.append(str(label))
    return found


def _from_matrix(y: Any, n_rows: int, separator: str | None, training: bool) -> LabelSets:
    dense = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    if len(dense) != n_rows:
        raise DataError(f"there are {n_rows} texts and {len(dense)} rows of labels")
    try:
        numbers = dense.astype(np.float64)
    except (TypeError, ValueError):
        numbers = np.full(dense.shape, np.nan)
    if not np.isin(numbers, (0, 1)).all():
        at = np.argwhere(~np.isin(numbers, (0, 1)))[0]
        raise DataError(
            f"a matrix of labels holds 0 and 1, and row {at[0]}, column {at[1]} is "
            f"{dense[at[0], at[1]]!r}; for lists of labels, give a list of lists"
        )
    names = [str(name) for name in getattr(y, "columns", range(dense.shape[1]))]
    if len(set(names)) < len(names):
        raise DataError("two columns of the labels have the same name")
    return _checked(numbers.astype(bool), names, separator, training)


def _checked(
    Y: NDArray[np.bool_], names: list[str], separator: str | None, training: bool
) -> LabelSets:
    if not len(Y):
        raise DataError("there are no rows to train on")
    if training and len(names) < 2:
        found = f"1 class, {names[0]!r}" if names else "0 classes"
        raise DataError(f"the labels hold {found}: several labels per text need two or more")
    if separator is None:
        separator = choose_separator(names)
    elif held := [name for name in names if separator in name]:
        raise UsageError(f"the label {held[0]!r} contains the separator {separator!r}")
    return LabelSets(Y, np.array(names, dtype=object), separator)


def _is_matrix(rows: Sequence[Any]) -> bool:
    """Return whether lists are rows of an indicator matrix: equally long, and 0 and 1 alone."""
    kinds = (list, tuple, np.ndarray)
    if not all(isinstance(row, kinds) and len(row) == len(rows[0]) > 1 for row in rows):
        return False
    numbers = (int, bool, np.integer, np.bool_)
    return all(isinstance(cell, numbers) and cell in (0, 1) for row in rows for cell in row)


def _check_separator(separator: str) -> None:
    if not isinstance(separator, str) or not separator or separator.isalnum():
        raise UsageError(
            f"{separator!r} cannot separate labels; give a character that is in none of them, "
            "such as ';' or '|'"
        )


def _is_collection(value: Any) -> bool:
    # A cell of a polars column of lists is a Series.
    return isinstance(value, list | tuple | set | frozenset | np.ndarray) or hasattr(
        value, "to_list"
    )


def _first(positions: Sequence[int]) -> str:
    shown = ", ".join(str(p) for p in positions[:_SHOWN])
    return shown + (", ..." if len(positions) > _SHOWN else "")
