"""The report of a trained classifier: how good, where it errs, and how it was made."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np

from toolkit.classify.diagnostics import CalibrationBin, calibration_error
from toolkit.classify.labels import plain
from toolkit.classify.result import TrainingResult
from toolkit.page import escape_markdown, markdown_table
from toolkit.report.classifier_curves import ThresholdRow, calibration_bins, threshold_rows
from toolkit.report.confusion import ConfusionTable, Mistake, confusion_table, top_mistakes
from toolkit.report.training import TrainingReport
from toolkit.typography import counted

__all__ = ["ClassifierReport", "ThresholdRow"]


class ClassifierReport(TrainingReport):
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

    template = "classifier.html"
    unit = "class"
    wrong_heading = "Most confident mistakes"
    result: TrainingResult

    # --- what it says ----------------------------------------------------------------------------

    @property
    def cards(self) -> list[tuple[str, str, str]]:
        """The key numbers: name, value and what stands beside it."""
        accuracy, f1 = self.result.scores["accuracy"], self.result.scores["macro_f1"]
        folds = len(accuracy.folds)
        tested = int(self.result.validation.tested.sum())
        kept_back = f"on {counted(tested, 'row')} kept back"
        beside = f"± {accuracy.sd:.3f} over {folds} folds" if folds > 1 else kept_back
        rows = [
            ("Accuracy", f"{accuracy.mean:.3f}", beside),
            (
                "Macro F1",
                f"{f1.mean:.3f}",
                (f"± {f1.sd:.3f}; " if folds > 1 else "") + "every class counts the same",
            ),
        ]
        if (tfidf := self.result.baselines.get("tfidf")) is not None:
            unit = "word" if "word" in tfidf.description else "character"
            value = f"{tfidf.scores['accuracy'].mean:.3f}"
            rows.append(("TF-IDF accuracy", value, f"{unit} counts, same classifier"))
        if (majority := self.result.baselines.get("majority")) is not None:
            value = f"{majority.scores['accuracy'].mean:.3f}"
            rows.append(("Majority accuracy", value, "always the most frequent class"))
        return rows

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
    def subtitle(self) -> str:
        """What stands under the heading, after the source."""
        made = self.result.provenance
        return (
            f"{counted(made['rows'], 'text')} in {counted(made['classes'], 'class', 'classes')}, "
            f"{made['classifier']} on {self.vectors}"
        )

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
    def calibration(self) -> list[CalibrationBin]:
        """How often predictions of each probability are right; empty without probabilities."""
        return calibration_bins(self.result)

    @property
    def calibration_gap(self) -> float:
        """Expected calibration error."""
        return calibration_error(self.calibration)

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

    # --- how it says it --------------------------------------------------------------------------

    def markdown_classes(self) -> list[str]:
        """Return the scores by class."""
        rows = [
            [r["class"], *(f"{r[k]:.3f}" for k in ("precision", "recall", "f1")), r["support"]]
            for r in self.per_class
        ]
        heads = ["class", "precision", "recall", "F1", "rows"]
        return [markdown_table(heads, rows, numeric=[1, 2, 3, 4])]

    def markdown_more(self) -> list[str]:
        """Return the frequent mistakes, what abstaining would do, and the calibration."""
        return [
            *_table(
                "## Most frequent mistakes",
                ["given", "predicted", "times", "of class"],
                [[m.given, m.predicted, m.count, f"{m.share:.0%}"] for m in self.mistakes],
                numeric=[2, 3],
            ),
            *_table(
                "## Abstaining below a probability",
                ["threshold", "answered", "accuracy"],
                [
                    [f"{t.threshold:.1f}", f"{t.answered:.1%}", _percent(t.accuracy)]
                    for t in self.thresholds
                ],
                numeric=[0, 1, 2],
            ),
            *_table(
                "## Calibration\n\nExpected calibration error " + f"{self.calibration_gap:.3f}.",
                ["probability", "texts", "mean", "right"],
                [
                    [
                        f"{b.low:.1f} to {b.high:.1f}",
                        b.count,
                        f"{b.probability:.2f}",
                        f"{b.accuracy:.2f}",
                    ]
                    for b in self.calibration
                ],
                numeric=[1, 2, 3],
            ),
        ]

    def markdown_error(self, row: dict[str, Any]) -> str:
        """Return a line for a wrongly predicted text."""
        probability = row["probability"]
        sure = "" if np.isnan(probability) else f" ({probability:.2f})"
        return (
            f"- **{escape_markdown(row['given'])}** predicted as "
            f"**{escape_markdown(row['predicted'])}**{sure}, row {row['position']}: "
            f"{escape_markdown(row['text'])}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything the report says as plain Python values."""
        return super().to_dict() | {
            "per_class": self.per_class,
            "confusion": {"classes": self.labels, "counts": self.result.confusion.tolist()},
            "mistakes": [asdict(mistake) for mistake in self.mistakes],
            "thresholds": [asdict(row) for row in self.thresholds],
            "calibration": [asdict(b) for b in self.calibration],
            "mean_probability": self.mean_probability,
        }


def _table(
    heading: str, columns: list[str], rows: list[list[Any]], *, numeric: list[int]
) -> list[str]:
    return [heading, markdown_table(columns, rows, numeric=numeric)] if rows else []


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1%}"
