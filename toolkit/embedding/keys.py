"""From a text to the key its vector is cached under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from toolkit.prompts import Prompt

__all__ = ["KEY_BYTES", "Keys", "encode_text", "hash_texts", "unique_texts"]

KEY_BYTES = 16
Keys = NDArray[np.void]
KEY_DTYPE = np.dtype((np.void, KEY_BYTES))


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
    if not prompt.takes_title:
        copy = head.copy
        digests = []
        for text in texts:
            data = encode_text(text)
            one = copy()
            one.update(len(data).to_bytes(8, "little"))
            one.update(data)
            digests.append(one.digest())
    else:
        digests = []
        items = list(texts)
        named = titles if titles is not None else [None] * len(items)
        for text, title in zip(items, named, strict=True):
            one = head.copy()
            for piece in (prompt.untitled if title is None else title, text):
                data = encode_text(piece)
                one.update(len(data).to_bytes(8, "little"))
                one.update(data)
            digests.append(one.digest())
    return np.frombuffer(b"".join(digests), dtype=KEY_DTYPE)


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
    seen: dict[bytes, int] = {}
    first: list[int] = []
    inverse = np.empty(len(keys), dtype=np.intp)
    for position, key in enumerate(keys.tolist()):
        slot = seen.setdefault(key, len(first))
        if slot == len(first):
            first.append(position)
        inverse[position] = slot
    return np.asarray(first, dtype=np.intp), inverse
