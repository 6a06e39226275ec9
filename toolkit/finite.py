"""Vectors that are none: whatever needs numbers says which rows lack them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DataError

__all__ = ["refuse_gaps"]


def refuse_gaps(vectors: NDArray[Any]) -> None:
    """Refuse vectors that hold NaN or infinity, as of texts that could not be embedded.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Of floats.

    Raises
    ------
    DataError
        If there are some; it says how many, and where the first is.
    """
    # A sum is finite only if all are, and quick; one of large numbers may not be.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(vectors.sum()):
            return
    lost = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(lost):
        raise DataError(
            f"{len(lost):,} of {len(vectors):,} vectors hold NaN or infinity, the first at "
            f"position {lost[0]:,}; leave these rows out, or make their vectors again"
        )
