"""What every report says about where its figures come from."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from toolkit.embedding.keys import encode_text
from toolkit.prompts import find_family

if TYPE_CHECKING:
    from toolkit.identity import ModelIdentity

__all__ = ["data_fingerprint", "model_notice", "package_versions"]


def data_fingerprint(texts: Sequence[str], labels: Iterable[object] | None = None) -> str:
    """Return the SHA-256 of texts, and labels if there are any, in their order.

    Examples
    --------
    >>> data_fingerprint(["x", "y"]) == data_fingerprint(["y", "x"])
    False
    >>> data_fingerprint(["x", "y"], [0, 1]) == data_fingerprint(["y", "x"], [1, 0])
    False
    """
    digest = sha256()
    columns: tuple[Iterable[object], ...] = (texts,) if labels is None else (texts, labels)
    for row in zip(*columns, strict=True):
        for value in row:
            piece = encode_text(str(value))
            digest.update(len(piece).to_bytes(8, "little") + piece)
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


def package_versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of distributions that decide a result.

    Examples
    --------
    >>> sorted(package_versions(["numpy"]))
    ['numpy', 'python']
    """
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a checkout on the path
            found[name] = "not installed"
    return found
