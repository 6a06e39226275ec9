"""Decisions of a person about clusters: read, checked, followed, and said."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from toolkit.cluster.describing import build_result
from toolkit.cluster.edited import EditedClusterer
from toolkit.cluster.geometry import NOISE, vectors_of_clustering
from toolkit.cluster.predictor import CentroidClusterer
from toolkit.cluster.result import ClusterResult, Edits
from toolkit.errors import UsageError
from toolkit.typography import counted

__all__ = ["apply_decisions", "labels_fingerprint", "read_decisions"]

_FORMAT = 1
_FORMS = (
    '{"merge": [3, 7]}, {"split": 0, "into": 2}, {"rename": 2, "to": "Water"} or '
    '{"assign_noise": {"max_distance": 0.4}}'
)


def labels_fingerprint(result: ClusterResult | CentroidClusterer) -> str:
    """Return what tells a clustering from another one of the same texts.

    Parameters
    ----------
    result : ClusterResult or CentroidClusterer
        A clustering, or what made it.

    Returns
    -------
    str
        SHA-256 of its labels, the first 16 digits. In a file of decisions, ``"clustering"`` with
        this value makes sure that they are followed on no other clustering.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> X = np.repeat(np.eye(3), 4, axis=0)
    >>> labels_fingerprint(CentroidClusterer(KMeans(3, random_state=0)).fit(X))
    '38812904eca45cbe'
    """
    labels = result.labels if isinstance(result, ClusterResult) else result.labels_
    return sha256(np.asarray(labels, dtype="<i8").tobytes()).hexdigest()[:16]


def read_decisions(source: str | os.PathLike[str] | Mapping[str, Any]) -> dict[str, Any]:
    """Read decisions from a JSON file, or check those given.

    Parameters
    ----------
    source : path or mapping
        ``{"format": 1, "clustering": ..., "decisions": [...]}``; ``clustering`` may be left out
        (:func:`labels_fingerprint`). Each decision is one of ``{"merge": [3, 7]}`` (the result
        keeps the number 3), ``{"split": 0, "into": 2}``, ``{"rename": 2, "to": "Water"}``,
        ``{"assign_noise": {"max_distance": 0.4}}`` (cosine distance to the nearest centroid).

    Returns
    -------
    dict
        The same, checked.

    Raises
    ------
    UsageError
        If it cannot be read or something in it is not a decision.

    Examples
    --------
    >>> read_decisions({"format": 1, "decisions": [{"merge": [3, 7]}]})["decisions"]
    [{'merge': [3, 7]}]
    """
    where = "the decisions"
    if isinstance(source, Mapping):
        given: Any = dict(source)
    elif not isinstance(source, str | os.PathLike):
        raise UsageError(
            'decisions are a mapping {"format": 1, "decisions": [...]} or a JSON file of it, not '
            f"{type(source).__name__}"
        )
    else:
        where = f"the decisions in {os.fspath(source)}"
        try:
            given = json.loads(Path(source).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{where} cannot be read: {error}") from error
    if not isinstance(given, dict) or not isinstance(given.get("decisions"), list):
        raise UsageError(f'{where} are not of the form {{"format": 1, "decisions": [...]}}')
    if given.get("format") != _FORMAT:
        raise UsageError(
            f"{where} are of format {given.get('format')!r}; this version reads {_FORMAT}"
        )
    unknown = set(given) - {"format", "clustering", "decisions"}
    if unknown:
        raise UsageError(f"{where} have an unknown entry, {sorted(unknown)[0]!r}")
    for number, decision in enumerate(given["decisions"], start=1):
        reason = _wrong(decision)
        if reason:
            raise UsageError(
                f"decision {number} of {where}, {json.dumps(decision)}, {reason}; a decision is "
                f"{_FORMS}"
            )
    return given


def apply_decisions(
    result: ClusterResult,
    X: ArrayLike,
    decisions: str | os.PathLike[str] | Mapping[str, Any],
    *,
    labels_true: ArrayLike | None = None,
    random_state: int | None = 0,
    **words: Any,
) -> ClusterResult:
    """Merge, split and rename clusters and assign noise, without training again.

    Parameters
    ----------
    result : ClusterResult
        The clustering to edit; it stays as it is.
    X : array-like of shape (n, d)
        The vectors it is of.
    decisions : path or mapping
        As for :func:`read_decisions`.
    labels_true : array-like of shape (n,), optional
        Known labels, needed again if the clustering was compared with some.
    random_state : int or None, default=0
        For the splits.
    **words
        How keywords are made, as for :func:`~toolkit.cluster.describe_clusters`.

    Returns
    -------
    ClusterResult
        Described and examined anew. ``edits`` says what was decided; ``predict`` follows the
        decisions. Stability is left out when texts moved: it was that of other clusters.

    Raises
    ------
    UsageError
        If a decision is malformed, names a cluster that is not there, or is about another
        clustering.

    Examples
    --------
    >>> from toolkit.cluster import cluster_texts
    >>> from toolkit.datasets import load, load_vectors
    >>> data = load("sdg")
    >>> X = load_vectors("sdg", task="clustering", dimensions=128)
    >>> found = cluster_texts(data.data, X, n_clusters=5, stability=0)
    >>> edits = {"format": 1, "decisions": [{"merge": [3, 4]}, {"rename": 3, "to": "Society"}]}
    >>> edited = apply_decisions(found, X, edits)
    >>> edited.n_clusters, edited.names[0]
    (4, 'Society')
    >>> print(edited.edits.sentences[0])  # doctest: +ELLIPSIS
    Merged clusters 3 (...) and 4 (...): ... texts moved.
    """
    if result.edits is not None or not isinstance(result.estimator, CentroidClusterer):
        raise UsageError(
            "this clustering is edited already; put all decisions in one list and apply them to "
            "the first one"
        )
    given = read_decisions(decisions)
    expected = given.get("clustering")
    if expected is not None and expected != labels_fingerprint(result):
        raise UsageError(
            f"these decisions are about the clustering {expected}, and this one is "
            f"{labels_fingerprint(result)}: other texts, vectors, parameters or versions. Decide "
            'anew, or take "clustering" out if you are sure that the numbers mean the same'
        )
    if result.agreement is not None and labels_true is None:
        raise UsageError("the clustering was compared with known labels; give labels_true again")
    steps: list[dict[str, Any]] = given["decisions"]
    vectors = vectors_of_clustering(X, len(result.texts), result.centers.shape[1])
    estimator = EditedClusterer(result.estimator, steps, random_state=random_state)
    estimator.follow(result.estimator, vectors)
    moved = not np.array_equal(estimator.labels_, result.labels)
    before = result.stability
    edits = Edits(
        decisions=steps,
        sentences=_sentences(result, steps, estimator.counts_),
        numbers=[int(number) for number in estimator.numbers_],
        n_clusters_before=result.n_clusters,
        silhouette_before=result.quality.silhouette,
        stability_before=None if before is None else before.jaccard,
        moved=moved,
    )
    made = build_result(
        result.texts,
        vectors,
        estimator,
        stability=None if moved else before,
        known=labels_true,
        chosen=result.chosen,
        provenance={**result.provenance, "decisions": steps},
        periods=None if result.over_time is None else result.over_time.dates,
        random_state=random_state,
        **words,
    )
    names = _kept_names(result, made)
    for number, name in _given_names(steps).items():
        names[edits.numbers.index(number)] = name
    return replace(made, names=names, edits=edits)


def _kept_names(before: ClusterResult, after: ClusterResult) -> list[str]:
    """Return the names of the clusters: those from before where no text came or went."""
    names = list(after.names)
    for old, name in enumerate(before.names):
        members = before.labels == old
        new = after.labels[members.argmax()]
        if new != NOISE and np.array_equal(members, after.labels == new):
            names[new] = name
    return names


def _wrong(decision: object) -> str | None:
    """Return what is wrong with a decision, if anything is."""
    if not isinstance(decision, dict):
        return "is not an object"
    keys = set(decision)
    if keys == {"merge"}:
        numbers = decision["merge"]
        if not isinstance(numbers, list) or len(numbers) < 2 or not all(map(_number, numbers)):
            return "does not give two clusters or more"
        return None if len(set(numbers)) == len(numbers) else "names a cluster twice"
    if keys == {"split", "into"}:
        parts = decision["into"]
        if not _number(decision["split"]) or not _number(parts) or parts < 2:
            return "does not give a cluster and a number of parts from 2"
        return None
    if keys == {"rename", "to"}:
        name = decision["to"]
        if not _number(decision["rename"]) or not isinstance(name, str) or not name.strip():
            return "does not give a cluster and a name"
        return None
    if keys == {"assign_noise"}:
        limits = decision["assign_noise"]
        if not isinstance(limits, dict) or set(limits) != {"max_distance"}:
            return "does not give max_distance"
        limit = limits["max_distance"]
        usable = isinstance(limit, int | float) and not isinstance(limit, bool) and 0 < limit <= 2
        return None if usable else "has a max_distance that is not above 0 and up to 2"
    return "is unknown"


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _given_names(steps: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return the names that hold in the end: a merge or split leaves a name to its first part."""
    names: dict[int, str] = {}
    for step in steps:
        if "rename" in step:
            names[step["rename"]] = step["to"].strip()
        for number in step.get("merge", [])[1:]:
            names.pop(number, None)
    if len(set(names.values())) < len(names):
        twice = sorted(n for n in names.values() if list(names.values()).count(n) > 1)[0]
        raise UsageError(f"the decisions give two clusters the name {twice!r}")
    return names


def _sentences(
    result: ClusterResult, steps: Sequence[Mapping[str, Any]], counts: Sequence[int]
) -> list[str]:
    """Return what was decided, in words, with the names the clusters had before."""

    def named(number: int) -> str:
        known = number < result.n_clusters
        return f"{number} ({result.names[number]})" if known else f"{number}"

    found = []
    for step, count in zip(steps, counts, strict=True):
        texts = counted(count, "text")
        if "merge" in step:
            *others, last = [named(number) for number in step["merge"]]
            found.append(f"Merged clusters {', '.join(others)} and {last}: {texts} moved.")
        elif "split" in step:
            found.append(
                f"Split cluster {named(step['split'])} into {step['into']}: {texts} moved."
            )
        elif "rename" in step:
            found.append(f"Named cluster {named(step['rename'])} “{step['to'].strip()}”.")
        else:
            limit = step["assign_noise"]["max_distance"]
            found.append(
                f"Assigned noise to the nearest cluster up to a cosine distance of {limit:g}: "
                f"{texts} moved."
            )
    return found
