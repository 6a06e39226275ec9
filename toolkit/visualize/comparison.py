"""Two maps of the same texts side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from toolkit.embedding.texts import check_texts
from toolkit.errors import UsageError
from toolkit.page import Fragment, Page
from toolkit.page.document import TABLE_SCRIPT
from toolkit.typography import counted
from toolkit.visualize.aligning import align
from toolkit.visualize.captioned import notice_of
from toolkit.visualize.display import EmbeddingMapDisplay
from toolkit.visualize.offline import OfflineMap
from toolkit.visualize.overlap import NeighbourOverlap, neighbour_overlap
from toolkit.visualize.projection import project
from toolkit.visualize.web import Pane, map_fragment, shown_rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["MapComparison"]


class MapComparison(OfflineMap):
    """Two maps of the same texts: of two models, two prompts or two dimensions.

    Make one with :meth:`from_embeddings` or :meth:`from_estimators`; show it with :meth:`plot` or
    :meth:`to_html`, where what is pointed at, searched or singled out on one map is so on the
    other.

    Parameters
    ----------
    first, second : EmbeddingMapDisplay
        The maps, of the same texts in the same order. Labels, texts and columns are those of the
        first.
    titles : tuple of two str, default=("first", "second")
        What each is of.
    overlap : NeighbourOverlap, optional
        How many neighbours are the same in both.
    title : str, optional
        A title for both.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        After :meth:`plot`.

    Raises
    ------
    UsageError
        If the maps are not of the same texts.

    See Also
    --------
    EmbeddingMapDisplay : one map.
    neighbour_overlap : the number that goes with the pictures.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> X = np.random.default_rng(0).normal(size=(60, 8))
    >>> comparison = MapComparison.from_embeddings(
    ...     X, X[:, :4], titles=("8 dimensions", "4 dimensions"), projector=PCA(2)
    ... )
    >>> comparison
    <MapComparison of 60 texts, '8 dimensions' and '4 dimensions': 55% of neighbours shared>
    """

    def __init__(
        self,
        first: EmbeddingMapDisplay,
        second: EmbeddingMapDisplay,
        *,
        titles: tuple[str, str] = ("first", "second"),
        overlap: NeighbourOverlap | None = None,
        title: str | None = None,
    ) -> None:
        if len(first.points) != len(second.points):
            raise UsageError(
                f"maps of {len(first.points)} and {len(second.points)} texts cannot be compared; "
                "both must be of the same texts in the same order"
            )
        if first.texts is not None and second.texts is not None and first.texts != second.texts:
            pairs = zip(first.texts, second.texts, strict=True)
            where = next(i for i, (a, b) in enumerate(pairs) if a != b)
            raise UsageError(
                f"the maps are not of the same texts: they differ first at position {where}"
            )
        if isinstance(titles, str) or len(titles) != 2:
            raise UsageError(f"titles must be two, one for each map, not {titles!r}")
        self.first = first
        self.second = second
        self.titles = (str(titles[0]), str(titles[1]))
        self.overlap = overlap
        self.title = title

    @classmethod
    def from_embeddings(
        cls,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        titles: tuple[str, str] = ("first", "second"),
        title: str | None = None,
        projector: Any = None,
        quality: bool = True,
        random_state: int | None = 0,
        verbose: int = 1,
        cache: bool | str | os.PathLike[str] = True,
        progress: Callable[[str], None] | None = None,
        **options: Any,
    ) -> Self:
        """Project two sets of vectors of the same texts, and lay the second map over the first.

        By default UMAP begins the second map at the places of the first, so that a group lies
        where it lay unless its neighbours have changed. In any case the second is then turned,
        mirrored, moved and scaled as a whole onto the first (Procrustes), which changes no
        neighbourhood.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Vectors, at least four.
        Y : array-like of shape (n, e)
            Other vectors of the same texts in the same order.
        titles : tuple of two str, default=("first", "second")
            What each is of.
        title : str, optional
            A title for both.
        projector : transformer, optional
            As for :meth:`EmbeddingMapDisplay.from_embeddings`; fitted twice.
        quality, random_state, verbose, cache, progress
            As there.
        **options
            ``texts``, ``labels``, ``names``, ``columns``, ``noise_label`` and ``colors`` of
            :class:`EmbeddingMapDisplay`. Where every text was asked for its neighbours (up to
            5,000), the column ``"neighbours shared"`` is added, in per cent.

        Returns
        -------
        MapComparison

        Raises
        ------
        UsageError
            If the lengths differ.
        DataError
            If there are fewer than four vectors.
        """
        made: dict[str, Any] = {
            "quality": quality, "random_state": random_state, "verbose": verbose, "cache": cache,
            "progress": progress,
        }  # fmt: skip
        n = len(check_array(X, dtype=None, ensure_all_finite=False))
        if options.get("texts") is not None:
            options["texts"] = list(options["texts"])  # of both maps, and perhaps a generator
        overlap = neighbour_overlap(X, Y, n_neighbors=max(1, min(15, (n - 1) // 2)))
        one = project(X, projector, **made)
        two = project(Y, projector, init=None if projector is not None else one.points, **made)
        two = replace(two, points=align(two.points, one.points))
        if len(overlap.rows) == n:
            shared = np.round(100 * overlap.shares).astype(int).tolist()
            options["columns"] = dict(options.get("columns") or {}) | {"neighbours shared": shared}
        first = EmbeddingMapDisplay(
            one.points, quality=one.quality, projection=one.made, title=titles[0], **options
        )
        options["colors"] = options.get("colors") or first.colors
        second = EmbeddingMapDisplay(
            two.points, quality=two.quality, projection=two.made, title=titles[1], **options
        )
        return cls(first, second, titles=titles, overlap=overlap, title=title)

    @classmethod
    def from_estimators(cls, first: Any, second: Any, texts: Iterable[str], **options: Any) -> Self:
        """Embed texts with two vectorizers and compare their maps.

        Parameters
        ----------
        first, second : vectorizer or pipeline that begins with one
            Ways of making vectors; of a pipeline, only the first step is used.
        texts : iterable of str, of length n
            The texts.
        **options
            As for :meth:`from_embeddings`.

        Returns
        -------
        MapComparison
        """
        steps = [getattr(one, "steps", [("", one)])[0][1] for one in (first, second)]
        items = check_texts(texts, missing=getattr(steps[0], "missing", "error")).texts
        X, Y = (np.asarray(step.transform(items)) for step in steps)
        comparison = cls.from_embeddings(X, Y, texts=items, **options)
        comparison.provenance = notice_of(*steps)
        return comparison

    @property
    def caption(self) -> str:
        """What to know before believing the pictures."""
        said = "" if self.overlap is None else f"{self.overlap} "
        return f"{said}The second map is laid over the first; near means similar on each."

    def plot(
        self, *, names: bool = True, color_by: str | None = None, dark: bool = False
    ) -> Figure:
        """Draw both maps with matplotlib, in one figure.

        Parameters
        ----------
        names, color_by, dark
            As for :meth:`EmbeddingMapDisplay.plot`.

        Returns
        -------
        matplotlib.figure.Figure
            Also kept as ``figure_``.
        """
        from toolkit.visualize.static_pair import draw_pair

        self.figure_ = draw_pair(
            (self.first, self.second),
            self.titles,
            title=self.title,
            caption=self.picture_caption,
            names=names,
            color_by=color_by,
            dark=dark,
        )
        return self.figure_

    def fragment(
        self,
        name: str = "map",
        *,
        table: bool = True,
        page_zoom: bool = True,
        max_points: int = 50_000,
        color_by: str | None = None,
    ) -> Fragment:
        """Return both maps, linked, as a piece for a page.

        Parameters are those of :meth:`EmbeddingMapDisplay.fragment`.

        Returns
        -------
        toolkit.page.Fragment
        """
        first = self.first
        rows, note = shown_rows(first.codes_, max_points)
        panes = [
            Pane(one.points[rows], title, note + ("" if one.quality is None else str(one.quality)))
            for one, title in zip((first, self.second), self.titles, strict=True)
        ]
        return map_fragment(
            panes,
            [replace(one, codes=one.codes[rows]) for one in first.colorings(color_by)],
            None if first.texts is None else [first.texts[i] for i in rows],
            {key: [values[i] for i in rows] for key, values in first.columns.items()},
            name=name,
            table=table,
            page_zoom=page_zoom,
        )

    def build_html(self, color_by: str | None = None) -> str:
        """Return both maps as one offline page."""
        page = Page(
            self.title or "Two maps of the texts",
            subtitle=f"{counted(len(self.first.points), 'text')} by {' and by '.join(self.titles)}",
            template_package="toolkit.visualize",
        )
        fragment = page.add(self.fragment(page_zoom=False, color_by=color_by))
        page.add_script(TABLE_SCRIPT)
        projection = dict(self.first.projection)
        if self.second.projection.get("init") is not None:
            projection["second map"] = "begun at the places of the first, then laid over it"
        else:
            projection["second map"] = "laid over the first"
        return page.render(
            "map_page.html", map=fragment, introduction=self.caption, **self._made(projection)
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a row per text: as the first map's, with ``x_2`` and ``y_2`` on the second.

        Returns
        -------
        pandas.DataFrame
        """
        frame = self.first.to_frame()
        frame.insert(2, "x_2", self.second.points[:, 0])
        frame.insert(3, "y_2", self.second.points[:, 1])
        return frame

    def __repr__(self) -> str:
        said = "" if self.overlap is None else f": {self.overlap.mean:.0%} of neighbours shared"
        a, b = self.titles
        return f"<MapComparison of {len(self.first.points):,} texts, {a!r} and {b!r}{said}>"
