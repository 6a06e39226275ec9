"""From options to a vectorizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.cli.console import console
from toolkit.cli.option_groups import EmbeddingOptions, backend_parameter, cache_parameter

if TYPE_CHECKING:
    from toolkit.vectorizer import EmbeddingGemmaVectorizer

__all__ = ["check_embedding", "make_vectorizer"]


def check_embedding(options: EmbeddingOptions) -> None:
    """Refuse, before anything is read or said, what no vectorizer can be made of.

    Raises
    ------
    UsageError, PromptError
        If backend, address, task or prompt are not as they must be.
    """
    from toolkit.embedding.choosing import choose_backends

    choose_backends(
        backend_parameter(options.backend, options.allow_unverified),
        model=options.model,
        host=options.host or None,
        task=options.task_parameter("clustering"),  # a command's own is as good as any
        prompt=options.prompt,
    )


def make_vectorizer(options: EmbeddingOptions, task: str) -> EmbeddingGemmaVectorizer:
    """Return the vectorizer that the options describe.

    Parameters
    ----------
    options : EmbeddingOptions
        As given.
    task : str
        The command's own task, where none was given.
    """
    from toolkit.vectorizer import EmbeddingGemmaVectorizer

    if options.backend == "embedded" and (options.task or options.prompt):
        given = "--task" if options.prompt is None else "--prompt"
        console.say(f"The embedded model takes no prompts; {given} changes nothing.")
    return EmbeddingGemmaVectorizer(
        task=options.task_parameter(task),
        model=options.model,
        dimensions=options.dimensions,
        prompt=options.prompt,
        backend=backend_parameter(options.backend, options.allow_unverified),
        host=options.host or None,
        cache=cache_parameter(options.cache),
        long_texts=options.long_texts,
        missing=options.missing,
        on_error=options.on_error,
        verbose=console.level,
    )
