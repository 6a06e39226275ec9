"""The EmbeddingGemma vectors that come with data sets, row by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.packs import read_pack
from toolkit.datasets.catalog import DatasetInfo, ShippedVectors, info
from toolkit.datasets.rows import data_file, read_columns, select_rows
from toolkit.embedding.keys import hash_texts
from toolkit.errors import UsageError
from toolkit.prompts import Prompt, resolve_task

__all__ = ["load_vectors"]


def load_vectors(
    name: str,
    *,
    task: str,
    subset: str | Sequence[str] | None = None,
    dimensions: int | None = None,
) -> NDArray[np.float32]:
    """Return the shipped vectors of a data set, one row for each row of :func:`load`.

    They are the same vectors that ``EmbeddingGemmaVectorizer(task=task, backend="cache")``
    gives for the texts; this is the short way to them.

    Parameters
    ----------
    name : str
        ``"sdg"``, ``"assist_intents"`` or ``"factbook"``.
    task : str
        The prompt the vectors were made under: ``"classification"`` or ``"clustering"``, as far
        as they come with the data set.
    subset : str or sequence of str, optional
        As :func:`~toolkit.datasets.load` takes it. Vectors come with all rows of ``sdg``, with
        ``subset="sample"`` of ``factbook`` and with ``en``, ``de`` and ``zh-CN`` of
        ``assist_intents``.
    dimensions : int, optional
        Keep the first so many values of each vector and scale it to unit length again; 512, 256
        and 128 are what the model was trained for. None keeps all 768.

    Returns
    -------
    ndarray of shape (n, dimensions), dtype float32
        Unit vectors.

    Raises
    ------
    UsageError
        If there is no such data set or subset, no vectors come with it, or ``dimensions`` is not
        between 1 and 768.
    PackError
        If the pack is damaged.

    Examples
    --------
    >>> from toolkit.datasets import load_vectors
    >>> load_vectors("sdg", task="clustering", dimensions=256).shape
    (615, 256)
    """
    dataset = info(name)
    shipped = _find(dataset, resolve_task(task))
    texts = select_rows(dataset, read_columns(dataset), subset)["text"]
    pack = read_pack(data_file(dataset, shipped.filename))
    if dimensions is not None and not 1 <= dimensions <= pack.dimension:
        raise UsageError(
            f"dimensions={dimensions!r} is not between 1 and {pack.dimension}, the length of the "
            "shipped vectors."
        )
    vectors, found = pack.get(hash_texts(texts, Prompt(pack.prompt)), dimensions=dimensions)
    if not found.all():
        raise UsageError(
            f"of {len(texts):,} texts of {name!r}, {int((~found).sum()):,} have no shipped "
            f"vector. Vectors come with subset={_as_argument(shipped)} ({shipped.rows:,} rows)."
        )
    return vectors


def _find(dataset: DatasetInfo, task: str | None) -> ShippedVectors:
    for shipped in dataset.vectors:
        if shipped.task == task:
            return shipped
    if dataset.vectors:
        there = ", ".join(repr(shipped.task) for shipped in dataset.vectors)
        raise UsageError(f"{dataset.name!r} comes with vectors for task={there}, not {task!r}.")
    raise UsageError(
        f"no vectors come with {dataset.name!r}. Embed its texts with "
        f"EmbeddingGemmaVectorizer(task={task!r}).transform(load({dataset.name!r}).data)."
    )


def _as_argument(shipped: ShippedVectors) -> str:
    subset = shipped.subset
    return repr(list(subset)) if isinstance(subset, tuple) else repr(subset)
