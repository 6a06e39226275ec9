"""The report of a classifier that gives a text several labels."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from toolkit.classify.multilabel.result import MultilabelResult
from toolkit.classify.validation import Score
from toolkit.page import escape_markdown, markdown_table
from toolkit.report.training import TrainingReport
from toolkit.typography import counted

__all__ = ["MultilabelReport"]


class MultilabelReport(TrainingReport):
    """How good a classifier of label sets is, where it errs, and how it was made.

    Parameters
    ----------
    result : MultilabelResult
        As :func:`toolkit.classify.train_multilabel` returns it.
    title : str, default="Classifier report"
        Heading.
    n_errors : int, default=25
        How many texts with wrong labels to show, the surest mistakes first.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from toolkit.classify import train_multilabel
    >>> texts = ["red apple", "fast car", "apple in the car"] * 10
    >>> y = [["fruit"], ["vehicle"], ["fruit", "vehicle"]] * 10
    >>> result = train_multilabel(texts, y, vectorizer=HashingVectorizer(n_features=64),
    ...                           candidates=["logistic_regression"])
    >>> report = MultilabelReport(result)
    >>> report.to_frame()["f1"].tolist()
    [1.0, 1.0]
    >>> "<h1>" in report.to_html()
    True
    """

    template = "multilabel.html"
    unit = "label"
    wrong_heading = "Where it is sure and wrong"
    result: MultilabelResult

    @property
    def cards(self) -> list[tuple[str, str, str]]:
        """The key numbers: name, value and what stands beside it."""
        said = (
            ("micro_f1", "Micro F1", "every label of every text counts the same"),
            ("macro_f1", "Macro F1", "every label of the list counts the same"),
            ("subset_accuracy", "All labels right", "share of the texts"),
            ("hamming_loss", "Hamming loss", "wrong decisions for or against one; 0 is best"),
            ("average_precision", "Average precision", "needs no threshold"),
        )
        rows = [_card(name, self.result.scores[key], note) for key, name, note in said]
        if "tfidf" in self.result.baselines:
            tfidf = self.result.baselines["tfidf"].scores["micro_f1"]
            rows.append(_card("TF-IDF micro F1", tfidf, "word counts instead of vectors"))
        return rows

    @property
    def verdict(self) -> str:
        """One or two sentences that say how good it is beside the baselines."""
        scores = self.result.scores
        found = (
            f"{scores['subset_accuracy'].mean:.1%} of texts it had not seen get exactly the right "
            f"labels, {1 - scores['hamming_loss'].mean:.1%} of all decisions for or against a "
            "label are right"
        )
        baseline = self.result.baselines.get("tfidf")
        if baseline is None:
            return f"{found}."
        points = 100 * (scores["micro_f1"].mean - baseline.scores["micro_f1"].mean)
        more = "more" if points >= 0 else "less"
        return f"{found}. Micro F1 is {abs(points):.1f} points {more} than with word counts."

    @property
    def subtitle(self) -> str:
        """What stands under the heading, after the source."""
        made = self.result.provenance
        texts, labels = counted(made["rows"], "text"), counted(made["classes"], "label")
        return f"{texts}, {labels}, several a text"

    @cached_property
    def per_class(self) -> list[dict[str, Any]]:
        """Scores by label."""
        frame = self.result.per_class()
        # Not reset_index: pandas' own string type refuses half of a surrogate pair.
        return [
            {"class": name} | {str(k): v for k, v in row.items()}
            for name, row in zip(frame.index.tolist(), frame.to_dict("records"), strict=True)
        ]

    # --- how it says it --------------------------------------------------------------------------

    def markdown_classes(self) -> list[str]:
        """Return the scores by label."""
        numbers = ("f1", "precision", "recall", "average_precision", "threshold")
        rows = [
            [r["class"], *(f"{r[k]:.3f}" if r[k] == r[k] else "–" for k in numbers), r["support"]]
            for r in self.per_class
        ]
        heads = ["label", "F1", "precision", "recall", "average precision", "given from", "rows"]
        return [markdown_table(heads, rows, numeric=range(1, len(heads)))]

    def markdown_error(self, row: dict[str, Any]) -> str:
        """Return a line for a text with wrong labels."""
        said = []
        if row["missing"]:
            said.append(f"missing **{escape_markdown(row['missing'])}**")
        if row["superfluous"]:
            said.append(f"too many **{escape_markdown(row['superfluous'])}**")
        return f"- {', '.join(said)}, row {row['position']}: {escape_markdown(row['text'])}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything the report says as plain Python values."""
        return super().to_dict() | {
            "per_class": self.per_class,
            "separator": self.result.separator,
        }


def _card(name: str, score: Score, note: str) -> tuple[str, str, str]:
    """Return a key number; how it varies over the folds stands in the note."""
    spread = f"± {score.sd:.3f}; " if len(score.folds) > 1 else ""
    return name, f"{score.mean:.3f}", f"{spread}{note}"
