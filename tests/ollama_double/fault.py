"""What a fault is: which requests are met, and the moments at which it may step in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.ollama_double.log import Record
from tests.ollama_double.vectors import Row
from tests.ollama_double.wire import Reply, Request

if TYPE_CHECKING:
    from tests.ollama_double.server import OllamaDouble


class Effect:
    """What a fault does; each method is one moment of a request, and by default does nothing."""

    name = "effect"
    cuts = False
    """Whether the client never gets the whole reply."""

    def before(self, double: OllamaDouble, request: Request) -> Reply | None:
        """Before any work: a reply here is the answer."""

    def on_rows(self, texts: Sequence[str], rows: list[Row]) -> list[Row]:
        """When the vectors are there, full length, in the order of the texts."""
        return rows

    def on_reply(self, reply: Reply) -> Reply:
        """When the reply is ready; also that of an error."""
        return reply

    def send(self, double: OllamaDouble, request: Request, reply: Reply) -> bool:
        """Send the reply; True if that is done and the connection is to be closed."""
        return False


@dataclass
class Fault:
    """An effect and the requests it meets.

    Parameters
    ----------
    effect : Effect
        What happens.
    times : int or None, default=1
        How many of the matching requests are met; None for all.
    skip : int, default=0
        How many of the matching requests are let through before.
    path : str or None, default="/api/embed"
        Which endpoint; None for all.
    containing : str, optional
        Only requests with a text that contains this.
    when : callable, optional
        Only requests for whose record it returns true.
    until_unload : bool, default=False
        The fault ends when a model is unloaded.
    """

    effect: Effect
    times: int | None = 1
    skip: int = 0
    path: str | None = "/api/embed"
    containing: str | None = None
    when: Callable[[Record], bool] | None = None
    until_unload: bool = False
    seen: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)

    def meets(self, record: Record) -> bool:
        """Return whether the request is met, and count it."""
        if self.path is not None and record.path != self.path:
            return False
        if self.containing is not None and not any(self.containing in t for t in record.texts):
            return False
        if self.when is not None and not self.when(record):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


class Faults:
    """The faults of a double."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._faults)

    def add(self, *faults: Fault | Effect) -> Fault:
        """Add faults (a bare effect meets the next request) and return the last one."""
        made = [f if isinstance(f, Fault) else Fault(f) for f in faults]
        with self._lock:
            self._faults += made
        return made[-1]

    def remove(self, fault: Fault) -> None:
        with self._lock:
            self._faults.remove(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def on_unload(self) -> None:
        with self._lock:
            self._faults = [fault for fault in self._faults if not fault.until_unload]

    def meet(self, record: Record) -> list[Effect]:
        """Return the effects for a new request."""
        with self._lock:
            met = [fault.effect for fault in self._faults if fault.meets(record)]
        record.effects.extend(met)
        record.faults.extend(effect.name for effect in met)
        return met

    def on_rows(self, record: Record, texts: Sequence[str], rows: list[Row]) -> list[Row]:
        for effect in record.effects:
            rows = effect.on_rows(texts, rows)
        return rows
