"""From a text to the key its vector is cached under."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.rows import KEY_BYTES, KEY_DTYPE
from toolkit.prompts import Prompt

__all__ = ["KEY_BYTES", "Keys", "encode_text", "hash_texts", "unique_texts"]

Keys = NDArray[np.void]
BLOCK = 4096
SIZES = [size.to_bytes(8, "little") for size in range(1024)]


def encode_text(text: str) -> bytes:
    r"""Return a text's UTF-8 bytes, with lone surrogates as the server would see them.

    Ollama replaces a lone surrogate by U+FFFD, and Python cannot encode one; the replacement is
    made here, so that key and vector are of the same text.

    Examples
    --------
    >>> encode_text("a\ud800b") == "a\ufffdb".encode()
    True
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def hash_texts(
    texts: Iterable[str], prompt: Prompt, titles: Sequence[str | None] | None = None
) -> Keys:
    """Return the cache keys of texts under a prompt.

    A key is the 16-byte BLAKE2b digest of the prompt's template, the title and the text, each
    preceded by its length in bytes, so that no prompt can be confused with the beginning of a
    text. What is hashed is what the model is sent, in pieces.

    Parameters
    ----------
    texts : iterable of str, of length n
        Texts without their prompt.
    prompt : Prompt
        The prompt they are sent under.
    titles : sequence of str or None, of length n, optional
        Titles, for prompts that take one.

    Returns
    -------
    ndarray of shape (n,), dtype void of 16 bytes

    Examples
    --------
    >>> from toolkit.prompts import Prompt
    >>> keys = hash_texts(["a", "b", "a"], Prompt("query: {text}"))
    >>> keys.shape, bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    ((3,), True, False)
    """
    template = encode_text(prompt.template)
    head = blake2b(len(template).to_bytes(8, "little") + template, digest_size=KEY_BYTES)
    # By the thousand: a million bytes objects would take three times the memory of their content.
    if not prompt.takes_title:
        plain = iter(texts)
        parts = iter(lambda: list(itertools.islice(plain, BLOCK)), [])
        return np.frombuffer(b"".join([_plain_digests(head, p) for p in parts]), dtype=KEY_DTYPE)
    items = list(texts)
    named = titles if titles is not None else [None] * len(items)
    digests = (
        _digest(head, (prompt.untitled if title is None else title, text))
        for text, title in zip(items, named, strict=True)
    )
    blocks = iter(lambda: b"".join(itertools.islice(digests, BLOCK)), b"")
    return np.frombuffer(b"".join(blocks), dtype=KEY_DTYPE)


def _plain_digests(head: blake2b, texts: list[str]) -> bytes:
    """Return the digests of texts without a title, one after the other.

    The same as :func:`_digest`, in half the time: this is most of what a ``transform`` does that
    finds everything.
    """
    try:
        return b"".join(_each_digest(head, map(str.encode, texts)))
    except UnicodeEncodeError:
        return b"".join(_each_digest(head, map(encode_text, texts)))


def _each_digest(head: blake2b, encoded: Iterable[bytes]) -> list[bytes]:
    found: list[bytes] = []
    copy, add = head.copy, found.append
    for data in encoded:
        size = len(data)
        one = copy()
        one.update((SIZES[size] if size < 1024 else size.to_bytes(8, "little")) + data)
        add(one.digest())
    return found


def _digest(head: blake2b, pieces: tuple[str, ...]) -> bytes:
    one = head.copy()
    for piece in pieces:
        data = encode_text(piece)
        one.update(len(data).to_bytes(8, "little"))
        one.update(data)
    return one.digest()


def unique_texts(keys: Keys) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first position of each distinct key, and the way back.

    Parameters
    ----------
    keys : ndarray of shape (n,)
        Keys as :func:`hash_texts` makes them.

    Returns
    -------
    first : ndarray of shape (u,)
        Position of the first occurrence of each distinct key, in the order of the input.
    inverse : ndarray of shape (n,)
        ``keys[first][inverse]`` equals ``keys``.

    Examples
    --------
    >>> from toolkit.prompts import Prompt
    >>> unique_texts(hash_texts(["a", "b", "a"], Prompt("{text}")))
    (array([0, 1]), array([0, 1, 0]))
    """
    halves = np.ascontiguousarray(keys).view(np.uint64).reshape(-1, 2)
    first_halves = np.sort(halves[:, 0])
    if not (first_halves[1:] == first_halves[:-1]).any():  # nothing is there twice
        return np.arange(len(keys)), np.arange(len(keys))
    # Sorted, not in a dict, which would take ten times the memory of the keys.
    order = np.lexsort((halves[:, 1], halves[:, 0]))  # stable: equal keys stay in their order
    ordered = halves[order]
    begins = np.ones(len(keys), dtype=bool)
    begins[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = order[begins]
    by_position = np.argsort(first)
    place = np.empty(len(first), dtype=np.intp)
    place[by_position] = np.arange(len(first))
    inverse = np.empty(len(keys), dtype=np.intp)
    inverse[order] = place[np.cumsum(begins) - 1]
    return first[by_position], inverse
