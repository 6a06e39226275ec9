"""What labels are to a supervised projection: classes or numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.errors import UsageError

__all__ = ["umap_target"]


def umap_target(y: ArrayLike | None, n: int) -> tuple[NDArray[Any], bool]:
    """Return labels as UMAP reads them, and whether they are numbers rather than classes.

    Parameters
    ----------
    y : array-like of shape (n,)
        Floats are numbers, unless they are whole and some are missing: so pandas writes numbers
        of classes. A class of None, NaN or -1 is unknown.
    n : int
        How many there must be.

    Returns
    -------
    target : ndarray of shape (n,)
        The numbers, or 0, 1, ... by class and -1 for unknown.
    numbers : bool

    Raises
    ------
    UsageError
        If there are none, too few or too many, or numbers are missing.

    Examples
    --------
    >>> umap_target(["a", "b", None], 3)
    (array([ 0,  1, -1]), False)
    """
    if y is None:
        raise UsageError("supervised=True needs y: give fit the classes of the texts")
    values = np.asarray(y)
    if values.shape != (n,):
        raise UsageError(f"y has shape {values.shape}; one class for each of {n} texts is needed")
    if values.dtype.kind == "f":
        missing = np.isnan(values)
        if not missing.any():
            return values, True
        if (values[~missing] % 1 != 0).any():
            raise UsageError(
                f"{missing.sum():,} of {n:,} numbers in y are missing, the first at position "
                f"{missing.argmax():,}; leave these texts out"
            )
    return _class_codes(values), False


def _class_codes(values: NDArray[Any]) -> NDArray[np.intp]:
    """Return 0, 1, ... by class, and -1, UMAP's mark for unknown, for None, NaN and -1."""
    codes: dict[Any, int] = {}
    result = np.empty(len(values), dtype=np.intp)
    for position, value in enumerate(values.tolist()):
        unknown = value is None or value != value or value == -1
        result[position] = -1 if unknown else codes.setdefault(value, len(codes))
    return result
