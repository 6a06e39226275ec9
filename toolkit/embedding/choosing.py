"""What makes the vectors, and under which prompt, as asked for: before any server is."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.backends.base import Backend
from toolkit.backends.registry import make_backends
from toolkit.embedding.cached import CacheBackend
from toolkit.prompts import Prompt, check_prompt, resolve_prompt
from toolkit.prompts.template import RAW

__all__ = ["choose_backends"]


def choose_backends(
    backend: object,
    *,
    model: str,
    host: str | Sequence[str] | None = None,
    task: str | None,
    prompt: str | None = None,
) -> tuple[CacheBackend | tuple[Backend, ...], Prompt]:
    """Return what makes vectors, and their prompt; no server is asked yet.

    Parameters
    ----------
    backend, model, host, task, prompt
        As in :class:`~toolkit.EmbeddingGemmaVectorizer`.

    Returns
    -------
    chosen : CacheBackend or tuple of Backend
        The cache alone, or one backend for each host.
    prompt : Prompt
        What is put around each text.

    Raises
    ------
    UsageError
        If there is no such backend, or an address is none.
    PromptError
        If the task is unknown, or known prompts and this model do not go together.

    Examples
    --------
    >>> chosen, prompt = choose_backends("cache", model="embeddinggemma", task="clustering")
    >>> chosen, prompt.template
    (CacheBackend(space=None, packs_only=False), 'task: clustering | query: {text}')
    """
    if isinstance(backend, str) and backend.partition(":")[0] == "cache":
        backend = CacheBackend(space=backend.partition(":")[2] or None)
    if isinstance(backend, CacheBackend):
        return backend, resolve_prompt(model, task, prompt)
    backends = make_backends(backend, model=model, host=host)
    if backends[0].uses_prompts:
        return backends, resolve_prompt(model, task, prompt)
    check_prompt(task, prompt)  # unused, and a misspelt one is a mistake still
    return backends, RAW
