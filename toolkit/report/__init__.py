"""Reports: one object each, that shows itself as HTML, Markdown, JSON and a frame.

Names load on first use, so that importing the package imports neither scikit-learn nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.report.classifier import ClassifierReport
    from toolkit.report.clustering import ClusterReport
    from toolkit.report.evaluation import EvaluationReport
    from toolkit.report.multilabel import MultilabelReport

__all__ = ["ClassifierReport", "ClusterReport", "EvaluationReport", "MultilabelReport"]

_MODULES = {
    "ClassifierReport": "classifier",
    "ClusterReport": "clustering",
    "EvaluationReport": "evaluation",
    "MultilabelReport": "multilabel",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(f"toolkit.report.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
