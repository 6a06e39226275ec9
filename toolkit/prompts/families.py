"""Task prompts as data, by model family.

The strings below are those of the model cards (EmbeddingGemma:
``config_sentence_transformers.json`` of ``google/embeddinggemma-300m``; nomic-embed-text,
qwen3-embedding, multilingual-e5, snowflake-arctic-embed2, mxbai-embed-large: their own cards).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toolkit.prompts.tasks import TASKS
from toolkit.prompts.template import Prompt

__all__ = ["FAMILIES", "PromptFamily", "base_name", "find_family"]


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
"""The families whose prompts are known; of two that fit a name, the first."""


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
