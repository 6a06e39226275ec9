"""What ``toolkit cluster`` prints and writes of a clustering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.typography import rounded, shorten

if TYPE_CHECKING:
    from toolkit.cli.vectors_of import Embedded
    from toolkit.cluster import ClusterResult

__all__ = ["as_json", "assignments", "described"]

_SHOWN_KEYWORDS = 6


def described(result: ClusterResult) -> str:
    """Return findings, doubts and a line for each cluster."""
    lines = [result.summary(), *(result.edits.sentences if result.edits else []), ""]
    sizes = [one.size for one in result.quality.clusters]
    width = len(f"{max(sizes, default=0):,}")
    for number, size in enumerate(sizes):
        words = ", ".join(shorten(w.term, 40) for w in result.keywords[number][:_SHOWN_KEYWORDS])
        name = result.names[number]
        # A name with a text in it tells two clusters of the same words apart.
        if words and (not name.startswith(words.partition(", ")[0]) or name.endswith("”)")):
            words = f"{name}: {words}"
        unit = "text " if size == 1 else "texts"
        lines.append(f"{number:>4}  {size:>{width},} {unit}  {words or f'({name})'}")
    return "\n".join(lines)


def as_json(result: ClusterResult, clustering: str) -> dict[str, Any]:
    """Return what ``--json`` prints; ``clustering`` is the fingerprint that decisions name."""
    frame = result.to_frame().reset_index()
    return {
        "n_clusters": result.n_clusters,
        "clustering": clustering,
        "edits": None if result.edits is None else result.edits.sentences,
        "findings": result.findings(),
        "doubts": result.doubts(),
        "clusters": frame.to_dict(orient="records"),
        "provenance": result.provenance,
    }


def assignments(
    result: ClusterResult,
    found: Embedded,
    texts: list[str | None],
    kept: dict[str, list[Any]],
    *,
    with_text: bool,
) -> dict[str, list[Any]]:
    """Return the columns of ``--out``, in step with the rows of the input."""
    frame = result.assignments()
    columns: dict[str, list[Any]] = {}
    taken = set(frame.columns)
    for name, values in kept.items():
        columns[f"input_{name}" if name in taken else name] = values
    if with_text:
        columns["text"] = list(texts)
    for name in frame.columns:
        if name != "text":
            # A text without a vector has a row, too: rows of input and output are in step.
            values = [None] * len(texts)
            for row, value in zip(found.rows.tolist(), frame[name].tolist(), strict=True):
                values[row] = rounded(value) if isinstance(value, float) else value
            columns[name] = values
    return columns
