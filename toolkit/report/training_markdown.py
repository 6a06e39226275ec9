"""The report of a trained classifier as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from toolkit.classify.validation import Score
from toolkit.page import escape_markdown, markdown_table

if TYPE_CHECKING:
    from toolkit.report.training import TrainingReport

__all__ = ["training_markdown"]


def training_markdown(report: TrainingReport) -> str:
    """Return a report of a trained classifier as Markdown.

    Parameters
    ----------
    report : TrainingReport
        What to say.

    Returns
    -------
    str
    """
    result, shown = report.result, report.shown
    made = result.provenance

    def table(first: str, rows: Iterable[tuple[object, dict[str, Score]]]) -> str:
        cells = [
            [name, *(scores[k].text() if scores else "failed" for k in shown)]
            for name, scores in rows
        ]
        return markdown_table([first, *shown.values()], cells, numeric=range(1, len(shown) + 1))

    parts = [f"# {escape_markdown(report.title)}"]
    if made["notice"]:
        parts.append(f"> **{escape_markdown(made['notice'])}**")
    parts += [escape_markdown(report.verdict), "## Beside the baselines"]
    parts.append(table("", ((c.name, c.scores) for c in report.contenders)))
    parts.append(f"{report.tested_on}.")
    parts += [
        f"- {shown[name][0].upper()}{shown[name][1:]}: {found.value:.3f} over all tested rows, "
        f"95 % interval {found.low:.3f} to {found.high:.3f} "
        f"({'exact' if found.exact else 'bootstrap'})"
        for name, found in report.intervals.items()
    ]
    parts += [f"- {escape_markdown(note)}" for note in result.notes]
    if (chosen := result.selection) is not None:
        tried = (
            (f"{trial.name} (chosen)" if trial.name == chosen.chosen else trial.name, trial.scores)
            for trial in chosen.ranked()
        )
        parts += ["## Compared classifiers", table("", tried)]
        parts.append(f"On {chosen.splits}, chosen by {chosen.metric}.")
    if len(result.by_dimension) > 1:
        parts += ["## By dimension", table("dimensions", result.by_dimension.items())]
    if result.by_prompt:
        parts += ["## By prompt", table("task", ((name, s) for name, s, _ in report.prompts))]
        if report.prompts_left_out:
            parts.append(escape_markdown(report.prompts_left_out))
    parts += [f"## By {report.unit}", *report.markdown_classes(), *report.markdown_more()]
    if result.learning:
        parts += ["## Learning curve", report.learning_verdict]
        parts.append(table("rows", ((point.rows, point.scores) for point in result.learning)))
    if report.errors:
        parts += [f"## {report.wrong_heading}", *map(report.markdown_error, report.errors)]
    if report.label_problems:
        parts += ["## Labels to look at again", *map(_problem, report.label_problems)]
    parts.append("## How it was made")
    parts.append("\n".join(f"- {name}: {escape_markdown(v)}" for name, v in report.facts))
    return "\n\n".join(parts)


def _problem(one: dict[str, Any]) -> str:
    given, rather = (
        f"**{escape_markdown(one[name])}**" if one[name] != "" else "no label"
        for name in ("label", "suggested_label")
    )
    return f"- {given}, rather {rather}, row {one['row']}: {escape_markdown(one['text'])}"
