"""Compare several classifiers, choose one, and score the choice on rows that had no part in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from toolkit.classify.holdout import as_times, folds, held_out, rarity_notes
from toolkit.classify.labels import as_groups, as_labels
from toolkit.classify.result import TrainingResult
from toolkit.classify.splitting import Splits, named
from toolkit.classify.training import (
    DIMENSIONS,
    default_vectorizer,
    make_vectors,
    train_on_vectors,
)
from toolkit.classify.trials import Selection, Trial, check_metric, make_candidates, run_trials
from toolkit.embedding.checks import cut
from toolkit.embedding.texts import check_texts
from toolkit.errors import UsageError

__all__ = ["select_classifier"]

INNER_FOLDS = 5
SINGLE_SPLIT_ABOVE = 5000
"""Above this many rows one split tells candidates apart: its standard error is below 0.016."""


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
        Told how long a nested validation will take, before it begins.

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
    vectorizer = default_vectorizer() if vectorizer is None else vectorizer
    parameters = vectorizer.get_params(deep=False)
    checked = check_texts(texts, missing=parameters.get("missing", "error")).texts
    # Everything that can be wrong is found out before the first text is embedded.
    labels = as_labels(y, len(checked))
    codes, moments = as_groups(groups, len(checked)), as_times(times, len(checked))
    if codes is not None and moments is not None:
        raise UsageError("give groups or times; splits that respect both are not made")
    if cv is not None and cv < 2:
        raise UsageError(f"cv={cv} folds: at least 2 are needed, one to test and one to learn from")
    check_metric(metric)
    tried = make_candidates(candidates, class_weight=class_weight, random_state=random_state)
    rows = _Rows(labels, codes, moments, test_size, random_state)
    everything = np.arange(len(labels))
    outer = rows.held_out(everything) if cv is None else rows.folds(everything, cv)
    notes = rarity_notes(labels, outer) + _unlearned(labels, outer)

    full, first_step = make_vectors(vectorizer, checked, labels)
    asked = parameters.get("dimensions")
    X = full if asked is None else cut(full, int(asked))
    selection, fold_models = _select(X, rows, tried, outer, metric, cv, n_jobs, say)
    return train_on_vectors(
        checked,
        labels,
        full,
        first_step,
        clone(tried[selection.chosen] if selection is not None else fold_models[0]),
        outer,
        fold_models=fold_models,
        selection=selection,
        notes=notes,
        splitter=rows.describe(cv),
        learning=times is None,  # a part of the past at random would mix up time and number
        dimensions=dimensions,
        baselines=baselines,
        random_state=random_state,
        n_jobs=n_jobs,
        source=source,
        command=command,
    )


class _Rows:
    """The rows and how they may be divided."""

    def __init__(
        self,
        y: NDArray[Any],
        groups: NDArray[np.int64] | None,
        times: NDArray[np.float64] | None,
        test_size: float,
        random_state: int | None,
    ) -> None:
        self.y = y
        self.groups = groups
        self.times = times
        self.test_size = test_size
        self.random_state = random_state

    def _of(self, rows: NDArray[np.intp]) -> dict[str, Any]:
        return {
            "groups": None if self.groups is None else self.groups[rows],
            "times": None if self.times is None else self.times[rows],
            "random_state": self.random_state,
        }

    def held_out(self, rows: NDArray[np.intp]) -> Splits:
        found = held_out(self.y[rows], test_size=self.test_size, **self._of(rows))
        return [(rows[a], rows[b]) for a, b in found]

    def folds(self, rows: NDArray[np.intp], count: int) -> Splits:
        return [(rows[a], rows[b]) for a, b in folds(self.y[rows], count, **self._of(rows))]

    def inner(self, rows: NDArray[np.intp]) -> Splits:
        """Return the splits of some rows that the candidates are compared on."""
        if len(rows) > SINGLE_SPLIT_ABOVE or self.times is not None:
            return self.held_out(rows)
        return self.folds(rows, INNER_FOLDS)

    def describe(self, cv: int | None) -> str:
        by = "by class"
        if self.groups is not None:
            by = "whole groups, balanced by class"
        elif self.times is not None:
            by = "each later than what it was learned from"
        if cv is None:
            return f"{self.test_size:.0%} held out, {by} (random_state={self.random_state})"
        return f"{cv} folds, {by} (random_state={self.random_state})"


def _select(
    X: NDArray[Any],
    rows: _Rows,
    candidates: Mapping[str, BaseEstimator],
    outer: Splits,
    metric: str,
    cv: int | None,
    n_jobs: int | None,
    say: Callable[[str], None] | None,
) -> tuple[Selection | None, list[BaseEstimator]]:
    """Return the choice for all rows, and the classifier that each outer split chose."""
    if len(candidates) == 1:
        return None, list(candidates.values()) * len(outer)

    def trials(positions: NDArray[np.intp]) -> tuple[list[Trial], str, Splits]:
        inner = rows.inner(positions)
        found, best = run_trials(X, rows.y, candidates, inner, metric=metric, n_jobs=n_jobs)
        return found, best, inner

    if cv is None:
        [(train, _)] = outer
        found, best, inner = trials(train)
        words = _words(inner, len(train), "the rows not held out")
        selection = Selection(metric, tuple(found), best, words)
        return selection, [candidates[best]]
    picks: list[str] = []
    for number, (train, _) in enumerate(outer):
        found, best, _ = trials(train)
        picks.append(best)
        if number == 0 and say is not None:
            # The first fold is a good measure of the others; all rows at the end are a bit more.
            seconds = sum(trial.seconds for trial in found) * len(outer)
            say(f"Nested validation: about {_duration(seconds)} more for {len(outer)} folds.")
    everything = np.arange(len(rows.y))
    found, best, inner = trials(everything)
    words = _words(inner, len(everything), "all rows")
    selection = Selection(metric, tuple(found), best, words, tuple(picks))
    return selection, [candidates[name] for name in picks]


def _words(splits: Splits, count: int, what: str) -> str:
    tested = sum(len(test) for _, test in splits)
    if len(splits) == 1:
        return f"{tested:,} of the {count:,} of {what}"
    return f"{len(splits)} folds of {what}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} minutes"


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
