"""What a check of labels found: one line for each row and problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["PROBLEMS", "LabelProblem", "LabelProblems", "who_has"]

PROBLEMS = {
    "conflicting_duplicate": "near-duplicates with different labels",
    "unlikely_label": "labels the model finds unlikely",
    "rare_label": "labels of one or two rows",
    "leaked_duplicate": "near-duplicates across the parts of the split",
    "outlier": "texts far from all others",
}
"""The kinds of problems, in the order they are shown, and what they are."""


@dataclass(frozen=True)
class LabelProblem:
    """One problem of one row.

    Parameters
    ----------
    row : int
        Position of the row, from 0.
    text : str
        Its text.
    label : Any
        The given label.
    suggested_label : Any
        The label it probably should have; None where there is no suggestion.
    score : float
        How sure the finding is, from 0 to 1; comparable within a kind of problem only. For
        ``unlikely_label``, 1 less the probability of the given label; for duplicates, their
        cosine; for ``rare_label``, the probability of the suggested label; for ``outlier``, the
        mean cosine distance to the nearest other texts.
    problem : str
        A key of :data:`PROBLEMS`.
    reason : str
        The same in a sentence.
    other_row : int or None
        The row it is a duplicate of.
    """

    row: int
    text: str
    label: Any
    suggested_label: Any
    score: float
    problem: str
    reason: str
    other_row: int | None = None


@dataclass(frozen=True)
class LabelProblems:
    """All problems of a table, the surest first within each kind.

    Parameters
    ----------
    problems : list of LabelProblem
        In the order of :data:`PROBLEMS`. A row may have several.
    n_rows : int
        Rows that were checked.
    notes : list of str
        What could not be checked, and what else a reader should know.

    Examples
    --------
    >>> one = LabelProblem(3, "a pear", "car", "fruit", 0.98, "unlikely_label", "...")
    >>> found = LabelProblems([one], 100, [])
    >>> len(found), found.counts()
    (1, {'unlikely_label': 1})
    >>> print(found.summary())
    100 rows, 1 with problems
         1  labels the model finds unlikely
    """

    problems: list[LabelProblem]
    n_rows: int
    notes: list[str]

    def __len__(self) -> int:
        return len(self.problems)

    def __iter__(self) -> Iterator[LabelProblem]:
        return iter(self.problems)

    def counts(self) -> dict[str, int]:
        """Return how many rows have each kind of problem; kinds that none has are left out."""
        found = Counter(one.problem for one in self.problems)
        return {kind: found[kind] for kind in PROBLEMS if found[kind]}

    def columns(self) -> dict[str, list[Any]]:
        """Return the problems as columns: those of :class:`LabelProblem`."""
        rows = [asdict(one) for one in self.problems]
        return {item.name: [row[item.name] for row in rows] for item in fields(LabelProblem)}

    def to_frame(self) -> DataFrame:
        """Return the problems as a frame, one row each; columns as :class:`LabelProblem` has."""
        import pandas as pd

        # Not pandas' own string type, which refuses half of a surrogate pair.
        frame = pd.DataFrame(self.columns(), dtype=object)
        # Whole numbers with gaps, which a plain column would turn into floats.
        return frame.astype({"row": "int64", "score": "float64", "other_row": "Int64"})

    def summary(self) -> str:
        """Return the counts and notes as text."""
        rows = len({one.row for one in self.problems})
        lines = [f"{self.n_rows:,} rows, {rows:,} with problems"]
        lines += [f"{count:6,}  {PROBLEMS[kind]}" for kind, count in self.counts().items()]
        return "\n".join([*lines, *self.notes])


def who_has(count: int) -> str:
    """Return, as the beginning of a reason, how few rows share something with this one.

    Examples
    --------
    >>> who_has(1), who_has(2)
    ('no other row has', 'only 2 rows have')
    """
    return "no other row has" if count == 1 else f"only {count} rows have"
