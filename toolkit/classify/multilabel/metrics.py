"""Scores of predicted label sets, and how far they would move with other test rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from toolkit.classify.intervals import Interval, interval_at_edge

__all__ = ["DECIDING", "SET_METRICS", "label_average_precision", "measure_sets", "set_intervals"]

SET_METRICS = ("micro_f1", "macro_f1", "subset_accuracy", "hamming_loss", "average_precision")
"""What is measured on every fold.

micro_f1 counts every label given or predicted the same; macro_f1 every label of the list, where it
occurs; subset_accuracy is the share of rows with exactly the right labels; hamming_loss the share
of wrong cells of the matrix of rows and labels (less is better, and a model that never answers has
little of it); average_precision the mean over the labels that have rows, which needs no threshold.
"""

DECIDING = ("micro_f1", "macro_f1", "subset_accuracy", "average_precision")
"""Those of which more is better."""

_AT_ONCE = 50


def measure_sets(
    given: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    probabilities: NDArray[np.float64],
) -> dict[str, float]:
    """Return every metric of :data:`SET_METRICS`.

    Parameters
    ----------
    given, predicted : ndarray of shape (n, n_labels), bool
        Labels.
    probabilities : ndarray of shape (n, n_labels)
        Of every label.

    Examples
    --------
    >>> given = np.array([[1, 1], [0, 1], [0, 0]], dtype=bool)
    >>> predicted = np.array([[1, 0], [0, 1], [0, 0]], dtype=bool)
    >>> found = measure_sets(given, predicted, predicted * 0.9)
    >>> round(found["micro_f1"], 3), round(found["subset_accuracy"], 3)
    (0.8, 0.667)
    """
    counts = np.ones((1, len(given)))
    micro, macro = _f1(counts, given, predicted)
    precision = label_average_precision(given, probabilities)
    known = np.isfinite(precision)
    return {
        "micro_f1": float(micro[0]),
        "macro_f1": float(macro[0]),
        "subset_accuracy": float((given == predicted).all(axis=1).mean()),
        "hamming_loss": float((given != predicted).mean()),
        "average_precision": float(precision[known].mean()) if known.any() else 0.0,
    }


def label_average_precision(
    given: NDArray[np.bool_], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the average precision of each label, NaN for one that no row has.

    Examples
    --------
    >>> given = np.array([[1, 0], [0, 0]], dtype=bool)
    >>> label_average_precision(given, np.array([[0.9, 0.1], [0.2, 0.1]])).tolist()
    [1.0, nan]
    """
    found = np.full(given.shape[1], np.nan)
    for j in np.flatnonzero(given.any(axis=0)):
        found[j] = average_precision_score(given[:, j], probabilities[:, j])
    return found


def set_intervals(
    given: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    *,
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: int | None = 0,
) -> dict[str, Interval]:
    """Return percentile bootstrap intervals of micro F1, macro F1 and subset accuracy.

    Test rows are drawn again with replacement, whole (Efron and Tibshirani 1993, chapter 13).
    Where all draws are alike, because every row is right or none has a label that is, they say
    nothing: then subset accuracy has its exact interval (Clopper and Pearson 1934), and the F1
    scores, which are no shares of rows, have none.

    Parameters
    ----------
    given, predicted : ndarray of shape (n, n_labels), bool
        Labels.
    level : float, default=0.95
        Coverage.
    n_resamples : int, default=1000
        Draws.
    random_state : int or None, default=0
        Seed.

    Returns
    -------
    dict of str to Interval
        Empty without test rows; without the F1 scores whose draws are all alike.

    Examples
    --------
    >>> given = np.array([[1, 0], [0, 1]] * 50, dtype=bool)
    >>> predicted = given.copy(); predicted[:20] = False
    >>> found = set_intervals(given, predicted)["subset_accuracy"]
    >>> found.value, 0.7 < found.low < 0.75, 0.85 < found.high < 0.9
    (0.8, True, True)
    >>> {name: interval.text() for name, interval in set_intervals(given, given).items()}
    {'subset_accuracy': '1.000 (0.964 to 1.000)'}
    """
    n = len(given)
    if not n:
        return {}
    rng = np.random.default_rng(random_state)
    right = (given == predicted).all(axis=1)
    names = ("micro_f1", "macro_f1", "subset_accuracy")
    draws: dict[str, list[Any]] = {name: [] for name in names}
    for begin in range(0, n_resamples, _AT_ONCE):
        size = min(_AT_ONCE, n_resamples - begin)
        counts = rng.multinomial(n, np.full(n, 1 / n), size=size).astype(np.float64)
        micro, macro = _f1(counts, given, predicted)
        draws["micro_f1"].append(micro)
        draws["macro_f1"].append(macro)
        draws["subset_accuracy"].append(counts @ right / n)
    once = _f1(np.ones((1, n)), given, predicted)
    values = (float(once[0][0]), float(once[1][0]), float(right.mean()))
    tails = [(1 - level) / 2, (1 + level) / 2]
    found = {}
    for name, value in zip(names, values, strict=True):
        low, high = np.quantile(np.concatenate(draws[name]), tails)
        if low < high:
            found[name] = Interval(value, float(low), float(high))
    if (exact := interval_at_edge(int(right.sum()), n, level)) is not None:
        found["subset_accuracy"] = exact
    return found


def _f1(
    counts: NDArray[np.float64], given: NDArray[np.bool_], predicted: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return micro and macro F1 of rows drawn so many times, each of shape (draws,)."""
    hits = counts @ (given & predicted)
    either = counts @ given + counts @ predicted
    total = either.sum(axis=1)
    # Nothing to find and nothing found is all right.
    micro = np.divide(2 * hits.sum(axis=1), total, out=np.ones(len(counts)), where=total > 0)
    f1 = np.divide(2 * hits, either, out=np.zeros_like(hits), where=either > 0)
    occurs = (either > 0).sum(axis=1)
    macro = np.divide(f1.sum(axis=1), occurs, out=np.ones(len(counts)), where=occurs > 0)
    return micro, macro
