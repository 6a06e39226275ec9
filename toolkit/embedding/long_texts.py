"""Texts over the model's limit: cut and counted, averaged over pieces, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.embedding.averaging import average_pieces
from toolkit.embedding.failures import over_limit, too_long_error, warn_cut
from toolkit.embedding.keys import KEY_BYTES, Keys, encode_text
from toolkit.embedding.lengths import LONGEST_TOKEN
from toolkit.embedding.rendering import render_text
from toolkit.embedding.truncating import TruncatingBackend
from toolkit.embedding.work import Work
from toolkit.errors import EmbeddingError

__all__ = ["count_long", "part_certainly_long", "settle_long", "variant_keys"]

AVERAGED_AT_ONCE = 16
"""Long texts, at most, whose pieces are embedded before their vectors are kept: an interruption
costs no more than these."""

CHARACTERS_AT_ONCE = 500_000
"""Characters of these, where it is not a single text that has more: a quarter of a minute's work on
a server of 10,000 tokens a second."""

SHOWN_AFTER = 2
"""Seconds before the bar tells of pieces; before one second it is not shown itself."""


def variant_keys(keys: Keys, policy: str) -> Keys:
    """Return the keys under which the vectors of texts over the limit are kept.

    Such a vector is of the text and of what was done about its length, so it must never answer
    for another policy, nor for the whole text on a server with a longer context.

    Examples
    --------
    >>> from toolkit.embedding.keys import hash_texts
    >>> from toolkit.prompts import Prompt
    >>> keys = hash_texts(["a"], Prompt("{text}"))
    >>> bool(variant_keys(keys, "mean")[0] == variant_keys(keys, "truncate")[0])
    False
    """
    digests = [
        blake2b(key + policy.encode(), digest_size=KEY_BYTES).digest() for key in keys.tolist()
    ]
    return np.frombuffer(b"".join(digests), dtype=keys.dtype)


def part_certainly_long(
    work: Work, missing: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Set texts apart that no tokenizer could fit: to send 10 MB takes a server seconds.

    Parameters
    ----------
    work : Work
        The call.
    missing : ndarray of shape (m,)
        Positions of texts that have no vector yet.

    Returns
    -------
    rest, certain : ndarray
        Positions.

    Raises
    ------
    EmbeddingError
        If there are any, and both ``long_texts`` and ``on_error`` say so.
    """
    if work.limit is None:
        return missing, missing[:0]
    long = work.lengths(missing) > work.limit * LONGEST_TOKEN
    stop = work.settings.long_texts == "error" and work.settings.on_error == "raise"
    if long.any() and stop:
        raise _too_long(work, missing[long].tolist())
    return missing[~long], missing[long]


def settle_long(work: Work, positions: NDArray[np.intp], bar: Any) -> None:
    """Do what ``long_texts`` says about the texts that the backend refused as too long.

    Parameters
    ----------
    work : Work
        The call.
    positions : ndarray of shape (k,)
        Of these texts.
    bar : tqdm
        Shows progress.
    """
    policy = work.settings.long_texts
    if policy == "error":
        if work.settings.on_error == "raise":
            raise _too_long(work, positions.tolist())
        work.failed.update(dict.fromkeys(positions.tolist(), _over(work)))
        return
    embedded, before = work.report.embedded, len(work.failed)
    keys = variant_keys(work.keys[positions], policy)
    if policy == "truncate":
        _truncate(work, positions, keys, bar)
    else:
        for part in _averaged_together(work.lengths(positions)):
            _average(work, positions[part], keys[part], bar)
            bar.update(len(part))
    done = len(positions) - (len(work.failed) - before)
    work.report.embedded = embedded + done  # texts, not their pieces
    count_long(work, done)


def count_long(work: Work, count: int) -> None:
    """Count texts that were cut or averaged, and warn of those that were cut."""
    if work.settings.long_texts == "mean":
        work.report.averaged += count
    elif count:
        work.report.truncated += count
        warn_cut(count, len(work), _over(work))


def _too_long(work: Work, positions: Sequence[int]) -> EmbeddingError:
    over = _over(work)
    failed = dict.fromkeys(work.input_positions(positions), over)
    return too_long_error(failed, len(work), over)


def _over(work: Work) -> str:
    return over_limit(work.limit, work.limit_characters)


def _truncate(work: Work, positions: NDArray[np.intp], keys: Keys, bar: Any) -> None:
    def store(where: Sequence[int], vectors: NDArray[np.float32]) -> None:
        chosen = np.asarray(where)
        work.keep(positions[chosen], vectors, keys[chosen])

    cutting = [TruncatingBackend(backend, work.limit) for backend in work.backends]
    rendered = work.rendered(positions)
    job = work.run_job(rendered, store, backends=cutting, advance=bar.update, size=1)
    work.failed.update({int(positions[p]): why for p, why in job.failed.items()})


def _averaged_together(lengths: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Part long texts into groups whose pieces are embedded together.

    Examples
    --------
    >>> import numpy as np
    >>> [len(part) for part in _averaged_together(np.full(40, 3_000))]
    [16, 16, 8]
    >>> [part.tolist() for part in _averaged_together(np.array([3_000, 9_000_000, 4_000]))]
    [[0], [1, 2]]
    """
    every = np.arange(len(lengths))
    number = every // AVERAGED_AT_ONCE + np.cumsum(lengths) // CHARACTERS_AT_ONCE
    return np.split(every, np.flatnonzero(np.diff(number)) + 1)


def _average(work: Work, positions: NDArray[np.intp], keys: Keys, bar: Any) -> None:
    inputs = work.first[positions].tolist()

    def render(owner: int, piece: str) -> str:
        title = None if work.titles is None else work.titles[inputs[owner]]
        return render_text(piece, title, work.prompt)

    def embed(
        pieces: Sequence[str],
    ) -> tuple[NDArray[np.float32], Sequence[int], Mapping[int, str]]:
        vectors = np.zeros((len(pieces), work.source.identity.dimension), dtype=np.float32)
        done = 0

        def advance(count: int) -> None:
            # One text of 10 MB is minutes of work, in which the bar would stand still.
            nonlocal done
            done += count
            said = f"piece {done:,} of {len(pieces):,} of long texts"
            bar.set_postfix_str(said, refresh=bar.format_dict["elapsed"] > SHOWN_AFTER)

        def store(where: Sequence[int], found: NDArray[np.float32]) -> None:
            vectors[np.asarray(where)] = found

        job = work.run_job(pieces, store, advance=advance)
        return vectors, job.too_long, job.failed

    texts = [encode_text(work.texts[position]).decode() for position in inputs]
    vectors, failed = average_pieces(texts, render, embed, work.limit or 512, work.prompt)
    good = np.asarray([i for i in range(len(texts)) if i not in failed], dtype=np.intp)
    work.keep(positions[good], vectors[good], keys[good])
    for owner, reason in failed.items():
        work.failed[int(positions[owner])] = f"a piece of it could not be embedded: {reason}"
