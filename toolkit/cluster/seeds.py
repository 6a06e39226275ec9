"""One seed from whatever scikit-learn takes for ``random_state``."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["as_seed"]


def as_seed(random_state: int | np.random.RandomState | None) -> int | None:
    """Return a number to seed several things with, None if each run is to be another.

    A generator that is passed on would be at another point in each of them, and could not be
    noted in a report or a saved clustering.

    Parameters
    ----------
    random_state : int, RandomState or None
        A RandomState is asked for a number.

    Returns
    -------
    int or None

    Raises
    ------
    ValueError
        If it is something else.

    Examples
    --------
    >>> as_seed(np.int64(3)), as_seed(None)
    (3, None)
    >>> as_seed(np.random.RandomState(0)) == as_seed(np.random.RandomState(0))
    True
    """
    if random_state is None:
        return None
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
