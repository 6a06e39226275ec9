"""What the double received: one record a request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.ollama_double.fault import Effect

EMBED_PATHS = ("/api/embed", "/api/embeddings", "/v1/embeddings")


@dataclass
class Record:
    """One request, and how it was answered.

    ``status`` is 0 until it is answered, and stays 0 if the connection was cut without a status.
    ``texts`` are the texts to embed, prompts and all, as they were sent; ``faults`` the names of
    the faults that met the request.
    """

    number: int
    method: str
    path: str
    body: Any
    headers: dict[str, str]
    texts: list[str]
    started: float
    connection: int
    status: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list, repr=False)

    @property
    def count(self) -> int:
        """Number of texts to embed."""
        return len(self.texts)


def texts_of(path: str, body: Any) -> list[str]:
    """Return the texts a request's body holds, whatever else is wrong with it."""
    if path not in EMBED_PATHS or not isinstance(body, dict):
        return []
    given = body.get("prompt" if path == "/api/embeddings" else "input")
    if isinstance(given, str):
        return [given] if given else []
    if isinstance(given, list):
        return [text for text in given if isinstance(text, str)]
    return []


class Log:
    """The records in the order in which the requests came: a read-only sequence."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Record]:
        with self._lock:
            return iter(list(self._records))

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Record:
        return self._records[index]

    def add(self, record: Record) -> Record:
        with self._lock:
            record.number = len(self._records)
            self._records.append(record)
        return record

    def clear(self) -> None:
        with self._lock:
            self._records.clear()

    def to(self, *paths: str) -> list[Record]:
        """Return the requests to some paths; without a path, those that ask for vectors."""
        wanted = paths or EMBED_PATHS
        return [record for record in self if record.path in wanted]

    @property
    def texts(self) -> list[str]:
        """Every text received for embedding, in order, failed requests included."""
        return [text for record in self for text in record.texts]

    @property
    def embedded(self) -> list[str]:
        """Every text of a request that was answered with 200."""
        return [text for record in self if record.status == 200 for text in record.texts]
