"""The vectors of a whole table, for the commands that need them all at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.cli.console import console
from toolkit.cli.labelled import say_rows
from toolkit.cli.option_groups import EmbeddingOptions
from toolkit.cli.vectorizing import make_vectorizer
from toolkit.typography import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from toolkit.datasets.tables import TextColumns
    from toolkit.vectorizer import EmbeddingGemmaVectorizer

__all__ = ["Embedded", "both_embedded", "embed_table"]


@dataclass(frozen=True)
class Embedded:
    """Texts that have a vector, and where they stand in the table.

    Parameters
    ----------
    X : ndarray of shape (n, dimensions)
        The vectors.
    texts : list of str, of length n
        The texts; a missing one is empty.
    labels : list of str, of length n, optional
        Their labels.
    rows : ndarray of shape (n,)
        Row of the table of each, from 0.
    vectorizer : EmbeddingGemmaVectorizer
        Fitted.
    """

    X: NDArray[np.float32]
    texts: list[str]
    labels: list[Any] | None
    rows: NDArray[np.intp]
    vectorizer: EmbeddingGemmaVectorizer

    def columns(self, kept: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Return these rows of further columns of the table."""
        return {name: [values[row] for row in self.rows.tolist()] for name, values in kept.items()}

    def shown(self, data: TextColumns) -> dict[str, Any]:
        """Return what a map shows of these rows: texts, labels, and further columns."""
        shown = {"texts": self.texts, "labels": self.labels, "columns": self.columns(data.kept)}
        return shown | {"noise_label": None, "names": {None: "no label"}}

    def made(self, source: str) -> dict[str, Any]:
        """Return how these vectors were made, for the page of a map."""
        from toolkit.provenance import data_fingerprint, model_notice

        identity = self.vectorizer.identity_
        return {
            "notice": model_notice(identity),
            "data": source,
            "data fingerprint": f"sha256:{data_fingerprint(self.texts)}",
            "embedding model": identity.describe(),
            "prompt": self.vectorizer.prompt_,
            "dimensions": self.X.shape[1],
        }

    def only(self, rows: NDArray[np.intp]) -> Embedded:
        """Return those of the rows that are in ``rows`` of the table."""
        import numpy as np

        here = np.flatnonzero(np.isin(self.rows, rows))
        return replace(
            self,
            X=self.X[here],
            texts=[self.texts[i] for i in here.tolist()],
            labels=None if self.labels is None else [self.labels[i] for i in here.tolist()],
            rows=self.rows[here],
        )


def both_embedded(first: Embedded, second: Embedded) -> tuple[Embedded, Embedded]:
    """Return the rows of a table that have a vector in both."""
    return first.only(second.rows), second.only(first.rows)


def embed_table(
    data: TextColumns, options: EmbeddingOptions, task: str, *, fewest: int = 1
) -> Embedded:
    """Embed the texts of a table; rows without a vector (``--on-error nan``) are left out.

    Parameters
    ----------
    data : TextColumns
        The table.
    options : EmbeddingOptions
        As given.
    task : str
        The command's own task, where none was given.
    fewest : int, default=1
        Texts that what comes next needs: said before the work if there are not as many.
    """
    import numpy as np

    from toolkit.errors import DataError

    if len(data.texts) < fewest:
        raise DataError(
            f"{data.source} has {counted(len(data.texts), 'text')}; give at least {fewest}"
        )
    say_rows(data)
    vectorizer = make_vectorizer(options, task)
    X = vectorizer.fit(data.texts).transform(data.texts)
    rows = np.flatnonzero(np.isfinite(X).all(axis=1))
    if not len(rows):
        raise DataError("none of the texts has a vector")
    if len(rows) < len(X):
        without = len(X) - len(rows)
        said = "has no vector and is" if without == 1 else "have no vector and are"
        console.say(f"{without:,} of {counted(len(X), 'text')} {said} left out.")
    report = vectorizer.report_
    console.say(
        f"{counted(len(X), 'text')} from {data.source}: {report.hits:,} from the cache, "
        f"{report.embedded:,} embedded; made by {vectorizer.identity_.describe()}."
    )
    texts = [data.texts[row] or "" for row in rows.tolist()]
    labels = None if data.labels is None else [data.labels[row] for row in rows.tolist()]
    return Embedded(X[rows], texts, labels, rows, vectorizer)
