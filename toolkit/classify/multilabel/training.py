"""Train a classifier that gives a text several labels, and know how good it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from toolkit.classify.holdout import RARE
from toolkit.classify.multilabel.estimator import LabelSetClassifier
from toolkit.classify.multilabel.label_sets import LabelSets, as_label_sets
from toolkit.classify.multilabel.metrics import DECIDING
from toolkit.classify.multilabel.result import MultilabelResult
from toolkit.classify.selection import compare_and_train
from toolkit.classify.splitting import Splits, named
from toolkit.classify.targets import Targets
from toolkit.classify.training import DIMENSIONS, checked_texts, default_vectorizer
from toolkit.classify.trials import check_metric, make_candidates
from toolkit.errors import UsageError

__all__ = ["train_multilabel"]

STANDARD = (1, 10, 100)
"""Values of C that logistic regression is tried with: fewer than for one label, as each is fitted
once for every label."""


def train_multilabel(
    texts: Iterable[str],
    y: Any,
    *,
    label_separator: str | None = None,
    vectorizer: BaseEstimator | None = None,
    candidates: Sequence[str | BaseEstimator] | Mapping[str, BaseEstimator] | None = None,
    metric: str = "micro_f1",
    threshold: str | float = "tuned",
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
) -> MultilabelResult:
    """Choose a classifier of label sets, score it on rows it has not seen, and fit it on all.

    As :func:`~toolkit.classify.select_classifier`, for texts that have several labels, or none.
    Rows are dealt to the splits by their rarest label.

    Parameters
    ----------
    texts, vectorizer, cv, test_size, groups, times, class_weight, dimensions, baselines
        As in :func:`~toolkit.classify.select_classifier`.
    y : sequence of str, sequence of collections of labels, or matrix of shape (n, n_labels)
        Cells with ``label_separator`` between the labels, lists of labels, or an indicator
        matrix; a frame brings the names of its columns. A text without labels is an empty list,
        or a cell of the separator alone.
    label_separator : str, optional
        What stands between the labels of a cell.
    candidates : sequence of str or estimator, or mapping, optional
        Classifiers with probabilities, each of which is fitted for one label at a time. Default:
        logistic regression of three strengths, a linear SVM and nearest neighbours.
    metric : str, default="micro_f1"
        What decides: ``"micro_f1"``, ``"macro_f1"``, ``"subset_accuracy"`` or
        ``"average_precision"``.
    threshold : "tuned" or float, default="tuned"
        From which probability on a label is given: the best one for each, or one for all.
    random_state, n_jobs, source, command, say
        As in :func:`~toolkit.classify.select_classifier`.

    Returns
    -------
    MultilabelResult

    Raises
    ------
    DataError
        If labels or times are missing, or nothing can be kept back for a test.
    UsageError
        If the separator, a candidate, the metric or the split cannot be used.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> texts = ["red apple", "fast car", "apple in the car", "rain"] * 10
    >>> y = ["fruit", "vehicle", "fruit;vehicle", ";"] * 10
    >>> result = train_multilabel(texts, y, label_separator=";", candidates=["logistic_regression"],
    ...                           vectorizer=HashingVectorizer(n_features=64))
    >>> result.scores["micro_f1"].mean
    1.0
    >>> result.pipeline.predict(["a car"]).tolist(), result.classes.tolist()
    ([[0, 1]], ['fruit', 'vehicle'])
    """
    first = default_vectorizer() if vectorizer is None else vectorizer
    checked = checked_texts(first, texts)
    sets = as_label_sets(y, len(checked), separator=label_separator)
    tried = {
        name: LabelSetClassifier(
            model, threshold=threshold, labels=sets.labels.tolist(), random_state=random_state
        )
        for name, model in _candidates(candidates, class_weight, random_state).items()
    }
    found = compare_and_train(
        checked,
        Targets.of_sets(sets),
        tried,
        partial(MultilabelResult, Y=sets.Y, separator=sets.separator),
        vectorizer=first,
        metric=check_metric(metric, DECIDING),
        notes=lambda splits: _notes(sets, splits),
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
    return replace(found, notes=found.notes + _never_learned(found))


def _candidates(
    given: Any, class_weight: Any, random_state: int | None
) -> dict[str, BaseEstimator]:
    if given is None:
        found = make_candidates(class_weight=class_weight, random_state=random_state)
        wanted = [f"logistic_regression C={c}" for c in STANDARD] + ["linear_svm", "knn"]
        return {name: found[name] for name in wanted}
    found = make_candidates(given, class_weight=class_weight, random_state=random_state)
    for name, model in found.items():
        if not hasattr(model, "predict_proba"):
            raise UsageError(
                f"{name} has no probabilities, which several labels need; use "
                "logistic_regression, linear_svm or knn"
            )
    return found


def _notes(sets: LabelSets, splits: Splits) -> list[str]:
    Y, labels = sets.Y, sets.labels
    counts = Y.sum(axis=1)
    several, none = int((counts > 1).sum()), int((counts == 0).sum())
    notes = [
        f"{counts.mean():.2f} labels a text on average: {several:,} of {len(Y):,} have several"
        + (f", {none:,} none." if none else ".")
    ]
    few = labels[Y.sum(axis=0) < RARE]
    if len(few):
        notes.append(
            f"{len(few)} of {len(labels)} labels have fewer than {RARE} rows ({named(few)}): a "
            "score of their own would say nothing."
        )
    tested = np.unique(np.concatenate([test for _, test in splits]))
    untested = labels[~Y[tested].any(axis=0)]
    if len(untested):
        notes.append(
            f"{len(untested)} of {len(labels)} labels are never tested ({named(untested)}): how "
            "well they are recognised is not known."
        )
    return notes


def _never_learned(result: MultilabelResult) -> list[str]:
    model, labels = result.pipeline[-1], result.classes
    if len(model.estimators_) < len(labels):  # one model for all
        return []
    never = labels[[one is None for one in model.estimators_]]
    if not len(never):
        return []
    return [
        f"{len(never)} of {len(labels)} labels cannot be learned, having too few rows with or "
        f"without them ({named(never)}); their probability is their share of the rows."
    ]
