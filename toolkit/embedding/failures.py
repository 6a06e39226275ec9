"""The words for what could not be embedded: how many, which, why, and what mends it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

from toolkit.errors import CacheMissError, EmbeddingError, EmbeddingWarning
from toolkit.identity import ModelIdentity
from toolkit.typography import counted, positioned

__all__ = [
    "cache_miss_error",
    "failed_error",
    "interrupted_error",
    "over_limit",
    "too_long_error",
    "warn_cut",
    "warn_missing",
    "warn_nan_rows",
    "warn_without_server",
]

SHOWN = 10


def cache_miss_error(
    positions: Sequence[int], total: int, space: str | None, template: str
) -> CacheMissError:
    """Return the error for texts without a vector, and no server to ask."""
    where = f" in the space {space}" if space else ""
    return CacheMissError(
        f"{_of(len(positions), total, 'has', 'have')} no vector{where} under the prompt "
        f"{template!r}, at {positioned(positions)}. Embed them with a server "
        "(backend='ollama', --backend ollama), or import a vector pack that holds them.",
        positions,
    )


def over_limit(tokens: int | None, characters: int | None = None) -> str:
    """Return in words what a text that is too long is, by the limit that is known.

    Examples
    --------
    >>> over_limit(2048)
    "longer than the model's context (2048 tokens, prompt included)"
    >>> over_limit(None, 20_000)
    'longer than the 20,000 characters that the model takes'
    >>> over_limit(None)
    'longer than the model takes'
    """
    if tokens is not None:
        return f"longer than the model's context ({tokens} tokens, prompt included)"
    if characters is not None:
        return f"longer than the {characters:,} characters that the model takes"
    return "longer than the model takes"


def too_long_error(failed: Mapping[int, str], total: int, over: str) -> EmbeddingError:
    """Return the error for texts over the model's limit under ``long_texts="error"``."""
    return EmbeddingError(
        f"{_of(len(failed), total)} {over}, at {positioned(list(failed))}. Cut with "
        "long_texts='truncate' (--long-texts truncate), or average over their pieces with "
        "long_texts='mean' (--long-texts mean).",
        failed,
        total - len(failed),
    )


def interrupted_error(
    error: Exception, failed: Mapping[int, str], total: int, *, done: int, asked: int, kept: str
) -> EmbeddingError:
    """Return the error for a job that could not go on."""
    return EmbeddingError(
        f"{error}\n{done:,} of {asked:,} texts were embedded before that and are {kept}. Run it "
        "again to go on.",
        failed,
        total - len(failed),
    )


def failed_error(failed: Mapping[int, str], total: int, *, cached: bool) -> EmbeddingError:
    """Return the error that lists every failed text after all others were embedded."""
    done = total - len(failed)
    return EmbeddingError(
        f"{len(failed):,} of {counted(total, 'text')} could not be embedded; the other {done:,} "
        f"were{' and are in the cache' if cached else ''}. By position:\n{_listed(failed)}\n"
        "Leave these texts out, or take rows of NaN for them with on_error='nan' "
        "(--on-error nan).",
        failed,
        done,
    )


def warn_missing(count: int, total: int) -> None:
    """Warn of missing texts that are taken as empty."""
    warnings.warn(
        f"{count:,} of {counted(total, 'text')} missing, taken as empty (missing='empty')",
        EmbeddingWarning,
        stacklevel=3,
    )


def warn_without_server(identity: ModelIdentity) -> None:
    """Warn of vectors that come from the cache because no server answers."""
    warnings.warn(
        "no server answers; all texts were in the cache, and their vectors are of the model this "
        f"was fitted with: {identity.describe()}",
        EmbeddingWarning,
        stacklevel=3,
    )


def warn_nan_rows(failed: Mapping[int, str], total: int) -> None:
    """Warn of rows of NaN."""
    warnings.warn(
        f"{len(failed):,} of {counted(total, 'text')} could not be embedded, and have rows of "
        f"NaN, by position:\n{_listed(failed)}",
        EmbeddingWarning,
        stacklevel=2,
    )


def warn_cut(count: int, total: int, over: str) -> None:
    """Warn of texts that were cut at the model's limit."""
    cut = "were cut: their vectors are of their beginnings"
    if count == 1:
        cut = "was cut: its vector is of its beginning"
    warnings.warn(
        f"{_of(count, total)} {over} and {cut} only. "
        "long_texts='mean' (--long-texts mean) averages over all of each text, "
        "long_texts='error' refuses them.",
        EmbeddingWarning,
        stacklevel=2,
    )


def _of(count: int, total: int, one: str = "is", many: str = "are") -> str:
    return f"{count:,} of {counted(total, 'text')} {one if count == 1 else many}"


def _listed(failed: Mapping[int, str]) -> str:
    lines = [f"  {position}: {why}" for position, why in list(failed.items())[:SHOWN]]
    if len(failed) > SHOWN:
        lines.append(f"  and {len(failed) - SHOWN:,} more")
    return "\n".join(lines)
