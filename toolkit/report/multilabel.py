"""The report of a classifier that gives a text several labels."""

from __future__ import annotations

from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from toolkit.classify.intervals import Interval
from toolkit.classify.multilabel.result import MultilabelResult
from toolkit.classify.validation import Score
from toolkit.page import TABLE_SCRIPT, Page, Report, escape_markdown, markdown_table
from toolkit.report.provenance_facts import training_facts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MultilabelReport"]

NAMES = {
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "subset_accuracy": "all labels right",
    "hamming_loss": "Hamming loss",
    "average_precision": "average precision",
}
_SHOWN = ("micro_f1", "macro_f1", "subset_accuracy")
_MOST_CHARACTERS = 1500


class MultilabelReport(Report):
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

    names = NAMES

    def __init__(
        self, result: MultilabelResult, *, title: str = "Classifier report", n_errors: int = 25
    ) -> None:
        self.result = result
        self.title = title
        self.n_errors = n_errors

    # --- what it says ----------------------------------------------------------------------------

    @cached_property
    def contenders(self) -> list[tuple[str, dict[str, Score], bool]]:
        """Name and scores of the classifier and its baselines, and whether it is the former."""
        made = self.result.provenance
        identity = made["identity"]
        vectors = f"{identity['model'] if identity else made['model']} vectors"
        name = f"{made['classifier']} on {vectors}, {made['dimension']} dimensions"
        rows = [(name, self.result.scores, True)]
        for key in ("tfidf", "majority"):
            if key in self.result.baselines:
                baseline = self.result.baselines[key]
                rows.append((baseline.description, baseline.scores, False))
        return rows

    @property
    def cards(self) -> list[tuple[str, str, str]]:
        """The key numbers: name, value and what stands beside it."""
        scores = self.result.scores
        rows = [
            ("Micro F1", scores["micro_f1"].text(), "every label of every text counts the same"),
            ("Macro F1", scores["macro_f1"].text(), "every label of the list counts the same"),
            ("All labels right", scores["subset_accuracy"].text(), "share of the texts"),
            (
                "Hamming loss",
                scores["hamming_loss"].text(),
                "wrong decisions for or against one",
            ),
            ("Average precision", scores["average_precision"].text(), "needs no threshold"),
        ]
        if "tfidf" in self.result.baselines:
            tfidf = self.result.baselines["tfidf"].scores["micro_f1"]
            rows.append(("TF-IDF micro F1", tfidf.text(), "word counts instead of vectors"))
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
    def tested_on(self) -> str:
        """What the scores are of, in a few words."""
        folds = len(self.result.scores["micro_f1"].folds)
        if folds > 1:
            return f"Mean ± standard deviation over {folds} folds"
        return f"On {int(self.result.validation.tested.sum()):,} rows kept back from training"

    @property
    def loses(self) -> bool:
        """Whether a baseline is at least as good."""
        own = self.result.scores["micro_f1"].mean
        return any(b.scores["micro_f1"].mean >= own for b in self.result.baselines.values())

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """95 % bootstrap intervals over all tested rows."""
        return self.result.intervals()

    @cached_property
    def per_class(self) -> list[dict[str, Any]]:
        """Scores by label."""
        frame = self.result.per_class()
        # Not reset_index: pandas' own string type refuses half of a surrogate pair.
        return [
            {"class": name} | {str(k): v for k, v in row.items()}
            for name, row in zip(frame.index.tolist(), frame.to_dict("records"), strict=True)
        ]

    @cached_property
    def _wrong(self) -> pd.DataFrame:
        return self.result.errors()

    @property
    def n_wrong(self) -> int:
        """How many tested texts have a wrong label."""
        return len(self._wrong)

    @cached_property
    def errors(self) -> list[dict[str, Any]]:
        """The surest mistakes, with their texts cut to a readable length."""
        found = []
        for row in self._wrong.head(self.n_errors).to_dict("records"):
            text = str(row["text"])
            row["left_out"] = max(0, len(text) - _MOST_CHARACTERS)
            row["text"] = text[:_MOST_CHARACTERS] + ("…" if row["left_out"] else "")
            found.append({str(k): v for k, v in row.items()})
        return found

    @property
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
            subtitle=f"{source}{made['rows']:,} texts, {made['classes']} labels, several a text",
            template_package="toolkit.report",
        )
        page.add_script(TABLE_SCRIPT)
        styles = files("toolkit.report") / "templates" / "classifier.css"
        page.add_style(styles.read_text(encoding="utf-8"))
        return page.render("multilabel.html", report=self, result=self.result, made=made)

    def build_markdown(self) -> str:
        """Return the report as Markdown."""
        made = self.result.provenance
        parts = [f"# {escape_markdown(self.title)}"]
        if made["notice"]:
            parts.append(f"> **{escape_markdown(made['notice'])}**")
        parts += [escape_markdown(self.verdict), "## Beside the baselines"]
        parts.append(_score_table([(name, s) for name, s, _ in self.contenders]))
        parts.append(f"{self.tested_on}.")
        parts += [
            f"- {NAMES[name]}: {i.value:.3f} over all tested rows, 95 % interval {i.low:.3f} to "
            f"{i.high:.3f} (bootstrap)"
            for name, i in self.intervals.items()
        ]
        parts += [f"- {escape_markdown(note)}" for note in self.result.notes]
        chosen = self.result.selection
        if chosen is not None:
            tried = [(t.name, t.scores) for t in chosen.ranked() if t.scores]
            parts += ["## Compared classifiers", _score_table(tried)]
            parts.append(f"On {chosen.splits}; {chosen.chosen} was chosen by {chosen.metric}.")
        if len(self.result.by_dimension) > 1:
            rows = [(str(d), s) for d, s in self.result.by_dimension.items()]
            parts += ["## By dimension", _score_table(rows)]
        parts += ["## By label", self._markdown_labels()]
        if self.errors:
            parts += ["## Where it is sure and wrong", *map(_markdown_error, self.errors)]
        parts.append("## How it was made")
        parts.append("\n".join(f"- {name}: {escape_markdown(v)}" for name, v in self.facts))
        return "\n\n".join(parts)

    def _markdown_labels(self) -> str:
        numbers = ("f1", "precision", "recall", "average_precision", "threshold")
        rows = [
            [r["class"], *(f"{r[k]:.3f}" if r[k] == r[k] else "–" for k in numbers), r["support"]]
            for r in self.per_class
        ]
        heads = ["label", "F1", "precision", "recall", "average precision", "given from", "rows"]
        return markdown_table(heads, rows, numeric=list(range(1, len(heads))))

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
            "selection": None if result.selection is None else result.selection.to_dict(),
            "notes": list(result.notes),
            "per_class": self.per_class,
            "intervals": {k: vars(v) for k, v in self.intervals.items()},
            "errors": self.errors,
            "n_wrong": self.n_wrong,
            "separator": result.separator,
            "provenance": result.provenance,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return precision, recall, F1, average precision and threshold by label."""
        return self.result.per_class()


def _score_table(rows: list[tuple[str, dict[str, Score]]]) -> str:
    return markdown_table(
        ["", *(NAMES[name] for name in _SHOWN)],
        [[title, *(scores[name].text() for name in _SHOWN)] for title, scores in rows],
        numeric=[1, 2, 3],
    )


def _markdown_error(row: dict[str, Any]) -> str:
    said = []
    if row["missing"]:
        said.append(f"missing **{escape_markdown(row['missing'])}**")
    if row["superfluous"]:
        said.append(f"too many **{escape_markdown(row['superfluous'])}**")
    return f"- {', '.join(said)}, row {row['position']}: {escape_markdown(row['text'])}"
