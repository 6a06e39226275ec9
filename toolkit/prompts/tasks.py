"""What vectors can be for: the tasks, and other names of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from toolkit.errors import PromptError

__all__ = ["ALIASES", "TASKS", "resolve_task"]

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
"""The tasks by their own names."""

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
"""Every name of EmbeddingGemma's own configuration, and the usual ones of MTEB."""


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
