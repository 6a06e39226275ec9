"""What can be a target: labels checked once, before anything costs time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.embedding.texts import is_missing
from toolkit.errors import DataError

__all__ = ["as_groups", "as_labels", "one_column", "plain"]

_SHOWN = 5
_MANY_CLASSES = 30


def as_labels(y: ArrayLike | Sequence[Any], n_rows: int) -> NDArray[Any]:
    """Return labels as an array of objects of one kind, or say what is wrong with them.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Strings, integers or booleans; a pandas or polars Series will do.
    n_rows : int
        How many there have to be.

    Returns
    -------
    ndarray of shape (n_rows,)
        Of dtype object for strings, int64 for integers, bool for booleans.

    Raises
    ------
    DataError
        If their number differs, some are missing, there is only one class, several labels share
        a row, or they are measurements rather than classes.

    Examples
    --------
    >>> as_labels(["yes", "no", "yes"], 3)
    array(['yes', 'no', 'yes'], dtype=object)
    >>> as_labels([1.0, 2.0, 1.0], 3)
    array([1, 2, 1])
    """
    labels = one_column(y, n_rows, "labels")
    # An empty string is what an empty cell becomes, and what an abstaining model answers.
    missing = [
        i
        for i, label in enumerate(labels)
        if is_missing(label) or (isinstance(label, str) and not label.strip())
    ]
    if missing:
        raise DataError(
            f"{len(missing)} of {n_rows} labels are missing or empty (positions "
            f"{_first(missing)}); label these rows or leave them out"
        )
    several = [i for i, label in enumerate(labels) if isinstance(label, list | tuple | set | dict)]
    if several:
        raise DataError(
            f"the label at position {several[0]} is a {type(labels[several[0]]).__name__}: "
            "several labels per text are trained by train_multilabel"
        )
    if all(isinstance(label, str) for label in labels):
        result: NDArray[Any] = np.array([str(label) for label in labels], dtype=object)
    elif all(isinstance(label, bool | np.bool_) for label in labels):
        result = np.array(labels, dtype=bool)
    elif all(isinstance(label, int | float | np.number) for label in labels):
        numbers = np.array(labels, dtype=np.float64)
        if not np.array_equal(numbers, np.round(numbers)):
            raise DataError(
                "the labels are fractions, which look like measurements and not like classes; "
                "bin them first (pandas.cut), or use a regressor in a Pipeline of your own"
            )
        result = numbers.astype(np.int64)
    else:
        kinds = sorted({type(label).__name__ for label in labels})
        found = f"of mixed types ({', '.join(kinds)})" if len(kinds) > 1 else f"of type {kinds[0]}"
        raise DataError(f"the labels are {found}; turn them all into strings")
    classes = np.unique(result)
    if len(classes) < 2:
        raise DataError(
            f"all {n_rows} rows have the label {classes[0]!r}: a classifier needs two or more "
            "classes"
            if n_rows
            else "there are no rows to train on"
        )
    if len(classes) == n_rows and n_rows > _MANY_CLASSES:
        raise DataError(
            f"each of the {n_rows} rows has a label of its own (the first: {labels[0]!r}); is "
            "this the right column?"
        )
    return result


def as_groups(groups: ArrayLike | Sequence[Any] | None, n_rows: int) -> NDArray[np.int64] | None:
    """Return groups as integers, or None.

    Raises
    ------
    DataError
        If their number differs or some are missing.

    Examples
    --------
    >>> as_groups(["b", "a", "b"], 3)
    array([1, 0, 1])
    """
    if groups is None:
        return None
    values = one_column(groups, n_rows, "groups")
    missing = [i for i, group in enumerate(values) if is_missing(group)]
    if missing:
        raise DataError(
            f"{len(missing)} of {n_rows} groups are missing (positions {_first(missing)}); a row "
            "of its own group can be given its row number"
        )
    names = {name: i for i, name in enumerate(sorted({str(group) for group in values}))}
    return np.array([names[str(group)] for group in values], dtype=np.int64)


def plain(label: Any) -> Any:
    """Return a label as a Python object."""
    return label.item() if isinstance(label, np.generic) else label


def one_column(values: ArrayLike | Sequence[Any], n_rows: int, what: str) -> list[Any]:
    """Return values as a list of one per row.

    Raises
    ------
    DataError
        If they are not one column, or not as many as there are rows.
    """
    if isinstance(values, str | bytes):
        raise DataError(f"{what} must be one per text, not a single {type(values).__name__}")
    frame: Any = values
    if hasattr(frame, "columns") and len(frame.columns) == 1:
        values = np.asarray(frame.to_numpy())  # df[["label"]], of pandas or polars
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if getattr(values, "ndim", 1) != 1 or hasattr(values, "columns"):
        raise DataError(
            f"{what} must be one column, and have the shape {getattr(values, 'shape', '?')}; "
            "several labels per text are trained by train_multilabel"
        )
    column: list[Any] = list(values)  # type: ignore[arg-type]
    if len(column) != n_rows:
        raise DataError(f"there are {n_rows} texts and {len(column)} {what}")
    return column


def _first(positions: Sequence[int]) -> str:
    shown = ", ".join(str(p) for p in positions[:_SHOWN])
    return shown + (", ..." if len(positions) > _SHOWN else "")
