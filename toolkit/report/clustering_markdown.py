"""The clustering report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from toolkit.cluster.period_words import PeriodWords
from toolkit.cluster.tree import ClusterTree
from toolkit.page import escape_markdown, markdown_table
from toolkit.typography import (
    NOTHING_VISIBLE,
    counted,
    format_number,
    format_percent,
    is_visible,
    shorten,
)

if TYPE_CHECKING:
    from toolkit.report.clustering import ClusterReport

__all__ = ["clustering_markdown"]

_HEADINGS = {
    "central": "Most typical",
    "diverse": "Different sides",
    "borderline": "On the border",
}


def clustering_markdown(report: ClusterReport) -> str:
    """Return a clustering report as Markdown.

    Parameters
    ----------
    report : ClusterReport
        What to say.

    Returns
    -------
    str
    """
    parts = [f"# {escape_markdown(report.title)}", escape_markdown(report.subtitle)]
    if report.notice:
        parts.append(f"> **{escape_markdown(report.notice)}**")
    parts.append("\n".join(f"- {escape_markdown(s)}" for s in report.result.findings()))
    if report.doubts:
        parts += ["## What to doubt", "\n".join(f"- {escape_markdown(s)}" for s in report.doubts)]
    edits = report.result.edits
    if edits is not None:
        done = [f"{i}. {escape_markdown(s)}" for i, s in enumerate(edits.sentences, 1)]
        parts += ["## Edited by hand", "\n".join(done)]
    parts += ["## Clusters", _clusters(report)]
    tree = report.result.tree
    if tree is not None and tree.branches:
        parts += ["## How the clusters belong together", _tree(tree, report.result.names)]
    for row in report.clusters:
        parts.append(f"### {row['cluster']}: {escape_markdown(shorten(row['name'], 240))}")
        words = ", ".join(shorten(word["term"]) for word in row["keywords"])
        parts.append(f"Keywords: {escape_markdown(words or 'none')}")
        for kind, heading in _HEADINGS.items():
            texts = [f"- {_text(e)}" for e in row["exemplars"][kind]]
            if texts:
                parts += [f"{heading}:", "\n".join(texts)]
        if row["substructure"] is not None:
            groups = [
                f"- {escape_markdown(group['name'])} ({group['size']:,} texts): " + _text(group)
                for group in row["substructure"]["groups"]
            ]
            parts += [f"Falls into {len(groups)} groups:", "\n".join(groups)]
        if row["by_period"]:
            parts += ["Words over time:", _by_period(report, row["by_period"])]
    if report.noise_examples:
        parts += ["## In no cluster", f"{report.result.quality.noise:,} texts, for example:"]
        parts.append("\n".join(f"- {_text(e)}" for e in report.noise_examples))
    for heading, items in (("Odd ones out", report.outliers), ("Repeats", report.duplicates)):
        if items:
            parts += [f"## {heading}", "\n".join(f"- {_odd(item)}" for item in items)]
    if report.over_time is not None:
        parts += ["## Over time", _over_time(report)]
    if report.scores:
        columns = ["over", "ARI", "AMI", "V-measure", "homogeneity", "completeness"]
        rows = [
            [name, *(format_number(value) for value in asdict(scores).values())]
            for name, scores in report.scores
        ]
        parts.append("## Agreement with known labels")
        parts.append(markdown_table(columns, rows, numeric=range(1, 6)))
    parts.append("## How it was made")
    parts.append("\n".join(f"- {name}: {escape_markdown(v)}" for name, v in report.facts))
    if report.made.get("command"):
        parts.append(f"Made by: {escape_markdown(report.made['command'])}")
    return "\n\n".join(parts)


def _text(item: dict[str, Any]) -> str:
    return escape_markdown(item["text"] if is_visible(item["text"]) else NOTHING_VISIBLE)


def _odd(item: dict[str, Any]) -> str:
    text = _text(item)
    return text if "count" not in item else f"{text} ({item['count']} times)"


def _by_period(report: ClusterReport, told: Sequence[PeriodWords]) -> str:
    time = report.over_time
    assert time is not None  # noqa: S101 - for the type checker; without it nothing is told
    return "\n".join(
        f"- {time.periods[one.period]} ({counted(one.texts, 'text')}): "
        + escape_markdown(", ".join(shorten(word.term) for word in one.words))
        for one in told
    )


def _over_time(report: ClusterReport) -> str:
    time = report.over_time
    assert time is not None  # noqa: S101 - for the type checker; the caller has asked
    rows = [
        ["no cluster" if row.cluster < 0 else f"{row.cluster} {row.name}"]
        + [str(cell.count) for cell in row.cells]
        for row in report.time_rows
    ]
    rows.append(["all", *map(str, time.totals)])
    return markdown_table(["cluster", *time.periods], rows, numeric=range(1, len(rows[0])))


def _tree(tree: ClusterTree, names: Sequence[str]) -> str:
    """Return the tree of clusters as a list in a list."""
    k = len(tree.sizes)
    lines: list[str] = []
    waiting = [(k + len(tree.branches) - 1, 0)]
    while waiting:
        node, depth = waiting.pop()
        if node < k:
            name = escape_markdown(shorten(names[node]))
            said = f"{node}: {name} ({counted(tree.sizes[node], 'text')})"
        else:
            branch = tree.branches[node - k]
            words = ", ".join(shorten(word) for word in branch.keywords)
            said = (
                f"{escape_markdown(words or f'{len(branch.clusters)} clusters')} "
                f"({counted(branch.size, 'text')}; {format_number(branch.separation, 2)} apart)"
            )
            waiting += [(branch.right, depth + 1), (branch.left, depth + 1)]
        lines.append(f"{'  ' * depth}- {said}")
    return "\n".join(lines)


def _clusters(report: ClusterReport) -> str:
    columns = ["cluster", "name", "texts", "silhouette", "nearest"]
    stable, known = report.result.stability is not None, report.result.agreement is not None
    columns += ["stability"] * stable + ["main label", "share"] * known
    rows = []
    for row in report.clusters:
        nearest = "" if row["nearest"] is None else str(row["nearest"])
        line = [
            row["cluster"],
            shorten(row["name"]),
            row["size"],
            format_number(row["silhouette"], 2),
            nearest,
        ]
        line += [format_number(row["jaccard"], 2)] * stable
        line += [str(row["majority"]), format_percent(row["purity"])] * known
        rows.append(line)
    return markdown_table(columns, rows, numeric=[0, 2, 3, 4, *([5] if stable else [])])
