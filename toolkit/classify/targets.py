"""What is learned, in one of two forms: a label for each text, or a set of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.classify.labels import as_labels
from toolkit.classify.multilabel.label_sets import LabelSets, as_label_sets, rarest_labels

__all__ = ["Targets", "as_targets"]


@dataclass(frozen=True, eq=False)
class Targets:
    """Labels or label sets, and what training has to know of them.

    Parameters
    ----------
    y : ndarray of shape (n,), or (n, n_labels) of bool
        Labels; or which row has which label.
    classes : ndarray of shape (n_labels,)
        The sorted labels.
    balanced : ndarray of shape (n,)
        What splits are balanced by: the label, or the rarest of several.
    cells : ndarray of shape (n,)
        What a fingerprint of the data is made of: the labels as they stand in a table.
    separator : str or None
        What stands between the labels of a cell; None for one label a text.

    Examples
    --------
    >>> Targets.of_labels(np.array(["sea", "land"], dtype=object)).classes.tolist()
    ['land', 'sea']
    """

    y: NDArray[Any]
    classes: NDArray[Any]
    balanced: NDArray[Any]
    cells: NDArray[Any]
    separator: str | None = None

    @classmethod
    def of_labels(cls, labels: NDArray[Any]) -> Targets:
        """Return targets of one label a text, as ``as_labels`` made them."""
        return cls(labels, np.unique(labels), labels, labels)

    @classmethod
    def of_sets(cls, sets: LabelSets) -> Targets:
        """Return targets of label sets."""
        cells = np.array(sets.joined(), dtype=object)
        return cls(sets.Y, sets.labels, rarest_labels(sets.Y), cells, sets.separator)

    @property
    def sets(self) -> LabelSets | None:
        """The label sets; None for one label a text."""
        if self.separator is None:
            return None
        return LabelSets(self.y, self.classes, self.separator)


def as_targets(
    y: Sequence[Any] | NDArray[Any], n_rows: int, separator: str | None = None
) -> Targets:
    """Return labels, or with a separator label sets, checked.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        As :func:`~toolkit.classify.labels.as_labels` takes labels, or
        :func:`~toolkit.classify.multilabel.label_sets.as_label_sets` label sets.
    n_rows : int
        Number of texts.
    separator : str, optional
        What stands between the labels of a text; None for one label a text.

    Raises
    ------
    DataError
        If labels are missing, or there are more or fewer of them than texts.

    Examples
    --------
    >>> as_targets(["sea", "land;sea"], 2, ";").classes.tolist()
    ['land', 'sea']
    """
    if separator is None:
        return Targets.of_labels(as_labels(y, n_rows))
    return Targets.of_sets(as_label_sets(y, n_rows, separator=separator))
