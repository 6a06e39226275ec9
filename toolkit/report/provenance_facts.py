"""How a model was made, as names and values for a reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["training_facts"]


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
    kind = "labels" if made.get("multilabel") else "classes"
    facts = [
        ("Data", made["source"]),
        (f"Rows and {kind}", f"{made['rows']:,} texts, {made['classes']} {kind}"),
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
        ("Versions", ", ".join(f"{k} {v}" for k, v in made["versions"].items())),
        ("Date", made["date"]),
        ("Command", made["command"]),
    ]
    return [(name, str(value)) for name, value in facts if value is not None]


def _thresholds(made: Mapping[str, Any]) -> str | None:
    if "threshold" not in made:
        return None
    if made["threshold"] == "tuned":
        return "for each label the best for F1 on training rows its model had not seen"
    return f"{made['threshold']} for every label"
