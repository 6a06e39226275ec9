"""The JSON of a clustering report is what its schema says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.cluster.examples import blobs, noisy_result, sdg_result, worded_texts
from tests.report.test_clustering import hostile_result
from toolkit import ClusterReport
from toolkit.cluster import SubGroup, Substructure, apply_decisions, cluster_texts


def everything() -> ClusterReport:
    """A report of all that one can hold: number chosen, labels, time, parts, repeats, edits."""
    X, labels = blobs((30, 20, 10), spread=0.1)
    texts = worded_texts(labels)
    texts[1] = texts[0]
    result = cluster_texts(texts, X, labels_true=labels, stability=2, random_state=0)
    assert result.chosen is not None
    decisions = {"format": 1, "decisions": [{"merge": [1, 2]}, {"rename": 0, "to": "Harbours"}]}
    edited = apply_decisions(result, X, decisions, labels_true=labels)
    parts = (SubGroup("sea, ship", 18, 0.6, ("sea",), 3), SubGroup("quay", 12, 0.4, (), 5))
    return ClusterReport(
        replace(edited, stability=None),
        times=[2000 + i % 4 for i in range(len(texts))],
        substructure={0: Substructure(parts, 0.8, 0.3)},
        provenance={"source": "harbours.csv", "remark": "ours"},
    )


def one_cluster() -> ClusterReport:
    X, labels = blobs((12,))
    return ClusterReport(cluster_texts(worded_texts(labels), X, n_clusters=1, stability=0))


REPORTS = {
    "labels": lambda: ClusterReport(sdg_result()),
    "noise": lambda: ClusterReport(noisy_result()),
    "hostile": lambda: ClusterReport(hostile_result(), times=np.arange(70) + 1950),
    "everything": everything,
    "one cluster": one_cluster,
}


@pytest.mark.parametrize("which", REPORTS)
def test_it_is_what_the_schema_says(which: str):
    found = json.loads(REPORTS[which]().to_json())
    errors = Draft202012Validator(ClusterReport.json_schema()).iter_errors(found)
    assert [f"{error.json_path}: {error.message[:200]}" for error in errors] == []


def test_what_is_not_in_the_schema_is_refused():
    found = json.loads(one_cluster().to_json())
    validator = Draft202012Validator(ClusterReport.json_schema())
    assert not validator.is_valid(found | {"more": 1})
    found["clusters"][0]["size"] = "12"
    assert not validator.is_valid(found)


def test_every_value_of_the_schema_is_explained():
    schema = ClusterReport.json_schema()
    Draft202012Validator.check_schema(schema)

    def unexplained(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, one in value.get("properties", {}).items():
                if "description" not in one and "$ref" not in one:
                    yield f"{path}.{name}"
            for name, one in value.items():
                yield from unexplained(one, f"{path}.{name}")

    assert list(unexplained(schema, "")) == []
