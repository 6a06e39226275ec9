"""Task prompts as data, by model family.

Embedding models are trained with an instruction in front of every text, and Ollama adds none: the
client has to.
"""

from toolkit.prompts.choosing import check_prompt, resolve_prompt
from toolkit.prompts.families import FAMILIES, PromptFamily, find_family
from toolkit.prompts.tasks import ALIASES, TASKS, resolve_task
from toolkit.prompts.template import Prompt

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
