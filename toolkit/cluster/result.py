"""What clustering found out, in one object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.cluster.agreement import Agreement
from toolkit.cluster.choose_k import ChosenK
from toolkit.cluster.edited import EditedClusterer
from toolkit.cluster.exemplars import Exemplar
from toolkit.cluster.findings import describe, doubts
from toolkit.cluster.geometry import NOISE, Labels
from toolkit.cluster.keywords import Keyword
from toolkit.cluster.over_time import OverTime
from toolkit.cluster.predictor import CentroidClusterer
from toolkit.cluster.quality import Quality
from toolkit.cluster.stability import Stability
from toolkit.cluster.tree import ClusterTree

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClusterResult", "Edits"]


@dataclass(frozen=True)
class Edits:
    """What a person changed about a clustering.

    Parameters
    ----------
    decisions : list of dict
        As given.
    sentences : list of str
        The same in words, one for each, with how many texts moved.
    numbers : list of int
        For each cluster of the result, its number in the decisions.
    n_clusters_before, silhouette_before, stability_before
        Of the clustering as first made.
    moved : bool
        Whether any text is in another cluster than before; False if clusters only got names.
    """

    decisions: list[dict[str, Any]]
    sentences: list[str]
    numbers: list[int]
    n_clusters_before: int
    silhouette_before: float
    stability_before: float | None
    moved: bool


@dataclass(frozen=True, eq=False)
class ClusterResult:
    """Clusters of texts, and everything that was found out about them.

    Parameters
    ----------
    texts : list of str, of length n
        The texts.
    labels : ndarray of shape (n,)
        Cluster of each text: 0 is the largest, -1 is noise.
    similarity : ndarray of shape (n,), dtype float32
        Cosine of each text to its cluster's centroid; NaN for noise.
    estimator : CentroidClusterer or EditedClusterer
        The fitted clusterer; its ``predict`` gives clusters of new vectors.
    names : list of str
        A short name of each cluster: its first keywords.
    keywords : list of list of Keyword
        Of each cluster, the terms that tell it from the others most surely (log-odds).
    frequent : list of list of Keyword
        Of each cluster, its frequent terms (c-TF-IDF).
    exemplars : list of list of Exemplar
        Of each cluster.
    noise_examples : list of int
        Positions of a few texts in no cluster.
    quality : Quality
        How good it is by its own vectors.
    stability : Stability or None
        Whether it comes out again; None if not asked for.
    agreement : Agreement or None
        How far it agrees with known labels; None if there are none.
    chosen : ChosenK or None
        How the number of clusters was chosen; None if it was given.
    tree : ClusterTree or None
        Which clusters belong together; None of more than 500 clusters.
    edits : Edits or None
        What a person changed (:func:`~toolkit.cluster.apply_decisions`); None if nothing.
    over_time : OverTime or None
        How many texts each cluster has in each period, and its words there; None without times.
    provenance : dict of str to object
        Model, prompt, dimension, clusterer, seeds, versions, data fingerprint, date, command.
    """

    texts: list[str]
    labels: Labels
    similarity: NDArray[np.float32]
    estimator: CentroidClusterer | EditedClusterer
    names: list[str]
    keywords: list[list[Keyword]]
    frequent: list[list[Keyword]]
    exemplars: list[list[Exemplar]]
    noise_examples: list[int]
    quality: Quality
    stability: Stability | None = None
    agreement: Agreement | None = None
    chosen: ChosenK | None = None
    tree: ClusterTree | None = None
    edits: Edits | None = None
    over_time: OverTime | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def n_clusters(self) -> int:
        """Number of clusters, noise not counted."""
        return len(self.quality.clusters)

    @property
    def centers(self) -> NDArray[np.floating]:
        """Direction of each cluster's mean, shape (k, d)."""
        found: NDArray[np.floating] = self.estimator.cluster_centers_
        return found

    def predict(self, X: ArrayLike) -> Labels:
        """Return the clusters of new vectors of the same space, -1 for those too far off."""
        return self.estimator.predict(X)

    def findings(self) -> list[str]:
        """Return what was found, in sentences."""
        return describe(self)

    def doubts(self) -> list[str]:
        """Return what a reader should doubt, in sentences; empty if nothing."""
        return doubts(self)

    def summary(self) -> str:
        """Return findings and doubts as lines of plain text."""
        notice = self.provenance.get("notice")
        lines = [notice] if notice else []
        lines += self.findings()
        return "\n".join(lines + [f"Doubt: {doubt}" for doubt in self.doubts()])

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each cluster.

        Returns
        -------
        DataFrame
            Indexed by cluster; columns ``name``, ``size``, ``share``, ``keywords``, ``cohesion``,
            ``separation``, ``nearest``, ``silhouette``, ``below_zero``, ``duplicates``; with
            stability ``jaccard`` and ``dissolved``; with known labels ``majority`` and
            ``purity``.
        """
        import pandas as pd

        rows = []
        for cluster, found in enumerate(self.quality.clusters):
            row: dict[str, Any] = {
                "cluster": cluster,
                "name": self.names[cluster],
                "size": found.size,
                "share": found.share,
                "keywords": ", ".join(word.term for word in self.keywords[cluster]),
                "cohesion": found.cohesion,
                "separation": found.separation,
                "nearest": found.nearest,
                "silhouette": found.silhouette,
                "below_zero": found.below_zero,
                "duplicates": found.duplicates,
            }
            if self.stability is not None:
                again = self.stability.clusters[cluster]
                row |= {"jaccard": again.jaccard, "dissolved": again.dissolved}
            if self.agreement is not None:
                label, share = self.agreement.majority(cluster)
                row |= {"majority": label, "purity": share}
            rows.append(row)
        return pd.DataFrame(rows).set_index("cluster")

    def assignments(self) -> pd.DataFrame:
        """Return one row for each text, in the order of the input.

        Returns
        -------
        DataFrame
            Columns ``text``, ``cluster`` (-1 is noise), ``name`` (empty for noise),
            ``similarity`` (cosine to the centroid), ``silhouette``.
        """
        import pandas as pd

        names = ["" if label == NOISE else self.names[label] for label in self.labels]
        return pd.DataFrame(
            {
                # Not pandas' own string type, which refuses half of a surrogate pair.
                "text": pd.Series(self.texts, dtype=object),
                "cluster": self.labels,
                "name": pd.Series(names, dtype=object),
                "similarity": self.similarity,
                "silhouette": self.quality.samples,
            }
        )

    def keyword_frame(self) -> pd.DataFrame:
        """Return one row for each keyword of each cluster.

        Returns
        -------
        DataFrame
            Columns ``cluster``, ``method`` (``"log-odds"`` or ``"c-tf-idf"``), ``rank``,
            ``term``, ``score``, ``inside``, ``outside``, ``documents``.
        """
        import pandas as pd

        rows = [
            {"cluster": cluster, "method": method, "rank": rank, **vars(word)}
            for method, lists in (("log-odds", self.keywords), ("c-tf-idf", self.frequent))
            for cluster, words in enumerate(lists)
            for rank, word in enumerate(words, start=1)
        ]
        columns = ["cluster", "method", "rank", "term", "score", "inside", "outside", "documents"]
        return pd.DataFrame(rows, columns=columns)

    def exemplar_frame(self) -> pd.DataFrame:
        """Return one row for each exemplar of each cluster.

        Returns
        -------
        DataFrame
            Columns ``cluster``, ``kind``, ``position``, ``similarity``, ``other``,
            ``other_similarity``, ``text``.
        """
        import pandas as pd

        rows = [
            {"cluster": cluster, **vars(found)}
            for cluster, items in enumerate(self.exemplars)
            for found in items
        ]
        columns = ["cluster", "kind", "position", "similarity", "other", "other_similarity"]
        frame = pd.DataFrame(rows, columns=columns)
        frame["text"] = pd.Series([self.texts[i] for i in frame["position"]], dtype=object)
        return frame

    def contingency_frame(self) -> pd.DataFrame:
        """Return known labels by clusters: how many texts of each label are in each cluster.

        Returns
        -------
        DataFrame
            A row for each label; a column for each cluster, and -1 for noise where there is any.
            Empty without known labels.
        """
        import pandas as pd

        if self.agreement is None:
            return pd.DataFrame()
        found = self.agreement
        frame = pd.DataFrame(
            found.contingency,
            index=pd.Index(list(found.classes), name="label", tupleize_cols=False),
        )
        if found.noise_by_class.any():
            frame[NOISE] = found.noise_by_class
        frame.columns.name = "cluster"
        return frame
