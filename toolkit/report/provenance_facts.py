"""How a model was made, as names and values for a reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from toolkit.classify.model_info import ModelInfo
from toolkit.classify.provenance import DECIDING_PACKAGES
from toolkit.provenance import data_fingerprint, package_versions
from toolkit.typography import counted

__all__ = ["evaluation_facts", "training_facts"]


def training_facts(made: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the provenance of a training run; what is not known is left out.

    Parameters
    ----------
    made : mapping
        As :func:`~toolkit.classify.provenance.training_provenance` makes it.

    Returns
    -------
    list of (name, value)
    """
    identity = made["identity"] or {}
    several = made.get("multilabel")
    kind = "labels" if several else "classes"
    classes = counted(made["classes"], *(["label"] if several else ["class", "classes"]))
    facts = [
        ("Data", made["source"]),
        (f"Rows and {kind}", f"{counted(made['rows'], 'text')}, {classes}"),
        ("Data fingerprint", made["data_fingerprint"]),
        ("Embedding model", made["model"]),
        ("How the vectors were made", identity.get("provenance")),
        ("Weights", identity.get("weights")),
        ("Model digest", identity.get("digest")),
        ("Prompt", made["prompt"]),
        ("Dimensions", made["dimension"]),
        ("Classifier", made["classifier_repr"]),
        ("Thresholds", _thresholds(made)),
        ("Splits", made["splits"]),
        ("Seed", made["random_state"]),
        ("Versions", _listed(made["versions"])),
        ("Date", made["date"]),
        ("Command", made["command"]),
    ]
    return [(name, str(value)) for name, value in facts if value is not None]


def evaluation_facts(
    info: ModelInfo,
    texts: Sequence[str],
    labels: Iterable[object],
    *,
    model: str,
    source: str,
    command: str | None = None,
) -> dict[str, str]:
    """Return where the figures of an evaluation come from; what is not known is left out.

    Parameters
    ----------
    info : ModelInfo
        What the saved model says of itself.
    texts : sequence of str, of length n
        What it was evaluated on.
    labels : iterable of length n
        Their labels, as they stand in a table.
    model, source : str
        Where model and texts are.
    command : str, optional
        What makes the report again.

    Returns
    -------
    dict of str to str
    """
    made = info.provenance
    facts = {
        "Model": model,
        "Trained on": made.get("source"),
        "Model written": info.date,
        "Embedding model": made.get("model"),
        "Prompt": made.get("prompt"),
        "Dimensions": made.get("dimension"),
        "Classifier": made.get("classifier_repr"),
        "Data": source,
        "Data fingerprint": f"sha256:{data_fingerprint(texts, labels)}",
        "Versions": _listed(package_versions(DECIDING_PACKAGES)),
        "Date": datetime.now(UTC).isoformat(timespec="seconds"),
        "Command": command,
    }
    return {name: str(value) for name, value in facts.items() if value is not None}


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _thresholds(made: Mapping[str, Any]) -> str | None:
    if "threshold" not in made:
        return None
    if made["threshold"] == "tuned":
        return "for each label the best for F1 on training rows its model had not seen"
    return f"{made['threshold']} for every label"
