"""Places, texts and groups: what a map is, however it is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from toolkit.embedding.texts import check_texts
from toolkit.errors import UsageError
from toolkit.visualize.captioned import Captioned
from toolkit.visualize.coloring import Coloring, color_column
from toolkit.visualize.groups import Names, make_groups
from toolkit.visualize.quality import ProjectionQuality

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MapPoints"]


class MapPoints(Captioned):
    """Points of a map with their texts and groups; parameters are those of the display.

    See Also
    --------
    toolkit.visualize.EmbeddingMapDisplay : draws it.
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
        labels_name: str = "group",
    ) -> None:
        self.points: NDArray[np.float64] = check_array(points, dtype=np.float64)
        n = len(self.points)
        if self.points.shape[1] != 2:
            raise UsageError(f"a map has 2 dimensions, these points have {self.points.shape[1]}")
        self.texts = None if texts is None else check_texts(texts, missing="empty").texts
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
        self.labels_name = labels_name
        self.codes_, self.groups_ = make_groups(
            labels, self.points, names=names, noise_label=noise_label, colors=colors
        )

    def colorings(self, color_by: str | None = None) -> list[Coloring]:
        """Return what the map can be coloured by: its labels and those columns that can be.

        Parameters
        ----------
        color_by : str, optional
            Column to begin with; by default the labels, or where there are none, all alike.

        Returns
        -------
        list of Coloring
            Without the columns of more different values than colours can tell apart.

        Raises
        ------
        UsageError
            If there is no column ``color_by``, or colours cannot tell its values apart.
        """
        own = self.labels_name if self.labels is not None else "nothing"
        found = [Coloring(own, self.codes_, self.groups_)]
        for name, values in self.columns.items():
            try:
                found.append(color_column(name, values, self.points))
            except UsageError:
                if name == color_by:
                    raise
        if color_by is None:
            return found
        first = [coloring for coloring in found[1:] if coloring.name == color_by]
        if not first:
            raise UsageError(
                f"there is no column {color_by!r} to colour by; there are: "
                f"{', '.join(map(repr, self.columns)) or 'none'}"
            )
        return [*first, *(coloring for coloring in found if coloring is not first[0])]

    def coloring(self, color_by: str | None = None) -> Coloring:
        """Return one colouring: by the labels, or by a column."""
        if color_by is None:
            return Coloring(self.labels_name, self.codes_, self.groups_)
        return self.colorings(color_by)[0]

    def recolor(
        self,
        labels: ArrayLike | None,
        *,
        names: Names = None,
        title: str | None = None,
        colors: Mapping[Any, str] | None = None,
        labels_name: str | None = None,
    ) -> Self:
        """Return the same map coloured by other labels; nothing is projected again."""
        other = type(self)(
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
            labels_name=labels_name or self.labels_name,
        )
        other.provenance = self.provenance
        return other

    @property
    def colors(self) -> dict[Any, str]:
        """Colour by label, to be given to another map."""
        return {group.label: group.color for group in self.groups_}

    @property
    def caption(self) -> str:
        """What to know before believing the picture."""
        warning = "Near means similar; the axes, and distances between far groups, mean little."
        return warning if self.quality is None else f"{self.quality} {warning}"

    def to_frame(self) -> pd.DataFrame:
        """Return a row per text: ``x``, ``y``, ``label``, ``group``, ``text`` and the columns.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        frame = pd.DataFrame({"x": self.points[:, 0], "y": self.points[:, 1]})
        if self.labels is not None:
            frame["label"] = _cells([self.groups_[code].label for code in self.codes_])
            frame["group"] = _cells([self.groups_[code].name for code in self.codes_])
        if self.texts is not None:
            frame["text"] = _cells(self.texts)
        for key, values in self.columns.items():
            frame[key if key not in frame else f"{key}_"] = _cells(values)
        return frame


def _cells(values: Sequence[Any]) -> Sequence[Any] | pd.Series[Any]:
    """Return a column's cells; texts not as pandas' own string type, which refuses surrogates."""
    import pandas as pd

    texts = any(isinstance(value, str) for value in values)
    return pd.Series(values, dtype=object) if texts else values
