"""The README.md of a model folder: what a colleague wants to know before using it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.page import escape_markdown
from toolkit.saved.readme import code, folder_readme, made_by, usage

if TYPE_CHECKING:
    from toolkit.classify.model_info import ModelInfo

__all__ = ["model_card"]

_SHOWN_CLASSES = 100
_SCORES = {"accuracy": "accuracy", "macro_f1": "macro F1"}
_SET_SCORES = {
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "subset_accuracy": "all labels right",
}


def model_card(info: ModelInfo, *, report: bool = False) -> str:
    """Return the model card in Markdown.

    Parameters
    ----------
    info : ModelInfo
        What ``model.json`` says.
    report : bool, default=False
        Whether ``report.html`` stands beside it.

    Returns
    -------
    str
    """
    made = info.provenance
    name = escape_markdown(made.get("classifier", "classifier"))
    what = "labels, several a text" if info.multilabel else "classes"
    sections = [_opening(info, name), _usage(info)]
    if info.metrics:
        sections.append(_scores(info, name))
    if report:
        beside = "" if info.multilabel else ", the confusion matrix"
        sections.append(f"`report.html` shows scores by class{beside} and the errors.\n")
    facts = {
        "Training data": made.get("source"),
        "Rows": made.get("rows"),
        "Data fingerprint": made.get("data_fingerprint"),
        "Classifier": made.get("classifier_repr"),
        "Seed": made.get("random_state"),
    }
    title = f"Text classifier: {len(info.classes)} {what}"
    return folder_readme(info, title, [*sections, _classes(info)], facts)


def _opening(info: ModelInfo, name: str) -> str:
    width = f" {info.dimension}" if info.dimension else ""
    return (
        f"A text becomes a vector of{width} numbers by {made_by(info, 'a text transformer')}; "
        f"{name} makes {'labels' if info.multilabel else 'a label'} of it.\n"
    )


def _usage(info: ModelInfo) -> str:
    indicator = "  # a row of 0 and 1, a column for each label" if info.multilabel else ""
    return usage(
        info,
        "from toolkit import load_model\n\n"
        'model = load_model("path/to/this/folder"{trusted})\n'
        f'model.predict(["a text", "another text"]){indicator}',
        "toolkit predict path/to/this/folder texts.csv{trusted} --text-column text "
        "--out labels.csv",
    )


def _scores(info: ModelInfo, name: str) -> str:
    made = info.provenance
    rows = [(f"{name}, {info.dimension} dimensions", info.metrics)]
    rows += [
        (f"{name}, {d} dimensions", scores)
        for d, scores in info.by_dimension.items()
        if int(d) != info.dimension
    ]
    rows += [(escape_markdown(b["description"]), b) for b in info.baselines.values()]
    shown = _SET_SCORES if info.multilabel else _SCORES
    folds = len(info.metrics["macro_f1"]["folds"])
    several = f" (mean ± standard deviation over {folds} folds)" if folds > 1 else ""
    lines = ["## Scores\n"]
    lines.append(
        f"Over rows of the training data that the scored model had not seen{several}: "
        f"{code(made.get('splits', ''))}.\n"
    )
    lines.append(f"| | {' | '.join(shown.values())} |")
    lines.append("|---" * (len(shown) + 1) + "|")
    lines += [f"| {row} | {' | '.join(_pm(s[name]) for name in shown)} |" for row, s in rows]
    notes = made.get("notes", [])
    if notes:
        lines.append("")
        lines += [f"- {escape_markdown(note)}" for note in notes]
    return "\n".join(lines) + "\n"


def _pm(score: dict[str, Any]) -> str:
    deviation = f" ± {score['sd']:.3f}" if len(score["folds"]) > 1 else ""
    return f"{score['mean']:.3f}{deviation}"


def _classes(info: ModelInfo) -> str:
    shown = ", ".join(escape_markdown(label) for label in info.classes[:_SHOWN_CLASSES])
    more = len(info.classes) - _SHOWN_CLASSES
    return f"## Classes\n\n{shown}{f' and {more} more' if more > 0 else ''}\n"
