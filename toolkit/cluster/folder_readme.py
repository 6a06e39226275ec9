"""The README.md of a clustering folder: what a colleague wants to know before using it."""

from __future__ import annotations

from toolkit.cluster.clustering_info import ClusteringInfo
from toolkit.page import escape_markdown
from toolkit.saved.readme import code, folder_readme, made_by, usage
from toolkit.typography import counted

__all__ = ["clustering_readme"]

_SHOWN = 200


def clustering_readme(info: ClusteringInfo, *, report: bool = False) -> str:
    """Return the README of a clustering folder in Markdown.

    Parameters
    ----------
    info : ClusteringInfo
        What ``clustering.json`` says.
    report : bool, default=False
        Whether ``report.html`` stands beside it.

    Returns
    -------
    str
    """
    count, made = len(info.clusters), info.provenance
    sections = [_opening(info), _usage(info)]
    if report:
        sections.append(
            "`report.html` shows the clusters, their texts and how far to believe them.\n"
        )
    facts = {
        "Data": made.get("source"),
        "Texts": made.get("rows"),
        "Data fingerprint": made.get("data_fingerprint"),
        "Clusterer": made.get("clusterer"),
        "Number of clusters": made.get("n_clusters"),
        "Seed": made.get("random_state"),
        "Clustered": made.get("date"),
    }
    title = f"Clustering of texts: {count} cluster{'s' * (count != 1)}"
    return folder_readme(info, title, [*sections, _clusters(info)], facts)


def _opening(info: ClusteringInfo) -> str:
    lines = [
        f"Texts become vectors of {info.dimension} numbers by "
        f"{made_by(info, 'an unrecorded model')}; "
        f"{code(info.provenance.get('clusterer', 'a clusterer'))} grouped "
        f"{info.provenance.get('rows', 'the')} of them. New texts get the cluster they fit, or -1."
    ]
    if info.decisions:
        decisions = counted(len(info.decisions), "decision")
        lines.append(
            f"Edited by hand: {decisions}, listed in `clustering.json` and followed for new texts, "
            "too."
        )
    return "\n\n".join(lines) + "\n"


def _usage(info: ClusteringInfo) -> str:
    texts = info.takes == "texts"
    given = '["a text", "another text"]' if texts else "vectors"
    command = "toolkit assign path/to/this/folder texts.csv{trusted} --out clusters.csv"
    return usage(
        info,
        "from toolkit.cluster import load_clustering\n\n"
        'clustering = load_clustering("path/to/this/folder"{trusted})\n'
        f"clustering.predict({given})",
        command if texts else None,
        " It holds the vectors of the texts it was made of.",
    )


def _clusters(info: ClusteringInfo) -> str:
    lines = ["## Clusters\n", "| | name | texts | keywords |", "|---|---|---|---|"]
    for number, one in enumerate(info.clusters[:_SHOWN]):
        words = ", ".join(escape_markdown(str(term)) for term in one.get("keywords", []))
        lines.append(f"| {number} | {escape_markdown(one['name'])} | {one['size']} | {words} |")
    if len(info.clusters) > _SHOWN:
        lines.append(f"\nand {len(info.clusters) - _SHOWN} more, in `clustering.json`.")
    if info.noise:
        lines.append(f"\n{info.noise} texts are in no cluster.")
    quality = info.quality
    lines.append(
        f"\nMean silhouette {quality['silhouette']:.2f}"
        + (
            "; stability was not measured."
            if info.stability is None
            else f"; mean Jaccard similarity when parts of the texts are clustered again "
            f"{info.stability['jaccard']:.2f}."
        )
    )
    return "\n".join(lines) + "\n"
