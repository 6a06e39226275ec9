"""EmbeddingGemma, served by a local Ollama, in scikit-learn.

The public names are loaded on first use, so that ``import toolkit`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.backends.embedded import EmbeddedBackend
    from toolkit.backends.ollama import OllamaBackend
    from toolkit.backends.openai_compatible import OpenAIBackend
    from toolkit.cache import EmbeddingCache
    from toolkit.classify import ZeroShotClassifier, load_model, save_model
    from toolkit.embedding.cached import CacheBackend
    from toolkit.report import ClassifierReport, ClusterReport
    from toolkit.vectorizer import EmbeddingGemmaVectorizer
    from toolkit.visualize import EmbeddingMapDisplay, UMAPProjector

__version__ = "0.1.0"

_HOMES = {
    "CacheBackend": "toolkit.embedding.cached",
    "ClassifierReport": "toolkit.report",
    "ClusterReport": "toolkit.report",
    "EmbeddedBackend": "toolkit.backends.embedded",
    "EmbeddingCache": "toolkit.cache",
    "EmbeddingGemmaVectorizer": "toolkit.vectorizer",
    "EmbeddingMapDisplay": "toolkit.visualize",
    "OllamaBackend": "toolkit.backends.ollama",
    "OpenAIBackend": "toolkit.backends.openai_compatible",
    "UMAPProjector": "toolkit.visualize",
    "ZeroShotClassifier": "toolkit.classify",
    "load_model": "toolkit.classify",
    "save_model": "toolkit.classify",
}

__all__ = [
    "CacheBackend",
    "ClassifierReport",
    "ClusterReport",
    "EmbeddedBackend",
    "EmbeddingCache",
    "EmbeddingGemmaVectorizer",
    "EmbeddingMapDisplay",
    "OllamaBackend",
    "OpenAIBackend",
    "UMAPProjector",
    "ZeroShotClassifier",
    "__version__",
    "load_model",
    "save_model",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'toolkit' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
