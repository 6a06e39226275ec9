"""A map of texts, in scikit-learn's Display convention."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from toolkit.embedding.texts import check_texts
from toolkit.page import Fragment, Page
from toolkit.page.document import TABLE_SCRIPT
from toolkit.typography import counted
from toolkit.visualize.captioned import notice_of
from toolkit.visualize.groups import Names
from toolkit.visualize.offline import OfflineMap
from toolkit.visualize.points import MapPoints
from toolkit.visualize.projection import predicted_labels, project
from toolkit.visualize.web import Pane, map_fragment, shown_rows

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.axes import Axes

__all__ = ["EmbeddingMapDisplay"]


class EmbeddingMapDisplay(OfflineMap, MapPoints):
    """A map on which texts of similar meaning lie close together.

    Make one with :meth:`from_embeddings` or :meth:`from_estimator`; show it with :meth:`plot`,
    :meth:`interactive` or :meth:`to_html`.

    Parameters
    ----------
    points : array-like of shape (n, 2)
        The places.
    texts : iterable of str, of length n, optional
        The texts, to be read on the interactive map. A missing one (None, NaN, NA) is empty.
    labels : array-like of shape (n,), optional
        A cluster or class each, for the colours. None, NaN and ``noise_label`` are "in no
        group", drawn grey and underneath.
    names : mapping or sequence of str, optional
        Name by label, or by position for labels 0, 1, ...
    columns : mapping of str to sequence, optional
        What else to show of a text: a source, a date, a probability.
    quality : ProjectionQuality, optional
        How far the picture can be believed; printed under it.
    title : str, optional
        A title.
    projection : mapping, optional
        How the places were made; kept with the page.
    noise_label : object, default=-1
        The label of texts in no group.
    colors : mapping of label to str, optional
        Colours to keep, for example those of another map of the same labels: ``"#rrggbb"``, or
        names that matplotlib knows.
    labels_name : str, default="group"
        What the labels are, where the page lets one choose what gives the colours.

    Attributes
    ----------
    groups_ : list of Group
        Name, size, colour and densest spot of each label.
    ax_ : matplotlib.axes.Axes
        After :meth:`plot`.
    figure_ : matplotlib.figure.Figure
        After :meth:`plot`.

    Examples
    --------
    >>> import numpy as np
    >>> display = EmbeddingMapDisplay(np.eye(4)[:, :2], labels=[0, 0, 1, -1], names=["a", "b"])
    >>> [(group.name, group.count) for group in display.groups_]
    [('a', 2), ('b', 1), ('in no group', 1)]
    """

    @classmethod
    def from_embeddings(
        cls,
        X: ArrayLike,
        *,
        texts: Iterable[str] | None = None,
        labels: ArrayLike | None = None,
        names: Names = None,
        columns: Mapping[str, Sequence[Any]] | None = None,
        projector: Any = None,
        quality: bool = True,
        title: str | None = None,
        noise_label: Any = -1,
        colors: Mapping[Any, str] | None = None,
        random_state: int | None = 0,
        verbose: int = 1,
        cache: bool | str | os.PathLike[str] = True,
        progress: Callable[[str], None] | None = None,
    ) -> Self:
        """Project vectors and make their map.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Vectors, at least four.
        texts, labels, names, columns, title, noise_label, colors
            As for the class.
        projector : transformer, optional
            Anything with ``fit_transform`` to two dimensions; by default
            ``UMAPProjector("map", random_state=random_state, verbose=verbose)``.
        quality : bool, default=True
            Whether to measure how far the picture can be believed.
        random_state : int or None, default=0
            For the projector; None is faster and differs each time.
        verbose : int, default=1
            For the projector; 0 is silent.
        cache : bool, str or path, default=True
            Whether places made by the default projector with a seed are kept on disk, and taken
            from there for the same vectors, parameters and versions: in the folder of the cached
            vectors, or in the one named.
        progress : callable, optional
            Told ``"projecting"`` where places are not taken from the disk.

        Returns
        -------
        EmbeddingMapDisplay

        Raises
        ------
        DataError
            If there are fewer than four vectors.
        """
        found = project(
            X,
            projector,
            quality=quality,
            random_state=random_state,
            verbose=verbose,
            cache=cache,
            progress=progress,
        )
        return cls(
            found.points,
            texts=texts,
            labels=labels,
            names=names,
            columns=columns,
            quality=found.quality,
            title=title,
            projection=found.made,
            noise_label=noise_label,
            colors=colors,
        )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        texts: Iterable[str],
        *,
        labels: ArrayLike | None = None,
        **options: Any,
    ) -> Self:
        """Embed texts with an estimator and make their map.

        Parameters
        ----------
        estimator : estimator
            A vectorizer, or a fitted pipeline that begins with one. The map is of the vectors of
            the first step; what follows it only gives the labels.
        texts : iterable of str, of length n
            The texts.
        labels : array-like of shape (n,), optional
            By default what the pipeline says: ``labels_`` of its last step if there is one per
            text, and ``predict`` does not say that they are of other texts, else ``predict``; none
            if it has neither.
        **options
            As for :meth:`from_embeddings`.

        Returns
        -------
        EmbeddingMapDisplay

        Raises
        ------
        InputTypeError
            If ``texts`` is a single text, a table, or holds something else than texts.
        MissingTextError
            If a text is missing and the vectorizer does not take missing ones.
        """
        steps = getattr(estimator, "steps", None)
        vectorizer = steps[0][1] if steps else estimator
        items = check_texts(texts, missing=getattr(vectorizer, "missing", "error")).texts
        vectors = np.asarray(vectorizer.transform(items))
        if labels is None and steps and len(steps) > 1:
            labels = predicted_labels(estimator, vectors)
        display = cls.from_embeddings(vectors, texts=items, labels=labels, **options)
        display.provenance = notice_of(vectorizer)
        return display

    def plot(
        self,
        ax: Axes | None = None,
        *,
        names: bool = True,
        color_by: str | None = None,
        dark: bool = False,
        size: float | None = None,
        alpha: float | None = None,
    ) -> Self:
        """Draw the map with matplotlib.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default a new figure. Give the axes their final size before: names
            are placed for it. The legend of numbers and times stands at the right of the axes;
            ``plt.subplots(layout="constrained")`` makes room for it.
        names : bool, default=True
            Whether to write the groups' names where they are densest. One for which there is no
            room is left out.
        color_by : str, optional
            Column whose values give the colours: categories, numbers or times. By default the
            labels do.
        dark : bool, default=False
            Whether to draw on a dark ground.
        size : float, optional
            Area of a point in square points; by default it follows from their number.
        alpha : float, optional
            Opacity of a point; by default it follows from their number.

        Returns
        -------
        EmbeddingMapDisplay
            Itself, with ``ax_`` and ``figure_``.
        """
        import matplotlib.pyplot as plt
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        from toolkit.visualize.static import DARK, LIGHT, draw_map

        if ax is None:
            engine = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)
            figure, ax = plt.subplots(figsize=(9, 7.4), layout=engine)
            figure.set_facecolor((DARK if dark else LIGHT)["paper"])
        draw_map(
            ax,
            self.points,
            self.coloring(color_by),
            title=self.title,
            caption=self.picture_caption,
            names=names,
            dark=dark,
            size=size,
            alpha=alpha,
        )
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def interactive(self, *, color_by: str | None = None) -> go.Figure:
        """Return the map as a plotly figure, for a notebook.

        Parameters
        ----------
        color_by : str, optional
            As for :meth:`plot`.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from toolkit.visualize.interactive import build_figure

        return build_figure(
            self.points,
            self.coloring(color_by),
            self.texts,
            title=self.title,
            caption=self.picture_caption,
        )

    def fragment(
        self,
        name: str = "map",
        *,
        table: bool = True,
        page_zoom: bool = True,
        max_points: int = 50_000,
        links: Mapping[Any, str] | None = None,
        color_by: str | None = None,
    ) -> Fragment:
        """Return the interactive map as a piece for a page: ``page.add(display.fragment())``.

        Parameters
        ----------
        name : str, default="map"
            Tells several maps of one page apart.
        table : bool, default=True
            Whether to add the table of groups; without it the page should have one.
        page_zoom : bool, default=True
            Whether the wheel needs Ctrl to zoom the map, so that the page scrolls.
        max_points : int, default=50000
            Larger maps show a sample, each group in its share, and say so.
        links : mapping of label to str, optional
            Where on the page more is said about a group, as ``"#id"``. A text that is read shows
            the link of its group; a link on the page with the attribute ``data-map-group`` set to
            that ``"#id"`` shows the group alone.

        Returns
        -------
        toolkit.page.Fragment
        """
        rows, note = shown_rows(self.codes_, max_points)
        return map_fragment(
            [Pane(self.points[rows], caption=f"{note}{self.caption}")],
            [replace(one, codes=one.codes[rows]) for one in self.colorings(color_by)],
            None if self.texts is None else [self.texts[i] for i in rows],
            {key: [values[i] for i in rows] for key, values in self.columns.items()},
            name=name,
            table=table,
            page_zoom=page_zoom,
            links=links,
        )

    def build_html(self, color_by: str | None = None) -> str:
        """Return the map as one offline page."""
        n_groups = sum(not group.noise for group in self.groups_)
        subtitle = counted(len(self.points), "text")
        if n_groups > 1:
            subtitle += f" in {n_groups} groups"
        page = Page(
            self.title or "Map of the texts",
            subtitle=subtitle,
            template_package="toolkit.visualize",
        )
        fragment = page.add(self.fragment(page_zoom=False, color_by=color_by))
        page.add_script(TABLE_SCRIPT)
        return page.render("map_page.html", map=fragment, **self._made(self.projection))

    def __repr__(self) -> str:
        return f"<EmbeddingMapDisplay of {len(self.points):,} texts, {len(self.groups_)} groups>"
