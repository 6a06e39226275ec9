"""Names and versions as Ollama reads them."""

from __future__ import annotations

import re

__all__ = ["full_name", "is_official", "parse_version", "weights_digest"]


def parse_version(version: str) -> tuple[int, ...] | None:
    """Return a version's numbers, or None for a development build.

    Examples
    --------
    >>> parse_version("0.12.7-rc1"), parse_version("0.0.0")
    ((0, 12, 7), None)
    """
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    if match is None:
        return None
    numbers = tuple(int(part) for part in match.groups())
    return numbers if any(numbers) else None


def full_name(model: str) -> str:
    """Return a model's name as Ollama resolves it: registry, namespace, tag, in lower case.

    Examples
    --------
    >>> full_name("EmbeddingGemma")
    'registry.ollama.ai/library/embeddinggemma:latest'
    """
    name = model.strip().lower().removesuffix(":local")
    path, _, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    parts = [part for part in path.split("/") if part]
    if not parts:
        parts = ["registry.ollama.ai", "library"]
    elif len(parts) == 1:
        parts = ["registry.ollama.ai", *parts]
    return f"{'/'.join(parts)}/{base}:{tag or 'latest'}"


def is_official(model: str) -> bool:
    """Return whether a name is Ollama's own ``embeddinggemma``, with any tag.

    Examples
    --------
    >>> is_official("embeddinggemma:300m-qat-q8_0"), is_official("me/embeddinggemma")
    (True, False)
    """
    return full_name(model).rpartition(":")[0] == "registry.ollama.ai/library/embeddinggemma"


def weights_digest(modelfile: str) -> str | None:
    """Return the digest of the weights that a model's file names, or None.

    Examples
    --------
    >>> weights_digest("FROM /models/blobs/sha256-" + "ab" * 32)[:4]
    'abab'
    """
    found = re.search(r"^FROM \S*sha256-([0-9a-f]{64})", modelfile, re.MULTILINE)
    return found[1] if found else None
