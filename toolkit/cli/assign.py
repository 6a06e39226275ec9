"""``toolkit assign``: the clusters of new texts, from a saved clustering."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.option_groups import InputOptions, SavedModelOptions
from toolkit.cli.options import (
    Force,
    Keep,
    NoText,
    OnError,
    OutputFormat,
    Source,
    SpreadsheetSafe,
    TableOut,
    option,
)
from toolkit.cli.saved_models import set_up_vectorizer
from toolkit.cli.streamed_rows import CHUNK, Destination, stream_rows
from toolkit.typography import counted, rounded

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from toolkit.cluster import ClusteringInfo
    from toolkit.saved.row_log import RowLog

__all__ = ["assign"]

CLUSTERING = "Clustering"
_MANY = 0.05


@command
def assign(
    clustering: Annotated[
        Path,
        typer.Argument(
            metavar="CLUSTERING",
            show_default=False,
            help="The folder that toolkit cluster --save made.",
        ),
    ],
    source: Source,
    inputs: InputOptions,
    options: SavedModelOptions,
    max_distance: Annotated[
        float | None,
        option(
            "--max-distance",
            metavar="D",
            panel=CLUSTERING,
            min=0,
            max=2,
            help="Cluster -1 for texts whose cosine distance from the nearest centre is more.",
        ),
    ] = None,
    on_error: OnError = "raise",
    out: TableOut = None,
    output_format: OutputFormat = None,
    keep: Keep = None,
    no_text: NoText = False,
    spreadsheet_safe: SpreadsheetSafe = False,
    force: Force = False,
) -> None:
    """Find the clusters of new texts, one row each in their order, at constant memory.

    Writes the input's columns, cluster (-1 for texts in none), its name, and the cosine to its
    centre. An interrupted run leaves OUT.part: the same command goes on from there.

    Examples:

      toolkit cluster reviews.csv --save topics
      toolkit assign topics new.csv --out assigned.csv
    """
    from toolkit.cluster import load_clustering, read_clustering_info
    from toolkit.errors import UsageError

    to = Destination(out, output_format, keep, no_text, spreadsheet_safe, force)
    to.check()
    if max_distance == 0:
        raise UsageError("--max-distance is above 0 and up to 2")
    info = read_clustering_info(clustering)
    if info.takes != "texts":
        raise UsageError(
            f"{clustering} was saved without a vectorizer and takes vectors, not texts"
        )
    pipeline = set_up_vectorizer(
        load_clustering(clustering, trusted=options.trusted), options, on_error=on_error
    )
    placed = _Placed(info)
    stream_rows(
        source,
        inputs,
        to,
        lambda texts, log: placed.rows(_assign(pipeline, texts, max_distance, log)),
        ("cluster", "name", "similarity"),
        missing=options.missing,
        made_by={"clustering": info.sha256, "max_distance": max_distance, "on_error": on_error}
        | options.deciding(),
    )
    console.say(placed.summary() + (f" Table: {out}" if out else ""))


def _assign(
    pipeline: Pipeline,
    texts: Iterator[str],
    max_distance: float | None,
    log: RowLog | None,
) -> Iterator[tuple[Any, ...]]:
    """Yield cluster and similarity; those of an interrupted run are taken from its log."""
    from toolkit.cluster import assign_texts
    from toolkit.saved.row_log import logged

    def answer(chunk: Sequence[str], start: int) -> list[tuple[Any, ...]]:
        found = assign_texts(pipeline, chunk, max_distance=max_distance, start=start)
        return [(one.cluster, one.similarity) for one in found]

    return logged(texts, answer, log, chunk_size=CHUNK)


class _Placed:
    """Assignments as cells of the output, and counted."""

    def __init__(self, info: ClusteringInfo) -> None:
        self.names = info.names
        self.radii = [float(one["radius"]) for one in info.clusters]
        self.count = self.outside = self.far = self.without = 0

    def rows(self, found: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Yield cluster, name and similarity."""
        for cluster, similarity in found:
            self.count += 1
            if cluster is None or similarity is None:
                self.without += 1
                yield None, None, None
            elif cluster < 0:
                self.outside += 1
                yield cluster, "", rounded(similarity)
            else:
                self.far += 1 - similarity > self.radii[cluster] + 1e-5
                yield cluster, self.names[cluster], rounded(similarity)

    def summary(self) -> str:
        """Return what was found, and what to doubt."""
        clusters = counted(len(self.names), "cluster")
        parts = [f"{counted(self.count, 'text')} assigned to {clusters}"]
        if self.outside:
            parts.append(f"{self.outside:,} of them to none (-1)")
        if self.without:
            parts.append(f"{self.without:,} without a vector")
        said = ", ".join(parts) + "."
        if self.far > _MANY * self.count:
            said += (
                f" {self.far:,} of them farther from their cluster's centre than every text it was "
                "made of: topics that are new since then end up like this. Set --max-distance, or "
                "cluster again."
            )
        return said
