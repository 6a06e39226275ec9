"""Confident learning: which given labels a model that has not seen them finds unlikely."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_unlikely_labels"]


def find_unlikely_labels(
    codes: NDArray[np.integer[Any]], probabilities: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which labels are probably wrong.

    How many are wrong is estimated from the joint distribution of given and true labels, counted
    over the rows whose probability for a label is at least the average of that label's own rows
    (Northcutt, Jiang, Chuang 2021, "Confident learning: estimating uncertainty in dataset
    labels", Journal of Artificial Intelligence Research 70, arXiv:1911.00068; computed by
    ``cleanlab``). Of the rows the model contradicts, so many with the widest margin against the
    given label are taken: of cleanlab's filters the most precise on the shipped data sets.

    Parameters
    ----------
    codes : ndarray of shape (n,), int
        Given labels, from 0 to ``n_classes - 1``; each class has rows.
    probabilities : ndarray of shape (n, n_classes)
        Of a model that was not trained on the row it judges.

    Returns
    -------
    ndarray of shape (n,), bool

    Examples
    --------
    >>> codes = np.array([0] * 10 + [1] * 10)
    >>> probabilities = np.full((20, 2), 0.1)
    >>> probabilities[np.arange(20), codes] = 0.9
    >>> probabilities[3] = [0.05, 0.95]
    >>> np.flatnonzero(find_unlikely_labels(codes, probabilities)).tolist()
    [3]
    """
    from cleanlab.filter import find_label_issues

    # In floats of 32 bits, and after rounding, sums may differ from 1 by more than cleanlab likes.
    shares = np.asarray(probabilities, dtype=np.float64)
    shares = shares / shares.sum(axis=1, keepdims=True)
    flagged = find_label_issues(codes, shares, filter_by="low_normalized_margin", n_jobs=1)
    contradicted: NDArray[np.bool_] = np.asarray(flagged) & (shares.argmax(axis=1) != codes)
    return contradicted
