"""Training, evaluation and saved models of text classifiers.

Names load on first use, so that importing the package does not import scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.classify.classifiers import CLASSIFIERS, make_classifier
    from toolkit.classify.evaluation import Evaluation, evaluate_model
    from toolkit.classify.label_findings import LabelProblem, LabelProblems
    from toolkit.classify.label_problems import find_label_problems
    from toolkit.classify.model_info import FORMAT_VERSION, ModelInfo, read_model_info
    from toolkit.classify.multilabel.estimator import LabelSetClassifier
    from toolkit.classify.multilabel.evaluation import (
        MultilabelEvaluation,
        evaluate_multilabel,
    )
    from toolkit.classify.multilabel.result import MultilabelResult
    from toolkit.classify.multilabel.training import train_multilabel
    from toolkit.classify.persistence import TRUSTED_TYPES, load_model, save_model
    from toolkit.classify.prediction import Prediction, predict_texts
    from toolkit.classify.result import TrainingResult
    from toolkit.classify.selection import select_classifier
    from toolkit.classify.splitting import make_splitter
    from toolkit.classify.training import train_classifier
    from toolkit.classify.validation import Score, Validation, cross_validate_matrix
    from toolkit.classify.zero_shot import ZeroShotClassifier

__all__ = [
    "CLASSIFIERS",
    "FORMAT_VERSION",
    "TRUSTED_TYPES",
    "Evaluation",
    "LabelProblem",
    "LabelProblems",
    "LabelSetClassifier",
    "ModelInfo",
    "MultilabelEvaluation",
    "MultilabelResult",
    "Prediction",
    "Score",
    "TrainingResult",
    "Validation",
    "ZeroShotClassifier",
    "cross_validate_matrix",
    "evaluate_model",
    "evaluate_multilabel",
    "find_label_problems",
    "load_model",
    "make_classifier",
    "make_splitter",
    "predict_texts",
    "read_model_info",
    "save_model",
    "select_classifier",
    "train_classifier",
    "train_multilabel",
]

_MODULES = {
    "CLASSIFIERS": "classifiers",
    "make_classifier": "classifiers",
    "LabelProblem": "label_findings",
    "LabelProblems": "label_findings",
    "find_label_problems": "label_problems",
    "Evaluation": "evaluation",
    "evaluate_model": "evaluation",
    "FORMAT_VERSION": "model_info",
    "TRUSTED_TYPES": "persistence",
    "ModelInfo": "model_info",
    "load_model": "persistence",
    "read_model_info": "model_info",
    "save_model": "persistence",
    "Prediction": "prediction",
    "predict_texts": "prediction",
    "LabelSetClassifier": "multilabel.estimator",
    "MultilabelEvaluation": "multilabel.evaluation",
    "evaluate_multilabel": "multilabel.evaluation",
    "MultilabelResult": "multilabel.result",
    "train_multilabel": "multilabel.training",
    "TrainingResult": "result",
    "train_classifier": "training",
    "select_classifier": "selection",
    "Score": "validation",
    "Validation": "validation",
    "cross_validate_matrix": "validation",
    "make_splitter": "splitting",
    "ZeroShotClassifier": "zero_shot",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(f"toolkit.classify.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
