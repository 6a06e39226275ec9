"""The clustering report as plain values, for JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from toolkit.cluster.over_time import OverTime
from toolkit.cluster.tree import ClusterTree

if TYPE_CHECKING:
    from toolkit.report.clustering import ClusterReport

__all__ = ["clustering_dict", "clustering_schema"]

SCHEMA_VERSION = 1
"""Grows when something is taken away or changes its meaning, not when something is added."""

_FOR_THE_PAGE = ("colors", "words", "also", "weak", "shown_silhouette", "by_period")


def clustering_dict(report: ClusterReport) -> dict[str, Any]:
    """Return everything a clustering report says.

    Parameters
    ----------
    report : ClusterReport
        What to say.

    Returns
    -------
    dict
        As :meth:`ClusterReport.to_dict` documents it.
    """
    result, quality = report.result, report.result.quality
    agreement = None
    if result.agreement is not None:
        found = result.agreement
        agreement = {
            "all_texts": asdict(found.all_texts),
            "clustered": None if found.clustered is None else asdict(found.clustered),
            "coverage": found.coverage,
            "n_labelled": found.n_labelled,
            "classes": [_plain(label) for label in found.classes],
            "contingency": found.contingency,
            "noise_by_class": found.noise_by_class,
        }
    clusters = [
        {k: v for k, v in row.items() if k not in _FOR_THE_PAGE}
        | {"majority": _plain(row["majority"])}
        for row in report.clusters
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "title": report.title,
        "notice": report.notice,
        "findings": result.findings(),
        "doubts": report.doubts,
        "n_texts": len(result.texts),
        "n_clusters": result.n_clusters,
        "noise": quality.noise,
        "coverage": quality.coverage,
        "silhouette": quality.silhouette,
        "below_zero": quality.below_zero,
        "clusters": clusters,
        "labels": result.labels,
        "stability": None
        if result.stability is None
        else asdict(result.stability) | {"verdict": result.stability.verdict},
        "agreement": agreement,
        "chosen": None if result.chosen is None else asdict(result.chosen),
        "tree": None if result.tree is None else _tree(result.tree),
        "edits": None if result.edits is None else asdict(result.edits),
        "outliers": report.outliers,
        "duplicates": report.duplicates,
        "over_time": None if report.over_time is None else _over_time(report.over_time),
        "provenance": report.made,
    }


def clustering_schema() -> dict[str, Any]:
    """Return the JSON Schema of what :func:`clustering_dict` gives, written as JSON."""
    text = (files("toolkit.report") / "clustering.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _over_time(time: OverTime) -> dict[str, Any]:
    return {
        "unit": time.unit,
        "periods": time.periods,
        "counts": time.counts,
        "noise": time.noise,
        "totals": time.totals,
        "undated": time.undated,
        "words": [[asdict(one) for one in told] for told in time.words],
    }


def _tree(tree: ClusterTree) -> dict[str, Any]:
    return {"leaves": tree.leaves, "branches": [asdict(branch) for branch in tree.branches]}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
