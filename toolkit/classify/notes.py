"""What a reader of the scores should know first, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toolkit.classify.intervals import Interval
from toolkit.classify.splitting import Splits, named
from toolkit.prompts import find_family

if TYPE_CHECKING:
    from toolkit.identity import ModelIdentity

__all__ = [
    "duplicate_notes",
    "lookalike_notes",
    "none_known",
    "rarity_of_classes",
    "short_vector_notes",
    "training_note",
]

FEW_ROWS = 10
_SHOWN = 5


def rarity_of_classes(labels: NDArray[Any]) -> list[str]:
    """Return which classes are so rare that their own scores say little.

    Examples
    --------
    >>> rarity_of_classes(np.array(["a"] * 12 + ["b"]))
    ["1 of 2 classes have fewer than 10 rows; their own scores say little: 'b'."]
    """
    classes, counts = np.unique(labels, return_counts=True)
    few = classes[counts < FEW_ROWS]
    if not len(few):
        return []
    return [
        f"{len(few)} of {len(classes)} classes have fewer than {FEW_ROWS} rows; their own "
        f"scores say little: {named(few)}."
    ]


def lookalike_notes(classes: Iterable[Any]) -> list[str]:
    """Return which classes differ by spaces or capitals alone, which is rarely meant.

    Examples
    --------
    >>> lookalike_notes(["Sea", " sea", "land"])
    ["Labels that differ by spaces or capitals alone count as different: ' sea' and 'Sea'."]
    """
    alike: dict[str, list[str]] = {}
    for label in sorted(str(label) for label in classes):
        alike.setdefault(" ".join(label.split()).casefold(), []).append(label)
    pairs = [" and ".join(map(repr, found)) for found in alike.values() if len(found) > 1]
    if not pairs:
        return []
    more = f"; and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    shown = "; ".join(pairs[:_SHOWN]) + more
    return [f"Labels that differ by spaces or capitals alone count as different: {shown}."]


def duplicate_notes(texts: Sequence[str], splits: Splits) -> list[str]:
    """Return how many test rows have a text that was also learned from.

    Examples
    --------
    >>> duplicate_notes(["a", "b"], [(np.array([0]), np.array([1]))])
    []
    """
    leaked = 0
    for train, test in splits:
        seen = {texts[i] for i in train}
        leaked += sum(texts[i] in seen for i in test)
    if not leaked:
        return []
    return [
        f"{leaked} test rows have a text that is also among the training rows of their fold, "
        "which flatters the scores; leave duplicates out, or give them as groups."
    ]


def short_vector_notes(identity: ModelIdentity | None, least_dimension: int) -> list[str]:
    """Return whether the model's vectors were cut though it is not known to be trained for it.

    Examples
    --------
    >>> short_vector_notes(None, 128)
    []
    """
    if identity is None or least_dimension >= identity.dimension:
        return []
    if find_family(identity.model) is not None:
        return []
    return [
        f"{identity.model} is not known to be trained for shorter vectors; its scores at "
        f"fewer than {identity.dimension} dimensions may be worse than the cut suggests."
    ]


def none_known(unseen: Mapping[str, int], classes: Sequence[str]) -> str:
    """Return what to say where a model knows none of the labels.

    Examples
    --------
    >>> none_known({"1": 20, "2": 9}, ["bad", "good"])
    "The model knows none of the labels here ('1', '2'), so there is no score. It was trained on \
'bad', 'good'. Is this the right label column, and the right model?"
    """
    return (
        f"The model knows none of the labels here ({named(list(unseen))}), so there is no score. "
        f"It was trained on {named(classes)}. Is this the right label column, and the right model?"
    )


def training_note(name: str, before: float, here: Interval) -> str:
    """Return whether a score of the training is within what chance does to the one here.

    Examples
    --------
    >>> training_note("accuracy", 0.8, Interval(0.78, 0.7, 0.85))
    'The accuracy in training (0.800) lies within the interval here: the difference may be chance.'
    """
    said = f"The {name} in training ({before:.3f}) lies"
    if before > here.high:
        return (
            f"{said} above the interval here: these texts are harder for the model, or of "
            "another kind."
        )
    if before >= here.low:
        return f"{said} within the interval here: the difference may be chance."
    return (
        f"{said} below the interval here: these texts are easier, or some of them were among "
        "the training texts."
    )
