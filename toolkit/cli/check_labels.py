"""``toolkit check-labels``: rows whose label deserves a second look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.labelled import (
    FoldsAtOnce,
    GroupColumn,
    LabelSeparator,
    MissingLabels,
    read_labelled,
)
from toolkit.cli.option_groups import EmbeddingOptions, InputOptions
from toolkit.cli.options import (
    INPUT,
    OUTPUT,
    Force,
    Keep,
    LabelColumn,
    NoText,
    OutputFormat,
    RandomState,
    Source,
    SpreadsheetSafe,
    option,
)
from toolkit.cli.vectors_of import embed_table

if TYPE_CHECKING:
    from toolkit.classify.label_findings import LabelProblems

__all__ = ["check_labels"]

CHECKS = "Checks"


@command
def check_labels(
    source: Source,
    inputs: InputOptions,
    embedding: EmbeddingOptions,
    label_column: LabelColumn = None,
    label_separator: LabelSeparator = None,
    missing_labels: MissingLabels = "error",
    group_column: GroupColumn = None,
    split_column: Annotated[
        str | None,
        option(
            "--split-column",
            metavar="NAME",
            panel=INPUT,
            help="The part each row is in (train, test); finds texts that are in several.",
        ),
    ] = None,
    classifier: Annotated[
        str,
        option(
            "--classifier",
            metavar="NAME",
            panel=CHECKS,
            default=True,
            help="logistic_regression, linear_svm, knn, nearest_centroid, or the import path of "
            "a scikit-learn classifier.",
        ),
    ] = "logistic_regression",
    cv: Annotated[
        int,
        option(
            "--cv", metavar="N", panel=CHECKS, default=True, min=2, help="Folds of the validation."
        ),
    ] = 5,
    duplicate_similarity: Annotated[
        float,
        option(
            "--duplicate-similarity",
            metavar="COSINE",
            panel=CHECKS,
            default=True,
            min=0.5,
            max=1.0,
            help="From which cosine on two texts count as duplicates.",
        ),
    ] = 0.97,
    out: Annotated[
        Path | None,
        option(
            "--out",
            "-o",
            metavar="FILE",
            panel=OUTPUT,
            default="standard output",
            help="The table of problems: .csv, .tsv, .jsonl (also .gz) or .parquet.",
        ),
    ] = None,
    output_format: OutputFormat = None,
    keep: Keep = None,
    no_text: NoText = False,
    spreadsheet_safe: SpreadsheetSafe = False,
    random_state: RandomState = 0,
    n_jobs: FoldsAtOnce = None,
    force: Force = False,
) -> None:
    """List rows whose label is probably wrong, and rows that spoil a test.

    Labels that a model trained on the other rows finds unlikely (confident learning), the same
    text under different labels, labels of one or two rows, texts on both sides of a split, and
    texts far from all others. Each comes with a suggested label, a score and a reason; rows count
    from 0. Nothing is changed.

    Examples:

      toolkit check-labels tickets.csv --label-column queue --out problems.csv
      toolkit check-labels tickets.csv --label-column topics --label-separator=";"
      toolkit check-labels dataset:sdg --backend cache --out problems.csv
    """
    from toolkit.datasets.table_writers import check_table_output, write_table

    check_table_output(out, output_format, force=force)
    wanted = [*(keep or ()), *([group_column] if group_column else [])]
    wanted += [split_column] if split_column else []
    data = read_labelled(
        source,
        inputs,
        label_column,
        separator=label_separator,
        keep=wanted,
        missing=embedding.missing,
        missing_labels=missing_labels,
    )
    from toolkit.classify import find_label_problems
    from toolkit.classify.targets import as_targets

    # What cannot be checked is said before the work.
    as_targets(data.labels or [], len(data.texts), label_separator)
    found = embed_table(data, embedding, "classification")
    beside = found.columns(data.kept)
    problems = find_label_problems(
        found.texts,
        found.labels or [],
        found.X,
        label_separator=label_separator,
        classifier=classifier,
        cv=cv,
        groups=beside[group_column] if group_column else None,
        parts=beside[split_column] if split_column else None,
        duplicate_similarity=duplicate_similarity,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    console.say(problems.summary())
    kept = {name: beside[name] for name in keep or ()}
    numbers = [data.rows[row] for row in found.rows.tolist()]
    columns = _columns(problems, numbers, kept, with_text=not no_text)
    write_table(out, columns, output_format, force=force, safe=spreadsheet_safe)
    if out is not None:
        console.say(f"Problems: {out}")


def _columns(
    problems: LabelProblems, numbers: list[int], kept: dict[str, list[Any]], *, with_text: bool
) -> dict[str, list[Any]]:
    """Return the table to write; ``numbers`` are the rows' own in the input."""
    listed = problems.columns()
    at = listed["row"]
    listed["row"] = [numbers[row] for row in at]
    listed["other_row"] = [None if row is None else numbers[row] for row in listed["other_row"]]
    if not with_text:
        del listed["text"]
    columns = {
        f"input_{name}" if name in listed else name: [values[row] for row in at]
        for name, values in kept.items()
    }
    return columns | listed
