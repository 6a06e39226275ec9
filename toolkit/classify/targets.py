"""What is learned, in one of two forms: a label for each text, or a set of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.classify.multilabel.label_sets import LabelSets, rarest_labels

__all__ = ["Targets"]


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
