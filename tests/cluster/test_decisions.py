from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.utils.estimator_checks import check_estimator

from tests.cluster.examples import blobs, noisy, noisy_result, sdg_result, worded_texts
from toolkit import ClusterReport
from toolkit.cluster import (
    CentroidClusterer,
    ClusterResult,
    EditedClusterer,
    apply_decisions,
    cluster_texts,
    labels_fingerprint,
    read_decisions,
)
from toolkit.datasets import load, load_vectors
from toolkit.errors import DataError, UsageError


def edits(*decisions: dict, **more: object) -> dict:
    return {"format": 1, "decisions": list(decisions), **more}


@cache
def four() -> tuple[ClusterResult, np.ndarray]:
    X, labels = blobs((30, 25, 20, 15), spread=0.05)
    return cluster_texts(worded_texts(labels), X, n_clusters=4, stability=2), X


def test_merged_clusters_are_one_and_numbered_by_size():
    result, X = four()
    edited = apply_decisions(result, X, edits({"merge": [2, 3]}))
    assert [c.size for c in edited.quality.clusters] == [35, 30, 25]
    np.testing.assert_array_equal(edited.labels == 0, np.isin(result.labels, [2, 3]))
    np.testing.assert_array_equal(edited.predict(X), edited.labels)
    assert edited.edits.numbers == [2, 0, 1]
    assert edited.edits.sentences == [
        f"Merged clusters 2 ({result.names[2]}) and 3 ({result.names[3]}): 15 texts moved."
    ]
    assert result.n_clusters == 4


def test_a_split_finds_the_parts_and_new_texts_follow_it():
    X, labels = blobs((30, 25, 20, 15), spread=0.05)
    X[:15, 5] += 0.7  # the first kind has two sides
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    result = cluster_texts(worded_texts(labels), X, n_clusters=4, stability=0)
    edited = apply_decisions(
        result, X, edits({"split": 0, "into": 2}, {"rename": 4, "to": "One side"})
    )
    assert edited.n_clusters == 5
    assert len(set(edited.labels[:15])) == len(set(edited.labels[15:30])) == 1
    assert edited.labels[0] != edited.labels[15]
    assert edited.names[edited.edits.numbers.index(4)] == "One side"
    rng = np.random.default_rng(5)
    new = X + rng.normal(0, 0.01, X.shape)
    np.testing.assert_array_equal(edited.predict(new), edited.labels)


def test_noise_is_assigned_up_to_the_limit_and_stays_noise_beyond():
    _, X, known = noisy()
    result = noisy_result()
    noise = np.flatnonzero(result.labels == -1)
    distance = 1 - (X[noise] @ result.centers.T).max(axis=1)
    limit = float(np.median(distance))
    edited = apply_decisions(
        result, X, edits({"assign_noise": {"max_distance": limit}}), labels_true=known
    )
    np.testing.assert_array_equal(edited.labels[noise] >= 0, distance <= limit)
    kept = result.labels >= 0
    assert (edited.edits.numbers == np.arange(4)).all()
    np.testing.assert_array_equal(edited.labels[kept], result.labels[kept])
    assert edited.agreement.coverage > result.agreement.coverage
    assert edited.quality.noise == (distance > limit).sum() > 0


def test_a_name_alone_leaves_everything_else_as_it_was():
    result, X = four()
    edited = apply_decisions(result, X, edits({"rename": 1, "to": " Mountains "}))
    assert edited.names[1] == "Mountains"
    assert edited.stability is result.stability
    assert edited.assignments()["name"].tolist().count("Mountains") == 25


def test_the_decisions_are_said_everywhere():
    result, X = four()
    edited = apply_decisions(result, X, edits({"merge": [0, 1]}, {"rename": 0, "to": "Out</p>"}))
    assert "Edited by hand: 2 decisions, from 4 clusters" in edited.summary()
    assert "before the clusters were edited" in edited.summary()
    report = ClusterReport(edited)
    html, markdown = report.to_html(), report.to_markdown()
    assert 'id="edits"' in html
    assert "Merged clusters 0" in html
    assert "Out</p>" not in html
    assert "## Edited by hand" in markdown
    assert json.loads(report.to_json())["edits"]["decisions"][0] == {"merge": [0, 1]}
    assert {k: n for k, _, n in report.key_numbers}["Clusters"] == "edited by hand, from 4"


def test_decisions_for_another_clustering_are_refused(tmp_path: Path):
    result, X = four()
    path = tmp_path / "edits.json"
    path.write_text(json.dumps(edits({"merge": [0, 1]}, clustering=labels_fingerprint(result))))
    assert apply_decisions(result, X, path).n_clusters == 3
    other = cluster_texts(result.texts, X, n_clusters=3, stability=0)
    with pytest.raises(UsageError, match="about the clustering"):
        apply_decisions(other, X, path)
    with pytest.raises(UsageError, match="edited already"):
        apply_decisions(apply_decisions(result, X, path), X, path)


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ({"merge": [1]}, "two clusters or more"),
        ({"merge": [1, 1]}, "twice"),
        ({"split": 1, "into": 1}, "from 2"),
        ({"split": True, "into": 2}, "does not give a cluster"),
        ({"rename": 1, "to": " "}, "a name"),
        ({"assign_noise": {}}, "max_distance"),
        ({"assign_noise": {"max_distance": 3}}, "up to 2"),
        ({"delete": 1}, "unknown"),
        ("merge", "not an object"),
    ],
)
def test_what_is_no_decision(decision: object, said: str):
    with pytest.raises(UsageError, match=f"decision 1 .*{said}"):
        read_decisions(edits(decision))


def test_files_and_forms_that_are_not_decisions(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_decisions(tmp_path / "none.json")
    with pytest.raises(UsageError, match="format 2"):
        read_decisions({"format": 2, "decisions": []})
    with pytest.raises(UsageError, match="not of the form"):
        read_decisions({"format": 1})
    with pytest.raises(UsageError, match="a JSON file of it, not list"):
        read_decisions([{"merge": [0, 1]}])
    with pytest.raises(UsageError, match="'decision'"):
        read_decisions({"format": 1, "decisions": [], "decision": 1})


@pytest.mark.parametrize(
    ("decisions", "error", "said"),
    [
        ([{"merge": [0, 9]}], UsageError, "cluster 9, which is not there; there are 0 to 3"),
        ([{"merge": [0, 1]}, {"rename": 1, "to": "x"}], UsageError, "there are 0, 2, 3"),
        ([{"split": 3, "into": 40}], DataError, "fewer than 40"),
        ([{"rename": 0, "to": "x"}, {"rename": 1, "to": "x"}], UsageError, "two clusters"),
    ],
)
def test_decisions_that_cannot_be_followed(decisions: list, error: type, said: str):
    result, X = four()
    with pytest.raises(error, match=said):
        apply_decisions(result, X, edits(*decisions))


def test_known_labels_are_asked_for_again():
    with pytest.raises(UsageError, match="give labels_true again"):
        apply_decisions(noisy_result(), noisy()[1], edits({"merge": [0, 1]}))


def test_a_fitted_editor_is_what_the_decisions_on_a_result_are():
    result, X = four()
    steps = [{"merge": [0, 3]}, {"split": 1, "into": 2}]
    base = CentroidClusterer(KMeans(4, n_init=10, random_state=0))
    model = EditedClusterer(base, steps).fit(X)
    np.testing.assert_array_equal(model.labels_, apply_decisions(result, X, edits(*steps)).labels)


def test_scikit_learns_checks():
    check_estimator(EditedClusterer(), on_skip=None)


def test_vectors_of_another_length_are_refused():
    result = sdg_result()
    X = load_vectors("sdg", task="clustering")
    decisions = {"format": 1, "decisions": [{"split": 0, "into": 2}]}
    with pytest.raises(UsageError, match=r"shape \(615, 128\).*768 dimensions"):
        apply_decisions(result, X[:, :128], decisions, labels_true=load("sdg").target)
