"""A map of texts, in scikit-learn's Display convention."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from toolkit.errors import DataError, UsageError
from toolkit.page import Fragment, Page, write_text_atomic
from toolkit.page.document import TABLE_SCRIPT
from toolkit.visualize.groups import Names, make_groups
from toolkit.visualize.projector import UMAPProjector
from toolkit.visualize.quality import ProjectionQuality, projection_quality
from toolkit.visualize.web import map_fragment, stratified_sample

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    from matplotlib.axes import Axes

__all__ = ["EmbeddingMapDisplay"]


class EmbeddingMapDisplay:
    """A map on which texts of similar meaning lie close together.

    Make one with :meth:`from_embeddings` or :meth:`from_estimator`; show it with :meth:`plot`,
    :meth:`interactive` or :meth:`to_html`.

    Parameters
    ----------
    points : array-like of shape (n, 2)
        The places.
    texts : iterable of str, of length n, optional
        The texts, to be read on the interactive map.
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
        Colours to keep, for example those of another map of the same labels.

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

    def __init__(
        self,
        points: ArrayLike,
        *,
        texts: Iterable[str] | None = None,
        labels: ArrayLike | None = None,
        names: Names = None,
        columns: Mapping[str, Sequence[Any]] | None = None,
        quality: ProjectionQuality | None = None,
        title: str | None = None,
        projection: Mapping[str, Any] | None = None,
        noise_label: Any = -1,
        colors: Mapping[Any, str] | None = None,
    ) -> None:
        self.points: NDArray[np.float64] = check_array(points, dtype=np.float64)
        n = len(self.points)
        if self.points.shape[1] != 2:
            raise UsageError(f"a map has 2 dimensions, these points have {self.points.shape[1]}")
        self.texts = None if texts is None else [str(text) for text in texts]
        self.columns = {str(key): list(values) for key, values in (columns or {}).items()}
        named = [("texts", self.texts), *self.columns.items()]
        for what, values in named:
            if values is not None and len(values) != n:
                raise UsageError(f"there are {len(values)} {what} for {n} points")
        self.labels = labels
        self.names = names
        self.quality = quality
        self.title = title
        self.projection = dict(projection or {})
        self.noise_label = noise_label
        self.codes_, self.groups_ = make_groups(
            labels, self.points, names=names, noise_label=noise_label, colors=colors
        )

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

        Returns
        -------
        EmbeddingMapDisplay

        Raises
        ------
        DataError
            If there are fewer than four vectors.
        """
        vectors = check_array(X, dtype=np.float32)
        n = len(vectors)
        if n < 4:
            raise DataError(f"a map needs at least 4 texts, not {n}")
        if projector is None:
            projector = UMAPProjector("map", random_state=random_state, verbose=verbose)
        points = np.asarray(projector.fit_transform(vectors))
        if points.ndim != 2 or points.shape[1] != 2:
            raise UsageError(f"the projector gave shape {points.shape}; a map needs (n, 2)")
        measured = None
        if quality:
            k = min(15, (n - 1) // 2)
            measured = projection_quality(vectors, points, n_neighbors=k)
        return cls(
            points,
            texts=texts,
            labels=labels,
            names=names,
            columns=columns,
            quality=measured,
            title=title,
            projection={"method": type(projector).__name__, **_parameters(projector)},
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
            text, else ``predict``; none if it has neither.
        **options
            As for :meth:`from_embeddings`.

        Returns
        -------
        EmbeddingMapDisplay
        """
        items = [str(text) for text in texts]
        steps = getattr(estimator, "steps", None)
        vectorizer = steps[0][1] if steps else estimator
        vectors = np.asarray(vectorizer.transform(items))
        if labels is None and steps and len(steps) > 1:
            labels = _predicted(estimator, vectors)
        return cls.from_embeddings(vectors, texts=items, labels=labels, **options)

    def recolor(
        self,
        labels: ArrayLike | None,
        *,
        names: Names = None,
        title: str | None = None,
        colors: Mapping[Any, str] | None = None,
    ) -> Self:
        """Return the same map coloured by other labels; nothing is projected again."""
        return type(self)(
            self.points,
            texts=self.texts,
            labels=labels,
            names=names,
            columns=self.columns,
            quality=self.quality,
            title=self.title if title is None else title,
            projection=self.projection,
            noise_label=self.noise_label,
            colors=colors,
        )

    @property
    def colors(self) -> dict[Any, str]:
        """Colour by label, to be given to another map."""
        return {group.label: group.color for group in self.groups_}

    @property
    def caption(self) -> str:
        """What to know before believing the picture."""
        warning = "Near means similar; the axes, and distances between far groups, mean little."
        return warning if self.quality is None else f"{self.quality} {warning}"

    def plot(
        self,
        ax: Axes | None = None,
        *,
        names: bool = True,
        dark: bool = False,
        size: float | None = None,
        alpha: float | None = None,
    ) -> Self:
        """Draw the map with matplotlib.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default a new figure. Give the axes their final size before: names
            are placed for it.
        names : bool, default=True
            Whether to write the groups' names where they are densest. One for which there is no
            room is left out.
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
            self.codes_,
            self.groups_,
            title=self.title,
            caption=self.caption,
            names=names and len(self.groups_) > 1,
            dark=dark,
            size=size,
            alpha=alpha,
        )
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def interactive(self) -> go.Figure:
        """Return the map as a plotly figure, for a notebook.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from toolkit.visualize.interactive import build_figure

        return build_figure(
            self.points,
            self.codes_,
            self.groups_,
            self.texts,
            title=self.title,
            caption=self.caption,
        )

    def fragment(
        self,
        name: str = "map",
        *,
        table: bool = True,
        page_zoom: bool = True,
        max_points: int = 50_000,
        links: Mapping[Any, str] | None = None,
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
        n = len(self.points)
        rows: NDArray[np.intp] = np.arange(n)
        caption = self.caption
        if n > max_points:
            rows = stratified_sample(self.codes_, max_points)
            caption = f"A sample of {len(rows):,} of the {n:,} texts is shown. {caption}"
        return map_fragment(
            self.points[rows],
            self.codes_[rows],
            self.groups_,
            None if self.texts is None else [self.texts[i] for i in rows],
            {key: [values[i] for i in rows] for key, values in self.columns.items()},
            name=name,
            caption=caption,
            table=table,
            page_zoom=page_zoom,
            links=links,
        )

    @overload
    def to_html(self, path: None = None, *, overwrite: bool = True) -> str: ...
    @overload
    def to_html(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> Path: ...
    def to_html(
        self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = True
    ) -> str | Path:
        """Return the map as one offline page, or write it to a file.

        The page has search, groups to single out, lasso, the text under the pointer and the one
        clicked, a list and a table; it makes no request of any kind.

        Parameters
        ----------
        path : str or path-like, optional
            Where to write it.
        overwrite : bool, default=True
            Whether an existing file may be replaced.

        Returns
        -------
        str or pathlib.Path
            The page, or the path it was written to.
        """
        n_groups = sum(not group.noise for group in self.groups_)
        subtitle = f"{len(self.points):,} texts"
        if n_groups > 1:
            subtitle += f" in {n_groups} groups"
        page = Page(
            self.title or "Map of the texts",
            subtitle=subtitle,
            template_package="toolkit.visualize",
        )
        fragment = page.add(self.fragment(page_zoom=False))
        page.add_script(TABLE_SCRIPT)
        html = page.render("map_page.html", map=fragment, projection=self.projection)
        return html if path is None else write_text_atomic(path, html, overwrite=overwrite)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per text: ``x``, ``y``, ``label``, ``group``, ``text`` and the columns.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        frame = pd.DataFrame({"x": self.points[:, 0], "y": self.points[:, 1]})
        if self.labels is not None:
            frame["label"] = [self.groups_[code].label for code in self.codes_]
            frame["group"] = [self.groups_[code].name for code in self.codes_]
        if self.texts is not None:
            frame["text"] = self.texts
        for key, values in self.columns.items():
            frame[key if key not in frame else f"{key}_"] = values
        return frame

    def __repr__(self) -> str:
        return f"<EmbeddingMapDisplay of {len(self.points):,} texts, {len(self.groups_)} groups>"


def _parameters(projector: Any) -> dict[str, Any]:
    """Return what a projector was told, as far as it says."""
    found: dict[str, Any] = {}
    if hasattr(projector, "get_params"):
        found |= projector.get_params(deep=False)
    if isinstance(projector, UMAPProjector):
        found |= projector.settings()
    return {
        key: value
        for key, value in found.items()
        if isinstance(value, str | int | float | bool) and key not in ("verbose", "n_jobs")
    }


def _predicted(pipeline: Any, vectors: NDArray[Any]) -> Any:
    last = pipeline.steps[-1][1]
    kept = getattr(last, "labels_", None)
    if kept is not None and len(kept) == len(vectors):
        return kept
    if hasattr(last, "predict"):
        return pipeline[1:].predict(vectors)
    return None
