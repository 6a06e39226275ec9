"""What a user hands over as texts, checked once and turned into a list of str."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from toolkit.errors import InputTypeError, MissingTextError
from toolkit.typography import positioned

__all__ = ["Missing", "TextInput", "check_texts", "check_titles"]

Missing = Literal["error", "empty"]


@dataclass(frozen=True)
class TextInput:
    """Checked texts.

    Parameters
    ----------
    texts : list of str, of length n
        The texts, in order.
    missing : tuple of int
        Positions that were missing and stand as empty texts.
    index : Any, optional
        The pandas index of the input, where it had one.
    name : str, optional
        The name of the column, where it had one.
    """

    texts: list[str]
    missing: tuple[int, ...] = ()
    index: Any = None
    name: str | None = None


def check_texts(X: Any, *, missing: Missing = "error", copy: bool = True) -> TextInput:
    r"""Check a collection of texts.

    Parameters
    ----------
    X : list, tuple, ndarray of shape (n,) or (n, 1), Series, one-column frame, or iterator of str
        The texts. pandas and polars objects are understood without importing either.
    missing : {"error", "empty"}, default="error"
        What to do about None, NaN, NA and null: raise, or take an empty text.
    copy : bool, default=True
        Return another list even where ``X`` is a list of str. To touch a million texts once more
        takes as long as reading a tenth of their vectors.

    Returns
    -------
    TextInput

    Raises
    ------
    InputTypeError
        If ``X`` is a single string, has more than one column, or holds anything but str.
    MissingTextError
        If texts are missing and ``missing="error"``.

    Examples
    --------
    >>> check_texts(["a", "b"]).texts
    ['a', 'b']
    >>> check_texts(["a", None], missing="empty")
    TextInput(texts=['a', ''], missing=(1,), index=None, name=None)
    """
    values, index, name = _column(X)
    values = list(values) if copy or type(values) is not list else values
    if set(map(type, values)) <= {str}:  # the usual case, in half the time
        return TextInput(values, (), index, name)
    texts: list[str] = []
    absent: list[int] = []
    wrong: list[tuple[int, str]] = []
    for position, value in enumerate(values):
        if type(value) is str:
            texts.append(value)
        elif isinstance(value, str):  # numpy.str_ and other subclasses
            texts.append(str(value))
        elif is_missing(value):
            absent.append(position)
            texts.append("")
        else:
            wrong.append((position, type(value).__name__))
            texts.append("")
    if wrong:
        raise InputTypeError(_wrong_types(wrong, len(texts)))
    if absent and missing == "error":
        raise MissingTextError(
            f"{len(absent)} of {len(texts)} texts are missing (None, NaN, NA or null), at "
            f"{positioned(absent)}. Drop these rows, fill them in, or take them as empty texts "
            "with missing='empty' (--missing empty).",
            absent,
        )
    return TextInput(texts, tuple(absent), index, name)


def check_titles(titles: Any, count: int) -> list[str | None]:
    """Check the titles of texts; a missing one becomes None.

    Parameters
    ----------
    titles : list, tuple, ndarray or Series of str
    count : int
        How many texts there are.

    Raises
    ------
    InputTypeError
        If they are no collection of str.
    MissingTextError
        If there are more or fewer of them than texts.

    Examples
    --------
    >>> check_titles(["Planets", None], 2)
    ['Planets', None]
    """
    checked = check_texts(titles, missing="empty")
    if len(checked.texts) != count:
        raise MissingTextError(f"there are {len(checked.texts)} titles for {count} texts")
    absent = set(checked.missing)
    return [None if i in absent else title for i, title in enumerate(checked.texts)]


def is_missing(value: Any) -> bool:
    """Return whether a value stands for a missing one, in Python, numpy, pandas or polars.

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing("")
    (True, True, False)
    """
    if value is None:
        return True
    if isinstance(value, float | np.floating):
        return math.isnan(value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    kind = type(value)
    # pandas.NA and pandas.NaT, without importing pandas.
    return kind.__name__ in ("NAType", "NaTType") and kind.__module__.startswith("pandas")


def _column(X: Any) -> tuple[Iterable[Any], Any, str | None]:
    """Return the values of the one column of ``X``, its index and its name."""
    if isinstance(X, str | bytes | bytearray):
        raise InputTypeError(
            f"X is a single {type(X).__name__}; pass a list of texts, for example [text]"
        )
    if isinstance(X, dict):
        raise InputTypeError("X is a dict; pass its texts as a list, for example list(X.values())")
    if isinstance(X, set | frozenset):
        raise InputTypeError(
            "X is a set, which has no order to return rows in; pass a list, for example sorted(X)"
        )
    if _is_sparse(X):
        raise InputTypeError(
            "X is a sparse matrix; a sparse matrix holds numbers, and this transformer takes "
            "texts. Pass a list, array or Series of str."
        )
    module = type(X).__module__.partition(".")[0]
    if module == "pandas" and hasattr(X, "iloc"):
        if X.ndim == 2:
            _one_column(X.shape[1], list(X.columns))
            return X.iloc[:, 0].tolist(), X.index, _name(X.columns[0])
        return X.tolist(), X.index, _name(X.name)
    if module == "polars" and hasattr(X, "collect") and hasattr(X, "lazy"):
        X = X.collect()
    if module == "polars" and hasattr(X, "columns"):
        _one_column(len(X.columns), X.columns)
        return X.to_series(0).to_list(), None, X.columns[0]
    if module == "polars" and hasattr(X, "to_list"):
        return X.to_list(), None, _name(X.name)
    if isinstance(X, list | tuple):
        return _unnest(X), None, None
    if isinstance(X, Iterator):
        return X, None, None
    if hasattr(X, "__array__") or hasattr(X, "__dataframe__"):
        return _from_array(np.asarray(X)), None, None
    if isinstance(X, Iterable):
        return X, None, None
    raise InputTypeError(
        f"X is {type(X).__name__}; pass a collection of texts: a list, an array, a Series, a "
        "one-column frame or a generator of str"
    )


def _from_array(array: np.ndarray[Any, Any]) -> list[Any]:
    if array.dtype.kind in "fiubc" and array.size:
        raise InputTypeError(
            f"X is an array of numbers ({array.dtype}); this transformer takes texts, an array "
            "of str"
        )
    if array.ndim == 0:
        raise InputTypeError("X is a single value; pass a list of texts, for example [text]")
    if array.ndim == 1:
        return list(array)
    if array.ndim == 2:
        _one_column(array.shape[1], None)
        return list(array[:, 0])
    raise InputTypeError(f"X has {array.ndim} dimensions; pass texts of shape (n,) or (n, 1)")


def _unnest(rows: list[Any] | tuple[Any, ...]) -> Iterable[Any]:
    """Take ``[["a"], ["b"]]`` as the one column it is."""
    if rows and all(isinstance(row, list | tuple) for row in rows):
        widths = {len(row) for row in rows}
        if widths == {1}:
            return [row[0] for row in rows]
        if len(widths) == 1:
            _one_column(widths.pop(), None)
    return rows


def _one_column(count: int, names: Any) -> None:
    if count != 1:
        listed = f" ({', '.join(map(str, names))})" if names is not None else ""
        choice = repr(str(names[0])) if names is not None and len(names) else "0"
        raise InputTypeError(
            f"X has {count} columns{listed}; pass the one that holds the texts, for example "
            f"X[{choice}], or use a ColumnTransformer"
        )


def _is_sparse(X: Any) -> bool:
    return type(X).__module__.startswith("scipy.sparse")


def _name(name: Any) -> str | None:
    return None if name is None else str(name)


def _wrong_types(wrong: list[tuple[int, str]], total: int) -> str:
    kinds = sorted({kind for _, kind in wrong})
    hint = " Decode bytes first: value.decode('utf-8')." if "bytes" in kinds else ""
    return (
        f"{len(wrong)} of {total} values are not texts but {', '.join(kinds)}, at "
        f"{positioned([position for position, _ in wrong])}; every value must be a str.{hint}"
    )
