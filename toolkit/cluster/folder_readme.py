"""The README.md of a clustering folder: what a colleague wants to know before using it."""

from __future__ import annotations

from toolkit.cluster.clustering_info import ClusteringInfo
from toolkit.page import escape_markdown

__all__ = ["folder_readme"]

_SHOWN = 200


def folder_readme(info: ClusteringInfo, *, report: bool = False) -> str:
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
    count = len(info.clusters)
    parts = [f"# Clustering of texts: {count} cluster{'s' * (count != 1)}\n"]
    if info.notice:
        parts.append(f"> **{escape_markdown(info.notice)}**\n")
    parts += [_opening(info), _usage(info)]
    if report:
        parts.append("`report.html` shows the clusters, their texts and how far to believe them.\n")
    parts += [_clusters(info), _origin(info)]
    return "\n".join(parts)


def _code(text: object) -> str:
    line = str(text).replace("\n", "\\n").replace("`", "'")
    return f"`{line}`"


def _opening(info: ClusteringInfo) -> str:
    made_by = "an unrecorded model"
    if info.identity is not None:
        made_by = f"{_code(info.identity.model)} through {_code(info.identity.backend)}"
    prompt = f", under the prompt {_code(info.prompt)}" if info.prompt else ""
    lines = [
        f"Texts become vectors of {info.dimension} numbers by {made_by}{prompt}; "
        f"{_code(info.provenance.get('clusterer', 'a clusterer'))} grouped "
        f"{info.provenance.get('rows', 'the')} of them. New texts get the cluster they fit, or -1."
    ]
    if info.decisions:
        n = len(info.decisions)
        lines.append(
            f"Edited by hand: {n} decision{'s' * (n != 1)}, listed in `clustering.json` and "
            "followed for new texts, too."
        )
    return "\n\n".join(lines) + "\n"


def _usage(info: ClusteringInfo) -> str:
    pickle = info.file.endswith(".joblib")
    argument = ", trusted=True" if pickle else ""
    given = '["a text", "another text"]' if info.takes == "texts" else "vectors"
    usage = (
        "## Use\n\n```python\nfrom toolkit.cluster import load_clustering\n\n"
        f'clustering = load_clustering("path/to/this/folder"{argument})\n'
        f"clustering.predict({given})\n```\n"
    )
    if info.takes == "texts":
        option = " --trusted" if pickle else ""
        usage += (
            f"\nor `toolkit assign path/to/this/folder texts.csv{option} --out clusters.csv`.\n"
        )
    if pickle:
        usage += (
            "\n`model.joblib` is a pickle: opening it runs whatever it contains. Load it only if "
            "you trust who made it. It holds the vectors of the texts it was made of.\n"
        )
    return usage


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


def _origin(info: ClusteringInfo) -> str:
    made = info.provenance
    facts = {
        "Data": made.get("source"),
        "Texts": made.get("rows"),
        "Data fingerprint": made.get("data_fingerprint"),
        "Clusterer": made.get("clusterer"),
        "Number of clusters": made.get("n_clusters"),
        "Seed": made.get("random_state"),
        "Model": info.identity.describe() if info.identity is not None else None,
        "Vectors": info.identity.provenance if info.identity is not None else None,
        "Clustered": made.get("date"),
        "Written": info.date,
        "Versions": ", ".join(f"{k} {v}" for k, v in info.versions.items()),
        "Command": made.get("command"),
    }
    lines = [f"- {key}: {_code(value)}" for key, value in facts.items() if value is not None]
    return "## Where it comes from\n\n" + "\n".join(lines) + "\n"
