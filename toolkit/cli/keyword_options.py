"""How keywords are made: ``--stop-words`` (from a file or a list) and ``--max-ngram``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from toolkit.cli.options import CLUSTERS, option
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.cluster.stop_words import StopWords

__all__ = ["MaxNgram", "StopWordsGiven", "keyword_settings", "read_stop_words"]

StopWordsGiven = Annotated[
    str | None,
    option(
        "--stop-words",
        metavar="english|FILE|WORDS",
        panel=CLUSTERS,
        help="Words that are no keywords and name no cluster: scikit-learn's English ones, a "
        "file of words, or words with commas between them.",
    ),
]
MaxNgram = Annotated[
    int | None,
    option(
        "--max-ngram",
        metavar="N",
        panel=CLUSTERS,
        default="1",
        min=1,
        max=3,
        help="Most words of a keyword: with 2, also 'climate change'. Best with --stop-words.",
    ),
]

_LARGEST = 1_000_000
"""Characters; the longest published lists have some 20,000."""


def keyword_settings(stop_words: str | None, max_ngram: int | None) -> dict[str, Any]:
    """Return what the options mean for :func:`toolkit.cluster.cluster_texts`."""
    return {
        "stop_words": () if stop_words is None else read_stop_words(stop_words),
        "ngram_range": (1, max_ngram or 1),
    }


def read_stop_words(given: str) -> StopWords:
    """Return the words of a file, or of a list with commas, in the form keywords have.

    Parameters
    ----------
    given : str
        ``english``, scikit-learn's list; or the path of a UTF-8 file with words on its lines, of
        which ``#`` and ``|`` begin a comment; or words with commas between them.

    Returns
    -------
    frozenset of str or "english"
        As the tokenizer makes them of a text: in lower case. Of a phrase, each word.

    Raises
    ------
    UsageError
        If there is no such file, or no word in it.

    Examples
    --------
    >>> sorted(read_stop_words("The, and, DON'T"))
    ['and', "don't", 'the']
    """
    from toolkit.cluster.tokenizer import tokenize

    if given == "english":
        return given
    path = _path(given)
    if path is None:
        parts = given.split(",")
    else:
        parts = [re.split(r"[#|]", line)[0] for line in _read(path).splitlines()]
    words = frozenset(word for part in parts for word in tokenize(part))
    if not words:
        raise UsageError(
            f"--stop-words {given!r} has no word of two letters or more; give english, a file of "
            "words, or words with commas between them"
        )
    return words


def _path(given: str) -> Path | None:
    """Return the file that is meant; None if it is words."""
    path = Path(given).expanduser()
    try:
        if not given.strip():
            return None
        if path.is_file():
            return path
    except (OSError, ValueError):  # too long for a name, or a NUL in it: words, not a path
        return None
    if path.is_dir():
        raise UsageError(f"--stop-words {given!r} is a folder; give a file of words")
    if "," not in given and re.search(r"[/\\]|\.\w+$", given):
        raise UsageError(
            f"--stop-words: there is no file {given!r}; give a file of words, or words with commas "
            "between them"
        )
    return None


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise UsageError(f"--stop-words {str(path)!r} is too large for a list of words")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"--stop-words {str(path)!r} is not UTF-8 (byte {error.start:,}); save it as UTF-8"
        ) from None
