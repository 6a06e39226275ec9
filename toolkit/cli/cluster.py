"""``toolkit cluster``: groups of similar texts, and how far to trust them."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

from toolkit.cli.cluster_job import (
    FEWEST,
    check_clusterer,
    cluster_table,
    make_report,
    read_number,
    reused_table,
)
from toolkit.cli.cluster_output import as_json, assignments, described
from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.keyword_options import MaxNgram, StopWordsGiven, keyword_settings
from toolkit.cli.option_groups import EmbeddingOptions, InputOptions, cache_parameter
from toolkit.cli.options import (
    CLUSTERS,
    INPUT,
    Force,
    JsonOutput,
    Keep,
    NoText,
    OnDrift,
    OutputFormat,
    RandomState,
    Source,
    SpreadsheetSafe,
    TableOut,
    flag,
    option,
)
from toolkit.cli.reports import ReportFiles, check_report_output, write_report
from toolkit.cli.vectors_of import embed_table
from toolkit.errors import UsageError
from toolkit.typography import counted

__all__ = ["cluster"]


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
            help="When each row is from: years or ISO dates.",
        ),
    ] = None,
    time_format: Annotated[
        str | None,
        option(
            "--time-format",
            metavar="FORMAT",
            panel=INPUT,
            help="What the times look like, if not that: '%d/%m/%Y', or any format of Python's "
            "strptime; '%s' is seconds since 1970.",
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
    stop_words: StopWordsGiven = None,
    max_ngram: MaxNgram = None,
    name_with: Annotated[
        str | None,
        option(
            "--name-with",
            metavar="MODEL",
            panel=CLUSTERS,
            help="Names by this chat model on the Ollama server, which is shown keywords and a "
            "few texts of each cluster; else names are keywords.",
        ),
    ] = None,
    name_host: Annotated[
        str | None,
        option(
            "--name-host",
            metavar="ADDRESS",
            panel=CLUSTERS,
            default="that of --host",
            help="Server of the chat model.",
        ),
    ] = None,
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
    save: Annotated[
        Path | None,
        option(
            "--save",
            metavar="FOLDER",
            panel=CLUSTERS,
            help="Save the clustering, for new texts (toolkit assign) and for --reuse.",
        ),
    ] = None,
    reuse: Annotated[
        Path | None,
        option(
            "--reuse",
            metavar="FOLDER",
            panel=CLUSTERS,
            help="Take the clusters that --save wrote of the same texts; nothing is clustered "
            "again. For another report, or to follow --decisions.",
        ),
    ] = None,
    trusted: Annotated[
        bool,
        flag(
            "--trusted",
            panel=CLUSTERS,
            help="Open a model that could run code: only if you trust who made it.",
        ),
    ] = False,
    on_drift: OnDrift = None,
    out: TableOut = None,
    output_format: OutputFormat = None,
    report: ReportFiles = None,
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
      toolkit cluster dataset:sdg --backend cache --n-clusters 17 --save goals
      toolkit assign goals new.csv --out assigned.csv
    """
    from toolkit.datasets.table_writers import check_table_output
    from toolkit.datasets.tables import read_texts

    number = read_number(n_clusters)
    to_stdout = out is not None and str(out) == "-"
    if out is None and output_format is not None:
        raise UsageError("--output-format is of the table that --out writes; give --out, too")
    if to_stdout and json_output:
        raise UsageError("--json and --out - both write to standard output; give --out a file")
    if out is not None:
        check_table_output(out, output_format, force=force)
    for place in report or []:
        check_report_output(place, force=force)
    if save is not None:
        from toolkit.cluster import check_clustering_output

        check_clustering_output(save, force=force)
    chosen = clusterer != "kmeans" or n_clusters != "auto" or min_cluster_size
    if reuse is not None and (chosen or stop_words is not None or max_ngram):
        raise UsageError(
            "--reuse takes clusters and their names as they were saved; --clusterer, --n-clusters, "
            "--min-cluster-size, --stop-words and --max-ngram are for new ones"
        )
    if on_drift is not None and reuse is None:
        raise UsageError("--on-drift is for saved clusters; give --reuse, too")
    words = keyword_settings(stop_words, max_ngram)
    if time_column is not None and not report:
        raise UsageError("--time-column is for the report; give --report, too")
    if time_format is not None and time_column is None:
        raise UsageError("--time-format is of the times of --time-column; give that, too")
    if decisions is not None:
        from toolkit.cluster import read_decisions

        read_decisions(decisions)  # a mistake in it is found before the work, not after it
    chat_host = name_host or (embedding.host[0] if embedding.host else None)
    if name_with is not None:
        from toolkit.backends.ollama_chat import OllamaChat

        OllamaChat(name_with, chat_host).digest()  # whether it is there, before the work
    elif name_host is not None:
        raise UsageError("--name-host is for the chat model of --name-with; give that, too")
    data = read_texts(
        source,
        inputs.table_format(),
        column=inputs.text_column,
        labels=label_column,
        keep=[*(keep or ()), *([time_column] if time_column else ())],
        keep_option="--keep, --time-column" if keep else "--time-column",
        missing=embedding.missing,
        missing_labels="keep",
    )
    days = None
    if time_column is not None:
        from toolkit.cluster.times import read_times

        days = read_times(data.kept[time_column], time_format)  # or they cannot be: before the work
    if reuse is None:
        check_clusterer(clusterer, number, min_cluster_size, len(data.texts))
    found = embed_table(data, embedding, "clustering", fewest=FEWEST)
    times = None if days is None else [days[row] for row in found.rows.tolist()]
    if time_column is not None and time_column not in (keep or ()):
        del data.kept[time_column]  # read like the columns of --keep, but not asked for there
    if reuse is not None:
        result, made_as = reused_table(
            reuse,
            found,
            decisions,
            on_drift=on_drift or "raise",
            trusted=trusted,
            random_state=random_state,
            times=times,
        )
    else:
        from toolkit.cluster import apply_decisions, labels_fingerprint

        again = f", and {counted(stability, 'part')} of the texts again" if stability else ""
        console.say(f"Clustering{again} …")
        result = cluster_table(
            found,
            data.source,
            clusterer,
            number,
            min_cluster_size,
            stability,
            random_state,
            cache_parameter(embedding.cache),
            times=times,
            **words,
        )
        made_as = labels_fingerprint(result)
        if decisions is not None:
            result = apply_decisions(
                result,
                found.X,
                decisions,
                labels_true=found.labels,
                random_state=random_state,
                **words,
            )
    if name_with is not None:
        from toolkit.cluster import name_clusters

        console.say(f"Asking {name_with} for names …")
        result = name_clusters(
            result,
            name_with,
            host=chat_host,
            cache=cache_parameter(embedding.cache),
            progress=console.step,
        )
        console.clear_step()
    if json_output:
        console.result_json(as_json(result, made_as))
    elif to_stdout:
        console.say(described(result))
    else:
        console.result(described(result))
    page = None
    if report:
        page = make_report(
            result,
            found,
            with_map=not no_map,
            random_state=random_state,
            cache=cache_parameter(embedding.cache),
        )
    if save is not None:
        from toolkit.cluster import save_clustering

        save_clustering(result, save, vectorizer=found.vectorizer, force=force)
        use = f"toolkit assign {quote(str(save))} INPUT"
        console.say(f"Clustering: {save}; `{use}` finds those of new texts.")
    if out is not None:
        columns = assignments(result, found, data.texts, data.kept, with_text=not no_text)
        from toolkit.datasets.table_writers import write_table

        write_table(out, columns, output_format, force=force, safe=spreadsheet_safe)
        if not to_stdout:
            console.say(f"Clusters of the texts: {out}")
    if page is not None:
        for place in report or []:
            write_report(page, place, force=force)
            console.say(f"Report: {place}")
