"""Model folders: a fitted pipeline that can be handed on, and loaded without running its content.

``model.skops`` holds the pipeline, ``model.json`` what it is and how good, ``README.md`` the same
for a reader. skops writes no code, and types are checked before anything is built; a pipeline it
cannot write becomes ``model.joblib``, a pickle, which runs whatever it contains when it is opened
and is therefore only loaded with ``trusted=True``.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from toolkit.classify.labels import plain
from toolkit.classify.model_card import model_card
from toolkit.classify.model_info import ModelInfo
from toolkit.classify.multilabel.label_sets import choose_separator
from toolkit.classify.multilabel.result import MultilabelResult
from toolkit.classify.provenance import DECIDING_PACKAGES
from toolkit.classify.result import Trained
from toolkit.errors import ModelFileError, UsageError
from toolkit.provenance import model_notice, package_versions
from toolkit.saved.description import MODEL
from toolkit.saved.folders import check_can_write
from toolkit.saved.model_file import VECTORIZER_TYPES
from toolkit.saved.pipeline_folder import load_pipeline, save_pipeline

__all__ = ["TRUSTED_TYPES", "load_model", "save_model"]

TRUSTED_TYPES: tuple[str, ...] = (
    *VECTORIZER_TYPES,
    "toolkit.classify.multilabel.estimator.LabelSetClassifier",
    "toolkit.classify.zero_shot.ZeroShotClassifier",
    # What CalibratedClassifierCV is made of. Plain numbers and a scikit-learn classifier, which
    # skops checks in its turn.
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
)
"""Types that may be built from a file beyond those skops trusts: ``skops.io.load(file,
trusted=list(TRUSTED_TYPES))`` opens any model this project writes with its standard classifiers."""


def save_model(
    model: Trained | BaseEstimator,
    folder: str | Path,
    *,
    force: bool = False,
    report: str | None = None,
) -> Path:
    """Write a model folder.

    The folder appears whole or not at all. Servers, header values and cache folders are not
    written: they belong to the machine, not to the model.

    Parameters
    ----------
    model : TrainingResult, MultilabelResult or fitted pipeline
        A result also brings its scores and provenance.
    folder : path
        Must not exist, or be empty.
    force : bool, default=False
        Replace an earlier model folder. Another kind of folder is never replaced.
    report : str, optional
        HTML to write beside it as ``report.html``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UsageError
        If the folder holds something, or the pipeline is not fitted.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> model = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression())
    >>> model = model.fit(["red apple", "fast car"], ["fruit", "vehicle"])
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = save_model(model, f"{place}/model")
    ...     sorted(path.name for path in folder.iterdir())
    ...     load_model(folder).predict(["an apple"]).tolist()
    ['README.md', 'model.json', 'model.skops']
    ['fruit']
    """
    target = Path(folder)
    pipeline = model.pipeline if isinstance(model, Trained) else model
    check_can_write(target, MODEL, force=force)
    try:
        check_is_fitted(pipeline)
    except NotFittedError as error:
        raise UsageError("the pipeline is not fitted; call fit before saving it") from error
    return save_pipeline(
        target,
        pipeline,
        partial(_describe, model, pipeline),
        partial(model_card, report=report is not None),
        report=report,
    )


def load_model(folder: str | Path, *, trusted: bool = False) -> BaseEstimator:
    """Load a model folder, after checking all of it.

    In this order: the format's version, the model file's digest, the types in it, and then that
    what was built is a fitted classifier with the classes and the vector space that
    ``model.json`` names. Nothing in the file is built or run before its types are known.

    Parameters
    ----------
    folder : path
        As :func:`save_model` wrote it.
    trusted : bool, default=False
        Whether you trust who wrote it as you would trust a program of theirs: also opens
        ``model.joblib``, types beyond :data:`TRUSTED_TYPES`, and models that name a server
        elsewhere.

    Returns
    -------
    Pipeline
        Fitted; its first step is called ``vectorizer`` if :func:`train_classifier` made it, so
        that ``model.set_params(vectorizer__host=..., vectorizer__backend=...)`` says where its
        vectors come from on this machine. It checks the vector space there at each prediction.

    Raises
    ------
    ModelFileError
        If anything is not as it should be; the message says what and what to do.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> model = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression())
    >>> model = model.fit(["red apple", "fast car"], ["fruit", "vehicle"])
    >>> folder = save_model(model, f"{tempfile.mkdtemp()}/model")
    >>> load_model(folder).predict(["an apple"]).tolist()
    ['fruit']
    """
    return load_pipeline(folder, ModelInfo, _check_loaded, types=TRUSTED_TYPES, trusted=trusted)


def _describe(
    model: Trained | BaseEstimator,
    pipeline: BaseEstimator,
    written: dict[str, Any],
) -> ModelInfo:
    first = pipeline.steps[0][1] if hasattr(pipeline, "steps") else pipeline
    identity = getattr(first, "identity_", None)
    width = getattr(first, "n_features_out_", None)
    common: dict[str, Any] = written | {
        "classes": [plain(label) for label in pipeline.classes_],
        "prompt": getattr(first, "prompt_", None),
        "identity": identity,
        "notice": model_notice(identity),
        "versions": package_versions(DECIDING_PACKAGES),
    }
    if isinstance(model, MultilabelResult):
        common["separator"] = model.separator
    elif hasattr(pipeline, "steps") and hasattr(pipeline.steps[-1][1], "thresholds_"):
        common["separator"] = choose_separator(map(str, pipeline.classes_))
    if not isinstance(model, Trained):
        return ModelInfo(dimension=width, **common)
    return ModelInfo(
        dimension=model.provenance["dimension"],
        metrics={k: score.to_dict() for k, score in model.scores.items()},
        baselines={
            k: {"description": b.description} | {m: s.to_dict() for m, s in b.scores.items()}
            for k, b in model.baselines.items()
        },
        by_dimension={
            str(d): {m: s.to_dict() for m, s in scores.items()}
            for d, scores in model.by_dimension.items()
        },
        provenance=model.provenance
        | {
            "notes": model.notes,
            "f1_by_class": {str(k): float(v) for k, v in model.per_class()["f1"].items()},
        },
        **common,
    )


def _check_loaded(model: BaseEstimator, info: ModelInfo, path: Path) -> None:
    try:
        check_is_fitted(model)
        classes = [plain(label) for label in np.asarray(model.classes_)]
    except (NotFittedError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path} holds no fitted classifier: {error}") from error
    if classes != info.classes:
        raise ModelFileError(
            f"{path} answers {len(classes)} classes that are not the {len(info.classes)} of "
            "model.json: the files are not of one model; copy the folder again, whole"
        )
