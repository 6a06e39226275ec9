"""Train a text classifier and know how good it is, embedding every text once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from toolkit.cache.rows import cut_rows
from toolkit.classify.baselines import make_baselines
from toolkit.classify.cached_prompts import CachedPrompts
from toolkit.classify.classifiers import make_classifier
from toolkit.classify.diagnostics import learning_curve, nearest_training_rows
from toolkit.classify.labels import as_groups, as_labels
from toolkit.classify.notes import (
    duplicate_notes,
    lookalike_notes,
    rarity_of_classes,
    short_vector_notes,
)
from toolkit.classify.provenance import training_provenance
from toolkit.classify.result import Baseline, Trained, TrainingResult
from toolkit.classify.splitting import Splits, Splitter, make_splits, make_splitter
from toolkit.classify.targets import Targets
from toolkit.classify.validation import Score, cross_validate_matrix, fit_classifier
from toolkit.embedding.texts import check_texts
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from toolkit.classify.trials import Selection

__all__ = [
    "DIMENSIONS",
    "checked_texts",
    "default_vectorizer",
    "make_vectors",
    "train_classifier",
    "train_on_vectors",
]

R = TypeVar("R", bound=Trained)

DIMENSIONS = (768, 512, 256, 128)
"""The Matryoshka dimensions EmbeddingGemma was trained for."""


def train_classifier(
    texts: Iterable[str],
    y: Sequence[Any] | NDArray[Any],
    *,
    vectorizer: BaseEstimator | None = None,
    classifier: str | BaseEstimator | None = None,
    cv: int | Splitter | None = None,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    dimensions: Sequence[int] | None = DIMENSIONS,
    baselines: bool = True,
    random_state: int | None = 0,
    n_jobs: int | None = None,
    source: str | None = None,
    command: str | None = None,
) -> TrainingResult:
    """Cross-validate a text classifier beside its baselines, then fit it on all rows.

    Parameters
    ----------
    texts : iterable of str, of length n
        Anything the vectorizer takes.
    y : array-like of shape (n,)
        One label per text.
    vectorizer : estimator, optional
        Turns texts into vectors, and needs no fitting to do so. Default:
        ``EmbeddingGemmaVectorizer(task="classification")``.
    classifier : str or estimator, optional
        As :func:`~toolkit.classify.classifiers.make_classifier` takes it; default
        ``LogisticRegression(C=10, max_iter=2000)``.
    cv : int or splitter, optional
        Folds, default 5.
    groups : array-like of shape (n,), optional
        Rows of one group are never in training and test rows at once.
    dimensions : sequence of int, optional
        Also score the vectors cut to these lengths; those above the vectors' own are left
        out. Default: 768, 512, 256, 128. ``None`` or empty scores the trained dimension only.
    baselines : bool, default=True
        Whether to score the majority class and TF-IDF on the same folds.
    random_state : int or None, default=0
        Seed of splits and classifiers.
    n_jobs : int, optional
        Folds at once, as in joblib.
    source : str, optional
        Where the rows come from, for reports.
    command : str, optional
        The command that repeats this, for reports.

    Returns
    -------
    TrainingResult

    Raises
    ------
    DataError
        If labels are missing, or classes have fewer rows than there are folds.
    UsageError
        If the classifier or the splitter cannot be used.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> texts = [f"{word} {i}" for word in ("red apple", "fast car") for i in range(10)]
    >>> y = ["fruit"] * 10 + ["vehicle"] * 10
    >>> result = train_classifier(texts, y, vectorizer=HashingVectorizer(n_features=64))
    >>> result.scores["accuracy"].mean
    1.0
    >>> result.pipeline.predict(["an apple"]).tolist()
    ['fruit']
    """
    vectorizer = default_vectorizer() if vectorizer is None else vectorizer
    checked = checked_texts(vectorizer, texts)
    # Everything that can be wrong with labels, classifier and splits is found out before the
    # first text is embedded.
    labels = as_labels(y, len(checked))
    group_codes = as_groups(groups, len(checked))
    model = make_classifier(classifier, random_state=random_state)
    splitter = make_splitter(cv, grouped=group_codes is not None, random_state=random_state)
    splits, notes = make_splits(splitter, labels, group_codes)

    full, first_step = make_vectors(vectorizer, checked)
    return train_on_vectors(
        checked,
        Targets.of_labels(labels),
        full,
        first_step,
        model,
        splits,
        partial(TrainingResult, y=labels),
        notes=[*notes, *rarity_of_classes(labels)],
        splitter=str(splitter),
        dimensions=dimensions,
        baselines=baselines,
        random_state=random_state,
        n_jobs=n_jobs,
        source=source,
        command=command,
    )


def train_on_vectors(
    texts: list[str],
    targets: Targets,
    full: NDArray[Any],
    first_step: BaseEstimator,
    model: BaseEstimator,
    splits: Splits,
    result: Callable[..., R],
    *,
    fold_models: Sequence[BaseEstimator] | None = None,
    selection: Selection | None = None,
    notes: Sequence[str] = (),
    splitter: str = "",
    learning: bool = False,
    dimensions: Sequence[int] | None = DIMENSIONS,
    baselines: bool = True,
    random_state: int | None = 0,
    n_jobs: int | None = None,
    source: str | None = None,
    command: str | None = None,
) -> R:
    """Validate a classifier on vectors that are made already, and fit it on all of them.

    Parameters
    ----------
    texts : list of str, of length n
        Checked.
    targets : Targets
        Their labels or label sets.
    full : ndarray of shape (n, d)
        The full vectors.
    first_step : estimator
        The fitted vectorizer they come from.
    model : estimator
        Unfitted; fitted on all rows.
    splits : sequence of (train, test)
        Positions.
    result : callable
        Makes a :class:`~toolkit.classify.result.Trained` of everything found out.
    fold_models : sequence of estimators, optional
        What each split is scored with, where each chose its own; default ``model``.
    selection : Selection, optional
        How the model was chosen.
    notes : sequence of str
        What a reader of the scores should know first.
    splitter : str
        The splits in words.
    learning : bool, default=False
        Whether to find out what fewer rows would have given.
    dimensions, baselines, random_state, n_jobs, source, command
        As in :func:`train_classifier`.

    Returns
    -------
    Trained
        What ``result`` makes.
    """
    y = targets.y
    asked = first_step.get_params(deep=False).get("dimensions")
    width = int(asked) if asked is not None else full.shape[1]
    X = cut_rows(full, width)
    scored = [model] * len(splits) if fold_models is None else list(fold_models)

    def scores(rows: Any, models: BaseEstimator | Sequence[BaseEstimator]) -> dict[str, Score]:
        return cross_validate_matrix(rows, y, models, splits, n_jobs=n_jobs).scores

    validation = cross_validate_matrix(X, y, scored, splits, n_jobs=n_jobs)
    by_dimension = {width: validation.scores}
    for d in sorted({int(d) for d in dimensions or ()} - {width}, reverse=True):
        if 0 < d <= full.shape[1]:
            by_dimension[d] = scores(cut_rows(full, d), scored)
    prompts = CachedPrompts(first_step, texts)
    by_prompt = {task: scores(cut_rows(other, width), scored) for task, other in prompts}
    beside = make_baselines(texts, model) if baselines else {}
    curve = learning_curve(X, y, scored, splits, random_state=random_state) if learning else []

    identity = getattr(first_step, "identity_", None)
    said = [*notes, *duplicate_notes(texts, splits), *lookalike_notes(targets.classes)]
    said += short_vector_notes(identity, min(by_dimension))
    provenance = training_provenance(
        identity=identity,
        vectorizer=first_step,
        dimension=width,
        classifier=model,
        splitter=splitter,
        selection=None if selection is None else selection.to_dict(),
        random_state=random_state,
        texts=texts,
        targets=targets,
        source=source,
        command=command,
    )
    return result(
        pipeline=Pipeline(
            [("vectorizer", first_step), ("classifier", fit_classifier(model, X, y))]
        ),
        texts=texts,
        classes=targets.classes,
        validation=validation,
        baselines={
            name: Baseline(description, scores(texts, estimator))
            for name, (description, estimator) in beside.items()
        },
        by_dimension=dict(sorted(by_dimension.items(), reverse=True)),
        by_prompt=by_prompt,
        prompts_missing=prompts.missing,
        notes=said,
        provenance=provenance,
        selection=selection,
        learning=tuple(curve),
        neighbours=nearest_training_rows(X, y, validation, splits),
    )


def default_vectorizer() -> BaseEstimator:
    """Return the vectorizer that is used when none is given."""
    from toolkit.vectorizer import EmbeddingGemmaVectorizer

    made: BaseEstimator = EmbeddingGemmaVectorizer(task="classification")
    return made


def checked_texts(vectorizer: BaseEstimator, texts: Iterable[str]) -> list[str]:
    """Return the texts as a list, with missing ones treated the vectorizer's way."""
    missing = vectorizer.get_params(deep=False).get("missing", "error")
    return check_texts(texts, missing=missing).texts


def make_vectors(vectorizer: BaseEstimator, texts: list[str]) -> tuple[NDArray[Any], BaseEstimator]:
    """Return the full vectors and the fitted first step of the pipeline.

    Raises
    ------
    UsageError
        If the vectorizer learns from texts.
    DataError
        If texts have no vector.
    """
    if get_tags(vectorizer).requires_fit:
        raise UsageError(
            f"{type(vectorizer).__name__} learns from the texts it is fitted on, so vectors made "
            "once for all folds would leak test rows into training; use a vectorizer that needs "
            "no fitting, or cross_val_score over a Pipeline"
        )
    fitted = clone(vectorizer).fit(texts)
    if "dimensions" in vectorizer.get_params(deep=False):
        X = clone(vectorizer).set_params(dimensions=None).fit(texts).transform(texts)
    else:
        X = fitted.transform(texts)
    X = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
    if X.ndim != 2 or len(X) != len(texts):
        raise DataError(
            f"the vectorizer returned an array of shape {X.shape} for {len(texts)} texts"
        )
    failed = np.flatnonzero(~np.isfinite(X).all(axis=1))
    if len(failed):
        raise DataError(
            f"{len(failed)} of {len(X)} texts have no vector (first position {failed[0]}); leave "
            "these rows out, or use on_error='raise' to see why"
        )
    return X, fitted
