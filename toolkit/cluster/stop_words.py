"""Words that are to be no keywords: by name, or one by one."""

from __future__ import annotations

from collections.abc import Iterable

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from toolkit.errors import UsageError

__all__ = ["StopWords", "stop_word_set"]

StopWords = str | Iterable[str]
"""``"english"`` or words."""


def stop_word_set(stop_words: StopWords) -> frozenset[str]:
    """Return the words that are left out.

    Parameters
    ----------
    stop_words : "english" or iterable of str
        ``"english"`` is scikit-learn's list of 318 words, as in its ``CountVectorizer``; for other
        languages, give the words.

    Returns
    -------
    frozenset of str

    Raises
    ------
    UsageError
        If it is another string, or holds something that is no word.

    Examples
    --------
    >>> "and" in stop_word_set("english")
    True
    >>> sorted(stop_word_set(["und", "oder"]))
    ['oder', 'und']
    """
    if isinstance(stop_words, str):
        if stop_words != "english":
            raise UsageError(
                f'stop_words={stop_words!r}; it is "english" or the words themselves, as in '
                'stop_words=["und", "oder"]'
            )
        english: frozenset[str] = ENGLISH_STOP_WORDS
        return english
    words = list(stop_words) if isinstance(stop_words, Iterable) else [stop_words]
    for word in words:
        if not isinstance(word, str):
            raise UsageError(
                f'stop_words has {word!r}, which is no word; give "english" or an iterable of str'
            )
    return frozenset(words)
