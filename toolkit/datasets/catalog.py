"""What data sets there are: facts about each, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from toolkit.errors import UsageError

__all__ = ["CATALOG", "DatasetInfo", "ShippedVectors", "info", "names"]


@dataclass(frozen=True)
class ShippedVectors:
    """EmbeddingGemma vectors that come with a data set, as a pack.

    Parameters
    ----------
    task : str
        The prompt they were made under, as ``EmbeddingGemmaVectorizer(task=...)`` takes it.
    filename : str
        Name of the pack in the folder of the data set.
    rows : int
        How many rows of the data set they cover.
    subset : str or tuple of str, optional
        The ``subset`` of :func:`~toolkit.datasets.load` that has exactly these rows; None for
        all rows.

    Examples
    --------
    >>> from toolkit.datasets import info
    >>> (shipped,) = info("factbook").vectors
    >>> shipped.task, shipped.rows, shipped.subset
    ('clustering', 1670, 'sample')
    """

    task: str
    filename: str
    rows: int
    subset: str | tuple[str, ...] | None = None


@dataclass(frozen=True)
class DatasetInfo:
    """Facts about a data set.

    Parameters
    ----------
    name : str
        The name :func:`~toolkit.datasets.load` takes, and the name of its folder.
    summary : str
        What it is, in a few words.
    columns : tuple of str
        Columns of the file, in order; ``text`` and ``label`` are always among them.
    rows : int
        Number of rows.
    classes : int
        Number of distinct labels.
    languages : tuple of str
        Codes of the languages, as the data writes them.
    license : str
        SPDX expression; ``LicenseRef-public-domain`` where there is no copyright.
    subsets : tuple of str, default=()
        What ``subset`` may be: languages, or names of parts.
    subset_column : str, optional
        The column ``subset`` selects by, where it does not name a part listed in a file.
    group_column : str, optional
        The column whose values must not be on both sides of a split.
    vectors : tuple of ShippedVectors, default=()
        The packs that come with it.

    Examples
    --------
    >>> from toolkit.datasets import info
    >>> sdg = info("sdg")
    >>> sdg.rows, sdg.classes, sdg.languages, [shipped.task for shipped in sdg.vectors]
    (615, 17, ('en',), ['classification', 'clustering'])
    """

    name: str
    summary: str
    columns: tuple[str, ...]
    rows: int
    classes: int
    languages: tuple[str, ...]
    license: str
    subsets: tuple[str, ...] = ()
    subset_column: str | None = None
    group_column: str | None = None
    vectors: tuple[ShippedVectors, ...] = ()


def _by_language(
    name: str,
    languages: str,
    *,
    summary: str,
    columns: tuple[str, ...],
    rows: int,
    classes: int,
    license: str,  # noqa: A002 - the field's name
    group_column: str,
    vectors: tuple[ShippedVectors, ...] = (),
) -> DatasetInfo:
    codes = tuple(languages.split())
    return DatasetInfo(
        name=name,
        summary=summary,
        columns=columns,
        rows=rows,
        classes=classes,
        languages=codes,
        license=license,
        subsets=codes,
        subset_column="lang",
        group_column=group_column,
        vectors=vectors,
    )


CATALOG: tuple[DatasetInfo, ...] = (
    _by_language(
        "assist_intents",
        "ca de el en es fr it nl pl pt-BR ru zh-CN",
        summary="voice-assistant commands and their intent",
        columns=("id", "lang", "text", "label", "template"),
        rows=5780,
        classes=19,
        license="Apache-2.0",
        group_column="template",
        vectors=(
            ShippedVectors(
                "classification",
                "assist_intents-classification.safetensors",
                1480,
                ("en", "de", "zh-CN"),
            ),
        ),
    ),
    _by_language(
        "emoji_multilingual",
        "ar de en es fr hi it ja pl pt ru zh",
        summary="emoji names and keywords, and the emoji's group",
        columns=("id", "lang", "emoji", "text", "label"),
        rows=18959,
        classes=8,
        license="Unicode-3.0 AND MIT",
        group_column="emoji",
    ),
    DatasetInfo(
        name="factbook",
        summary="paragraphs of country profiles and the section they stand in",
        columns=("id", "text", "label", "field", "region"),
        rows=4698,
        classes=9,
        languages=("en",),
        license="LicenseRef-public-domain",
        subsets=("sample",),
        vectors=(
            ShippedVectors("clustering", "factbook_sample-clustering.safetensors", 1670, "sample"),
        ),
    ),
    DatasetInfo(
        name="sdg",
        summary="UN/OECD-style passages about one of the 17 Sustainable Development Goals",
        columns=("id", "text", "label", "labels"),
        rows=615,
        classes=17,
        languages=("en",),
        license="MIT AND CC-BY-4.0",
        vectors=(
            ShippedVectors("classification", "sdg-classification.safetensors", 615),
            ShippedVectors("clustering", "sdg-clustering.safetensors", 615),
        ),
    ),
    _by_language(
        "udhr",
        "arb ces cmn_hans dan deu_1996 ell_monotonic eng fin fra hin hun ind ita jpn kor nld nob "
        "pol por_PT ron_2006 rus spa swe swh tur ukr vie",
        summary="the articles of the Universal Declaration of Human Rights",
        columns=("id", "lang", "language", "text", "label"),
        rows=810,
        classes=30,
        license="MIT",
        group_column="lang",
    ),
)
"""Every data set, by name in alphabetical order."""


def names() -> list[str]:
    """Return the names of the data sets.

    Examples
    --------
    >>> names()
    ['assist_intents', 'emoji_multilingual', 'factbook', 'sdg', 'udhr']
    """
    return [dataset.name for dataset in CATALOG]


def info(name: str) -> DatasetInfo:
    """Return the facts about a data set without reading it.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    DatasetInfo

    Raises
    ------
    UsageError
        If there is no data set of that name.

    Examples
    --------
    >>> info("sdg").rows
    615
    >>> info("assist_intents").group_column
    'template'
    """
    for dataset in CATALOG:
        if dataset.name == name:
            return dataset
    raise UsageError(
        f"there is no data set {name!r}{closest(name, names())}. Data sets: {', '.join(names())}."
    )


def closest(wrong: object, right: Sequence[str]) -> str:
    """Return a question naming what may have been meant, or nothing.

    Examples
    --------
    >>> closest("sgd", ["sdg", "udhr"])
    " (did you mean 'sdg'?)"
    >>> closest(3, ["sdg"])
    ''
    """
    found = get_close_matches(wrong, right, n=1) if isinstance(wrong, str) else []
    return f" (did you mean {found[0]!r}?)" if found else ""
