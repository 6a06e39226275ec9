"""``toolkit cluster``: groups of similar texts, and how far to trust them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.option_groups import EmbeddingOptions, InputOptions, cache_parameter
from toolkit.cli.options import (
    INPUT,
    Force,
    JsonOutput,
    Keep,
    NoText,
    OutputFormat,
    RandomState,
    Source,
    SpreadsheetSafe,
    TableOut,
    flag,
    option,
)
from toolkit.cli.reports import ReportFile, check_report_output, command_line, write_report
from toolkit.cli.vectors_of import Embedded, embed_table
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.cluster import ClusterResult

__all__ = ["cluster"]

CLUSTERS = "Clusters"
SHOWN_KEYWORDS = 6


@command
def cluster(
    source: Source,
    inputs: InputOptions,
    embedding: EmbeddingOptions,
    label_column: Annotated[
        str | None,
        option(
            "--label-column",
            metavar="NAME",
            panel=INPUT,
            help="Known labels to compare the clusters with; they do not influence them.",
        ),
    ] = None,
    time_column: Annotated[
        str | None,
        option(
            "--time-column",
            metavar="NAME",
            panel=INPUT,
            help="When each row is from: numbers, years or ISO dates.",
        ),
    ] = None,
    clusterer: Annotated[
        str,
        option(
            "--clusterer",
            metavar="NAME",
            panel=CLUSTERS,
            default=True,
            help="kmeans, minibatch-kmeans, bisecting-kmeans, agglomerative, spectral, hdbscan "
            "(finds its own number and calls outliers noise), umap-kmeans, or the import path of "
            "a scikit-learn clusterer.",
        ),
    ] = "kmeans",
    n_clusters: Annotated[
        str,
        option(
            "--n-clusters",
            metavar="N|auto",
            panel=CLUSTERS,
            default=True,
            help="How many, for clusterers that must be told; auto tries some and compares.",
        ),
    ] = "auto",
    min_cluster_size: Annotated[
        int | None,
        option(
            "--min-cluster-size",
            metavar="N",
            panel=CLUSTERS,
            min=2,
            help="Fewest texts of a cluster, for hdbscan.",
        ),
    ] = None,
    stability: Annotated[
        int,
        option(
            "--stability",
            metavar="N",
            panel=CLUSTERS,
            default=True,
            min=0,
            help="Parts of the texts to cluster again, to see which clusters hold; 0 for none.",
        ),
    ] = 10,
    decisions: Annotated[
        Path | None,
        option(
            "--decisions",
            metavar="FILE",
            panel=CLUSTERS,
            help="Merge, split, rename clusters and assign noise as this JSON file says; the "
            "report lists it.",
        ),
    ] = None,
    out: TableOut = None,
    output_format: OutputFormat = None,
    report: ReportFile = None,
    no_map: Annotated[bool, flag("--no-map", help="Leave the map out of the report.")] = False,
    keep: Keep = None,
    no_text: NoText = False,
    spreadsheet_safe: SpreadsheetSafe = False,
    json_output: JsonOutput = False,
    random_state: RandomState = 0,
    force: Force = False,
) -> None:
    """Group similar texts, name the groups, and say how far to trust them.

    Prints what was found and the clusters with their keywords. --out writes the cluster of each
    text (--out - to standard output), --report one page to read and hand on.

    Examples:

      toolkit cluster reviews.csv --out clusters.csv --report clusters.html
      toolkit cluster dataset:sdg --backend cache --n-clusters 17
    """
    from toolkit.datasets.table_writers import check_table_output
    from toolkit.datasets.tables import read_texts

    number = _number(n_clusters)
    to_stdout = out is not None and str(out) == "-"
    if out is None and output_format is not None:
        raise UsageError("--output-format is of the table that --out writes; give --out, too")
    if to_stdout and json_output:
        raise UsageError("--json and --out - both write to standard output; give --out a file")
    if out is not None:
        check_table_output(out, output_format, force=force)
    check_report_output(report, force=force)
    if time_column is not None and report is None:
        raise UsageError("--time-column is for the report; give --report, too")
    if decisions is not None:
        from toolkit.cluster import read_decisions

        read_decisions(decisions)  # a mistake in it is found before the work, not after it
    data = read_texts(
        source,
        inputs.table_format(),
        column=inputs.text_column,
        labels=label_column,
        keep=[*(keep or ()), *([time_column] if time_column else ())],
        keep_option="--keep, --time-column" if keep else "--time-column",
        missing=embedding.missing,
    )
    found = embed_table(data, embedding, "clustering")
    times = None
    if time_column is not None:
        # Read like the columns of --keep, but kept only when asked for there, too.
        times = found.columns({time_column: data.kept[time_column]})[time_column]
        if time_column not in (keep or ()):
            del data.kept[time_column]
    again = f", and {stability} parts of the texts again" if stability else ""
    console.say(f"Clustering{again} …")
    result = _cluster(
        found, data.source, clusterer, number, min_cluster_size, stability, random_state
    )
    made_as = _fingerprint(result)
    if decisions is not None:
        from toolkit.cluster import apply_decisions

        result = apply_decisions(
            result, found.X, decisions, labels_true=found.labels, random_state=random_state
        )
    if json_output:
        console.result_json(_as_json(result, made_as))
    elif to_stdout:
        console.say(_described(result))
    else:
        console.result(_described(result))
    if out is not None:
        columns = _assignments(result, found, data.texts, data.kept, with_text=not no_text)
        from toolkit.datasets.table_writers import write_table

        write_table(out, columns, output_format, force=force, safe=spreadsheet_safe)
        if not to_stdout:
            console.say(f"Clusters of the texts: {out}")
    if report is not None:
        from toolkit.report import ClusterReport

        picture = (
            None if no_map else _map(result, found, random_state, cache_parameter(embedding.cache))
        )
        made = ClusterReport(result, map=picture, times=times)
        write_report(made, report, force=force)
        console.say(f"Report: {report}")


def _number(given: str) -> int | str:
    if given == "auto":
        return given
    if not given.isdecimal() or int(given) < 2:
        raise UsageError(f"--n-clusters is a number from 2, or auto, not {given!r}")
    return int(given)


def _cluster(
    found: Embedded,
    source: str,
    clusterer: str,
    n_clusters: Any,
    min_cluster_size: int | None,
    stability: int,
    random_state: int,
) -> ClusterResult:
    from toolkit.cluster import CLUSTERERS, cluster_texts

    known = CLUSTERERS.get(clusterer.lower().replace("_", "-"))
    reducer = None
    if known is not None and known.reduce:
        from toolkit.visualize import UMAPProjector

        # Density in hundreds of dimensions says little; and never the picture's two.
        reducer = UMAPProjector("clustering", random_state=random_state, verbose=console.verbosity)
    return cluster_texts(
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
        progress=console.detail,
    )


def _described(result: ClusterResult) -> str:
    lines = [result.summary(), *(result.edits.sentences if result.edits else []), ""]
    sizes = [one.size for one in result.quality.clusters]
    width = len(f"{max(sizes, default=0):,}")
    for number, size in enumerate(sizes):
        words = ", ".join(word.term for word in result.keywords[number][:SHOWN_KEYWORDS])
        lines.append(f"{number:>4}  {size:>{width},} texts  {words or '(no keywords)'}")
    return "\n".join(lines)


def _fingerprint(result: ClusterResult) -> str:
    from toolkit.cluster import labels_fingerprint

    return labels_fingerprint(result)


def _as_json(result: ClusterResult, clustering: str) -> dict[str, Any]:
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


def _assignments(
    result: ClusterResult,
    found: Embedded,
    texts: list[str | None],
    kept: dict[str, list[Any]],
    *,
    with_text: bool,
) -> dict[str, list[Any]]:
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
                values[row] = value
            columns[name] = values
    return columns


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
    console.say("Projecting the map (UMAP) …")
    return EmbeddingMapDisplay.from_embeddings(
        found.X,
        texts=found.texts,
        labels=result.labels,
        names=result.names,
        columns=columns,
        random_state=random_state,
        verbose=console.verbosity,
        cache=cache,
    )
