"""The README.md of a model folder: what a colleague wants to know before using it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.page import escape_markdown

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
    parts = [f"# Text classifier: {len(info.classes)} {what}\n"]
    if info.notice:
        parts.append(f"> **{escape_markdown(info.notice)}**\n")
    parts.append(_opening(info, name))
    parts.append(_usage(info))
    if info.metrics:
        parts.append(_scores(info, name))
    if report:
        beside = "" if info.multilabel else ", the confusion matrix"
        parts.append(f"`report.html` shows scores by class{beside} and the errors.\n")
    parts.append(_classes(info))
    parts.append(_origin(info))
    return "\n".join(parts)


def _code(text: object) -> str:
    line = str(text).replace("\n", "\\n").replace("`", "'")
    return f"`{line}`"


def _opening(info: ModelInfo, name: str) -> str:
    identity = "a text transformer"
    if info.identity is not None:
        identity = f"{_code(info.identity.model)} through {_code(info.identity.backend)}"
    prompt = f", under the prompt {_code(info.prompt)}" if info.prompt else ""
    width = f" {info.dimension}" if info.dimension else ""
    return (
        f"A text becomes a vector of{width} numbers by {identity}{prompt}; {name} "
        f"makes {'labels' if info.multilabel else 'a label'} of it.\n"
    )


def _usage(info: ModelInfo) -> str:
    pickle = info.file.endswith(".joblib")
    indicator = "  # a row of 0 and 1, a column for each label" if info.multilabel else ""
    argument = ", trusted=True" if pickle else ""
    warning = (
        "`model.joblib` is a pickle: opening it runs whatever it contains. Load it only if you "
        "trust who made it.\n"
        if pickle
        else ""
    )
    return (
        "## Use\n\n```python\nfrom toolkit import load_model\n\n"
        f'model = load_model("path/to/this/folder"{argument})\n'
        f'model.predict(["a text", "another text"]){indicator}\n```\n\n'
        "or `toolkit predict path/to/this/folder texts.csv --text-column text --out "
        f"labels.csv`.\n\n{warning}"
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
        f"{_code(made.get('splits', ''))}.\n"
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


def _origin(info: ModelInfo) -> str:
    made = info.provenance
    facts = {
        "Training data": made.get("source"),
        "Rows": made.get("rows"),
        "Data fingerprint": made.get("data_fingerprint"),
        "Classifier": made.get("classifier_repr"),
        "Seed": made.get("random_state"),
        "Model": info.identity.describe() if info.identity is not None else None,
        "Vectors": info.identity.provenance if info.identity is not None else None,
        "Written": info.date,
        "Versions": ", ".join(f"{k} {v}" for k, v in info.versions.items()),
        "Command": made.get("command"),
    }
    lines = [f"- {key}: {_code(value)}" for key, value in facts.items() if value is not None]
    return "## Where it comes from\n\n" + "\n".join(lines) + "\n"
