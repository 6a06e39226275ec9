"""What made a model, and from what: enough to repeat it or to doubt it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator

from toolkit.classify.classifiers import describe_classifier
from toolkit.classify.multilabel.estimator import LabelSetClassifier
from toolkit.classify.targets import Targets
from toolkit.provenance import data_fingerprint, model_notice, package_versions

if TYPE_CHECKING:
    from toolkit.identity import ModelIdentity

__all__ = ["DECIDING_PACKAGES", "training_provenance"]

DECIDING_PACKAGES = ("embeddinggemma-toolkit", "numpy", "scikit-learn", "scipy", "skops")
"""Their versions decide what a model does."""


def training_provenance(
    *,
    identity: ModelIdentity | None,
    vectorizer: BaseEstimator,
    dimension: int,
    classifier: BaseEstimator,
    splitter: str,
    selection: dict[str, Any] | None = None,
    random_state: int | None,
    texts: list[str],
    targets: Targets,
    source: str | None,
    command: str | None,
) -> dict[str, Any]:
    """Return what reports, model folders and model cards say about a training run.

    Returns
    -------
    dict
        Of plain values that JSON can hold.
    """
    sets = classifier if isinstance(classifier, LabelSetClassifier) else None
    inner = classifier if sets is None else sets.estimator
    name, parameters = describe_classifier(inner)
    without_canary = None
    if identity is not None:
        without_canary = {k: v for k, v in identity.to_dict().items() if k != "canary"}
    made = {
        "notice": model_notice(identity),
        "model": identity.describe() if identity is not None else type(vectorizer).__name__,
        "identity": without_canary,
        "prompt": getattr(vectorizer, "prompt_", None),
        "dimension": dimension,
        "classifier": name,
        "classifier_parameters": parameters,
        "classifier_repr": " ".join(repr(inner).split()),
        "splits": splitter,
        "selection": selection,
        "random_state": random_state,
        "rows": len(texts),
        "classes": len(targets.classes),
        "source": source,
        "data_fingerprint": f"sha256:{data_fingerprint(texts, targets.cells)}",
        "versions": package_versions(DECIDING_PACKAGES),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
    }
    if sets is not None:
        made |= {"multilabel": True, "separator": targets.separator, "threshold": sets.threshold}
    return made
