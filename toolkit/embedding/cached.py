"""The cache and the bundled vector packs as a source of vectors: no server at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toolkit.cache import EmbeddingCache
from toolkit.cache.bundled import bundled_spaces
from toolkit.embedding.keys import Keys
from toolkit.embedding.spaces import Source
from toolkit.errors import CacheError
from toolkit.identity import ModelIdentity, compatible
from toolkit.prompts.families import base_name
from toolkit.typography import counted

__all__ = ["CacheBackend", "find_cached_source"]


@dataclass(frozen=True)
class CacheBackend:
    """Answers from the cache and the bundled vector packs alone.

    Parameters
    ----------
    space : str, optional
        Identifier of the space to use, or the beginning of one, as ``toolkit cache info`` lists
        them. None finds the one that holds the texts asked for.
    packs_only : bool, default=False
        Look at the bundled vector packs only.

    Examples
    --------
    >>> CacheBackend(packs_only=True)
    CacheBackend(space=None, packs_only=True)
    """

    space: str | None = None
    packs_only: bool = False


def find_cached_source(
    settings: CacheBackend,
    model: str,
    keys: Callable[[], Keys],
    cache: EmbeddingCache | None,
    *,
    fitted: ModelIdentity | None = None,
) -> Source:
    """Find the one space whose rows answer.

    Parameters
    ----------
    settings : CacheBackend
        What the user chose.
    model : str
        The model's name; spaces of other models are not looked at.
    keys : callable
        Gives the keys of the texts asked for, maybe none; called if several spaces may have them.
    cache : EmbeddingCache or None
        The user's cache; None for the bundled packs alone.
    fitted : ModelIdentity, optional
        What an estimator was fitted with: only compatible spaces are looked at.

    Returns
    -------
    Source
        Without a backend.

    Raises
    ------
    CacheError
        If no space fits, or several hold some of the texts.
    """
    spaces = candidates(settings, model, cache)
    if fitted is not None:
        fitting = [space for space in spaces if compatible(space.identity, fitted)]
        # The very space of the fit, where it is still there, before its relatives.
        same = [s for s in fitting if _same_source(s.identity, fitted)]
        spaces = same or fitting or spaces
    asked = keys() if len(spaces) > 1 else ()
    if len(asked):
        found = {space.id: int((space.lookup(asked) >= 0).sum()) for space in spaces}
        holding = [space for space in spaces if found[space.id]]
        if len(holding) > 1:
            listed = "\n".join(
                f"  {s.id}: {found[s.id]:,} of {counted(len(asked), 'text')}, "
                f"{s.identity.describe()}"
                for s in holding
            )
            raise CacheError(
                f"several vector spaces hold texts of this input, and one must be chosen:\n"
                f"{listed}\nName one: backend='cache:{holding[0].id}' (--backend "
                f"cache:{holding[0].id})."
            )
        spaces = holding or spaces
    if not spaces:
        raise CacheError(
            f"neither the cache nor the bundled packs hold any vector of {model!r}"
            + (f" in a space {settings.space!r}" if settings.space else "")
            + ". `toolkit cache info` lists what there is; embed with a server first, or import "
            "a vector pack."
        )
    return Source(spaces[0].identity, (), spaces[0])


def candidates(settings: CacheBackend, model: str, cache: EmbeddingCache | None) -> list[Any]:
    """Return the spaces of a model, packs included, that the settings admit."""
    spaces: list[Any] = list(bundled_spaces())
    if cache is not None and not settings.packs_only:
        spaces += cache.spaces()
    wanted = _tagged(model)
    spaces = [space for space in spaces if _tagged(space.identity.model) == wanted]
    if settings.space is not None:
        spaces = [space for space in spaces if space.id.startswith(settings.space)]
    return spaces


def _same_source(a: ModelIdentity, b: ModelIdentity) -> bool:
    return (a.backend, a.model, a.weights, a.digest) == (b.backend, b.model, b.weights, b.digest)


def _tagged(model: str) -> str:
    """Return a model's name with its tag, where ``latest`` and ``300m`` are what none means."""
    tag = model.rpartition("/")[2].partition(":")[2].lower()
    namespace = model.rpartition("/")[0].lower().removeprefix("registry.ollama.ai/")
    namespace = namespace.removeprefix("library")
    return f"{namespace}/{base_name(model)}:{'' if tag in ('latest', '300m') else tag}"
