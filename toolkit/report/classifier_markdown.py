"""The classifier report as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.classify.trials import Selection
from toolkit.classify.validation import Score
from toolkit.page import escape_markdown, markdown_table

if TYPE_CHECKING:
    from toolkit.report.classifier import ClassifierReport

__all__ = ["classifier_markdown"]

_NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}


def classifier_markdown(report: ClassifierReport) -> str:
    """Return a classifier report as Markdown.

    Parameters
    ----------
    report : ClassifierReport
        What to say.

    Returns
    -------
    str
    """
    made = report.result.provenance
    parts = [f"# {escape_markdown(report.title)}"]
    if made["notice"]:
        parts.append(f"> **{escape_markdown(made['notice'])}**")
    parts += [escape_markdown(report.verdict), "## Beside the baselines"]
    parts.append(
        markdown_table(
            ["", "accuracy", "macro F1"],
            [[c.name, _pm(c.accuracy), _pm(c.macro_f1)] for c in report.contenders],
            numeric=[1, 2],
        )
    )
    parts.append(f"{report.tested_on}.")
    parts += [
        f"- {_NAMES[name]}: {found.value:.3f} over all tested rows, 95 % interval "
        f"{found.low:.3f} to {found.high:.3f} (bootstrap)"
        for name, found in report.intervals.items()
    ]
    parts += [f"- {escape_markdown(note)}" for note in report.result.notes]
    if report.result.selection is not None:
        parts += ["## Compared classifiers", _trials(report.result.selection)]
    if len(report.result.by_dimension) > 1:
        rows = [
            [d, _pm(s["accuracy"]), _pm(s["macro_f1"])]
            for d, s in report.result.by_dimension.items()
        ]
        parts.append("## By dimension")
        parts.append(
            markdown_table(["dimensions", "accuracy", "macro F1"], rows, numeric=[0, 1, 2])
        )
    if report.result.by_prompt:
        rows = [[name, _pm(s["accuracy"]), _pm(s["macro_f1"])] for name, s, _ in report.prompts]
        parts.append("## By prompt")
        parts.append(markdown_table(["task", "accuracy", "macro F1"], rows, numeric=[1, 2]))
        if report.prompts_left_out:
            parts.append(escape_markdown(report.prompts_left_out))
    parts += ["## By class", _classes(report)]
    if report.mistakes:
        rows = [[m.given, m.predicted, m.count, f"{m.share:.0%}"] for m in report.mistakes]
        parts.append("## Most frequent mistakes")
        parts.append(
            markdown_table(["given", "predicted", "times", "of class"], rows, numeric=[2, 3])
        )
    if report.thresholds:
        rows = [
            [f"{t.threshold:.1f}", f"{t.answered:.1%}", _percent(t.accuracy)]
            for t in report.thresholds
        ]
        parts.append("## Abstaining below a probability")
        parts.append(markdown_table(["threshold", "answered", "accuracy"], rows, numeric=[0, 1, 2]))
    if report.calibration:
        rows = [
            [
                f"{b.low:.1f} to {b.high:.1f}",
                b.count,
                f"{b.probability:.2f}",
                f"{b.accuracy:.2f}",
            ]
            for b in report.calibration
        ]
        parts += ["## Calibration", f"Expected calibration error {report.calibration_gap:.3f}."]
        parts.append(
            markdown_table(["probability", "texts", "mean", "right"], rows, numeric=[1, 2, 3])
        )
    if report.result.learning:
        rows = [[p.rows, _pm(p.accuracy), _pm(p.macro_f1)] for p in report.result.learning]
        parts += ["## Learning curve", report.learning_verdict]
        parts.append(markdown_table(["rows", "accuracy", "macro F1"], rows, numeric=[0, 1, 2]))
    if report.errors:
        parts += ["## Most confident mistakes", *map(_markdown_error, report.errors)]
    if report.label_problems:
        parts.append("## Labels to look at again")
        parts += [_problem(one) for one in report.label_problems]
    parts.append("## How it was made")
    parts.append("\n".join(f"- {name}: {escape_markdown(v)}" for name, v in report.facts))
    return "\n\n".join(parts)


def _trials(selection: Selection) -> str:
    rows = [
        [
            f"{trial.name} (chosen)" if trial.name == selection.chosen else trial.name,
            _pm(trial.scores["accuracy"]) if trial.scores else "failed",
            _pm(trial.scores["macro_f1"]) if trial.scores else "failed",
        ]
        for trial in selection.ranked()
    ]
    table = markdown_table(["", "accuracy", "macro F1"], rows, numeric=[1, 2])
    return f"{table}\n\nOn {selection.splits}, chosen by {selection.metric}."


def _classes(report: ClassifierReport) -> str:
    rows = [
        [r["class"], *(f"{r[k]:.3f}" for k in ("precision", "recall", "f1")), r["support"]]
        for r in report.per_class
    ]
    return markdown_table(
        ["class", "precision", "recall", "F1", "rows"], rows, numeric=[1, 2, 3, 4]
    )


def _pm(score: Score) -> str:
    return score.text()


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1%}"


def _markdown_error(row: dict[str, Any]) -> str:
    probability = row["probability"]
    sure = "" if np.isnan(probability) else f" ({probability:.2f})"
    return (
        f"- **{escape_markdown(row['given'])}** predicted as "
        f"**{escape_markdown(row['predicted'])}**{sure}, row {row['position']}: "
        f"{escape_markdown(row['text'])}"
    )


def _problem(one: dict[str, Any]) -> str:
    return (
        f"- **{escape_markdown(one['label'])}**, rather "
        f"**{escape_markdown(one['suggested_label'])}**, row {one['row']}: "
        f"{escape_markdown(one['text'])}"
    )
