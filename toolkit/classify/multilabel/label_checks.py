"""Label sets that deserve a second look: with labels that are missing, too many or rare."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from toolkit.classify.holdout import folds
from toolkit.classify.label_findings import LabelProblem, who_has
from toolkit.classify.label_quality import find_unlikely_labels
from toolkit.classify.multilabel.estimator import LabelSetClassifier
from toolkit.classify.multilabel.label_sets import LabelSets, join_labels, rarest_labels
from toolkit.classify.unlikely_labels import LabelTable
from toolkit.classify.validation import cross_validate_matrix

__all__ = ["out_of_fold_sets", "rare_in_sets", "unlikely_sets"]

_NAMED = 3


def out_of_fold_sets(
    sets: LabelSets,
    X: NDArray[Any],
    model: BaseEstimator,
    n_folds: int,
    groups: NDArray[np.int64] | None,
    *,
    random_state: int | None,
    n_jobs: int | None,
) -> NDArray[np.float64]:
    """Return the probability of every label for every row, by models not trained on it.

    Returns
    -------
    ndarray of shape (n, n_labels)
        Zeros in rows that no fold tested.

    Examples
    --------
    >>> from toolkit.classify.classifiers import make_classifier
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [0.7, 0.7]] * 10)
    >>> sets = LabelSets(X > 0.5, np.array(["a", "b"], dtype=object), ";")
    >>> found = out_of_fold_sets(sets, X, make_classifier(), 3, None, random_state=0, n_jobs=None)
    >>> bool(((found > 0.5) == sets.Y).all())
    True
    """
    splits = folds(rarest_labels(sets.Y), n_folds, groups=groups, random_state=random_state)
    # Probabilities are wanted, not decisions: a threshold that is given need not be found.
    whole = LabelSetClassifier(model, threshold=0.5, labels=sets.labels.tolist())
    found = cross_validate_matrix(X, sets.Y, whole, splits, n_jobs=n_jobs).probabilities
    assert found is not None  # noqa: S101 - a classifier of label sets has them
    return found


def unlikely_sets(
    table: LabelTable, sets: LabelSets, chances: NDArray[np.float64]
) -> list[LabelProblem]:
    """Return the rows of which a model that has not seen them finds labels unlikely, or missing.

    Each label is judged by itself, as a yes or no
    (:func:`~toolkit.classify.label_quality.find_unlikely_labels`).

    Parameters
    ----------
    table : LabelTable
        Texts, and their label sets as cells.
    sets : LabelSets
        The same as a matrix.
    chances : ndarray of shape (n, n_labels)
        Out-of-fold probabilities. A row of zeros was not tested.

    Returns
    -------
    list of LabelProblem
        In the order of the rows.

    Examples
    --------
    >>> Y = np.array([[1, 0]] * 10 + [[0, 1]] * 10, dtype=bool)
    >>> chances = np.where(Y, 0.9, 0.1)
    >>> chances[3] = [0.9, 0.95]
    >>> sets = LabelSets(Y, np.array(["a", "b"], dtype=object), ";")
    >>> table = LabelTable(["x"] * 20, np.array(sets.joined(), dtype=object))
    >>> [(one.row, one.suggested_label) for one in unlikely_sets(table, sets, chances)]
    [(3, 'a;b')]
    """
    tested = np.flatnonzero(chances.sum(axis=1) > 0)
    wrong = np.zeros(sets.Y.shape, dtype=bool)
    for j, given in enumerate(sets.Y[tested].T):
        chance = chances[tested, j]
        # A label with one chance for all rows was not learned; where nothing speaks against the
        # given labels, nothing can be found.
        learned = given.any() and not given.all() and np.ptp(chance) > 0
        if learned and ((chance > 0.5) != given).any():
            shares = np.column_stack([1 - chance, chance])
            wrong[tested, j] = find_unlikely_labels(given.astype(np.int64), shares)
    rows = np.flatnonzero(wrong.any(axis=1))
    suggested = join_labels(sets.Y[rows] ^ wrong[rows], sets.labels, sets.separator)
    found = []
    for row, cell in zip(rows, suggested, strict=True):
        against = np.where(sets.Y[row], 1 - chances[row], chances[row])
        doubted = np.flatnonzero(wrong[row])
        doubted = doubted[np.argsort(-against[doubted], kind="stable")]
        said = [
            f"{str(sets.labels[j])!r}, which it {'has' if sets.Y[row, j] else 'lacks'}, a "
            f"probability of {chances[row, j]:.2f}"
            for j in doubted[:_NAMED]
        ]
        reason = f"a model that has not seen this row gives {', and '.join(said)}"
        one = table.problem(row, "unlikely_label", None, against[doubted[0]], reason)
        found.append(replace(one, suggested_label=cell))
    return found


def rare_in_sets(table: LabelTable, sets: LabelSets, most: int) -> list[LabelProblem]:
    """Return the rows with a label that no more than ``most`` rows have; nothing is suggested.

    Examples
    --------
    >>> Y = np.array([[1, 1, 0]] * 5 + [[1, 0, 1]], dtype=bool)
    >>> sets = LabelSets(Y, np.array(["a", "b", "B"], dtype=object), ";")
    >>> table = LabelTable(["x"] * 6, np.array(sets.joined(), dtype=object))
    >>> [(one.row, one.reason) for one in rare_in_sets(table, sets, 2)]
    [(5, "no other row has the label 'B'")]
    """
    counts = sets.Y.sum(axis=0)
    # If every label is scarce the table is small, and none of them is out of line.
    if (counts > most).sum() < 2:
        return []
    found = []
    for j in np.flatnonzero((counts > 0) & (counts <= most)):
        reason = f"{who_has(int(counts[j]))} the label {str(sets.labels[j])!r}"
        found += [
            table.problem(row, "rare_label", None, 0.0, reason)
            for row in np.flatnonzero(sets.Y[:, j])
        ]
    return found
