"""What made a model, and from what: enough to repeat it or to doubt it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from toolkit.classify.classifiers import describe_classifier
from toolkit.embedding.keys import encode_text
from toolkit.prompts import find_family

if TYPE_CHECKING:
    from toolkit.identity import ModelIdentity

__all__ = ["data_fingerprint", "model_notice", "package_versions", "training_provenance"]


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
    labels: NDArray[Any],
    source: str | None,
    command: str | None,
) -> dict[str, Any]:
    """Return what reports, model folders and model cards say about a training run.

    Returns
    -------
    dict
        Of plain values that JSON can hold.
    """
    name, parameters = describe_classifier(classifier)
    without_canary = None
    if identity is not None:
        without_canary = {k: v for k, v in identity.to_dict().items() if k != "canary"}
    return {
        "notice": model_notice(identity),
        "model": identity.describe() if identity is not None else type(vectorizer).__name__,
        "identity": without_canary,
        "prompt": getattr(vectorizer, "prompt_", None),
        "dimension": dimension,
        "classifier": name,
        "classifier_parameters": parameters,
        "classifier_repr": " ".join(repr(classifier).split()),
        "splits": splitter,
        "selection": selection,
        "random_state": random_state,
        "rows": len(texts),
        "classes": len(np.unique(labels)),
        "source": source,
        "data_fingerprint": f"sha256:{data_fingerprint(texts, labels)}",
        "versions": package_versions(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
    }


def data_fingerprint(texts: Sequence[str], labels: NDArray[Any]) -> str:
    """Return the SHA-256 of texts and labels in their order.

    Examples
    --------
    >>> a = data_fingerprint(["x", "y"], np.array([0, 1]))
    >>> a == data_fingerprint(["y", "x"], np.array([1, 0]))
    False
    """
    digest = sha256()
    for text, label in zip(texts, labels, strict=True):
        for piece in (encode_text(text), encode_text(str(label))):
            digest.update(len(piece).to_bytes(8, "little"))
            digest.update(piece)
    return digest.hexdigest()


def model_notice(identity: ModelIdentity | None) -> str | None:
    """Return the sentence that must stand on outputs of another model than EmbeddingGemma.

    Examples
    --------
    >>> from toolkit.identity import ModelIdentity
    >>> model_notice(ModelIdentity("ollama", "embeddinggemma:300m", 768)) is None
    True
    >>> model_notice(ModelIdentity("embedded", "use-multilingual-v3", 512))
    'Not EmbeddingGemma: vectors of use-multilingual-v3 through embedded (512 dimensions).'
    """
    if identity is None:
        return "Not EmbeddingGemma: vectors of a transformer that does not say what it is."
    family = find_family(identity.model)
    if family is not None and family.name.startswith("embeddinggemma"):
        return None
    return f"Not EmbeddingGemma: vectors of {identity.describe()}."


def package_versions() -> Mapping[str, str]:
    """Return the versions that decide what a model does.

    Examples
    --------
    >>> sorted(package_versions())
    ['embeddinggemma-toolkit', 'numpy', 'python', 'scikit-learn', 'scipy', 'skops']
    """
    found = {"python": platform.python_version()}
    for name in ("embeddinggemma-toolkit", "numpy", "scikit-learn", "scipy", "skops"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a checkout on the path
            found[name] = "not installed"
    return found
