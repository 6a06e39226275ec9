"""What a zero-shot classifier is given: labels with what they mean, and rows that have one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from toolkit.classify.labels import plain
from toolkit.embedding.texts import check_texts
from toolkit.errors import DataError, UsageError

__all__ = ["described_labels", "label_array", "labelled_rows"]


def labelled_rows(X: Any, y: Any, *, missing: Any = "error") -> tuple[list[str], NDArray[Any]]:
    """Return texts and their labels, checked.

    Parameters
    ----------
    X : iterable of str, of length n
        Texts.
    y : array-like of shape (n,)
        Their labels.
    missing : {"error", "empty"}, default="error"
        What to do about missing texts.

    Raises
    ------
    UsageError
        If there are labels and no texts.
    DataError
        If their numbers differ.
    """
    if X is None:
        raise UsageError("y is given without texts; call fit(texts, y), or fit() without rows")
    texts = check_texts(X, missing=missing).texts
    labels = column_or_1d(y, warn=True)
    if len(labels) != len(texts):
        raise DataError(f"there are {len(texts)} texts and {len(labels)} labels")
    check_classification_targets(labels)
    return texts, labels


def described_labels(labels: Any) -> dict[Any, list[str]]:
    """Return the texts that stand for each label.

    Parameters
    ----------
    labels : sequence of str, or mapping of label to str or to sequence of str
        Names, descriptions or examples.

    Returns
    -------
    dict of label to list of str

    Raises
    ------
    UsageError
        If a label is there twice, or has no text.

    Examples
    --------
    >>> described_labels(["sport", "politics"])
    {'sport': ['sport'], 'politics': ['politics']}
    >>> described_labels({1: "bad", 5: ["good", "very good"]})
    {1: ['bad'], 5: ['good', 'very good']}
    """
    if not isinstance(labels, Mapping):
        names = [plain(label) for label in labels]
        unnamed = [label for label in names if not isinstance(label, str)]
        if unnamed:
            raise UsageError(
                f"the label {unnamed[0]!r} is not a text and describes nothing; say what it means: "
                f"{{{unnamed[0]!r}: 'a description', ...}}"
            )
        twice = sorted({label for label in names if names.count(label) > 1})
        if twice:
            raise UsageError(f"the label {twice[0]!r} is there more than once")
        labels = {label: label for label in names}
    described = {plain(label): _texts_of(label, said) for label, said in labels.items()}
    if any(isinstance(label, str) and not label.strip() for label in described):
        raise UsageError("a label is empty; the empty label stands for no answer")
    return described


def _texts_of(label: Hashable, said: Any) -> list[str]:
    texts = [said] if isinstance(said, str) else said
    if not isinstance(texts, Iterable) or isinstance(texts, bytes | Mapping):
        raise UsageError(f"the label {label!r} is described by {said!r}; give a text, or a list")
    found = list(texts)
    wrong = [one for one in found if not isinstance(one, str) or not one.strip()]
    if wrong or not found:
        what = f"an example that is no text: {wrong[0]!r}" if wrong else "no description"
        raise UsageError(f"the label {label!r} has {what}")
    return [str(one) for one in found]


def label_array(labels: list[Any]) -> NDArray[Any]:
    """Return labels of one kind as an array; texts as objects.

    Raises
    ------
    UsageError
        If they are of mixed types.
    """
    if all(isinstance(label, str) for label in labels):
        return np.array(labels, dtype=object)
    kinds = {type(label) for label in labels}
    if len(kinds) > 1:
        listed = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise UsageError(f"the labels are of mixed types ({listed}); turn them all into strings")
    return np.array(labels)
