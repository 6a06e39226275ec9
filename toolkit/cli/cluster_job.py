"""The steps of ``toolkit cluster`` that take more than a line."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.cli.console import console
from toolkit.cli.reports import command_line
from toolkit.cli.vectors_of import Embedded
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from toolkit.cluster import ClusterResult
    from toolkit.report import ClusterReport

__all__ = [
    "FEWEST",
    "check_clusterer",
    "cluster_table",
    "make_report",
    "read_number",
    "reused_table",
]

FEWEST = 3
FEWEST_TO_CHOOSE = 10
"""As :func:`toolkit.cluster.choose_n_clusters` has it."""


def read_number(given: str) -> int | str:
    """Return the number of clusters, or "auto".

    Examples
    --------
    >>> read_number("17"), read_number("auto")
    (17, 'auto')
    """
    if given == "auto":
        return given
    if not given.isdecimal() or int(given) < 2:
        raise UsageError(f"--n-clusters is a number from 2, or auto, not {given!r}")
    return int(given)


def make_report(
    result: ClusterResult,
    found: Embedded,
    *,
    with_map: bool,
    random_state: int,
    cache: bool | str,
) -> ClusterReport:
    """Return the report: the map, what clusters fall into, and all the rest."""
    from toolkit.cluster import find_substructure
    from toolkit.report import ClusterReport

    picture = _map(result, found, random_state, cache) if with_map else None
    console.say("Looking into the clusters …")
    parts = find_substructure(
        result,
        found.X,
        random_state=random_state,
        progress=console.step,
    )
    console.clear_step()
    return ClusterReport(result, map=picture, substructure=parts)


def reused_table(
    folder: Path, found: Embedded, decisions: Path | None, *, on_drift: str, **options: Any
) -> tuple[ClusterResult, str]:
    """Return the clusters that were saved of these texts, edited, and their fingerprint as made.

    Raises
    ------
    ModelDriftError
        If the vectors are of another space than those the clusters were made of.
    UsageError
        If they are under another prompt, or the texts are others.
    """
    from toolkit.cluster import read_clustering_info, reuse_clustering
    from toolkit.embedding.spaces import check_drift

    info = read_clustering_info(folder)
    if info.identity is not None:
        check_drift(info.identity, found.vectorizer.identity_, on_drift=on_drift)
    if info.takes == "texts" and info.prompt != found.vectorizer.prompt_:
        raise UsageError(
            f"the clusters in {folder} are of vectors under the prompt {info.prompt!r}, these are "
            f"under {found.vectorizer.prompt_!r}; give --task or --prompt as then"
        )
    # Only both make it again: what saved the clusters, and this with its decisions.
    made = [info.provenance.get("command"), command_line()]
    result = reuse_clustering(
        folder,
        found.texts,
        found.X,
        decisions=decisions,
        labels_true=found.labels,
        command=" && ".join(line for line in made if line),
        **options,
    )
    console.say(f"The clusters are those saved in {folder}.")
    return result, info.clustering


def check_clusterer(
    clusterer: str, n_clusters: Any, min_cluster_size: int | None, n_texts: int
) -> None:
    """Refuse a clusterer, or a number of clusters, that these texts cannot have.

    Raises
    ------
    UsageError
        If there is no such clusterer, or it cannot make as many clusters.
    DataError
        If there are too few texts to choose a number.
    """
    from sklearn.decomposition import PCA

    from toolkit.cluster import CLUSTERERS, make_clusterer

    known = CLUSTERERS.get(clusterer.lower().replace("_", "-"))
    if n_texts < FEWEST:
        return  # said where the texts are embedded, as by every command
    if n_clusters == "auto":
        n_clusters = None
        if known is not None and known.takes_n_clusters:
            n_clusters = 2
            if n_texts < FEWEST_TO_CHOOSE:
                raise DataError(
                    f"a number of clusters cannot be chosen from {n_texts} texts; give --n-clusters"
                )
    reducer = PCA(2) if known is not None and known.reduce else None  # stands for UMAP's
    make_clusterer(
        clusterer,
        n_clusters,
        n_samples=n_texts,
        min_cluster_size=min_cluster_size,
        reducer=reducer,
    )


def cluster_table(
    found: Embedded,
    source: str,
    clusterer: str,
    n_clusters: Any,
    min_cluster_size: int | None,
    stability: int,
    random_state: int,
    cache: bool | str,
    **describing: Any,
) -> ClusterResult:
    """Cluster the texts of a table, reduced first where the clusterer wants it.

    ``describing`` says how keywords are made and when the texts are from, as for
    :func:`~toolkit.cluster.cluster_texts`.
    """
    from toolkit.cluster import CLUSTERERS, cluster_texts

    known = CLUSTERERS.get(clusterer.lower().replace("_", "-"))
    reducer = None
    if known is not None and known.reduce:
        from toolkit.visualize import UMAPProjector

        # Density in hundreds of dimensions says little; and never the picture's two.
        reducer = UMAPProjector(
            "clustering", random_state=random_state, verbose=console.verbosity, cache=cache
        )
    with warnings.catch_warnings():
        if n_clusters == "auto":  # of numbers that are tried, one too many for copies is no news
            warnings.filterwarnings("ignore", "Number of distinct")
        result = cluster_texts(
            found.texts,
            found.X,
            clusterer=clusterer,
            n_clusters=n_clusters,
            min_cluster_size=min_cluster_size,
            reducer=reducer,
            labels_true=found.labels,
            stability=stability,
            random_state=random_state,
            identity=found.vectorizer.identity_,
            prompt=found.vectorizer.prompt_,
            source=source,
            command=command_line(),
            progress=console.step,
            **describing,
        )
    console.clear_step()
    return result


def _map(result: ClusterResult, found: Embedded, random_state: int, cache: bool | str) -> Any:
    from toolkit.visualize import EmbeddingMapDisplay, label_agreement

    if len(found.texts) < 4:
        return None
    # What the reader can colour the map by besides clusters.
    columns: dict[str, Any] = {
        "similarity": [None if s != s else round(s, 3) for s in result.similarity.tolist()]
    }
    if found.labels is not None:
        columns["label"] = found.labels
        columns["label and cluster"] = label_agreement(result.labels, found.labels)
    return EmbeddingMapDisplay.from_embeddings(
        found.X,
        texts=found.texts,
        labels=result.labels,
        names=result.names,
        columns=columns,
        random_state=random_state,
        verbose=console.verbosity,
        cache=cache,
        progress=lambda _: console.say("Projecting the map (UMAP) …"),
    )
