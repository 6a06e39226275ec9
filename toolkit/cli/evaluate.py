"""``toolkit evaluate``: a saved model against new labelled texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.option_groups import InputOptions
from toolkit.cli.options import (
    EMBEDDING,
    AllowUnverified,
    CacheFolder,
    Force,
    Host,
    JsonOutput,
    LabelColumn,
    LongTexts,
    Missing,
    Source,
    flag,
    option,
)
from toolkit.cli.reports import ReportFile, check_report_output, command_line, write_report
from toolkit.cli.saved_models import open_model

__all__ = ["evaluate"]

MODEL = "Model"


@command
def evaluate(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            show_default=False,
            help="The folder that toolkit train --out made.",
        ),
    ],
    source: Source,
    inputs: InputOptions,
    label_column: LabelColumn = None,
    trusted: Annotated[
        bool,
        flag(
            "--trusted",
            panel=MODEL,
            help="Open a model that could run code: only if you trust who made it.",
        ),
    ] = False,
    backend: Annotated[
        str | None,
        option(
            "--backend",
            metavar="NAME",
            panel=EMBEDDING,
            default="the model's own",
            help="ollama, openai, embedded or cache; its vectors must be those the model was "
            "trained on.",
        ),
    ] = None,
    host: Host = None,
    server_model: Annotated[
        str | None,
        option(
            "--model",
            metavar="NAME",
            panel=EMBEDDING,
            default="the model's own",
            help="Name of the embedding model on the server.",
        ),
    ] = None,
    cache: CacheFolder = None,
    long_texts: LongTexts = "truncate",
    missing: Missing = "error",
    allow_unverified: AllowUnverified = False,
    report: ReportFile = None,
    json_output: JsonOutput = False,
    force: Force = False,
) -> None:
    """Score a saved model on new labelled texts, beside its training.

    Prints each score with the one the model came with and the drop, and 95 % intervals. Labels
    that the model cannot answer are named; their rows count as errors.

    Examples:

      toolkit evaluate model new.csv --label-column stars
      toolkit evaluate model new.csv --label-column stars --report evaluation.html
    """
    from toolkit.classify import evaluate_model, read_model_info
    from toolkit.datasets.tables import read_texts

    check_report_output(report, force=force)
    info = read_model_info(model)
    fitted = open_model(
        model,
        trusted=trusted,
        backend=backend,
        server_model=server_model,
        allow_unverified=allow_unverified,
        cache=cache,
        host=host or None,
        long_texts=long_texts,
        missing=missing,
    )
    data = read_texts(
        source,
        inputs.table_format(),
        column=inputs.text_column,
        labels=label_column or "label",
        missing=missing,
    )
    if data.chosen:
        console.say(f"Texts are in the column {data.text_column!r} ({data.chosen}).")
    texts = [text or "" for text in data.texts]
    found = evaluate_model(fitted, texts, data.labels or [], info=info)
    from toolkit.report.evaluation import EvaluationReport

    facts = {"Model": str(model), "Trained on": str(info.provenance.get("source"))}
    facts |= {"Model written": info.date, "Data": data.source, "Command": command_line()}
    page = EvaluationReport(found, facts=facts)
    if json_output:
        console.result_json(page.to_dict())
    else:
        console.result(found.summary())
    if report is not None:
        write_report(page, report, force=force)
        console.say(f"Report: {report}")
