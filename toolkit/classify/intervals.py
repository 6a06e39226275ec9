"""How far a score would move with other test rows: bootstrap intervals of a confusion matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Interval", "bootstrap_intervals", "interval_at_edge"]


@dataclass(frozen=True)
class Interval:
    """A range of a score.

    Parameters
    ----------
    value : float
        The score itself.
    low, high : float
        The range.
    exact : bool, default=False
        Whether it is the exact one of a share (Clopper and Pearson 1934), not the bootstrap's.
    """

    value: float
    low: float
    high: float
    exact: bool = False

    def text(self) -> str:
        """Return it in words.

        Examples
        --------
        >>> Interval(0.774, 0.74, 0.8071).text()
        '0.774 (0.740 to 0.807)'
        """
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def interval_at_edge(hits: int, total: int, level: float = 0.95) -> Interval | None:
    """Return the exact interval of a share of rows if it is 0 or 1, else None.

    Draws from rows that are all alike would be alike, too, and say that nothing is uncertain.

    Parameters
    ----------
    hits, total : int
        Rows that are right, and all of them.
    level : float, default=0.95
        Coverage.

    Examples
    --------
    >>> interval_at_edge(32, 32).text(), interval_at_edge(0, 32).text(), interval_at_edge(9, 32)
    ('1.000 (0.891 to 1.000)', '0.000 (0.000 to 0.109)', None)
    """
    if hits not in (0, total):
        return None
    edge = ((1 - level) / 2) ** (1 / total)
    return Interval(1.0, edge, 1.0, True) if hits else Interval(0.0, 0.0, 1 - edge, True)


def bootstrap_intervals(
    confusion: ArrayLike,
    *,
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: int | None = 0,
) -> dict[str, Interval]:
    """Return percentile bootstrap intervals of accuracy and macro F1.

    Test rows are drawn again with replacement; for these two scores that is a multinomial draw of
    the cells of the confusion matrix. The range speaks of other test rows of the same kind, not
    of other training rows and not of other data (Efron and Tibshirani 1993, chapter 13). Draws
    from rows of which none is wrong, or none right, would all be alike: there the accuracy has its
    exact interval (Clopper and Pearson 1934), and macro F1 none.

    Parameters
    ----------
    confusion : array-like of shape (n_classes, n_classes)
        Counts: rows given, columns predicted.
    level : float, default=0.95
        Coverage.
    n_resamples : int, default=1000
        Draws.
    random_state : int or None, default=0
        Seed.

    Returns
    -------
    dict of str to Interval
        ``"accuracy"`` and ``"macro_f1"``, the latter over the classes that occur and only where
        some rows are right and some wrong; empty without test rows.

    Examples
    --------
    >>> found = bootstrap_intervals([[40, 10], [10, 40]])["accuracy"]
    >>> found.value, 0.70 < found.low < 0.75, 0.85 < found.high < 0.90
    (0.8, True, True)
    >>> {name: found.text() for name, found in bootstrap_intervals([[20, 0], [0, 12]]).items()}
    {'accuracy': '1.000 (0.891 to 1.000)'}
    """
    counts = np.asarray(confusion, dtype=np.int64)
    total = int(counts.sum())
    if not total:
        return {}
    if (exact := interval_at_edge(int(np.trace(counts)), total, level)) is not None:
        return {"accuracy": exact}
    rng = np.random.default_rng(random_state)
    given, predicted = np.nonzero(counts)
    cells = counts[given, predicted]
    draws = np.vstack([cells, rng.multinomial(total, cells / total, size=n_resamples)])
    n = len(counts)
    right = given == predicted
    found_right, support, answers = (
        _sums(draws[:, chosen], classes[chosen], n)
        for chosen, classes in ((right, given), (right | True, given), (right | True, predicted))
    )
    occurs = (support + answers) > 0
    f1 = np.divide(2 * found_right, support + answers, out=np.zeros_like(support), where=occurs)
    scores = {
        "accuracy": found_right.sum(axis=1) / total,
        "macro_f1": f1.sum(axis=1) / occurs.sum(axis=1),
    }
    tails = [(1 - level) / 2, (1 + level) / 2]
    found = {}
    for name, values in scores.items():
        low, high = np.quantile(values[1:], tails)
        found[name] = Interval(float(values[0]), float(low), float(high))
    return found


def _sums(draws: NDArray[np.int64], classes: NDArray[np.intp], n: int) -> NDArray[np.float64]:
    """Return the sums of the cells of each class, shape (draws, n)."""
    indicator = np.zeros((draws.shape[1], n))
    indicator[np.arange(draws.shape[1]), classes] = 1
    sums: NDArray[np.float64] = draws @ indicator
    return sums
