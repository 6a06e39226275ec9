"""``toolkit train``: a classifier from texts and labels, and how good it is."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.labelled import (
    FoldsAtOnce,
    GroupColumn,
    LabelSeparator,
    MissingLabels,
    read_labelled,
    say_rows,
)
from toolkit.cli.option_groups import EmbeddingOptions, InputOptions
from toolkit.cli.options import (
    INPUT,
    MODEL,
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
    from toolkit.classify.result import Trained
    from toolkit.page import Report

__all__ = ["train"]


@command
def train(
    source: Source,
    inputs: InputOptions,
    embedding: EmbeddingOptions,
    label_column: LabelColumn = None,
    label_separator: LabelSeparator = None,
    missing_labels: MissingLabels = "error",
    group_column: GroupColumn = None,
    time_column: Annotated[
        str | None,
        option(
            "--time-column",
            metavar="NAME",
            panel=INPUT,
            help="When each row is from: years or ISO dates.",
        ),
    ] = None,
    classifier: Annotated[
        list[str] | None,
        option(
            "--classifier",
            metavar="NAME",
            panel=MODEL,
            default="these four are compared; repeat it to name several",
            help="logistic_regression, linear_svm, knn, nearest_centroid, or the import path of "
            "a scikit-learn classifier.",
        ),
    ] = None,
    metric: Annotated[
        str | None,
        option(
            "--metric",
            metavar="NAME",
            panel=MODEL,
            default="accuracy, or micro_f1 for several labels a text",
            help="What chooses among them: accuracy, macro_f1, weighted_f1 or balanced_accuracy; "
            "for several labels micro_f1, macro_f1, subset_accuracy or average_precision.",
        ),
    ] = None,
    class_weight: Annotated[
        Literal["balanced"] | None,
        option(
            "--class-weight",
            metavar="balanced",
            panel=MODEL,
            help="Rows of rare classes weigh more, so that each class weighs the same.",
        ),
    ] = None,
    test_size: Annotated[
        float | None,
        option(
            "--test-size",
            metavar="SHARE",
            panel=MODEL,
            default="0.2",
            help="Share of the rows that is held out for the scores.",
        ),
    ] = None,
    cv: Annotated[
        int | None,
        option(
            "--cv",
            metavar="N",
            panel=MODEL,
            default="5 for one --classifier, else none: a part is held out",
            min=2,
            help="Folds of the validation.",
        ),
    ] = None,
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
    n_jobs: FoldsAtOnce = None,
    force: Force = False,
) -> None:
    """Compare classifiers, score the best on rows it has not seen, and save it.

    Prints accuracy and macro F1 beside TF-IDF and the most frequent class, on the same rows, and
    at smaller dimensions. The model is fitted on all rows and saved with its report and with what
    made its vectors, so that it refuses vectors of another model later.

    Several classifiers are compared within the rows that are not held out. With --cv each fold
    chooses for itself (nested validation): scores over all rows, for N times the work.

    Examples:

      toolkit train reviews.csv --label-column stars --out model
      toolkit train tickets.csv --time-column date --metric macro_f1 --class-weight balanced
      toolkit train tickets.csv --label-column tags --label-separator=";" --out model
      toolkit train dataset:sdg --backend cache --classifier logistic_regression
    """
    from toolkit.classify import (
        MultilabelResult,
        save_model,
        select_classifier,
        train_multilabel,
    )
    from toolkit.errors import UsageError
    from toolkit.report import ClassifierReport, MultilabelReport

    check_report_output(report, force=force)
    if out is not None:
        _check_folder(out, force)
    if group_column and time_column:
        raise UsageError("give --group-column or --time-column, not both")
    if cv is None and test_size is None and classifier is not None and len(classifier) == 1:
        cv = 5
    if cv is not None and test_size is not None and not time_column:
        raise UsageError("give --cv or --test-size: folds test every row")
    beside = group_column or time_column
    data = read_labelled(
        source,
        inputs,
        label_column,
        separator=label_separator,
        keep=[beside] if beside else [],
        keep_option="--group-column" if group_column else "--time-column",
        missing=embedding.missing,
        missing_labels=missing_labels,
    )
    say_rows(data)
    chosen: dict[str, Any] = {} if metric is None else {"metric": metric}
    learn: Any = select_classifier
    if label_separator is not None:
        learn, chosen["label_separator"] = train_multilabel, label_separator
    result: Trained = learn(
        cast("list[str]", data.texts),  # missing ones are the vectorizer's business
        data.labels or [],
        vectorizer=make_vectorizer(embedding, "classification"),
        candidates=classifier,
        cv=cv,
        test_size=0.2 if test_size is None else test_size,
        groups=data.kept[group_column] if group_column else None,
        times=data.kept[time_column] if time_column else None,
        class_weight=class_weight,
        baselines=not no_baselines,
        random_state=random_state,
        n_jobs=n_jobs,
        source=data.source,
        command=command_line(),
        say=console.say,
        **chosen,
    )
    if json_output:
        console.result_json(_as_json(result, out, report))
    else:
        console.result(result.summary())
    page: Report = (
        MultilabelReport(result)
        if isinstance(result, MultilabelResult)
        else ClassifierReport(result)
    )
    if report is not None:
        write_report(page, report, force=force)
        console.say(f"Report: {report}")
    if out is not None:
        save_model(result, out, force=force, report=page.to_html())
        console.say(f"Model: {out}  (use it: toolkit predict {quote(str(out))} INPUT)")
    else:
        console.say("The model was not saved; --out FOLDER saves it.")


def _check_folder(out: Path, force: bool) -> None:
    from toolkit.errors import UsageError

    if out.is_dir() and any(out.iterdir()) and not force:
        raise UsageError(f"the folder {str(out)!r} holds something; give another one, or --force")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{str(out)!r} is a file; give a folder for the model")


def _as_json(result: Trained, out: Path | None, report: Path | None) -> dict[str, Any]:
    def scores(found: Any) -> dict[str, Any]:
        return {name: score.to_dict() for name, score in found.items()}

    return {
        "rows": len(result.texts),
        "classes": [str(label) for label in result.classes],
        "scores": scores(result.scores),
        "by_dimension": {str(d): scores(found) for d, found in result.by_dimension.items()},
        "by_prompt": {t: scores(found) for t, found in result.by_prompt.items()},
        "baselines": {name: scores(found.scores) for name, found in result.baselines.items()},
        "selection": None if result.selection is None else result.selection.to_dict(),
        "notes": result.notes,
        "provenance": result.provenance,
        "model": None if out is None else str(out),
        "report": None if report is None else str(report),
    }
