"""The report of a trained classifier: how good, where it errs, and how it was made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from toolkit.classify.diagnostics import CalibrationBin, calibration_error
from toolkit.classify.intervals import Interval, bootstrap_intervals
from toolkit.classify.label_findings import LabelProblem
from toolkit.classify.labels import plain
from toolkit.classify.result import TrainingResult
from toolkit.classify.validation import Score
from toolkit.page import TABLE_SCRIPT, Page, Report
from toolkit.report.classifier_curves import (
    ThresholdRow,
    calibration_bins,
    learning_verdict,
    threshold_rows,
)
from toolkit.report.classifier_markdown import classifier_markdown
from toolkit.report.confusion import ConfusionTable, Mistake, confusion_table, top_mistakes
from toolkit.report.provenance_facts import training_facts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClassifierReport", "Contender", "ThresholdRow"]

_MOST_CHARACTERS = 1500
_NEAREST_CHARACTERS = 300


@dataclass(frozen=True)
class Contender:
    """One row of the comparison: a name, its scores, and whether it is the classifier itself."""

    name: str
    accuracy: Score
    macro_f1: Score
    own: bool = False


class ClassifierReport(Report):
    """How good a trained classifier is, where it errs, and how it was made.

    Parameters
    ----------
    result : TrainingResult
        As :func:`toolkit.classify.train_classifier` returns it.
    title : str, default="Classifier report"
        Heading.
    n_errors : int, default=25
        How many wrongly predicted texts, and how many unlikely labels, to show: the most
        confident mistakes and the surest findings first.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from toolkit.classify import train_classifier
    >>> texts = [f"{word} {i}" for word in ("red apple", "fast car") for i in range(10)]
    >>> result = train_classifier(texts, ["fruit"] * 10 + ["vehicle"] * 10,
    ...                           vectorizer=HashingVectorizer(n_features=64))
    >>> report = ClassifierReport(result)
    >>> report.to_frame()["f1"].tolist()
    [1.0, 1.0]
    >>> "<h1>" in report.to_html()
    True
    """

    def __init__(
        self, result: TrainingResult, *, title: str = "Classifier report", n_errors: int = 25
    ) -> None:
        self.result = result
        self.title = title
        self.n_errors = n_errors

    # --- what it says ----------------------------------------------------------------------------

    @cached_property
    def contenders(self) -> list[Contender]:
        """The classifier and its baselines."""
        made, scores = self.result.provenance, self.result.scores
        name = f"{made['classifier']} on {self.vectors}"
        rows = [Contender(name, scores["accuracy"], scores["macro_f1"], own=True)]
        for key in ("tfidf", "majority"):
            if key in self.result.baselines:
                baseline = self.result.baselines[key]
                s = baseline.scores
                rows.append(Contender(baseline.description, s["accuracy"], s["macro_f1"]))
        return rows

    @property
    def vectors(self) -> str:
        """What the vectors are, in a few words."""
        made = self.result.provenance
        identity = made["identity"]
        name = identity["model"] if identity else made["model"]
        return f"{name} vectors, {made['dimension']} dimensions"

    @property
    def verdict(self) -> str:
        """One or two sentences that say how good it is beside the baselines."""
        accuracy = self.result.scores["accuracy"]
        found = f"{accuracy.mean:.1%} of texts it had not seen get the right label"
        baseline = self.result.baselines.get("tfidf")
        if baseline is None:
            return f"{found}."
        other = baseline.scores["accuracy"]
        points = 100 * (accuracy.mean - other.mean)
        wins = sum(a > b for a, b in zip(accuracy.folds, other.folds, strict=True))
        more = "more" if points >= 0 else "fewer"
        folds = len(accuracy.folds)
        often = f", and better in {wins} of {folds} folds" if folds > 1 else ""
        return (
            f"{found}: {abs(points):.1f} points {more} than with word counts (TF-IDF) and "
            f"the same kind of classifier{often}."
        )

    @property
    def tested_on(self) -> str:
        """What the scores are of, in a few words."""
        folds = len(self.result.scores["accuracy"].folds)
        if folds > 1:
            return f"Mean ± standard deviation over {folds} folds"
        return f"On {int(self.result.validation.tested.sum()):,} rows kept back from training"

    @property
    def loses(self) -> bool:
        """Whether a baseline is at least as good."""
        own = self.result.scores["accuracy"].mean
        return any(b.scores["accuracy"].mean >= own for b in self.result.baselines.values())

    @cached_property
    def confusion(self) -> ConfusionTable:
        """The confusion matrix over the out-of-fold predictions."""
        return confusion_table(self.result.confusion, self.labels)

    @cached_property
    def mistakes(self) -> list[Mistake]:
        """The most frequent confusions."""
        return top_mistakes(self.result.confusion, self.labels)

    @property
    def labels(self) -> list[Any]:
        """The classes as Python objects."""
        return [plain(label) for label in self.result.classes]

    @cached_property
    def per_class(self) -> list[dict[str, Any]]:
        """Scores by class, with what each is most often taken for."""
        counts = self.result.confusion
        rows = []
        for i, (name, row) in enumerate(self.result.per_class().iterrows()):
            others = counts[i].copy()
            others[i] = 0
            taken = int(others.argmax())
            rows.append(
                {
                    "class": name,
                    **{k: float(row[k]) for k in ("precision", "recall", "f1")},
                    "support": int(row["support"]),
                    "taken_for": self.labels[taken] if others[taken] else None,
                    "taken_for_count": int(others[taken]),
                }
            )
        return rows

    @cached_property
    def errors(self) -> list[dict[str, Any]]:
        """The most confident mistakes, with their texts cut to a readable length."""
        found = []
        for row in self.result.errors().head(self.n_errors).to_dict("records"):
            text = str(row["text"])
            row["left_out"] = max(0, len(text) - _MOST_CHARACTERS)
            row["text"] = text[:_MOST_CHARACTERS] + ("…" if row["left_out"] else "")
            row["nearest"] = self._nearest(int(row["position"]))
            found.append({str(k): v for k, v in row.items()})
        return found

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
        found = []
        for one in self._problems[: self.n_errors]:
            row = asdict(one)
            text = str(row["text"])
            row["text"] = text[:_NEAREST_CHARACTERS]
            row["text"] += "…" if len(text) > _NEAREST_CHARACTERS else ""
            found.append(row)
        return found

    def _nearest(self, position: int) -> dict[str, Any] | None:
        """Return the training row nearest to a wrongly predicted one."""
        found = self.result.neighbours
        if found is None or found.row[position] < 0:
            return None
        row = int(found.row[position])
        text = str(self.result.texts[row])
        return {
            "position": row,
            "label": plain(self.result.y[row]),
            "similarity": float(found.similarity[position]),
            "text": text[:_NEAREST_CHARACTERS] + ("…" if len(text) > _NEAREST_CHARACTERS else ""),
        }

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """95 % bootstrap intervals of accuracy and macro F1 over all tested rows."""
        return bootstrap_intervals(self.result.confusion)

    @cached_property
    def calibration(self) -> list[CalibrationBin]:
        """How often predictions of each probability are right; empty without probabilities."""
        return calibration_bins(self.result)

    @property
    def calibration_gap(self) -> float:
        """Expected calibration error."""
        return calibration_error(self.calibration)

    @property
    def learning_verdict(self) -> str:
        """What the last rows bought, and no more than that."""
        return learning_verdict(self.result)

    @property
    def n_wrong(self) -> int:
        """How many tested texts were predicted wrongly."""
        found = self.result.validation
        return int((found.tested & (found.predicted != self.result.y)).sum())

    @cached_property
    def thresholds(self) -> list[ThresholdRow]:
        """What abstaining would do; empty for a classifier without probabilities."""
        return threshold_rows(self.result)

    @property
    def mean_probability(self) -> float:
        """Mean probability of the predicted labels; NaN without probabilities."""
        found = self.result.validation
        if found.probabilities is None:
            return float("nan")
        return float(found.probabilities[found.tested].max(axis=1).mean())

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """How it was made, as names and values."""
        return training_facts(self.result.provenance)

    # --- how it says it --------------------------------------------------------------------------

    def build_html(self) -> str:
        """Return the whole page."""
        made = self.result.provenance
        source = f"{made['source']}: " if made["source"] else ""
        page = Page(
            self.title,
            subtitle=f"{source}{made['rows']:,} texts in {made['classes']} classes, "
            f"{made['classifier']} on {self.vectors}",
            template_package="toolkit.report",
        )
        page.add_script(TABLE_SCRIPT)
        styles = files("toolkit.report") / "templates" / "classifier.css"
        page.add_style(styles.read_text(encoding="utf-8"))
        return page.render("classifier.html", report=self, result=self.result, made=made)

    def build_markdown(self) -> str:
        """Return the report as Markdown."""
        return classifier_markdown(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything the report says as plain Python values."""
        result = self.result
        return {
            "title": self.title,
            "notice": result.provenance["notice"],
            "scores": {k: s.to_dict() for k, s in result.scores.items()},
            "baselines": {
                k: {"description": b.description} | {m: s.to_dict() for m, s in b.scores.items()}
                for k, b in result.baselines.items()
            },
            "by_dimension": {
                str(d): {m: s.to_dict() for m, s in scores.items()}
                for d, scores in result.by_dimension.items()
            },
            "by_prompt": {
                task: {m: s.to_dict() for m, s in scores.items()}
                for task, scores in result.by_prompt.items()
            },
            "prompts_missing": result.prompts_missing,
            "selection": None if result.selection is None else result.selection.to_dict(),
            "notes": list(result.notes),
            "per_class": self.per_class,
            "confusion": {"classes": self.labels, "counts": result.confusion.tolist()},
            "mistakes": [asdict(mistake) for mistake in self.mistakes],
            "thresholds": [asdict(row) for row in self.thresholds],
            "intervals": {k: vars(v) for k, v in self.intervals.items()},
            "calibration": [asdict(b) for b in self.calibration],
            "learning": [
                {"rows": p.rows, "accuracy": p.accuracy.to_dict(), "macro_f1": p.macro_f1.to_dict()}
                for p in result.learning
            ],
            "mean_probability": self.mean_probability,
            "errors": self.errors,
            "n_wrong": self.n_wrong,
            "label_problems": self.label_problems,
            "n_problems": self.n_problems,
            "provenance": result.provenance,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return precision, recall, F1 and support by class."""
        return self.result.per_class()
