"""What there is to say of a space: size, rows, how often they were found and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from toolkit.cache import index, usage
from toolkit.cache.connections import readable_errors, reading
from toolkit.cache.folders import folder_bytes
from toolkit.cache.index import INDEX
from toolkit.cache.space import Space
from toolkit.cache.usage import SECONDS_A_DAY
from toolkit.errors import CacheError

__all__ = ["space_statistics"]

_COLUMNS = (
    *("space", "bytes", "error", "model", "backend", "identity", "dimension", "entries"),
    *("prompts", "hits", "misses", "last_used", "tasks"),
)


def space_statistics(folder: Path) -> dict[str, Any]:
    """Return a row on one space; see :meth:`toolkit.cache.EmbeddingCache.stats`."""
    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    row["space"], row["bytes"] = folder.name, 0
    try:
        with readable_errors(folder):
            row["bytes"] = folder_bytes(folder)
        space = Space(folder)
        counts = space.counts()
        last_day = _last_day(folder)
    except CacheError as error:
        row["error"] = str(error)
        return row
    row["model"] = space.identity.model
    row["backend"] = space.identity.backend
    row["identity"] = space.identity.describe()
    row["dimension"] = space.dimension
    row["prompts"] = counts
    row["entries"] = sum(counts.values())
    tasks = usage.read_tasks(folder)
    if tasks is not None:
        row["hits"] = sum(task.hits for task in tasks.values())
        row["misses"] = sum(task.misses for task in tasks.values())
    used = [task.last_used for task in (tasks or {}).values()]
    # A day that is not that of a counted call was another use: an import, a read by key.
    if last_day is not None and last_day * SECONDS_A_DAY > max(used, default=0):
        used.append(float(last_day * SECONDS_A_DAY))
    row["last_used"] = max(used, default=None)
    row["tasks"] = _by_task(counts, tasks)
    return row


def _by_task(
    counts: dict[str, int], tasks: dict[str, usage.TaskUse] | None
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for prompt in [*counts, *(prompt for prompt in tasks or {} if prompt not in counts)]:
        use = None if tasks is None else tasks.get(prompt, usage.TaskUse())
        found[prompt] = {
            "entries": counts.get(prompt, 0),
            "hits": None if use is None else use.hits,
            "misses": None if use is None else use.misses,
            "last_used": None if use is None else use.last_used or None,
        }
    return found


def _last_day(folder: Path) -> int | None:
    with reading(folder / INDEX) as connection, index.interpreted(folder):
        name, rows = index.state(connection)
    blocks = -(-rows // usage.BLOCK)
    days = usage.read_days(folder, index.generation(name), blocks, otherwise=0)
    last = int(np.max(days, initial=0))
    return last or None
