"""What the reports of trained classifiers have in common, whatever the form of the labels."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.classify.intervals import Interval
from toolkit.classify.label_findings import LabelProblem
from toolkit.classify.result import Trained
from toolkit.classify.validation import Score
from toolkit.page import TABLE_SCRIPT, Page, Report
from toolkit.report.provenance_facts import training_facts
from toolkit.report.training_markdown import training_markdown
from toolkit.typography import format_number

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Contender", "TrainingReport", "cut_text"]

_MOST_CHARACTERS = 1500
_NEAREST_CHARACTERS = 300


@dataclass(frozen=True)
class Contender:
    """One row of the comparison: a name, its scores, and whether it is the classifier itself."""

    name: str
    scores: dict[str, Score]
    own: bool = False


class TrainingReport(Report):
    """How good a trained classifier is, where it errs, and how it was made.

    A subclass says what is in :attr:`cards`, :attr:`verdict` and :attr:`per_class`, and fills in
    the blocks of the page and of the Markdown that only its form of labels has.

    Parameters
    ----------
    result : Trained
        What training found out.
    title : str, default="Classifier report"
        Heading.
    n_errors : int, default=25
        How many wrongly predicted texts, and how many unlikely labels, to show: the surest
        first.
    """

    template: ClassVar[str]
    """Name of the template, which extends ``training.html``."""

    unit: ClassVar[str]
    """What a label is called: ``"class"``."""

    wrong_heading: ClassVar[str]
    """Heading of the mistakes in Markdown."""

    result: Trained

    def __init__(
        self, result: Trained, *, title: str = "Classifier report", n_errors: int = 25
    ) -> None:
        self.result = result
        self.title = title
        self.n_errors = n_errors

    # --- what it says ----------------------------------------------------------------------------

    @property
    def shown(self) -> dict[str, str]:
        """The metrics of its tables, with their names; the first one decides."""
        return self.result.shown

    @property
    def deciding(self) -> str:
        """The metric that comes first."""
        return next(iter(self.shown))

    @property
    def own_score(self) -> Score:
        """The classifier's score in it."""
        return self.result.scores[self.deciding]

    @cached_property
    def contenders(self) -> list[Contender]:
        """The classifier and its baselines."""
        name = f"{self.result.provenance['classifier']} on {self.vectors}"
        rows = [Contender(name, self.result.scores, own=True)]
        for key in ("tfidf", "majority"):
            if key in self.result.baselines:
                baseline = self.result.baselines[key]
                rows.append(Contender(baseline.description, baseline.scores))
        return rows

    @property
    def vectors(self) -> str:
        """What the vectors are, in a few words."""
        made = self.result.provenance
        identity = made["identity"]
        name = identity["model"] if identity else made["model"]
        return f"{name} vectors, {made['dimension']} dimensions"

    @property
    def tested_on(self) -> str:
        """What the scores are of, in a few words."""
        folds = len(self.own_score.folds)
        if folds > 1:
            return f"Mean ± standard deviation over {folds} folds"
        return f"On {int(self.result.validation.tested.sum()):,} rows kept back from training"

    @property
    def loses(self) -> bool:
        """Whether a baseline is at least as good."""
        own = self.own_score.mean
        return any(b.scores[self.deciding].mean >= own for b in self.result.baselines.values())

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """95 % intervals over all tested rows."""
        return self.result.intervals()

    @cached_property
    def _wrong(self) -> pd.DataFrame:
        return self.result.errors()

    @property
    def n_wrong(self) -> int:
        """How many tested texts were predicted wrongly."""
        return len(self._wrong)

    @cached_property
    def errors(self) -> list[dict[str, Any]]:
        """The surest mistakes, with their texts cut to a readable length."""
        found = []
        for row in self._wrong.head(self.n_errors).to_dict("records"):
            text = str(row["text"])
            row["left_out"] = max(0, len(text) - _MOST_CHARACTERS)
            row["text"] = cut_text(text, _MOST_CHARACTERS)
            row["nearest"] = self._nearest(int(row["position"]))
            found.append({str(k): v for k, v in row.items()})
        return found

    def _nearest(self, position: int) -> dict[str, Any] | None:
        """Return the training row nearest to a wrongly predicted one."""
        found = self.result.neighbours
        if found is None or found.row[position] < 0:
            return None
        row = int(found.row[position])
        return {
            "position": row,
            "label": self.result.label_of(row),
            "similarity": float(found.similarity[position]),
            "text": cut_text(str(self.result.texts[row])),
        }

    @property
    def prompts(self) -> list[tuple[str, dict[str, Score], bool]]:
        """Task, scores and whether it is the trained one, for each prompt that is compared."""
        own = self.result.pipeline[0].get_params(deep=False).get("task") or "the trained prompt"
        others = [(task, scores, False) for task, scores in self.result.by_prompt.items()]
        return [(str(own), self.result.scores, True), *others]

    @property
    def prompts_left_out(self) -> str:
        """Which prompts could not be compared, and why."""
        missing = self.result.prompts_missing
        if not missing:
            return ""
        listed = ", ".join(
            task if count == len(self.result.texts) else f"{task} ({count:,} texts)"
            for task, count in missing.items()
        )
        return f"Not compared, as texts have no vector in the cache under their prompt: {listed}."

    @cached_property
    def _problems(self) -> list[LabelProblem]:
        return self.result.label_problems()

    @property
    def n_problems(self) -> int:
        """How many tested rows have an unlikely label."""
        return len(self._problems)

    @cached_property
    def label_problems(self) -> list[dict[str, Any]]:
        """The rows whose label is unlikely, with texts cut to a readable length."""
        return [
            asdict(one) | {"text": cut_text(str(one.text))}
            for one in self._problems[: self.n_errors]
        ]

    @property
    def learning_verdict(self) -> str:
        """What the last rows bought, and no more than that."""
        if len(self.result.learning) < 2:
            return ""
        before, last = (point.scores[self.deciding].mean for point in self.result.learning[-2:])
        rows = self.result.learning[-1].rows - self.result.learning[-2].rows
        said = (
            f"The last {rows:,} rows changed {self.shown[self.deciding]} by "
            f"{format_number(last - before, sign=True)} ({before:.3f} to {last:.3f})."
        )
        # Half of a 95 % interval: what other test rows would have done to it.
        interval = self.intervals.get(self.deciding)
        if interval is None:  # not one label is wrong
            return said
        noise = (interval.high - interval.low) / 2
        if abs(last - before) < noise:
            return f"{said} That is within what chance does on these test rows (± {noise:.3f})."
        if last > before:
            return f"{said} The curve still rises; how far it goes on was not measured."
        return f"{said} More rows of this kind did not help."

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """How it was made, as names and values."""
        return training_facts(self.result.provenance)

    @property
    @abstractmethod
    def cards(self) -> list[tuple[str, str, str]]:
        """The key numbers: name, value and what stands beside it."""

    @property
    @abstractmethod
    def verdict(self) -> str:
        """One or two sentences that say how good it is beside the baselines."""

    @property
    @abstractmethod
    def subtitle(self) -> str:
        """What stands under the heading, after the source."""

    # --- how it says it --------------------------------------------------------------------------

    def build_html(self) -> str:
        """Return the whole page."""
        made = self.result.provenance
        source = f"{made['source']}: " if made["source"] else ""
        page = Page(
            self.title, subtitle=f"{source}{self.subtitle}", template_package="toolkit.report"
        )
        page.add_script(TABLE_SCRIPT)
        styles = files("toolkit.report") / "templates" / "classifier.css"
        page.add_style(styles.read_text(encoding="utf-8"))
        return page.render(self.template, report=self, result=self.result, made=made)

    def build_markdown(self) -> str:
        """Return the report as Markdown."""
        return training_markdown(self)

    @abstractmethod
    def markdown_classes(self) -> list[str]:
        """Return what the Markdown says of the classes."""

    @abstractmethod
    def markdown_error(self, row: dict[str, Any]) -> str:
        """Return a line of Markdown for a wrongly predicted text."""

    def markdown_more(self) -> list[str]:
        """Return what the Markdown says before the learning curve."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """Return everything the report says as plain Python values."""
        result = self.result

        def scores(found: dict[str, Score]) -> dict[str, Any]:
            return {name: score.to_dict() for name, score in found.items()}

        return {
            "title": self.title,
            "notice": result.provenance["notice"],
            "scores": scores(result.scores),
            "baselines": {
                k: {"description": b.description} | scores(b.scores)
                for k, b in result.baselines.items()
            },
            "by_dimension": {str(d): scores(s) for d, s in result.by_dimension.items()},
            "by_prompt": {task: scores(s) for task, s in result.by_prompt.items()},
            "prompts_missing": result.prompts_missing,
            "selection": None if result.selection is None else result.selection.to_dict(),
            "notes": list(result.notes),
            "intervals": {k: vars(v) for k, v in self.intervals.items()},
            "learning": [
                {"rows": p.rows} | {k: p.scores[k].to_dict() for k in self.shown}
                for p in result.learning
            ],
            "errors": self.errors,
            "n_wrong": self.n_wrong,
            "label_problems": self.label_problems,
            "n_problems": self.n_problems,
            "provenance": result.provenance,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return precision, recall, F1 and support by class."""
        return self.result.per_class()


def cut_text(text: str, most: int = _NEAREST_CHARACTERS) -> str:
    """Return the beginning of a text that is too long to be shown whole.

    Examples
    --------
    >>> cut_text("abcdef", 3)
    'abc…'
    """
    return text[:most] + ("…" if len(text) > most else "")
