"""Loading a data set the way scikit-learn's own loaders do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from toolkit.datasets.catalog import info
from toolkit.datasets.rows import Columns, data_file, read_columns, select_rows

if TYPE_CHECKING:
    from sklearn.utils import Bunch

__all__ = ["load"]


@overload
def load(
    name: str,
    *,
    subset: str | Sequence[str] | None = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> Bunch: ...


@overload
def load(
    name: str,
    *,
    subset: str | Sequence[str] | None = ...,
    return_X_y: Literal[True],
    as_frame: bool = ...,
) -> tuple[Any, Any]: ...


def load(
    name: str,
    *,
    subset: str | Sequence[str] | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Load a data set that comes with the project.

    Parameters
    ----------
    name : str
        One of :func:`~toolkit.datasets.names`: ``"assist_intents"``, ``"emoji_multilingual"``,
        ``"factbook"``, ``"sdg"`` or ``"udhr"``.
    subset : str or sequence of str, optional
        Part of the rows, in the order of the file: one or more language codes for
        ``assist_intents``, ``emoji_multilingual`` and ``udhr``; ``"sample"`` for ``factbook``.
        None loads all rows.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Texts and target as pandas Series, and all columns as ``frame``.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : ndarray of shape (n,), dtype object, or Series
            The texts.
        target : ndarray of shape (n,), dtype object, or Series
            The label of each text, by its name: what a classifier fitted on it predicts.
        target_names : list of str
            The distinct labels in alphabetical order, as ``classes_`` of a fitted classifier.
        feature_names : list of str
            ``["text"]``.
        frame : DataFrame or None
            All columns of the file, with ``as_frame=True``.
        DESCR : str
            What the data set is, where it comes from and whom to credit (Markdown).
        filename : str
            The file it was read from.
        ids : ndarray of shape (n,), dtype object
            The rows' identifiers.
        groups : ndarray of shape (n,), dtype object
            What a split must not divide, for ``GroupKFold`` and its like: the sentence template
            (``assist_intents``), the emoji (``emoji_multilingual``), the language (``udhr``).
            Only for these data sets.

        Every other column is an attribute, too: ``lang`` and ``template`` (``assist_intents``);
        ``lang`` and ``emoji`` (``emoji_multilingual``); ``field`` and ``region`` (``factbook``);
        ``lang``, ``language`` and ``article`` (``udhr``); ``labels`` (``sdg``: a tuple of the
        names of all goals a passage was confirmed for).
    (data, target) : tuple of two ndarray or two Series
        With ``return_X_y=True``.

    Raises
    ------
    UsageError
        If there is no such data set or subset; the message lists those there are.
    DataError
        If a file is missing or damaged.

    Examples
    --------
    >>> from toolkit.datasets import load
    >>> intents = load("assist_intents", subset=["en", "de"])
    >>> intents.data.shape, len(intents.target_names), len(set(intents.groups))
    ((972,), 19, 173)
    >>> X, y = load("factbook", subset="sample", return_X_y=True)
    >>> len(X), y[0]
    (1670, 'Introduction')
    """
    dataset = info(name)
    columns = select_rows(dataset, read_columns(dataset), subset)
    data: Any = _as_objects(columns["text"])
    target: Any = _as_objects(columns["label"])
    frame = None
    if as_frame:
        import pandas as pd

        frame = pd.DataFrame(columns)
        data, target = frame["text"], frame["label"]
    if return_X_y:
        return data, target

    from sklearn.utils import Bunch

    bunch = Bunch(
        data=data,
        target=target,
        target_names=sorted(set(columns["label"])),
        feature_names=["text"],
        frame=frame,
        DESCR=data_file(dataset, "README.md").read_text(encoding="utf-8"),
        filename=str(data_file(dataset, f"{name}.csv.gz")),
        ids=_as_objects(columns["id"]),
    )
    for column in dataset.columns:
        if column not in {"id", "text", "label"}:
            bunch[column] = _as_objects(columns[column])
    if dataset.group_column is not None:
        bunch["groups"] = bunch[dataset.group_column]
    if name in _EXTRAS:
        bunch.update(_EXTRAS[name](columns))
    return bunch


def _as_objects(values: Sequence[object]) -> NDArray[np.object_]:
    """Return a one-dimensional object array, also of tuples (which np.array would unpack)."""
    return np.fromiter(values, dtype=object, count=len(values))


def _sdg_labels(columns: Columns) -> dict[str, NDArray[np.object_]]:
    """Give the numbers of the goals (``SDG07|SDG17``) their names."""
    by_number = {label.split(" ", 1)[0]: label for label in columns["label"]}
    goals = [tuple(by_number[number] for number in row.split("|")) for row in columns["labels"]]
    return {"labels": _as_objects(goals)}


def _udhr_article(columns: Columns) -> dict[str, NDArray[np.object_]]:
    """Name the label what it is, for those who take the language as the target."""
    return {"article": _as_objects(columns["label"])}


_EXTRAS: dict[str, Callable[[Columns], dict[str, NDArray[np.object_]]]] = {
    "sdg": _sdg_labels,
    "udhr": _udhr_article,
}
