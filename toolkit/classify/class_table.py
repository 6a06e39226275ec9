"""Precision, recall and F1 of each class, from counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["class_table", "confusion_counts"]


def confusion_counts(
    given: NDArray[Any], predicted: NDArray[Any], classes: Sequence[Any]
) -> NDArray[np.int64]:
    """Return how often each given label (rows) was predicted as each (columns).

    Examples
    --------
    >>> labels = np.array(["a", "b", "b"], dtype=object)
    >>> confusion_counts(labels, labels[::-1], ["a", "b"]).tolist()
    [[0, 1], [1, 1]]
    """
    place = {label: i for i, label in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, ([place[g] for g in given], [place[p] for p in predicted]), 1)
    return counts


def class_table(
    hits: NDArray[Any],
    support: NDArray[Any],
    predicted: NDArray[Any],
    classes: Sequence[Any],
    trained: dict[str, float] | None = None,
) -> pd.DataFrame:
    """Return the scores of each class.

    Parameters
    ----------
    hits, support, predicted : ndarray of shape (n_classes,)
        How many rows were rightly given each label, have it, and were given it.
    classes : sequence
        The labels.
    trained : dict of str to float, optional
        F1 by class in training, which becomes the column ``f1_training``.

    Returns
    -------
    DataFrame
        Indexed by class; columns ``precision``, ``recall``, ``f1``, ``support`` and
        ``predicted``. A precision without predictions is 0.

    Examples
    --------
    >>> class_table(np.array([1]), np.array([2]), np.array([1]), ["a"]).loc["a", "recall"].item()
    0.5
    """
    import pandas as pd

    frame = pd.DataFrame(
        {
            "precision": hits / np.maximum(predicted, 1),
            "recall": hits / np.maximum(support, 1),
            "f1": 2 * hits / np.maximum(support + predicted, 1),
            "support": support,
            "predicted": predicted,
        },
        # Not pandas' own string type, which refuses half of a surrogate pair.
        index=pd.Index(classes, dtype=object, name="class"),
    )
    if trained:
        frame["f1_training"] = [trained.get(name, np.nan) for name in classes]
    return frame
