"""The report of a trained classifier: how good, where it errs, and how it was made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.classify.diagnostics import CalibrationBin, calibration_curve, calibration_error
from toolkit.classify.intervals import Interval, bootstrap_intervals
from toolkit.classify.labels import plain
from toolkit.classify.result import TrainingResult
from toolkit.classify.trials import Selection
from toolkit.classify.validation import Score
from toolkit.page import TABLE_SCRIPT, Page, Report, escape_markdown, markdown_table
from toolkit.report.confusion import ConfusionTable, Mistake, confusion_table, top_mistakes
from toolkit.report.provenance_facts import training_facts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClassifierReport", "Contender", "ThresholdRow"]

THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_MOST_CHARACTERS = 1500
_NEAREST_CHARACTERS = 300


@dataclass(frozen=True)
class Contender:
    """One row of the comparison: a name, its scores, and whether it is the classifier itself."""

    name: str
    accuracy: Score
    macro_f1: Score
    own: bool = False


@dataclass(frozen=True)
class ThresholdRow:
    """What abstaining below a probability does.

    Parameters
    ----------
    threshold : float
        The probability.
    answered : float
        Share of the texts that get a label.
    accuracy : float
        Share of those that are right; NaN if there are none.
    """

    threshold: float
    answered: float
    accuracy: float


class ClassifierReport(Report):
    """How good a trained classifier is, where it errs, and how it was made.

    Parameters
    ----------
    result : TrainingResult
        As :func:`toolkit.classify.train_classifier` returns it.
    title : str, default="Classifier report"
        Heading.
    n_errors : int, default=25
        How many wrongly predicted texts to show, the most confident mistakes first.

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
        found = self.result.validation
        if found.probabilities is None:
            return []
        tested = found.tested
        best = found.probabilities[tested].max(axis=1)
        return calibration_curve(best, found.predicted[tested] == self.result.y[tested])

    @property
    def calibration_gap(self) -> float:
        """Expected calibration error."""
        return calibration_error(self.calibration)

    @property
    def learning_verdict(self) -> str:
        """What the last rows bought, and no more than that."""
        if len(self.result.learning) < 2:
            return ""
        before, last = self.result.learning[-2:]
        gain = last.accuracy.mean - before.accuracy.mean
        tested = max(1, int(self.result.validation.tested.sum()))
        p = last.accuracy.mean
        noise = 2 * float(np.sqrt(p * (1 - p) / tested))
        said = (
            f"The last {last.rows - before.rows:,} rows changed the accuracy by {gain:+.3f} "
            f"({before.accuracy.mean:.3f} to {last.accuracy.mean:.3f})."
        )
        if abs(gain) < noise:
            return f"{said} That is within what chance does on these test rows (± {noise:.3f})."
        if gain > 0:
            return f"{said} The curve still rises; how far it goes on was not measured."
        return f"{said} More rows of this kind did not help."

    @property
    def n_wrong(self) -> int:
        """How many tested texts were predicted wrongly."""
        found = self.result.validation
        return int((found.tested & (found.predicted != self.result.y)).sum())

    @cached_property
    def thresholds(self) -> list[ThresholdRow]:
        """What abstaining would do; empty for a classifier without probabilities."""
        found = self.result.validation
        if found.probabilities is None:
            return []
        tested = found.tested
        best = found.probabilities[tested].max(axis=1)
        right = found.predicted[tested] == self.result.y[tested]
        rows = []
        for threshold in THRESHOLDS:
            answered = best >= threshold
            accuracy = float(right[answered].mean()) if answered.any() else float("nan")
            rows.append(ThresholdRow(threshold, float(answered.mean()), accuracy))
        return rows

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
        made = self.result.provenance
        parts = [f"# {escape_markdown(self.title)}"]
        if made["notice"]:
            parts.append(f"> **{escape_markdown(made['notice'])}**")
        parts += [escape_markdown(self.verdict), "## Beside the baselines"]
        parts.append(
            markdown_table(
                ["", "accuracy", "macro F1"],
                [[c.name, _pm(c.accuracy), _pm(c.macro_f1)] for c in self.contenders],
                numeric=[1, 2],
            )
        )
        parts.append(f"{self.tested_on}.")
        parts += [
            f"- {_NAMES[name]}: {found.value:.3f} over all tested rows, 95 % interval "
            f"{found.low:.3f} to {found.high:.3f} (bootstrap)"
            for name, found in self.intervals.items()
        ]
        parts += [f"- {escape_markdown(note)}" for note in self.result.notes]
        if self.result.selection is not None:
            parts += ["## Compared classifiers", self._markdown_trials(self.result.selection)]
        if len(self.result.by_dimension) > 1:
            rows = [
                [d, _pm(s["accuracy"]), _pm(s["macro_f1"])]
                for d, s in self.result.by_dimension.items()
            ]
            parts.append("## By dimension")
            parts.append(
                markdown_table(["dimensions", "accuracy", "macro F1"], rows, numeric=[0, 1, 2])
            )
        parts += ["## By class", self._markdown_classes()]
        if self.mistakes:
            rows = [[m.given, m.predicted, m.count, f"{m.share:.0%}"] for m in self.mistakes]
            parts.append("## Most frequent mistakes")
            parts.append(
                markdown_table(["given", "predicted", "times", "of class"], rows, numeric=[2, 3])
            )
        if self.thresholds:
            rows = [
                [f"{t.threshold:.1f}", f"{t.answered:.1%}", _percent(t.accuracy)]
                for t in self.thresholds
            ]
            parts.append("## Abstaining below a probability")
            parts.append(
                markdown_table(["threshold", "answered", "accuracy"], rows, numeric=[0, 1, 2])
            )
        if self.calibration:
            rows = [
                [
                    f"{b.low:.1f} to {b.high:.1f}",
                    b.count,
                    f"{b.probability:.2f}",
                    f"{b.accuracy:.2f}",
                ]
                for b in self.calibration
            ]
            parts += ["## Calibration", f"Expected calibration error {self.calibration_gap:.3f}."]
            parts.append(
                markdown_table(["probability", "texts", "mean", "right"], rows, numeric=[1, 2, 3])
            )
        if self.result.learning:
            rows = [[p.rows, _pm(p.accuracy), _pm(p.macro_f1)] for p in self.result.learning]
            parts += ["## Learning curve", self.learning_verdict]
            parts.append(markdown_table(["rows", "accuracy", "macro F1"], rows, numeric=[0, 1, 2]))
        if self.errors:
            parts += ["## Most confident mistakes", *map(_markdown_error, self.errors)]
        parts.append("## How it was made")
        parts.append("\n".join(f"- {name}: {escape_markdown(v)}" for name, v in self.facts))
        return "\n\n".join(parts)

    def _markdown_trials(self, selection: Selection) -> str:
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

    def _markdown_classes(self) -> str:
        rows = [
            [r["class"], *(f"{r[k]:.3f}" for k in ("precision", "recall", "f1")), r["support"]]
            for r in self.per_class
        ]
        return markdown_table(
            ["class", "precision", "recall", "F1", "rows"], rows, numeric=[1, 2, 3, 4]
        )

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
            "provenance": result.provenance,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return precision, recall, F1 and support by class."""
        return self.result.per_class()


_NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}


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
