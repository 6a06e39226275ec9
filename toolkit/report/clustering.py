"""The clustering report: what the clusters are, how far to believe them, how they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from toolkit.cluster.agreement import AgreementScores
from toolkit.cluster.describing import word_settings
from toolkit.cluster.geometry import NOISE
from toolkit.cluster.oddities import Repeat, find_outliers, find_repeats
from toolkit.cluster.over_time import follow_clusters
from toolkit.cluster.periods import periods_of
from toolkit.cluster.result import ClusterResult
from toolkit.cluster.same_texts import first_of_same
from toolkit.cluster.stability import WEAK
from toolkit.cluster.substructure import Substructure
from toolkit.cluster.terms import count_terms
from toolkit.page import TABLE_SCRIPT, Page, Report
from toolkit.report.clustering_facts import clustering_facts, key_numbers
from toolkit.report.clustering_json import clustering_dict, clustering_schema
from toolkit.report.clustering_markdown import clustering_markdown
from toolkit.report.contingency import ContingencyTable, contingency_table
from toolkit.report.time_table import TimeRow, time_rows
from toolkit.report.tree_rows import TreeRow, tree_rows
from toolkit.typography import counted, format_number, isolated, shorten
from toolkit.visualize.palette import on_dark

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.visualize.display import EmbeddingMapDisplay

__all__ = ["ClusterReport"]

_LEFT_TO_RIGHT = "\u200e"
_MOST_CHARACTERS = 600
_MOST_REPEATS = 20
_FEW = 8
_IN_TABLE = 4


class ClusterReport(Report):
    """What the clusters of a collection are, how far to believe them, and how they were made.

    Parameters
    ----------
    result : ClusterResult
        As :func:`toolkit.cluster.cluster_texts` returns it.
    map : EmbeddingMapDisplay, optional
        A map of the same texts in the same order; it is coloured by cluster here.
    times : sequence of length n, optional
        When each text is from, as for :func:`~toolkit.cluster.clusters_over_time`; by default as
        the result has it. Better given to :func:`~toolkit.cluster.cluster_texts`: here words are
        counted once more.
    time_format : str, optional
        What the times look like, as for ``datetime.strptime``: ``"%d/%m/%Y"``.
    substructure : mapping of int to Substructure, optional
        What clusters fall into, as :func:`toolkit.cluster.find_substructure` returns it.
    provenance : mapping of str to object, optional
        What to add to ``result.provenance``, or to put in its place: ``model``, ``prompt``,
        ``source``, ``command``, ``notice`` (a sentence at the top, for vectors of another model
        than EmbeddingGemma), ``backend``.
    title : str, default="Clustering report"
        Heading.

    Raises
    ------
    UsageError
        If the map or ``times`` are of another number of texts.
    DataError
        If none of ``times`` can be read.

    Examples
    --------
    >>> from toolkit.cluster import cluster_texts
    >>> from toolkit.datasets import load, load_vectors
    >>> data = load("sdg")
    >>> X = load_vectors("sdg", task="clustering", dimensions=128)
    >>> report = ClusterReport(cluster_texts(data.data, X, n_clusters=5, stability=0))
    >>> report.to_frame().index.tolist()
    [0, 1, 2, 3, 4]
    >>> "<h1>" in report.to_html()
    True
    """

    def __init__(
        self,
        result: ClusterResult,
        map: EmbeddingMapDisplay | None = None,  # noqa: A002 - what it is to the reader
        *,
        times: Sequence[Any] | None = None,
        time_format: str | None = None,
        substructure: Mapping[int, Substructure] | None = None,
        provenance: Mapping[str, Any] | None = None,
        title: str = "Clustering report",
    ) -> None:
        self.result = result
        self.map = (
            None
            if map is None
            else map.recolor(result.labels, names=_map_names(result), labels_name="cluster")
        )
        self.made = {**result.provenance, **(provenance or {})}
        self.title = title
        self.substructure = dict(substructure or {})
        self.over_time = result.over_time
        periods = periods_of(times, time_format, n=len(result.texts))
        if periods is not None:
            counts = count_terms(result.texts, **word_settings(result.provenance))
            self.over_time = follow_clusters(counts, result.labels, periods, result.texts)

    # --- what it says ----------------------------------------------------------------------------

    @property
    def notice(self) -> str | None:
        """The sentence that must stand at the top, if the vectors are not EmbeddingGemma's."""
        found = self.made.get("notice")
        return None if found is None else str(found)

    @property
    def subtitle(self) -> str:
        """What was clustered, how, on which vectors."""
        made, result = self.made, self.result
        source = f"{made['source']}: " if made.get("source") else ""
        kind = str(made.get("clusterer", "")).split(" → ")[-1].split("(")[0]
        model = made.get("model")
        name = "vectors of an unrecorded model" if model is None else f"{str(model).split(' ')[0]}"
        vectors = name if model is None else f"{name} vectors"
        return (
            f"{source}{counted(len(result.texts), 'text')} in "
            f"{counted(result.n_clusters, 'cluster')}, {kind} on {vectors}, "
            f"{made.get('dimension')} dimensions"
        )

    @cached_property
    def doubts(self) -> list[str]:
        """What to doubt."""
        found = self.result.doubts()
        if self.made.get("model") is not None:
            found = [doubt for doubt in found if "was not recorded" not in doubt]
        time, n = self.over_time, len(self.result.texts)
        if time is not None and time.undated > 0.1 * n:
            found.append(
                f"{counted(time.undated, 'text')} of {n:,} have no date that can be read: what is "
                "said over time is of the others alone."
            )
        return found

    @cached_property
    def key_numbers(self) -> list[tuple[str, str, str]]:
        """Label, value and note of each key number."""
        return key_numbers(self.result, self.made)

    @cached_property
    def clusters(self) -> list[dict[str, Any]]:
        """Everything about each cluster, for the table and its section."""
        result = self.result
        colors = {} if self.map is None else self.map.colors
        rows = []
        for cluster, quality in enumerate(result.quality.clusters):
            color = colors.get(cluster)
            again = None if result.stability is None else result.stability.clusters[cluster]
            label, purity = (
                (None, float("nan"))
                if result.agreement is None
                else result.agreement.majority(cluster)
            )
            kinds: dict[str, list[dict[str, Any]]] = {
                "central": [],
                "diverse": [],
                "borderline": [],
            }
            for found in result.exemplars[cluster]:
                kinds[found.kind].append(asdict(found) | _shown(result.texts[found.position]))
            terms = [word.term for word in result.keywords[cluster]]
            named = set(result.names[cluster].partition(" (“")[0].split(", "))
            rows.append(
                asdict(quality)
                | {
                    "name": result.names[cluster],
                    # As on the map: for light paper and for dark.
                    "colors": None if color is None else (color, on_dark(color)),
                    "shown_silhouette": format_number(quality.silhouette, 2),
                    "jaccard": None if again is None else again.jaccard,
                    "jaccard_low": None if again is None else again.low,
                    "jaccard_high": None if again is None else again.high,
                    "verdict": None if again is None else again.verdict,
                    "weak": again is not None and again.jaccard < WEAK,
                    "majority": label,
                    "purity": purity,
                    "keywords": [asdict(word) for word in result.keywords[cluster]],
                    "frequent": [asdict(word) for word in result.frequent[cluster]],
                    "words": [term for term in terms if term not in named][:_IN_TABLE],
                    "also": [w.term for w in result.frequent[cluster] if w.term not in terms][:8],
                    "exemplars": kinds,
                    "substructure": self._parts(cluster),
                    "by_period": [] if self.over_time is None else self.over_time.words[cluster],
                }
            )
        return rows

    def _parts(self, cluster: int) -> dict[str, Any] | None:
        """Return what a cluster falls into; None if it is of one piece or that is not known."""
        found = self.substructure.get(cluster)
        if found is None:
            return None
        groups = [asdict(g) | _shown(self.result.texts[g.example]) for g in found.groups]
        return {"stability": found.stability, "chance": found.chance, "groups": groups}

    @cached_property
    def tree_rows(self) -> list[TreeRow]:
        """The tree of clusters from top to bottom; empty where there is nothing to join."""
        tree = self.result.tree
        return [] if tree is None or not tree.branches else tree_rows(tree)

    @cached_property
    def noise_examples(self) -> list[dict[str, Any]]:
        """A few texts in no cluster."""
        result = self.result
        return [{"position": i} | _shown(result.texts[i]) for i in result.noise_examples]

    @cached_property
    def outliers(self) -> list[dict[str, Any]]:
        """Texts that are far from the middle of their cluster, compared with its others."""
        result = self.result
        found = find_outliers(result.labels, result.similarity, first_of_same(result.texts))
        return [asdict(one) | _shown(result.texts[one.position]) for one in found]

    @cached_property
    def _repeats(self) -> list[Repeat]:
        return find_repeats(self.result.texts, self.result.labels)

    @property
    def duplicates(self) -> list[dict[str, Any]]:
        """Texts that are there more than once, the most frequent first."""
        texts = self.result.texts
        return [
            asdict(one)
            | {"positions": list(one.positions[:_FEW]), "count": len(one.positions)}
            | _shown(texts[one.positions[0]])
            for one in self._repeats[:_MOST_REPEATS]
        ]

    @property
    def duplicates_left_out(self) -> int:
        """How many more texts are there more than once."""
        return max(0, len(self._repeats) - _MOST_REPEATS)

    @property
    def n_repeated(self) -> int:
        """How many texts repeat an earlier one."""
        return sum(len(one.positions) - 1 for one in self._repeats)

    @property
    def time_rows(self) -> list[TimeRow]:
        """Clusters over time, shaded."""
        return [] if self.over_time is None else time_rows(self.over_time, self.result.names)

    @cached_property
    def scores(self) -> list[tuple[str, AgreementScores]]:
        """Scores of agreement by what they are over."""
        agreement = self.result.agreement
        if agreement is None:
            return []
        whole = f"all {agreement.n_labelled:,} labelled texts"
        if agreement.coverage == 1 or agreement.clustered is None:
            return [(whole, agreement.all_texts)]
        return [
            (f"{whole}, noise as one more cluster", agreement.all_texts),
            (f"the {agreement.coverage:.0%} of them in a cluster", agreement.clustered),
        ]

    @cached_property
    def contingency(self) -> ContingencyTable | None:
        """Known labels by clusters; None without labels."""
        agreement = self.result.agreement
        return None if agreement is None else contingency_table(agreement)

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """How it was made, as names and values."""
        drawn = {} if self.map is None else self.map.projection
        return clustering_facts(self.result, self.made, drawn)

    # --- how it says it --------------------------------------------------------------------------

    def build_html(self) -> str:
        """Return the whole page."""
        page = Page(self.title, subtitle=self.subtitle, template_package="toolkit.report")
        page.add_script(TABLE_SCRIPT)
        for name in ("clustering.css", "cluster_tree.css"):
            styles = files("toolkit.report") / "templates" / name
            page.add_style(styles.read_text(encoding="utf-8"))
        links = {row["cluster"]: f"#cluster-{row['cluster']}" for row in self.clusters}
        if self.result.quality.noise:
            links[NOISE] = "#noise"
        # The table of clusters stands for the map where it cannot be seen.
        drawn = None if self.map is None else page.add(self.map.fragment(table=False, links=links))
        return page.render("clustering.html", report=self, result=self.result, map=drawn)

    def build_markdown(self) -> str:
        """Return the report as Markdown."""
        return clustering_markdown(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything the report says as plain Python values.

        Returns
        -------
        dict
            ``findings`` and ``doubts`` (sentences), the whole's figures, ``clusters``, ``labels``
            (cluster of each text, -1 for noise), ``provenance`` and more: :meth:`json_schema`
            says what each value is. NaN is written as null in JSON.
        """
        return clustering_dict(self)

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of :meth:`to_json`, with a line on each value.

        Examples
        --------
        >>> schema = ClusterReport.json_schema()
        >>> schema["properties"]["labels"]["description"]
        'Cluster of each text, in the order of the input; -1 is noise.'
        """
        return clustering_schema()

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each cluster."""
        return self.result.to_frame()


def _map_names(result: ClusterResult) -> dict[int, str]:
    # Else the number of an Arabic name stands at its right, beside the number of its texts. A
    # browser's dir="auto" looks into isolates for the direction, so a mark comes first.
    names = {}
    for cluster, name in enumerate(map(shorten, result.names)):
        turned = isolated(name) != name
        names[cluster] = f"{_LEFT_TO_RIGHT if turned else ''}{cluster} · {isolated(name)}"
    return names | {NOISE: "in no cluster"}


def _shown(text: str) -> dict[str, Any]:
    """Return a text cut to a readable length, and how much was left out."""
    left_out = max(0, len(text) - _MOST_CHARACTERS)
    return {"text": text[:_MOST_CHARACTERS] + ("…" if left_out else ""), "left_out": left_out}
