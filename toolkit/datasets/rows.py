"""Reading the files of a data set: rows as columns, without pandas."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from toolkit.cache.bundled import data_root
from toolkit.datasets.catalog import DatasetInfo, closest
from toolkit.errors import DataError, UsageError

__all__ = ["Columns", "data_file", "read_columns", "select_rows"]

Columns = dict[str, list[str]]
"""The values of each column, all of one length."""


def data_file(dataset: DatasetInfo, filename: str) -> Path:
    """Return the path of one of the data set's files.

    Raises
    ------
    DataError
        If it is not there.
    """
    path = data_root() / dataset.name / filename
    if not path.is_file():
        raise DataError(
            f"the data set {dataset.name!r} should have the file {path}, which is not there. The "
            "installation is incomplete: install the project again (pip install "
            "--force-reinstall embeddinggemma-toolkit), or restore the checkout's datasets/ "
            "folder (git checkout -- datasets)."
        )
    return path


def read_columns(dataset: DatasetInfo) -> Columns:
    """Return all rows of a data set, column by column, in the order of the file.

    Raises
    ------
    DataError
        If the file is missing or damaged, or does not have the columns and rows it should.
    """
    path = data_file(dataset, f"{dataset.name}.csv.gz")
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, strict=True)
            columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    except (OSError, EOFError, ValueError, csv.Error, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}. Restore it from the release.") from error
    if tuple(columns) != dataset.columns or len(columns["text"]) != dataset.rows:
        raise DataError(
            f"{path} has {len(rows):,} rows of {', '.join(header)}, but {dataset.rows:,} rows of "
            f"{', '.join(dataset.columns)} belong there. Restore it from the release."
        )
    return columns


def select_rows(
    dataset: DatasetInfo, columns: Columns, subset: str | Sequence[str] | None
) -> Columns:
    """Return the rows of a subset, in the order of the file.

    Parameters
    ----------
    dataset : DatasetInfo
        The data set.
    columns : dict of str to list of str
        All its rows.
    subset : str, sequence of str or None
        One or more of ``dataset.subsets``; None for all rows.

    Returns
    -------
    dict of str to list of str

    Raises
    ------
    UsageError
        If the data set has no subsets, or not this one.
    """
    if subset is None:
        return columns
    wanted = _check_subset(dataset, subset)
    if dataset.subset_column is not None:
        keep = [value in wanted for value in columns[dataset.subset_column]]
    else:
        ids = {
            line
            for part in wanted
            for line in data_file(dataset, f"{part}_ids.txt")
            .read_text(encoding="utf-8")
            .splitlines()
        }
        keep = [value in ids for value in columns["id"]]
    return {
        name: [value for value, kept in zip(values, keep, strict=True) if kept]
        for name, values in columns.items()
    }


def _check_subset(dataset: DatasetInfo, subset: str | Sequence[str]) -> set[str]:
    if not dataset.subsets:
        raise UsageError(
            f"the data set {dataset.name!r} has no subsets; leave out subset={subset!r}."
        )
    there = f"Subsets of {dataset.name!r}: {', '.join(dataset.subsets)}."
    try:
        parts = [subset] if isinstance(subset, str) else list(subset)
    except TypeError:
        raise UsageError(
            f"subset is a name or a list of names, not {type(subset).__name__}. {there}"
        ) from None
    if not parts:
        raise UsageError(f"subset is empty; leave it out (None) for all rows. {there}")
    for part in parts:
        if part not in dataset.subsets:
            raise UsageError(
                f"the data set {dataset.name!r} has no subset {part!r}"
                f"{closest(part, dataset.subsets)}. {there}"
            )
    return set(parts)
