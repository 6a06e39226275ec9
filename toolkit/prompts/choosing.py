"""The prompt for a model and a task."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache

from toolkit.errors import PromptError
from toolkit.prompts.families import FAMILIES, base_name, find_family
from toolkit.prompts.tasks import resolve_task
from toolkit.prompts.template import RAW, Prompt

__all__ = ["check_prompt", "resolve_prompt"]


@lru_cache(maxsize=256)
def check_prompt(task: str | None, prompt: str | None = None) -> None:
    """Refuse a misspelt task or prompt, whatever the model.

    Parameters
    ----------
    task : str or None
        One of :data:`TASKS`, an alias, or None.
    prompt : str, optional
        A template with ``{text}``; it wins over ``task``.

    Raises
    ------
    PromptError
        If the task is unknown or the template has no place for the text.

    Examples
    --------
    >>> check_prompt("classification")
    >>> check_prompt("clasification")
    Traceback (most recent call last):
    ...
    toolkit.errors.PromptError: ...
    """
    if prompt is not None:
        Prompt(prompt)
    else:
        resolve_task(task)


def resolve_prompt(model: str, task: str | None, prompt: str | None = None) -> Prompt:
    r"""Return the prompt for a model and a task, or the custom one.

    Parameters
    ----------
    model : str
        Ollama model name.
    task : str or None
        One of :data:`TASKS`, an alias, or None for the raw text.
    prompt : str, optional
        A template with ``{text}`` (and optionally ``{title}``); it wins over ``task``.

    Returns
    -------
    Prompt

    Raises
    ------
    PromptError
        If the task is unknown, or the model's family is unknown and a task is set.

    Examples
    --------
    >>> resolve_prompt("embeddinggemma", "classification").template
    'task: classification | query: {text}'
    >>> resolve_prompt("my-model", None).template
    '{text}'
    """
    if prompt is not None:
        return Prompt(prompt)
    name = resolve_task(task)
    if name is None:
        return RAW
    family = find_family(model)
    if family is None:
        names = [family.name for family in FAMILIES]
        close = get_close_matches(base_name(model), names, n=1, cutoff=0.75)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        raise PromptError(
            f"no task prompts are known for the model {model!r} (known families: "
            f"{', '.join(names)}).{meant} Give the prompt by hand, prompt='my instruction: "
            "{text}' (--prompt), or send the texts as they are with task=None (--task none)."
        )
    return Prompt(family.templates[name])
