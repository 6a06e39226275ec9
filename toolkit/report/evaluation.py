"""The report of a saved model against new labelled texts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.classify.evaluation import ModelEvaluation
from toolkit.page import TABLE_SCRIPT, Page, Report, escape_markdown, markdown_table
from toolkit.report.training import cut_text
from toolkit.typography import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EvaluationReport"]

_MOST_CHARACTERS = 1500
_TITLES = {
    "accuracy": "Accuracy",
    "micro_f1": "Micro F1",
    "macro_f1": "Macro F1",
    "subset_accuracy": "All labels right",
}


class EvaluationReport(Report):
    """How a saved model does on new labelled texts, beside its training.

    Parameters
    ----------
    evaluation : Evaluation or MultilabelEvaluation
        As :func:`toolkit.classify.evaluate_model` or
        :func:`toolkit.classify.evaluate_multilabel` returns it.
    title : str, default="Evaluation of a saved model"
        Heading.
    facts : dict of str to str, optional
        Where model and data come from.
    notice : str, optional
        The sentence that must stand at the top if the vectors are not EmbeddingGemma's:
        ``info.provenance["notice"]`` of the model.
    n_errors : int, default=25
        How many wrong predictions to show, the most confident first.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from toolkit.classify import evaluate_model
    >>> model = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression())
    >>> model = model.fit(["red apple", "fast car"] * 3, ["fruit", "vehicle"] * 3)
    >>> evaluation = evaluate_model(model, ["an apple", "my car"], ["fruit", "vehicle"])
    >>> "<h1>" in EvaluationReport(evaluation).to_html()
    True
    """

    def __init__(
        self,
        evaluation: ModelEvaluation,
        *,
        title: str = "Evaluation of a saved model",
        facts: dict[str, str] | None = None,
        notice: str | None = None,
        n_errors: int = 25,
    ) -> None:
        self.evaluation = evaluation
        self.title = title
        self.facts = facts
        self.notice = notice
        self.n_errors = n_errors

    @property
    def cards(self) -> list[tuple[str, str, str]]:
        """The key numbers: name, value and what stands beside it."""
        found = self.evaluation
        rows = []
        if not found.intervals:  # no label is known, so there is no score
            return []
        for name, title in _TITLES.items():
            if name not in found.scores:
                continue
            interval = found.intervals.get(name)
            note = "no interval: every row gives the same"
            if interval is not None:
                note = f"95% interval {interval.low:.3f} to {interval.high:.3f}"
                note += " (exact)" if interval.exact else ""
            rows.append((title, f"{found.scores[name]:.3f}", note))
            if name in found.drop:
                drop = round(found.drop[name], 3)
                than = f"here {abs(drop):.3f} {'lower' if drop > 0 else 'higher'}"
                change = than if drop else "the same here"
                rows.append((f"{title} in training", f"{found.trained[name]:.3f}", change))
        return rows

    @property
    def class_rows(self) -> list[list[Any]]:
        """Scores by class: the largest loss of F1 first, where the training's is known."""
        frame = self.evaluation.per_class()
        trained = "f1_training" in frame
        if trained:
            order = (frame["f1_training"] - frame["f1"]).sort_values(
                ascending=False, kind="stable", na_position="last"
            )
            frame = frame.loc[order.index]
        return [
            [
                name,
                f"{row['f1']:.2f}",
                *([_two(row["f1_training"])] if trained else []),
                f"{row['precision']:.2f}",
                f"{row['recall']:.2f}",
                int(row["support"]),
            ]
            for name, row in frame.iterrows()
        ]

    @property
    def class_columns(self) -> list[str]:
        """Headings of :attr:`class_rows`."""
        trained = ["F1 in training"] if self.evaluation.trained_classes else []
        return [self.unit.capitalize(), "F1", *trained, "Precision", "Recall", "Rows"]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The most confident mistakes, with texts cut to a readable length."""
        found = []
        for row in self._wrong.head(self.n_errors).to_dict("records"):
            text = str(row["text"])
            row["left_out"] = max(0, len(text) - _MOST_CHARACTERS)
            row["text"] = cut_text(text, _MOST_CHARACTERS)
            found.append({str(k): v for k, v in row.items()})
        return found

    @cached_property
    def _wrong(self) -> pd.DataFrame:
        return self.evaluation.errors()

    @property
    def n_wrong(self) -> int:
        """How many texts were predicted wrongly."""
        return len(self._wrong)

    @property
    def unit(self) -> str:
        """What a label is called: ``"class"``, or ``"label"`` where a text has several."""
        return self._units[0]

    @property
    def _units(self) -> tuple[str, str]:
        several = self.evaluation.given.ndim > 1
        return ("label", "labels") if several else ("class", "classes")

    @property
    def subtitle(self) -> str:
        """What the model was evaluated on."""
        found = self.evaluation
        data = (self.facts or {}).get("Data")
        classes = counted(len(found.classes), *self._units)
        return f"{data + ': ' if data else ''}{counted(len(found.texts), 'text')}, {classes}"

    def build_html(self) -> str:
        """Return the whole page."""
        found = self.evaluation
        page = Page(
            self.title,
            subtitle=self.subtitle,
            template_package="toolkit.report",
        )
        page.add_script(TABLE_SCRIPT)
        return page.render("evaluation.html", report=self, evaluation=found)

    def build_markdown(self) -> str:
        """Return the report as Markdown."""
        numeric = list(range(1, len(self.class_columns)))
        cards = markdown_table(["", "", ""], [list(card) for card in self.cards], numeric=[1])
        parts = [f"# {escape_markdown(self.title)}", escape_markdown(self.subtitle)]
        if self.notice:
            parts.append(f"> **{escape_markdown(self.notice)}**")
        parts.append(cards)
        parts += [f"- {escape_markdown(note)}" for note in self.evaluation.notes()]
        parts += [
            f"## By {self.unit}",
            markdown_table(self.class_columns, self.class_rows, numeric=numeric),
            "## Most confident mistakes",
        ]
        mistakes = [
            f"- **{escape_markdown(e['given'])}** predicted as "
            f"**{escape_markdown(e['predicted'])}**, "
            f"row {e['position']}: {escape_markdown(e['text'])}"
            for e in self.errors
        ]
        parts += mistakes or ["There is no wrong prediction."]
        if self.facts:
            parts.append("## Where it comes from")
            parts += [f"- {name}: {escape_markdown(v)}" for name, v in self.facts.items()]
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return everything the report says as plain Python values."""
        found = self.evaluation
        frame = found.per_class()
        return {
            "title": self.title,
            "notice": self.notice,
            "rows": len(found.texts),
            "scores": found.scores,
            "intervals": {k: vars(v) for k, v in found.intervals.items()},
            "training": found.trained,
            "drop": found.drop,
            "unseen": found.unseen,
            "notes": found.notes(),
            "per_class": [
                {"class": name} | row
                for name, row in zip(frame.index.tolist(), frame.to_dict("records"), strict=True)
            ],
            "errors": self.errors,
            "n_wrong": self.n_wrong,
            "facts": self.facts or {},
        }

    def to_frame(self) -> pd.DataFrame:
        """Return precision, recall, F1 and support by class."""
        return self.evaluation.per_class()


def _two(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"
