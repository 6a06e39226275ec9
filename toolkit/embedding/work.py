"""The work of one call: its distinct texts, the rows they get, and jobs that make them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray

from toolkit.backends.base import Backend
from toolkit.cache.rows import cut_rows
from toolkit.embedding.batching import Batches, BatchTuner
from toolkit.embedding.failures import interrupted_error
from toolkit.embedding.job import EmbeddingJob
from toolkit.embedding.keys import hash_texts, unique_texts
from toolkit.embedding.rendering import RenderedTexts
from toolkit.embedding.report import EmbeddingReport
from toolkit.embedding.settings import EngineSettings
from toolkit.embedding.spaces import Source
from toolkit.errors import BackendError, CacheError, EmbeddingWarning
from toolkit.prompts import Prompt

__all__ = ["Work", "parts"]

REQUESTS_PER_HOST = 2
"""One being computed, one on its way: measured, more gain nothing on one machine."""

ROWS_AT_ONCE = 4096
"""Copied between places, so that the copy's own memory stays small."""


class Work:
    """What one call of :func:`~toolkit.embedding.engine.embed` works on.

    Positions are those of the distinct texts, in the order in which they first occur, unless a
    name says ``input``.

    Parameters
    ----------
    texts : sequence of str, of length n
        Texts without their prompt.
    titles : sequence of str or None, of length n, optional
        For prompts that take a title.
    prompt : Prompt
        What is put around each.
    source : Source
        Backend and space.
    settings : EngineSettings
        How.
    report : EmbeddingReport
        Counts are added to it.
    """

    def __init__(
        self,
        texts: Sequence[str],
        titles: Sequence[str | None] | None,
        prompt: Prompt,
        source: Source,
        settings: EngineSettings,
        report: EmbeddingReport,
    ) -> None:
        self.texts, self.titles, self.prompt = texts, titles, prompt
        self.source, self.settings, self.report = source, settings, report
        self.backends: Sequence[Backend] = source.backends
        self.failed: dict[int, str] = {}
        self.keys = hash_texts(texts, prompt, titles)
        self.first, self.inverse = unique_texts(self.keys)
        if len(self.first) < len(self.keys):
            self.keys = self.keys[self.first]
        self.out = np.empty((0, 0), dtype=np.float32)
        self._have = np.zeros(len(self.keys), dtype=bool)
        self._asked = 0
        self._warned_full = False

    def __len__(self) -> int:
        """Return how many texts the input has."""
        return len(self.inverse)

    def lengths(self, positions: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the characters of texts; only of those that matter, for each one is touched."""
        numbers = self.first[positions].tolist()
        return np.fromiter((len(self.texts[i]) for i in numbers), np.int64, len(numbers))

    @property
    def limit(self) -> int | None:
        """Most tokens of one text, special tokens included."""
        return self.source.identity.context_length

    @property
    def limit_characters(self) -> int | None:
        """Most characters of one text, where that is what the backend counts."""
        found = (getattr(backend, "max_characters", None) for backend in self.backends)
        return next((limit for limit in found if limit is not None), None)

    # --- rows ------------------------------------------------------------------------------------

    def begin(self, rows: NDArray[np.int64]) -> None:
        """Make room for the result and fill in the cache's rows; -1 is a missing one."""
        width = self.settings.dimensions or self.source.identity.dimension
        # The result itself, written where each text stands first: vectors are held once.
        self.out = np.empty((len(self), width), dtype=np.float32)
        self._asked = int((rows < 0).sum())
        self.take(np.flatnonzero(rows >= 0), rows[rows >= 0])

    def take(self, positions: NDArray[np.intp], rows: NDArray[np.int64]) -> None:
        """Copy rows of the space to their places."""
        for part in parts(np.arange(len(positions))):
            read = self.source.space.read(rows[part], self.settings.dimensions)
            self.out[self.first[positions[part]]] = read
        self._have[positions] = True

    def keep(
        self,
        positions: NDArray[np.intp],
        vectors: NDArray[np.float32],
        keys: NDArray[np.void] | None = None,
    ) -> None:
        """Put new vectors into the cache, under other keys if given, and to their places."""
        self._commit(self.keys[positions] if keys is None else keys, vectors)
        # Beginnings of vectors are vectors too (Matryoshka representation learning, Kusupati et
        # al. 2022, arXiv:2205.13147).
        self.out[self.first[positions]] = cut_rows(vectors, self.settings.dimensions)
        self._have[positions] = True

    def repeat(self) -> None:
        """Give a text that stands at several places its vector at all of them."""
        again = np.ones(len(self.out), dtype=bool)
        again[self.first] = False
        for part in parts(np.flatnonzero(again)):
            self.out[part] = self.out[self.first[self.inverse[part]]]

    def input_positions(self, positions: Sequence[int]) -> list[int]:
        """Return where texts stand in the input, duplicates included."""
        found: list[int] = np.flatnonzero(np.isin(self.inverse, np.asarray(positions))).tolist()
        return found

    def _commit(self, keys: NDArray[np.void], vectors: NDArray[np.float32]) -> None:
        if self.source.space is None:
            return
        try:
            self.source.space.put(keys, vectors, self.prompt.template)
        except CacheError as error:
            if not self._warned_full:
                self._warned_full = True
                warnings.warn(
                    f"vectors cannot be kept in the cache: {error}. The work goes on without.",
                    EmbeddingWarning,
                    stacklevel=2,
                )

    # --- jobs ------------------------------------------------------------------------------------

    def rendered(self, positions: NDArray[np.intp]) -> RenderedTexts:
        """Return texts as they are sent."""
        return RenderedTexts(self.texts, self.titles, self.prompt, self.first[positions])

    def run_job(
        self,
        rendered: Sequence[str],
        store: Callable[[Sequence[int], NDArray[np.float32]], None],
        *,
        backends: Sequence[Backend] | None = None,
        advance: Callable[[int], object] = lambda count: None,
        size: int | None = None,
    ) -> EmbeddingJob:
        """Embed rendered texts; return the job when it is done.

        Parameters
        ----------
        rendered : sequence of str
            What is sent.
        store : callable
            Called with positions in ``rendered`` and their vectors, batch by batch.
        backends : sequence of Backend, optional
            Instead of the source's own.
        advance : callable, optional
            Called with the number of texts that were settled.
        size : int, optional
            Texts a request, instead of what the settings say.

        Raises
        ------
        EmbeddingError
            If the job could not go on after some texts were embedded.
        """
        identity, settings = self.source.identity, self.settings
        backends = self.backends if backends is None else backends
        auto = settings.batch_size == "auto"
        start = backends[0].preferred_batch if auto else int(settings.batch_size)
        tuner = BatchTuner(size or start, fixed=not auto or size is not None)
        per_host = getattr(backends[0], "parallel_requests", REQUESTS_PER_HOST)
        job = EmbeddingJob(
            texts=rendered,
            backends=backends,
            identity=identity,
            batches=Batches(rendered, tuner, identity.context_length),
            store=store,
            report=self.report,
            # A number set with joblib.parallel_config, or a cluster's, counts too.
            n_jobs=settings.n_jobs or max(per_host * len(backends), effective_n_jobs(None)),
            advance=advance,
        )
        try:
            job.run()
        except KeyboardInterrupt as stop:
            stop.add_note(self._stopped())
            raise
        except BackendError as error:
            if not self._done:
                raise
            raise self._interrupted(error) from error
        finally:
            self.report.batch_size = tuner.size
            self.report.batch_characters = tuner.characters
        return job

    @property
    def _done(self) -> int:
        """How many of the texts that were missing have a vector by now."""
        return int(self._have.sum()) - (len(self._have) - self._asked)

    @property
    def _kept(self) -> str:
        return "in the cache" if self.source.space is not None else "lost, for there is no cache"

    def _stopped(self) -> str:
        done = self._done
        return (
            f"Stopped: {done:,} of {self._asked:,} texts were embedded and are {self._kept}; "
            f"{self._asked - done:,} are left. Run it again to go on."
        )

    def _interrupted(self, error: BackendError) -> Exception:
        left = np.flatnonzero(~self._have).tolist()
        self.report.failed = len(left)
        failed = dict.fromkeys(self.input_positions(left), str(error))
        return interrupted_error(
            error, failed, len(self), done=self._done, asked=self._asked, kept=self._kept
        )


def parts(positions: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield positions some thousands at a time."""
    for start in range(0, len(positions), ROWS_AT_ONCE):
        yield positions[start : start + ROWS_AT_ONCE]
