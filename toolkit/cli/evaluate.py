"""``toolkit evaluate``: a saved model against new labelled texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.labelled import LabelSeparator, MissingLabels, read_labelled, say_rows
from toolkit.cli.option_groups import InputOptions, SavedModelOptions
from toolkit.cli.options import Force, JsonOutput, LabelColumn, ModelFolder, Source
from toolkit.cli.reports import ReportFile, check_report_output, command_line, write_report
from toolkit.cli.saved_models import open_model

if TYPE_CHECKING:
    from toolkit.classify import Evaluation, MultilabelEvaluation

__all__ = ["evaluate"]


@command
def evaluate(
    model: ModelFolder,
    source: Source,
    inputs: InputOptions,
    options: SavedModelOptions,
    label_column: LabelColumn = None,
    label_separator: LabelSeparator = None,
    missing_labels: MissingLabels = "error",
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
    from toolkit.classify import evaluate_model, evaluate_multilabel, read_model_info
    from toolkit.errors import UsageError

    check_report_output(report, force=force)
    info = read_model_info(model)
    if label_separator and not info.multilabel:
        raise UsageError("this model gives one label a text; leave --label-separator out")
    fitted = open_model(model, options)
    separator = label_separator or info.separator
    data = read_labelled(
        source,
        inputs,
        label_column,
        separator=separator,
        missing=options.missing,
        missing_labels=missing_labels,
    )
    say_rows(data)
    texts, labels = [text or "" for text in data.texts], data.labels or []
    found: Evaluation | MultilabelEvaluation
    if info.multilabel:
        found = evaluate_multilabel(fitted, texts, labels, label_separator=separator, info=info)
    else:
        found = evaluate_model(fitted, texts, labels, info=info)
    from toolkit.report import EvaluationReport
    from toolkit.report.provenance_facts import evaluation_facts

    facts = evaluation_facts(
        info, texts, labels, model=str(model), source=data.source, command=command_line()
    )
    page = EvaluationReport(found, facts=facts, notice=info.provenance.get("notice"))
    if json_output:
        console.result_json(page.to_dict())
    else:
        console.result(found.summary())
    if report is not None:
        write_report(page, report, force=force)
        console.say(f"Report: {report}")
