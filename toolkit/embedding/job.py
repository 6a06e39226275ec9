"""One job: many texts to a backend, whatever happens on the way.

Batches are dispatched through :class:`joblib.Parallel` and every answer is settled here, in the
calling process: checked, handed on at once, or tried again, split and given up for a reason. A
worker only asks the backend once (:func:`~toolkit.embedding.asking.ask`), so it may be a thread,
a process or another machine.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import NDArray

from toolkit.backends.base import Backend
from toolkit.embedding.asking import Outcome, Request, ask
from toolkit.embedding.batching import Batches
from toolkit.embedding.checks import check_vectors
from toolkit.embedding.host_pool import HostPool
from toolkit.embedding.report import EmbeddingReport
from toolkit.embedding.retry import RetryPolicy
from toolkit.errors import (
    BackendError,
    EmbeddingWarning,
    InvalidVectorsError,
    ServerUnavailableError,
    TextTooLongError,
)
from toolkit.identity import ModelIdentity

__all__ = ["EmbeddingJob"]

MOST_BAD_IN_A_ROW = 64
"""Bad vectors without a good one between, after which the model is unloaded without waiting."""

MOST_WAITING = 16_000_000
"""Bytes of vectors asked for and not yet stored before no more is asked: a fast server must not
fill the memory while a slow disk keeps up."""


@dataclass
class EmbeddingJob:
    """Embeds texts through a backend and hands every good vector on at once.

    Parameters
    ----------
    texts : sequence of str, of length n
        Rendered texts.
    backends : sequence of Backend
        One per host.
    identity : ModelIdentity
        What makes the vectors, with canaries.
    batches : Batches
        Hands out positions.
    store : callable
        Called with positions and their vectors after each batch.
    report : EmbeddingReport
        Counts are added to it.
    n_jobs : int
        Requests in flight.
    advance : callable, optional
        Called with the number of texts that were settled.
    """

    texts: Sequence[str]
    backends: Sequence[Backend]
    identity: ModelIdentity
    batches: Batches
    store: Callable[[Sequence[int], NDArray[np.float32]], None]
    report: EmbeddingReport
    n_jobs: int = 2
    advance: Callable[[int], object] = lambda count: None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    failed: dict[int, str] = field(default_factory=dict, init=False)
    too_long: list[int] = field(default_factory=list, init=False)
    settled: NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.settled = np.zeros(len(self.texts), dtype=bool)
        self._again: list[tuple[float, int, Request]] = []
        self._order = itertools.count()
        self._suspects: dict[int, str] = {}
        self._bad_in_a_row = 0
        self._unloaded = False
        self._pause = False
        self._unsettled = 0
        self._lock = threading.Lock()
        self._hosts = HostPool(len(self.backends))

    def run(self) -> None:
        """Work until every text is embedded, failed or found too long.

        Raises
        ------
        BackendError
            If the job cannot go on: the server is gone for good, or refuses every request.
        ModelDriftError
            If the vectors are of another space now.
        """
        while self._left():
            self._pause = False
            if len(self.batches) <= self.batches.tuner.size and not self._again:
                self._settle_few()
            else:
                self._settle_many()
            if self._suspects and (self._pause or not self._left(suspects=False)):
                self._unload_and_retry()
            self._wait()

    @property
    def done(self) -> int:
        """How many texts have a vector."""
        return int(self.embedded.sum())

    @property
    def embedded(self) -> NDArray[np.bool_]:
        """Which texts have a vector."""
        embedded = self.settled.copy()
        embedded[list(self.failed) + self.too_long] = False
        return embedded

    def _settle_few(self) -> None:
        """Ask for one batch from here: joblib's own pace would add a hundredth of a second."""
        for function, arguments, _ in itertools.islice(self._calls(), 1):
            self._settle(function(*arguments))

    def _settle_many(self) -> None:
        # `prefer`, not `backend`: the user's own joblib.parallel_config wins.
        parallel = Parallel(
            n_jobs=self.n_jobs,
            prefer="threads",
            batch_size=1,
            # One batch a place, so that the next goes to the host that is free then. On a cluster
            # a batch has a way to go, and another waits beside each place.
            pre_dispatch="2*n_jobs" if effective_n_jobs(None) > 1 else "n_jobs",
            return_as="generator_unordered",
        )
        outcomes = parallel(self._calls())
        try:
            for outcome in outcomes:
                self._settle(outcome)
        except BaseException:
            # The end of the job: what is on its way is not waited for, and joblib need not say so.
            self._pause = True
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                outcomes.close()
            raise

    # --- handing out -----------------------------------------------------------------------------

    def _left(self, *, suspects: bool = True) -> bool:
        return bool(len(self.batches) or self._again or (suspects and self._suspects))

    def _calls(self) -> Iterator[Any]:
        """Yield calls while there is something to ask; joblib draws them from its own threads."""
        while (request := self._next()) is not None:
            texts = [self.texts[position] for position in request.positions]
            lease = self._hosts.lease(request.avoid)
            yield delayed(ask)(self.backends[lease.host], request, texts, self.identity, lease)

    def _next(self) -> Request | None:
        with self._lock:
            # At the most, joblib runs out of calls and `run` begins again once all are settled.
            if self._pause or self._unsettled * self.identity.dimension * 4 >= MOST_WAITING:
                return None
            if self._again and self._again[0][0] <= time.monotonic():
                request = heapq.heappop(self._again)[2]
            elif positions := self.batches.next():
                request = Request(tuple(positions))
            else:
                return None
            self._unsettled += len(request.positions)
            return request

    def _schedule(self, request: Request, delay: float = 0.0) -> None:
        with self._lock:
            heapq.heappush(self._again, (time.monotonic() + delay, next(self._order), request))

    def _wait(self) -> None:
        """Sleep until the next repetition is due, if nothing else is to be done."""
        if self._again and (self._pause or not len(self.batches)):
            time.sleep(max(0.0, self._again[0][0] - time.monotonic()))

    # --- settling --------------------------------------------------------------------------------

    def _settle(self, outcome: Outcome) -> None:
        request, error, vectors = outcome.request, outcome.error, outcome.vectors
        with self._lock:
            self._unsettled -= len(request.positions)
        if error is not None and not isinstance(error, BackendError):
            raise error
        self.report.requests += 1
        bad: dict[int, str] = {}
        if error is None and vectors is not None:
            try:
                bad = check_vectors(vectors, len(request.positions), self.identity.dimension)
            except InvalidVectorsError as invalid:
                error = invalid
        if error is not None or vectors is None:
            self._settle_error(outcome, error or InvalidVectorsError("no vectors"))
            return
        self.retry.succeeded()
        characters = self.batches.characters(request.positions)
        self.batches.tuner.observe(len(request.positions), characters, outcome.seconds)
        good = [i for i in range(len(request.positions)) if i not in bad]
        if good:
            self._bad_in_a_row = 0
            self._finish([request.positions[i] for i in good], vectors[good] if bad else vectors)
        for i, reason in bad.items():
            self._settle_bad(request.positions[i], reason, request.stage)

    def _settle_error(self, outcome: Outcome, error: BackendError) -> None:
        request = outcome.request
        if isinstance(error, TextTooLongError):
            self._settle_too_long(request)
            return
        if isinstance(error, InvalidVectorsError):
            for position in request.positions:
                self._settle_bad(position, str(error), request.stage)
            return
        down = isinstance(error, ServerUnavailableError)
        if down and self._drop(outcome.host, error):
            self._schedule(Request(request.positions, request.attempt, request.stage))
            return
        self.retry.failed(error)
        if error.retryable and (down or request.attempt < self.retry.attempts):
            self._pause = self._pause or down or error.broken
            self._repeat(request, error, outcome.host)
        elif len(request.positions) > 1:
            self._split(request)
        else:
            self._fail(request.positions[0], str(error))

    def _settle_too_long(self, request: Request) -> None:
        if len(request.positions) > 1:
            self._split(request)
        else:
            with self._lock:
                self.batches.refused(request.positions[0])
            self.too_long.append(request.positions[0])
            self.settled[request.positions[0]] = True

    def _settle_bad(self, position: int, reason: str, stage: int) -> None:
        self._bad_in_a_row += 1
        if stage == 0:
            self.report.retried += 1
            self._schedule(Request((position,), stage=1))
        elif stage == 1:
            self._suspects[position] = reason
        else:
            self._fail(position, f"the server sends a bad vector for this text: {reason}")
        if self._bad_in_a_row >= MOST_BAD_IN_A_ROW:
            if self._unloaded:
                raise BackendError(
                    f"the server sends only bad vectors (the last: {reason}), even after the "
                    "model was unloaded and loaded again where that can be asked for. See the "
                    "server's log. With Ollama, OllamaBackend(options={'num_gpu': 0}) computes on "
                    "the processor.",
                    fatal=True,
                )
            self._pause = True

    def _unload_and_retry(self) -> None:
        """Unload the model (what cures a runner that has gone wrong), then ask once more."""
        for backend in self.backends:
            if hasattr(backend, "unload"):
                try:
                    backend.unload()
                except BackendError as error:
                    self.retry.failed(error)
        self._unloaded = True
        self._bad_in_a_row = 0
        for position in sorted(self._suspects):
            self.report.retried += 1
            self._schedule(Request((position,), stage=2))
        self._suspects.clear()

    def _drop(self, host: int, error: BackendError) -> bool:
        """Go on without a host that is down, if there are others."""
        known = self._hosts.is_dropped(host)
        if not self._hosts.drop(host):
            return False
        if not known:
            warnings.warn(
                f"a host is dropped, and its texts go to the others: {error}",
                EmbeddingWarning,
                stacklevel=2,
            )
        return True

    def _repeat(self, request: Request, error: BackendError, host: int) -> None:
        self.report.retried += 1
        again = Request(request.positions, request.attempt + 1, request.stage, avoid=host)
        self._schedule(again, self.retry.delay(again.attempt, error))

    def _split(self, request: Request) -> None:
        """Ask for the longer half and the shorter half apart: the culprit is often a long one."""
        by_length = sorted(request.positions, key=lambda position: len(self.texts[position]))
        middle = len(by_length) // 2
        for half in (by_length[:middle], by_length[middle:]):
            self._schedule(Request(tuple(sorted(half)), stage=request.stage))

    def _fail(self, position: int, reason: str) -> None:
        self.failed[position] = reason
        self.settled[position] = True
        self.advance(1)

    def _finish(self, positions: Sequence[int], vectors: NDArray[np.float32]) -> None:
        self.store(positions, vectors)
        self.settled[list(positions)] = True
        self.report.embedded += len(positions)
        self.advance(len(positions))
