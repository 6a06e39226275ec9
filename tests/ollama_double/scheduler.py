"""Loading and unloading: which models are in memory, with which options, and until when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tests.ollama_double import durations, errors
from tests.ollama_double.models import Model

MAX_LOADED = 3
POLL = 0.01

Patience = Callable[[float], None]
"""Waits so many seconds; raises if the client has gone or the double was stopped."""


@dataclass(frozen=True)
class LoadOptions:
    """The options that make Ollama load a model anew when they differ."""

    num_ctx: int = 2048
    num_batch: int = 2048
    num_gpu: int = -1
    others: tuple[tuple[str, object], ...] = ()

    def same(self, other: LoadOptions) -> bool:
        gpu = other.num_gpu < 0 or self.num_gpu == other.num_gpu
        mine = (self.num_ctx, self.num_batch, self.others)
        return gpu and mine == (other.num_ctx, other.num_batch, other.others)


@dataclass
class Runner:
    """A loaded model."""

    model: Model
    options: LoadOptions
    port: int
    keep_alive: float
    expires_at: datetime
    expires: float
    users: int = 0
    alive: bool = True
    # One text is computed at a time; a whole batch stands in the queue before the next one's.
    turn: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0  # on the clock of time.perf_counter

    def touch(self) -> None:
        self.expires = time.monotonic() + self.keep_alive
        self.expires_at = durations.from_now(self.keep_alive)


class Scheduler:
    """Hands out runners; loads, reloads and unloads as Ollama's scheduler does."""

    def __init__(
        self,
        *,
        load_seconds: float,
        max_queue: int,
        keep_alive: float,
        on_unload: Callable[[Model], None],
    ) -> None:
        self.load_seconds = load_seconds
        self.max_queue = max_queue
        self.keep_alive = keep_alive
        self.loads = 0
        self.waiting = 0
        self.healthy = threading.Event()
        self.healthy.set()
        self._on_unload = on_unload
        self._runners: dict[str, Runner] = {}
        self._lock = threading.RLock()
        self._loading = threading.Lock()
        self._ports = 40000

    def loaded(self) -> list[Runner]:
        """Return the runners, the one that stays longest first."""
        with self._lock:
            self._drop_expired()
            return sorted(self._runners.values(), key=lambda r: -int(r.expires))

    def acquire(
        self, model: Model, options: LoadOptions, keep_alive: float | None, wait: Patience
    ) -> Runner:
        """Return a runner for a request, loading the model first if need be."""
        while not self.healthy.is_set():
            wait(POLL)
        runner = self._ready(model, options, keep_alive)
        if runner is not None:
            return runner
        self._queue(wait)
        try:
            runner = self._ready(model, options, keep_alive)  # another request may have loaded it
            return runner or self._load(model, options, keep_alive, wait)
        finally:
            self._loading.release()

    def release(self, runner: Runner) -> None:
        """End a request; a model kept for no time is unloaded when nothing runs any more."""
        with self._lock:
            runner.users -= 1
            if runner.users == 0:
                runner.touch()
                if runner.keep_alive <= 0:
                    self._unload(runner)

    def kill(self) -> int:
        """Let every runner crash; the next request loads anew. Returns how many there were."""
        with self._lock:
            for runner in self._runners.values():
                runner.alive = False
            return len(self._runners)

    def clear(self) -> None:
        """Forget all runners, as a restart does."""
        with self._lock:
            for runner in list(self._runners.values()):
                runner.alive = False
                self._unload(runner)

    # --- inside ----------------------------------------------------------------------------------

    def _ready(self, model: Model, options: LoadOptions, keep_alive: float | None) -> Runner | None:
        with self._lock:
            self._drop_expired()
            runner = self._runners.get(model.weights)
            if runner is None or not runner.alive or not runner.options.same(options):
                return None
            return self._use(runner, keep_alive)

    def _use(self, runner: Runner, keep_alive: float | None) -> Runner:
        runner.users += 1
        if keep_alive is not None:
            runner.keep_alive = keep_alive
        return runner

    def _queue(self, wait: Patience) -> None:
        """Become the one request that loads; one more than ``max_queue`` in line is refused."""
        if self._loading.acquire(blocking=False):
            return
        with self._lock:
            if self.waiting >= self.max_queue:
                raise errors.ApiError(503, errors.QUEUE_FULL)
            self.waiting += 1
        try:
            while not self._loading.acquire(timeout=POLL):
                wait(0)
        finally:
            with self._lock:
                self.waiting -= 1

    def _load(
        self, model: Model, options: LoadOptions, keep_alive: float | None, wait: Patience
    ) -> Runner:
        self._make_room(model, wait)
        wait(self.load_seconds)
        if model.damaged:
            raise errors.ApiError(500, errors.CANNOT_LOAD)
        with self._lock:
            self.loads += 1
            self._ports += 1
            kept = self.keep_alive if keep_alive is None else keep_alive
            runner = Runner(model, options, self._ports, kept, durations.from_now(kept), 0.0)
            runner.touch()
            self._runners[model.weights] = runner
            return self._use(runner, keep_alive)

    def _make_room(self, model: Model, wait: Patience) -> None:
        """Unload what has to go, once nothing runs on it any more."""
        while True:
            with self._lock:
                old = self._runners.get(model.weights)
                if old is None and len(self._runners) < MAX_LOADED:
                    return
                victim = old or min(self._runners.values(), key=lambda r: (r.users > 0, r.expires))
                if victim.users == 0 or not victim.alive:
                    self._unload(victim)
                    continue
            wait(POLL)

    def _drop_expired(self) -> None:
        now = time.monotonic()
        for runner in list(self._runners.values()):
            if runner.users == 0 and runner.expires <= now:
                self._unload(runner)

    def _unload(self, runner: Runner) -> None:
        if self._runners.get(runner.model.weights) is runner:
            del self._runners[runner.model.weights]
            self._on_unload(runner.model)
