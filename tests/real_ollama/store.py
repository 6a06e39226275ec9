"""Ollama's model store, written by hand: blobs by their digest, a manifest for each name.

``ollama create`` wants an executable ``llama-quantize`` to check a model with, which no package
carries.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from tests.real_ollama import tiny_model

NAMES: dict[tiny_model.Kind, tuple[str, ...]] = {
    # Twice: under the official name, whose vectors are checked, and under one that has the same
    # prompts and is not checked.
    "embedding": ("library/embeddinggemma", "test/embeddinggemma"),
    "chat": ("library/chatty",),
    "damaged": ("library/damaged",),
}
COMPLETE = "complete"
_FORMAT = 4


def build(models: Path) -> None:
    """Write the store, unless it is there already."""
    done = models / COMPLETE
    if done.exists() and done.read_text(encoding="utf-8") == str(_FORMAT):
        return
    models.mkdir(parents=True, exist_ok=True)
    made = models / f"making.{os.getpid()}"
    for kind, names in NAMES.items():
        tiny_model.write(made, kind=kind)
        for name in names:
            _add(models, name, made.read_bytes(), kind)
    made.unlink()
    done.write_text(str(_FORMAT), encoding="utf-8")


def _add(models: Path, name: str, weights: bytes, kind: tiny_model.Kind) -> None:
    family = tiny_model.CHAT_ARCHITECTURE if kind == "chat" else tiny_model.ARCHITECTURE
    config = {
        "model_format": "gguf",
        "model_family": family,
        "model_families": [family],
        "model_type": "15M",
        "file_type": "F16",
        "architecture": "amd64",
        "os": "linux",
    }
    image = "application/vnd.ollama.image"
    docker = "application/vnd.docker"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{docker}.distribution.manifest.v2+json",
        "config": _blob(models, json.dumps(config).encode(), f"{docker}.container.image.v1+json"),
        "layers": [_blob(models, weights, f"{image}.model")],
    }
    path = models / "manifests" / "registry.ollama.ai" / name / "latest"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def _blob(models: Path, content: bytes, kind: str) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    path = models / "blobs" / f"sha256-{digest}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(content)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}
