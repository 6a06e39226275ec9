"""Task prompts as data, by model family.

Embedding models are trained with an instruction in front of every text, and Ollama adds none: the
client has to. The strings below are those of the model cards (EmbeddingGemma:
``config_sentence_transformers.json`` of ``google/embeddinggemma-300m``; nomic-embed-text,
qwen3-embedding, multilingual-e5, snowflake-arctic-embed2, mxbai-embed-large: their own cards).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from toolkit.errors import PromptError

__all__ = [
    "ALIASES",
    "FAMILIES",
    "TASKS",
    "Prompt",
    "PromptFamily",
    "check_prompt",
    "find_family",
    "resolve_prompt",
    "resolve_task",
]

TASKS: tuple[str, ...] = (
    "classification",
    "clustering",
    "similarity",
    "retrieval_query",
    "retrieval_document",
    "question_answering",
    "fact_checking",
    "code_retrieval",
    "summarization",
)

# Every name of EmbeddingGemma's own configuration, and the usual ones of MTEB.
ALIASES: Mapping[str, str] = {
    "query": "retrieval_query",
    "document": "retrieval_document",
    "BitextMining": "retrieval_query",
    "Clustering": "clustering",
    "Classification": "classification",
    "InstructionRetrieval": "code_retrieval",
    "MultilabelClassification": "classification",
    "PairClassification": "similarity",
    "Reranking": "retrieval_query",
    "Retrieval": "retrieval_query",
    "Retrieval-query": "retrieval_query",
    "Retrieval-document": "retrieval_document",
    "STS": "similarity",
    "Summarization": "summarization",
}


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


@dataclass(frozen=True)
class PromptFamily:
    """The prompts of one family of models.

    Parameters
    ----------
    name : str
        The family's name.
    model_names : tuple of str
        Beginnings of Ollama model names (without namespace and tag) that belong to it.
    templates : mapping of str to str
        Template by task.

    Examples
    --------
    >>> family = PromptFamily("mine", ("my-model",), {"clustering": "cluster: {text}"})
    >>> family.prefixes()
    ('cluster: ',)
    """

    name: str
    model_names: tuple[str, ...]
    templates: Mapping[str, str]

    def prefixes(self) -> tuple[str, ...]:
        """Return the literal beginnings of this family's prompts, longest first."""
        found = {Prompt(t).parts[0] for t in self.templates.values()} - {""}
        return tuple(sorted(found, key=len, reverse=True))


def _gemma(summarization: str) -> dict[str, str]:
    queries = {
        "classification": "classification",
        "clustering": "clustering",
        "similarity": "sentence similarity",
        "retrieval_query": "search result",
        "question_answering": "question answering",
        "fact_checking": "fact checking",
        "code_retrieval": "code retrieval",
        "summarization": summarization,
    }
    return {task: f"task: {words} | query: {{text}}" for task, words in queries.items()} | {
        "retrieval_document": "title: {title} | text: {text}"
    }


def _by_role(symmetric: str, query: str, document: str) -> dict[str, str]:
    """Templates of families that only tell symmetric uses, queries and documents apart."""
    template = dict.fromkeys(TASKS, f"{symmetric}{{text}}")
    for task in ("retrieval_query", "question_answering", "fact_checking", "code_retrieval"):
        template[task] = f"{query}{{text}}"
    template["retrieval_document"] = f"{document}{{text}}"
    return template


def _qwen3() -> dict[str, str]:
    instructions = {
        "classification": "Classify the given text",
        "clustering": "Identify the topic or theme of the given text",
        "similarity": "Retrieve semantically similar text",
        "retrieval_query": "Given a web search query, retrieve relevant passages that answer the "
        "query",
        "question_answering": "Given a question, retrieve passages that answer the question",
        "fact_checking": "Given a claim, retrieve documents that support or refute the claim",
        "code_retrieval": "Given a search query, retrieve relevant code",
        "summarization": "Given a news summary, retrieve other semantically similar summaries",
    }
    return {task: f"Instruct: {words}\nQuery:{{text}}" for task, words in instructions.items()} | {
        "retrieval_document": "{text}"
    }


FAMILIES: tuple[PromptFamily, ...] = (
    PromptFamily("embeddinggemma-2", ("embeddinggemma-2",), _gemma("sentence similarity")),
    PromptFamily("embeddinggemma", ("embeddinggemma",), _gemma("summarization")),
    PromptFamily(
        "nomic-embed-text",
        ("nomic-embed-text",),
        _by_role("classification: ", "search_query: ", "search_document: ")
        | {"clustering": "clustering: {text}"},
    ),
    PromptFamily("qwen3-embedding", ("qwen3-embedding",), _qwen3()),
    PromptFamily(
        "multilingual-e5",
        ("multilingual-e5", "e5-"),
        _by_role("query: ", "query: ", "passage: "),
    ),
    PromptFamily(
        "snowflake-arctic-embed2", ("snowflake-arctic-embed2",), _by_role("", "query: ", "")
    ),
    PromptFamily(
        "mxbai-embed-large",
        ("mxbai-embed-large",),
        _by_role("", "Represent this sentence for searching relevant passages: ", ""),
    ),
    PromptFamily("bge-m3", ("bge-m3",), dict.fromkeys(TASKS, "{text}")),
    PromptFamily("all-minilm", ("all-minilm",), dict.fromkeys(TASKS, "{text}")),
)


def base_name(model: str) -> str:
    """Return a model's name without registry, namespace and tag, in lower case.

    Examples
    --------
    >>> base_name("hf.co/unsloth/EmbeddingGemma-300m-GGUF:Q8_0")
    'embeddinggemma-300m-gguf'
    """
    return model.strip().rsplit("/", 1)[-1].split(":", 1)[0].lower()


def find_family(model: str) -> PromptFamily | None:
    """Return the family of an Ollama model name, or None.

    Parameters
    ----------
    model : str
        A name as given to Ollama, with or without registry, namespace and tag.

    Returns
    -------
    PromptFamily or None

    Examples
    --------
    >>> find_family("embeddinggemma:300m-qat-q8_0").name
    'embeddinggemma'
    >>> find_family("embeddinggemma-2:270m-q8_0-text").name
    'embeddinggemma-2'
    >>> find_family("llama3") is None
    True
    """
    name = base_name(model)
    for family in FAMILIES:
        for beginning in family.model_names:
            if not name.startswith(beginning):
                continue
            # `embeddinggemma-300m` is the first model, `embeddinggemma-2` the second:
            # a longer number is not the second model.
            following = name[len(beginning) : len(beginning) + 1]
            if beginning.endswith("-2") and following.isdigit():
                continue
            return family
    return None


def resolve_task(task: str | None) -> str | None:
    """Return the task's own name for a name or an alias.

    Raises
    ------
    PromptError
        If there is no such task.

    Examples
    --------
    >>> resolve_task("STS")
    'similarity'
    """
    if task is None or task in TASKS:
        return task
    if isinstance(task, str):
        if task in ALIASES:
            return ALIASES[task]
        folded = task.lower()
        for alias, name in ALIASES.items():
            if alias.lower() == folded:
                return name
        if folded in TASKS:
            return folded
    close = get_close_matches(str(task).lower(), TASKS, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    raise PromptError(
        f"task={task!r} is not known.{meant} Tasks: {', '.join(TASKS)} (or None for no prompt, "
        f"--task none); aliases: {', '.join(ALIASES)}."
    )


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
