"""Finding the rows whose labels deserve a second look before anything is trained on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from toolkit.classify.classifiers import make_classifier
from toolkit.classify.label_findings import PROBLEMS, LabelProblem, LabelProblems, who_has
from toolkit.classify.labels import as_groups
from toolkit.classify.multilabel.label_checks import (
    out_of_fold_sets,
    rare_in_sets,
    unlikely_sets,
)
from toolkit.classify.neighbours import Neighbours, find_neighbours
from toolkit.classify.splitting import Splitter, make_splits, make_splitter, named
from toolkit.classify.targets import as_targets
from toolkit.classify.unlikely_labels import LabelTable, unlikely_labels
from toolkit.classify.validation import cross_validate_matrix, fit_classifier
from toolkit.embedding.texts import check_texts
from toolkit.errors import DataError, UsageError

__all__ = ["find_label_problems"]

RARE = 2
"""Labels of no more rows than this may be slips of the pen."""


def find_label_problems(
    texts: Iterable[str],
    y: Sequence[Any] | NDArray[Any],
    X: NDArray[Any],
    *,
    label_separator: str | None = None,
    classifier: str | BaseEstimator | None = None,
    cv: int | Splitter | None = None,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    parts: Sequence[Any] | NDArray[Any] | None = None,
    probabilities: NDArray[Any] | None = None,
    duplicate_similarity: float = 0.97,
    n_neighbors: int = 5,
    outlier_fence: float = 3.0,
    random_state: int | None = 0,
    n_jobs: int | None = None,
) -> LabelProblems:
    """List the rows whose label, or whose place in the data, is probably wrong.

    Five kinds are looked for: labels that a cross-validated model finds unlikely (confident
    learning); near-duplicates with different labels; near-duplicates in different parts of a
    split, which make test scores better than they are; labels that hardly any row has; and texts
    that are far from all others. The findings are there for somebody to look at, not to be
    applied blindly: a model finds a label unlikely also where the text is hard.

    With every 20th label of a shipped data set replaced by a random other one, as many of the
    unlikely labels as were replaced, from the first on, were the replaced ones to 86 to 100 %
    (voice intents of one language) and 67 to 80 % (SDG passages, whose own labels are open to
    argument).

    Parameters
    ----------
    texts : iterable of str, of length n
        The texts.
    y : array-like of shape (n,)
        Their given labels; with ``label_separator``, label sets as
        :func:`~toolkit.classify.train_multilabel` takes them.
    X : ndarray of shape (n, d)
        Their vectors, as ``EmbeddingGemmaVectorizer().transform(texts)`` gives them.
    label_separator : str, optional
        What stands between labels, for texts that have several, or none. Each label is then judged
        by itself, and a label that is missing is found like one too many; near-duplicates conflict
        if their sets differ.
    classifier : str or estimator, optional
        As :func:`~toolkit.classify.classifiers.make_classifier` takes it; it needs
        ``predict_proba``. Default ``LogisticRegression(C=10, max_iter=2000)``.
    cv : int or splitter, optional
        Folds, default 5; for label sets their number. Labels of fewer rows cannot be tested; a
        note counts them.
    groups : array-like of shape (n,), optional
        Rows that do not judge each other: one author's, one template's.
    parts : array-like of shape (n,), optional
        The part of a split each row is in (``"train"``, ``"test"``), to find what is in both.
    probabilities : ndarray of shape (n, n_classes), optional
        Out-of-fold probabilities at hand, columns in the order of the sorted labels; a row of
        zeros was not tested. No model is then trained to find unlikely labels.
    duplicate_similarity : float, default=0.97
        From which cosine on two texts count as duplicates. In EmbeddingGemma's vectors, 0.97 is
        a change of spelling or of a number; "lights on" and "lights off" reach 0.96.
    n_neighbors : int, default=5
        How many neighbours tell how far a text is from the others.
    outlier_fence : float, default=3.0
        A text is an outlier if its distance is over the third quartile by so many times the
        distance between first and third quartile (3 is Tukey's outer fence).
    random_state : int or None, default=0
        Seed of the folds and the classifier.
    n_jobs : int, optional
        Folds at once, as in joblib.

    Returns
    -------
    LabelProblems

    Raises
    ------
    DataError
        If labels are missing, or vectors and texts do not match.
    UsageError
        If the classifier has no probabilities, or a parameter is out of range.

    Examples
    --------
    >>> from toolkit.datasets import load, load_vectors
    >>> intents = load("assist_intents", subset="en")
    >>> X = load_vectors("assist_intents", task="classification", subset="en")
    >>> y = intents.target.copy()
    >>> y[100] = "HassRespond"  # a mistake
    >>> found = find_label_problems(intents.data, y, X)
    >>> one = next(one for one in found if one.row == 100)
    >>> one.problem, one.suggested_label == intents.target[100]
    ('unlikely_label', True)
    """
    checked = check_texts(texts).texts
    targets = as_targets(y, len(checked), label_separator)
    sets = targets.sets
    if sets is not None and cv is not None and not isinstance(cv, int):
        raise UsageError("for label sets cv is a number of folds, not a splitter")
    vectors = _check_vectors(X, len(checked))
    if not 0 < duplicate_similarity <= 1:
        raise UsageError(f"duplicate_similarity={duplicate_similarity} is no cosine from 0 to 1")
    if n_neighbors < 1 or outlier_fence < 0:
        raise UsageError(
            f"n_neighbors={n_neighbors} must be 1 or more, outlier_fence={outlier_fence} 0 or more"
        )
    model = make_classifier(classifier, random_state=random_state)
    if probabilities is None and not hasattr(model, "predict_proba"):
        raise UsageError(
            f"{type(model).__name__} has no probabilities, which tell how unlikely a label is; "
            "use 'logistic_regression' or 'linear_svm'"
        )
    group_codes = as_groups(groups, len(checked))
    part_codes = as_groups(parts, len(checked))
    table = LabelTable(checked, targets.cells)
    notes: list[str] = []

    splitter = make_splitter(cv, grouped=group_codes is not None, random_state=random_state)
    n_splits = int(getattr(splitter, "n_splits", 2) or 2)
    chances = None
    if probabilities is not None:
        chances = _check_probabilities(probabilities, (len(checked), len(targets.classes)))
    if sets is not None:
        if chances is None:
            chances = out_of_fold_sets(
                sets, vectors, model, n_splits, group_codes, random_state=random_state,
                n_jobs=n_jobs,
            )  # fmt: skip
        problems = unlikely_sets(table, sets, chances) + rare_in_sets(table, sets, RARE)
    else:
        testable = _testable(table, n_splits, group_codes)
        if chances is None:
            chances = _out_of_fold(
                table, vectors, model, splitter, testable, group_codes, notes, n_jobs
            )
        problems = unlikely_labels(table, chances) + _rare(table, vectors, model, testable)
    near = find_neighbours(
        vectors,
        table.codes,
        part_codes,
        n_neighbors=n_neighbors,
        duplicate_similarity=duplicate_similarity,
    )
    problems += _conflicts(table, near, duplicate_similarity)
    if parts is not None:
        problems += _leaks(table, near, duplicate_similarity, list(parts))
    problems += _outliers(table, near, n_neighbors, outlier_fence)
    if near.repeated:
        notes.append(
            f"Rows with a near-duplicate (cosine {duplicate_similarity:g} or more), which belong "
            f"on one side of a split: {near.repeated:,}."
        )
    kinds = list(PROBLEMS)
    problems.sort(key=lambda one: (kinds.index(one.problem), -one.score, one.row))
    return LabelProblems(problems, len(checked), notes)


def _testable(
    table: LabelTable, n_splits: int, groups: NDArray[np.int64] | None
) -> NDArray[np.bool_]:
    """Return which classes cross-validation can test, shape (n_classes,)."""
    enough: NDArray[np.bool_] = table.counts >= n_splits
    if groups is None:
        return enough
    spread = [len(np.unique(groups[table.codes == code])) for code in range(len(table.classes))]
    return enough & (np.array(spread) >= 2)


def _out_of_fold(
    table: LabelTable,
    X: NDArray[Any],
    model: BaseEstimator,
    splitter: Splitter,
    testable: NDArray[np.bool_],
    groups: NDArray[np.int64] | None,
    notes: list[str],
    n_jobs: int | None,
) -> NDArray[np.float64]:
    """Return the probabilities of rows not trained on; zeros for those that were not tested."""
    chances = np.zeros((len(X), len(table.classes)))
    rows = np.flatnonzero(testable[table.codes])
    left = len(X) - len(rows)
    if left:
        notes.append(
            f"Rows that no model could judge, their labels having too few rows or groups for the "
            f"folds: {left:,}, of {named(table.classes[~testable])}."
        )
    if testable.sum() < 2:
        return chances
    some = None if groups is None else groups[rows]
    splits, more = make_splits(splitter, table.labels[rows], some)
    notes += more
    found = cross_validate_matrix(X[rows], table.labels[rows], model, splits, n_jobs=n_jobs)
    assert found.probabilities is not None  # noqa: S101 - the classifier was checked for them
    chances[np.ix_(rows, np.flatnonzero(testable))] = found.probabilities
    return chances


def _rare(
    table: LabelTable, X: NDArray[Any], model: BaseEstimator, testable: NDArray[np.bool_]
) -> list[LabelProblem]:
    scarce = table.counts <= RARE
    rows = np.flatnonzero(scarce[table.codes])
    # If every label is scarce the table is small, and none of them is out of line.
    if not len(rows) or (testable & ~scarce).sum() < 2:
        return []
    known = (testable & ~scarce)[table.codes]
    if not hasattr(model, "predict_proba"):
        return []
    fitted = fit_classifier(clone(model), X[known], table.labels[known])
    shares = fitted.predict_proba(X[rows])
    found = []
    for row, chances in zip(rows, shares, strict=True):
        best = int(chances.argmax())
        code = int(np.searchsorted(table.classes, fitted.classes_[best]))
        count = int(table.counts[table.codes[row]])
        reason = (
            f"{who_has(count)} this label; a "
            f"model of the others would say {str(table.classes[code])!r} ({chances[best]:.2f})"
        )
        found.append(table.problem(row, "rare_label", code, chances[best], reason))
    return found


def _conflicts(table: LabelTable, near: Neighbours, least: float) -> list[LabelProblem]:
    found = []
    for row in np.flatnonzero(near.rival_similarity >= least):
        other, cosine = near.rival[row], near.rival_similarity[row]
        most = near.majority[row]
        suggested = None if most in (-1, table.codes[row]) else most
        reason = (
            f"{_same(table, row, other, cosine)} has the label {str(table.labels[other])!r} in "
            "another row"
        )
        found.append(table.problem(row, "conflicting_duplicate", suggested, cosine, reason, other))
    return found


def _leaks(
    table: LabelTable, near: Neighbours, least: float, parts: list[Any]
) -> list[LabelProblem]:
    found = []
    for row in np.flatnonzero(near.twin_similarity >= least):
        other, cosine = near.twin[row], near.twin_similarity[row]
        reason = (
            f"{_same(table, row, other, cosine)} is also in {str(parts[other])!r}; this row is "
            f"in {str(parts[row])!r}"
        )
        found.append(table.problem(row, "leaked_duplicate", None, cosine, reason, other))
    return found


def _same(table: LabelTable, row: Any, other: Any, cosine: float) -> str:
    if table.texts[row] == table.texts[other]:
        return "the same text"
    return f"nearly the same text (cosine {cosine:.3f})"


def _outliers(
    table: LabelTable, near: Neighbours, n_neighbors: int, fence: float
) -> list[LabelProblem]:
    first, middle, third = np.percentile(near.distance, [25, 50, 75])
    limit = third + fence * (third - first)
    found = []
    for row in np.flatnonzero(near.distance > limit):
        reason = (
            f"far from all other texts: mean cosine distance {near.distance[row]:.2f} to the "
            f"{n_neighbors} nearest, where half of the texts have {middle:.2f} or less"
        )
        found.append(table.problem(row, "outlier", None, near.distance[row], reason))
    return found


def _check_vectors(X: Any, n_rows: int) -> NDArray[Any]:
    vectors: NDArray[Any] = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
    if vectors.ndim != 2 or len(vectors) != n_rows:
        raise DataError(f"there are {n_rows} texts and vectors of shape {vectors.shape}")
    lost = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(lost):
        raise DataError(
            f"{len(lost)} of {n_rows} texts have no vector (first position {lost[0]}); leave "
            "these rows out"
        )
    return vectors


def _check_probabilities(probabilities: Any, wanted: tuple[int, int]) -> NDArray[np.float64]:
    chances = np.asarray(probabilities, dtype=np.float64)
    if chances.shape != wanted or not np.isfinite(chances).all() or (chances < 0).any():
        raise DataError(
            f"probabilities must be of shape {wanted}, a column for each label in their sorted "
            f"order, finite and not negative; they have the shape {chances.shape}"
        )
    return chances
