"""A prompt: what stands around a text when it is sent to a model."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.errors import PromptError

__all__ = ["RAW", "Prompt"]


@dataclass(frozen=True)
class Prompt:
    """A prompt: literal text around ``{text}`` and, for documents, ``{title}``.

    The template is split once, so that braces in a text are never interpreted.

    Parameters
    ----------
    template : str
        Must contain ``{text}`` exactly once; may contain ``{title}`` once, before it. Any other
        brace is literal.
    untitled : str, default="none"
        What stands for a missing title.

    Raises
    ------
    PromptError
        If ``{text}`` does not occur exactly once, or ``{title}`` more than once or after it.

    Examples
    --------
    >>> Prompt("task: classification | query: {text}").render("a {brace} is literal")
    'task: classification | query: a {brace} is literal'
    >>> Prompt("title: {title} | text: {text}").render("Mars is red.", "Planets")
    'title: Planets | text: Mars is red.'
    """

    template: str
    untitled: str = "none"

    def __post_init__(self) -> None:
        if not isinstance(self.template, str):
            raise PromptError(
                f"a prompt is a string with {{text}}, not {type(self.template).__name__}"
            )
        if self.template.count("{text}") != 1:
            raise PromptError(
                f"the prompt {self.template!r} must contain {{text}} exactly once, for example "
                "'task: classification | query: {text}'"
            )
        if self.template.count("{title}") > 1 or "{title}" in self.parts[-1]:
            raise PromptError(
                f"the prompt {self.template!r} may contain {{title}} once, before {{text}}"
            )

    @property
    def parts(self) -> tuple[str, ...]:
        """The literal pieces: (before text, after text) or (before title, between, after)."""
        before, after = self.template.split("{text}")
        return (*before.split("{title}"), after)

    @property
    def takes_title(self) -> bool:
        """Whether the prompt has a place for a title."""
        return "{title}" in self.template

    def render(self, text: str, title: str | None = None) -> str:
        """Return the text as it is sent to the model."""
        before, *between, after = self.parts
        if between:
            return f"{before}{self.untitled if title is None else title}{between[0]}{text}{after}"
        return f"{before}{text}{after}"


RAW = Prompt("{text}")
"""The text as it is."""
