"""Train a classifier that gives a text several labels, and know how good it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline, make_pipeline

from toolkit.classify.baselines import tfidf_baseline
from toolkit.classify.choosing import RowDivider, beginning, choose
from toolkit.classify.classifiers import make_classifier
from toolkit.classify.holdout import RARE, as_times
from toolkit.classify.labels import as_groups
from toolkit.classify.multilabel.estimator import LabelSetClassifier
from toolkit.classify.multilabel.label_sets import LabelSets, as_label_sets, rarest_labels
from toolkit.classify.multilabel.metrics import DECIDING
from toolkit.classify.multilabel.result import MultilabelResult
from toolkit.classify.multilabel.validation import cross_validate_sets, score_frequent_set
from toolkit.classify.notes import duplicate_notes, lookalike_notes, short_vector_notes
from toolkit.classify.provenance import training_provenance
from toolkit.classify.result import Baseline
from toolkit.classify.splitting import Splits, named
from toolkit.classify.training import DIMENSIONS, default_vectorizer, make_vectors
from toolkit.classify.trials import check_metric, make_candidates
from toolkit.classify.validation import quiet_fitting
from toolkit.embedding.checks import cut
from toolkit.embedding.texts import check_texts
from toolkit.errors import UsageError
from toolkit.wording import counted

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
    vectorizer = default_vectorizer() if vectorizer is None else vectorizer
    parameters = vectorizer.get_params(deep=False)
    checked = check_texts(texts, missing=parameters.get("missing", "error")).texts
    # Everything that can be wrong is found out before the first text is embedded.
    sets = as_label_sets(y, len(checked), separator=label_separator)
    codes, moments = as_groups(groups, len(checked)), as_times(times, len(checked))
    if codes is not None and moments is not None:
        raise UsageError("give groups or times; splits that respect both are not made")
    if cv is not None and cv < 2:
        raise UsageError(f"cv={cv} folds: at least 2 are needed, one to test and one to learn from")
    check_metric(metric, DECIDING)
    tried = {
        name: LabelSetClassifier(
            model, threshold=threshold, labels=sets.labels.tolist(), random_state=random_state
        )
        for name, model in _candidates(candidates, class_weight, random_state).items()
    }
    rows = RowDivider(rarest_labels(sets.Y), codes, moments, test_size, random_state)
    everything = np.arange(len(checked))
    outer = rows.held_out(everything) if cv is None else rows.folds(everything, cv)

    if say is not None:
        say(beginning(len(checked), counted(len(sets.labels), "label"), source, cv, test_size))
    full, first_step = make_vectors(vectorizer, checked, rows.y)
    asked = parameters.get("dimensions")
    width = full.shape[1] if asked is None else int(asked)
    X = cut(full, width)
    selection, models = choose(
        X,
        sets.Y,
        rows,
        tried,
        outer,
        metric=metric,
        cv=cv,
        n_jobs=n_jobs,
        say=say,
        validate=cross_validate_sets,
    )
    model = clone(tried[selection.chosen] if selection is not None else models[0])
    validation = cross_validate_sets(X, sets.Y, models, outer, n_jobs=n_jobs)
    by_dimension = {width: validation.scores}
    for d in sorted({int(d) for d in dimensions or ()} - {width}, reverse=True):
        if 0 < d <= full.shape[1]:
            found = cross_validate_sets(cut(full, d), sets.Y, models, outer, n_jobs=n_jobs)
            by_dimension[d] = found.scores
    compared = _baselines(checked, sets, model, outer, n_jobs) if baselines else {}

    identity = getattr(first_step, "identity_", None)
    provenance = training_provenance(
        identity=identity,
        vectorizer=first_step,
        dimension=width,
        classifier=model.estimator,
        splitter=rows.describe(cv),
        selection=None if selection is None else selection.to_dict(),
        random_state=random_state,
        texts=checked,
        labels=np.array(sets.joined(), dtype=object),
        source=source,
        command=command,
    )
    provenance |= {"classes": len(sets.labels), "multilabel": True, "separator": sets.separator}
    provenance["threshold"] = threshold
    with quiet_fitting(X):
        model.fit(X, sets.Y)
    notes = [*_notes(sets, outer, model), *duplicate_notes(checked, outer)]
    notes += lookalike_notes(sets.labels)
    return MultilabelResult(
        pipeline=Pipeline([("vectorizer", first_step), ("classifier", model)]),
        texts=checked,
        Y=sets.Y,
        classes=sets.labels,
        separator=sets.separator,
        validation=validation,
        baselines=compared,
        by_dimension=dict(sorted(by_dimension.items(), reverse=True)),
        notes=notes + short_vector_notes(identity, min(by_dimension)),
        provenance=provenance,
        selection=selection,
    )


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


def _notes(sets: LabelSets, splits: Splits, model: LabelSetClassifier) -> list[str]:
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
    if len(model.estimators_) == len(labels):
        never = labels[[one is None for one in model.estimators_]]
        if len(never):
            notes.append(
                f"{len(never)} of {len(labels)} labels cannot be learned, having too few rows with "
                f"or without them ({named(never)}); their probability is their share of the rows."
            )
    return notes


def _baselines(
    texts: list[str],
    sets: LabelSets,
    model: LabelSetClassifier,
    splits: Splits,
    n_jobs: int | None,
) -> dict[str, Baseline]:
    frequent = score_frequent_set(sets.Y, splits).scores
    counted, description = tfidf_baseline(texts, model.estimator)
    if not hasattr(counted[-1], "predict_proba"):  # calibration is left out of the baseline
        counted, description = tfidf_baseline(texts, make_classifier())
    own = clone(model).set_params(estimator=counted[-1])
    scores = cross_validate_sets(
        texts, sets.Y, make_pipeline(counted[0], own), splits, n_jobs=n_jobs
    ).scores
    return {
        "majority": Baseline("Always the most frequent labels", frequent),
        "tfidf": Baseline(description, scores),
    }
