"""The key numbers of a clustering, and how it was made, as names and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.cluster.findings import clusters_wanted
from toolkit.cluster.result import ClusterResult
from toolkit.cluster.stability import STABLE
from toolkit.typography import counted, format_number

__all__ = ["clustering_facts", "key_numbers"]


def key_numbers(result: ClusterResult, made: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return label, value and note of each key number.

    Parameters
    ----------
    result : ClusterResult
        The clustering.
    made : mapping of str to object
        Its provenance.
    """
    quality, stability, agreement = result.quality, result.stability, result.agreement
    how = {"chosen": "chosen by score, see below", "given": "as asked for"}
    if (wanted := clusters_wanted(result)) > result.n_clusters:
        how["given"] = f"{wanted} were asked for"
    found = [
        (
            "Clusters",
            str(result.n_clusters),
            f"edited by hand, from {result.edits.n_clusters_before}"
            if result.edits is not None and result.edits.moved
            else how.get(made.get("n_clusters", ""), "found by the clusterer"),
        ),
        (
            "Texts in a cluster",
            f"{quality.coverage:.0%}",
            f"{len(result.texts) - quality.noise:,} of {len(result.texts):,}",
        ),
        (
            "Silhouette",
            format_number(quality.silhouette, 2),
            "from −1 to 1; 0.25 is a lot for texts"
            if result.n_clusters > 1
            else "needs another cluster to compare with",
        ),
    ]
    if stability is not None:
        again = sum(c.jaccard >= STABLE for c in stability.clusters)
        note = (
            f"mean over the texts, from 0 to 1; {again} of {result.n_clusters} "
            f"{'comes' if again == 1 else 'come'} out again"
        )
        found.append(("Stability", format_number(stability.jaccard, 2), note))
    if agreement is not None and len(agreement.classes) > 1:
        scores = agreement.all_texts
        score, name = (
            (scores.ami, "adjusted mutual information")
            if scores.flatters
            else (scores.v_measure, "V-measure")
        )
        note = (
            f"{name} with {counted(len(agreement.classes), 'label')}, from 0 to 1; "
            f"adjusted Rand index {format_number(scores.ari, 2)}"
        )
        found.append(("Agreement", format_number(score, 2), note))
    return found


def clustering_facts(
    result: ClusterResult, made: Mapping[str, Any], drawn: Mapping[str, Any] | None = None
) -> list[tuple[str, str]]:
    """Return what a report says about where its figures come from.

    Parameters
    ----------
    result : ClusterResult
        The clustering.
    made : mapping of str to object
        Its provenance.
    drawn : mapping of str to object, optional
        How the places on the map were made.

    Returns
    -------
    list of (str, str)
        Name and value of each fact that is known.
    """
    stability = result.stability
    identity = made.get("identity") or {}
    versions = made.get("versions") or {}
    again = None
    if stability is not None:
        of = "" if stability.n_used == len(result.texts) else f" of {stability.n_used:,}"
        again = f"{stability.n_resamples} subsamples of {stability.share:.0%}{of}"
        if stability.n_seeds:
            again += f", {counted(stability.n_seeds, 'other seed')}"
    facts = [
        ("Data", made.get("source")),
        ("Texts", f"{len(result.texts):,}"),
        ("Data fingerprint", made.get("data_fingerprint")),
        ("Embedding model", made.get("model") or "not recorded"),
        ("Backend", made.get("backend")),
        ("How the vectors were made", identity.get("provenance")),
        ("Weights", identity.get("weights")),
        ("Model digest", identity.get("digest")),
        ("Prompt", made.get("prompt") or "not recorded"),
        ("Dimensions", made.get("dimension")),
        ("Clusterer", made.get("clusterer")),
        ("Number of clusters", result.chosen or _number(result, made)),
        ("Edited by hand", _edited(result)),
        ("Names", _names(made)),
        ("Map", _map(drawn or {})),
        ("Seed", made.get("random_state")),
        ("Stability", again),
        ("Versions", ", ".join(f"{k} {v}" for k, v in versions.items()) or None),
        ("Date", made.get("date")),
    ]
    return [(name, str(value)) for name, value in facts if value is not None]


def _number(result: ClusterResult, made: Mapping[str, Any]) -> str:
    came_from = made.get("n_clusters")
    number = str(result.n_clusters)
    if result.edits is not None:
        number = str(result.edits.n_clusters_before)
    if came_from == "given" and (wanted := clusters_wanted(result)) > result.n_clusters:
        return f"{number} of {wanted} given"
    return number if came_from is None else f"{number}, {came_from}"


def _map(drawn: Mapping[str, Any]) -> str | None:
    if not drawn:
        return None
    told = ", ".join(f"{name}={value!r}" for name, value in drawn.items() if name != "method")
    return f"{drawn.get('method', 'places')}({told})"


def _edited(result: ClusterResult) -> str | None:
    edits = result.edits
    if edits is None:
        return None
    return f"{edits.n_clusters_before} clusters to {result.n_clusters}, see Edited by hand"


def _names(made: Mapping[str, Any]) -> str | None:
    names = made.get("names")
    if names is None:
        return None
    digest = f" (digest {names['digest'][:12]})" if names.get("digest") else ""
    return f"{names['model']}{digest}: {names['named']} of {names['of']}, else keywords"
