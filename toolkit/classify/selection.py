"""Compare several classifiers, choose one, and score the choice on rows that had no part in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from toolkit.cache.rows import cut_rows
from toolkit.classify.choosing import RowDivider, beginning, choose
from toolkit.classify.holdout import as_times, rarity_notes
from toolkit.classify.labels import as_groups, as_labels
from toolkit.classify.notes import rarity_of_classes
from toolkit.classify.result import TrainingResult
from toolkit.classify.splitting import Splits, named
from toolkit.classify.targets import Targets
from toolkit.classify.training import (
    DIMENSIONS,
    R,
    checked_texts,
    default_vectorizer,
    make_vectors,
    train_on_vectors,
)
from toolkit.classify.trials import check_metric, make_candidates
from toolkit.errors import UsageError
from toolkit.typography import counted

__all__ = ["compare_and_train", "select_classifier"]


def select_classifier(
    texts: Iterable[str],
    y: Sequence[Any] | NDArray[Any],
    *,
    vectorizer: BaseEstimator | None = None,
    candidates: Sequence[str | BaseEstimator] | Mapping[str, BaseEstimator] | None = None,
    metric: str = "accuracy",
    cv: int | None = None,
    test_size: float = 0.2,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    times: Sequence[Any] | NDArray[Any] | None = None,
    class_weight: str | Mapping[Any, float] | None = None,
    dimensions: Sequence[int] | None = DIMENSIONS,
    baselines: bool = True,
    random_state: int | None = 0,
    n_jobs: int | None = None,
    source: str | None = None,
    command: str | None = None,
    say: Callable[[str], None] | None = None,
) -> TrainingResult:
    """Choose a classifier by validation, score the choice on other rows, and fit it on all.

    Held out (the default): a part of the rows is kept back; the candidates are compared on the
    others, by folds within them or, above 5,000 rows, by one split of them; the best is fitted on
    these others and scored on the part kept back. Nested (``cv=5``): the same, once for each
    fold, each of which may choose another candidate: the scores are of the whole procedure, over
    all rows. Rows that decide the choice never score it.

    Parameters
    ----------
    texts, y, vectorizer, dimensions, baselines, random_state, n_jobs, source, command
        As in :func:`~toolkit.classify.training.train_classifier`.
    candidates : sequence of str or estimator, or mapping, optional
        As :func:`~toolkit.classify.trials.make_candidates` takes them; by default the standard
        ones.
    metric : str, default="accuracy"
        What decides: ``"accuracy"``, ``"macro_f1"``, ``"weighted_f1"`` or
        ``"balanced_accuracy"``.
    cv : int, optional
        Folds of a nested validation. None holds out one part.
    test_size : float, default=0.2
        Share of the rows to hold out, and of the others that compare the candidates.
    groups : array-like of shape (n,), optional
        Rows of one group are never on two sides of any split.
    times : array-like of shape (n,), optional
        Numbers or ISO dates: every split learns from the past and is scored on what came later.
    class_weight : "balanced" or mapping, optional
        Given to the candidates that take it.
    say : callable, optional
        Told what is about to be done, once nothing speaks against it, and how long a nested
        validation will take.

    Returns
    -------
    TrainingResult
        With ``selection``, unless there is a single candidate.

    Raises
    ------
    DataError
        If labels or times are missing, or nothing can be kept back for a test.
    UsageError
        If a candidate, the metric or the split cannot be used.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> texts = [f"{word} {i}" for word in ("red apple", "fast car") for i in range(20)]
    >>> result = select_classifier(texts, ["fruit"] * 20 + ["vehicle"] * 20,
    ...                            vectorizer=HashingVectorizer(n_features=64),
    ...                            candidates=["nearest_centroid", "logistic_regression"])
    >>> result.selection.chosen, int(result.validation.tested.sum())
    ('nearest_centroid', 8)
    """
    first = default_vectorizer() if vectorizer is None else vectorizer
    checked = checked_texts(first, texts)
    labels = as_labels(y, len(checked))

    def notes(splits: Splits) -> list[str]:
        found = rarity_notes(labels, splits) + _unlearned(labels, splits)
        return found + rarity_of_classes(labels)

    return compare_and_train(
        checked,
        Targets.of_labels(labels),
        make_candidates(candidates, class_weight=class_weight, random_state=random_state),
        partial(TrainingResult, y=labels),
        vectorizer=first,
        metric=check_metric(metric),
        notes=notes,
        cv=cv,
        test_size=test_size,
        groups=groups,
        times=times,
        dimensions=dimensions,
        baselines=baselines,
        random_state=random_state,
        n_jobs=n_jobs,
        source=source,
        command=command,
        say=say,
    )


def compare_and_train(
    texts: list[str],
    targets: Targets,
    candidates: Mapping[str, BaseEstimator],
    result: Callable[..., R],
    *,
    vectorizer: BaseEstimator,
    metric: str,
    notes: Callable[[Splits], list[str]],
    cv: int | None,
    test_size: float,
    groups: Sequence[Any] | NDArray[Any] | None,
    times: Sequence[Any] | NDArray[Any] | None,
    random_state: int | None,
    n_jobs: int | None,
    say: Callable[[str], None] | None,
    **how: Any,
) -> R:
    """Choose among candidates, score the choice on other rows, and fit it on all.

    Parameters
    ----------
    texts : list of str, of length n
        Checked.
    targets : Targets
        Their labels or label sets.
    candidates : mapping of str to estimator
        Unfitted, by name.
    result : callable
        Makes a :class:`~toolkit.classify.result.Trained` of everything found out.
    vectorizer, metric, cv, test_size, groups, times, random_state, n_jobs, say
        As in :func:`select_classifier`.
    notes : callable
        From the splits to what a reader of the scores should know first.
    **how
        For :func:`~toolkit.classify.training.train_on_vectors`.

    Returns
    -------
    Trained
        What ``result`` makes.
    """
    # Everything that can be wrong is found out before the first text is embedded.
    codes, moments = as_groups(groups, len(texts)), as_times(times, len(texts))
    if codes is not None and moments is not None:
        raise UsageError("give groups or times; splits that respect both are not made")
    if cv is not None and cv < 2:
        raise UsageError(f"cv={cv} folds: at least 2 are needed, one to test and one to learn from")
    rows = RowDivider(targets.balanced, codes, moments, test_size, random_state)
    everything = np.arange(len(texts))
    outer = rows.held_out(everything) if cv is None else rows.folds(everything, cv)
    # Groups and times may allow fewer folds than asked for.
    n_folds = None if cv is None else len(outer)
    if len(candidates) > 1:
        for train, _ in outer:
            rows.inner(train)
    said = notes(outer)

    if say is not None:
        words = ("class", "classes") if targets.separator is None else ("label", "labels")
        classes = counted(len(targets.classes), *words)
        say(beginning(len(texts), classes, how.get("source"), n_folds, test_size))
    full, first_step = make_vectors(vectorizer, texts)
    asked = vectorizer.get_params(deep=False).get("dimensions")
    X = full if asked is None else cut_rows(full, int(asked))
    selection, fold_models = choose(
        X, targets.y, rows, candidates, outer, metric=metric, cv=cv, n_jobs=n_jobs, say=say
    )
    return train_on_vectors(
        texts,
        targets,
        full,
        first_step,
        clone(candidates[selection.chosen] if selection is not None else fold_models[0]),
        outer,
        result,
        fold_models=fold_models,
        selection=selection,
        notes=said,
        splitter=rows.describe(n_folds),
        learning=times is None,  # a part of the past at random would mix up time and number
        random_state=random_state,
        n_jobs=n_jobs,
        **how,
    )


def _unlearned(y: NDArray[Any], splits: Splits) -> list[str]:
    notes = []
    for number, (train, test) in enumerate(splits, start=1):
        unseen = np.setdiff1d(y[test], y[train])
        if len(unseen):
            count = int(np.isin(y[test], unseen).sum())
            where = "The rows learned from" if len(splits) == 1 else f"Those of fold {number}"
            notes.append(
                f"{where} hold no {named(unseen)}: the {count} test rows of it count as errors."
            )
    return notes
