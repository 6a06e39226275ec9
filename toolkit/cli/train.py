"""``toolkit train``: a classifier from texts and labels, and how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.option_groups import EmbeddingOptions, InputOptions
from toolkit.cli.options import (
    GENERAL,
    INPUT,
    OUTPUT,
    Force,
    JsonOutput,
    LabelColumn,
    RandomState,
    Source,
    flag,
    option,
)
from toolkit.cli.reports import ReportFile, check_report_output, command_line, write_report
from toolkit.cli.vectorizing import make_vectorizer

if TYPE_CHECKING:
    from toolkit.classify.result import TrainingResult

__all__ = ["train"]

MODEL = "Model"


@command
def train(
    source: Source,
    inputs: InputOptions,
    embedding: EmbeddingOptions,
    label_column: LabelColumn = None,
    group_column: Annotated[
        str | None,
        option(
            "--group-column",
            metavar="NAME",
            panel=INPUT,
            help="Rows with the same value are never split between training and test.",
        ),
    ] = None,
    classifier: Annotated[
        str,
        option(
            "--classifier",
            metavar="NAME",
            panel=MODEL,
            default=True,
            help="logistic_regression, linear_svm, knn, nearest_centroid, or the import path of "
            "a scikit-learn classifier.",
        ),
    ] = "logistic_regression",
    cv: Annotated[
        int,
        option(
            "--cv", metavar="N", panel=MODEL, default=True, min=2, help="Folds of the validation."
        ),
    ] = 5,
    no_baselines: Annotated[
        bool, flag("--no-baselines", panel=MODEL, help="Do not score TF-IDF beside it.")
    ] = False,
    out: Annotated[
        Path | None,
        option(
            "--out",
            "-o",
            metavar="FOLDER",
            panel=OUTPUT,
            default="none: only the scores",
            help="Where the model goes; --force replaces an earlier model.",
        ),
    ] = None,
    report: ReportFile = None,
    json_output: JsonOutput = False,
    random_state: RandomState = 0,
    n_jobs: Annotated[
        int | None,
        option("--n-jobs", metavar="N", panel=GENERAL, default="1", help="Folds at once."),
    ] = None,
    force: Force = False,
) -> None:
    """Train a classifier and cross-validate it beside simpler ones.

    Prints accuracy and macro F1 beside TF-IDF and the most frequent class, on the same folds, and
    at smaller dimensions. The model is fitted on all rows and saved with what made its vectors, so
    that it refuses vectors of another model later.

    Examples:

      toolkit train reviews.csv --label-column stars --out model
      toolkit train reviews.csv --label-column stars --report report.html
      toolkit train dataset:sdg --backend cache
    """
    from toolkit.classify import save_model, train_classifier
    from toolkit.datasets.tables import read_texts

    check_report_output(report, force=force)
    if out is not None:
        _check_folder(out, force)
    data = read_texts(
        source,
        inputs.table_format(),
        column=inputs.text_column,
        labels=label_column or "label",
        keep=[group_column] if group_column else [],
        missing=embedding.missing,
        keep_option="--group-column",
    )
    if data.chosen:
        console.say(f"Texts are in the column {data.text_column!r} ({data.chosen}).")
    classes = len(set(data.labels or []))
    console.say(f"{len(data.texts):,} texts of {classes} classes from {data.source}; {cv} folds.")
    result = train_classifier(
        cast("list[str]", data.texts),  # missing ones are the vectorizer's business
        data.labels or [],
        vectorizer=make_vectorizer(embedding, "classification"),
        classifier=classifier,
        cv=cv,
        groups=data.kept[group_column] if group_column else None,
        baselines=not no_baselines,
        random_state=random_state,
        n_jobs=n_jobs,
        source=data.source,
        command=command_line(),
    )
    console.say(f"{len(data.texts):,} texts of {len(result.classes)} classes from {data.source}.")
    if json_output:
        console.result_json(_as_json(result, out, report))
    else:
        console.result(result.summary())
    if report is not None:
        from toolkit.report import ClassifierReport

        write_report(ClassifierReport(result), report, force=force)
        console.say(f"Report: {report}")
    if out is not None:
        save_model(result, out, force=force)
        console.say(f"Model: {out}  (use it: toolkit predict {out} INPUT)")
    else:
        console.say("The model was not saved; --out FOLDER saves it.")


def _check_folder(out: Path, force: bool) -> None:
    from toolkit.errors import UsageError

    if out.is_dir() and any(out.iterdir()) and not force:
        raise UsageError(f"the folder {str(out)!r} holds something; give another one, or --force")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{str(out)!r} is a file; give a folder for the model")


def _as_json(result: TrainingResult, out: Path | None, report: Path | None) -> dict[str, Any]:
    def scores(found: Any) -> dict[str, Any]:
        return {name: score.to_dict() for name, score in found.items()}

    return {
        "rows": len(result.texts),
        "classes": [str(label) for label in result.classes],
        "scores": scores(result.scores),
        "by_dimension": {str(d): scores(found) for d, found in result.by_dimension.items()},
        "baselines": {name: scores(found.scores) for name, found in result.baselines.items()},
        "notes": result.notes,
        "provenance": result.provenance,
        "model": None if out is None else str(out),
        "report": None if report is None else str(report),
    }
