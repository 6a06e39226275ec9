"""Texts in, matrix out: deduplicate, look up, dispatch, check, store, cut to size."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from tqdm import tqdm

from toolkit.backends.base import Backend, kept_loaded
from toolkit.cache import Claim, Space
from toolkit.embedding.batching import Batches, BatchTuner
from toolkit.embedding.checks import cut
from toolkit.embedding.failures import (
    cache_miss_error,
    failed_error,
    interrupted_error,
    too_long_error,
    warn_cut,
    warn_nan_rows,
)
from toolkit.embedding.job import EmbeddingJob
from toolkit.embedding.keys import Keys, encode_text, hash_texts, unique_texts
from toolkit.embedding.lengths import LONGEST_TOKEN
from toolkit.embedding.long_texts import (
    LongTexts,
    TruncatingBackend,
    average_pieces,
    variant_keys,
)
from toolkit.embedding.patience import Patience
from toolkit.embedding.rendering import RenderedTexts, render_text
from toolkit.embedding.report import EmbeddingReport
from toolkit.embedding.spaces import Source
from toolkit.errors import (
    BackendError,
    CacheError,
    EmbeddingError,
    EmbeddingWarning,
    RowsMovedError,
)
from toolkit.prompts import Prompt

__all__ = ["EngineSettings", "embed"]

REQUESTS_PER_HOST = 2
"""One being computed, one on its way: measured, more gain nothing on one machine."""

ROWS_AT_ONCE = 4096
"""Copied between places, so that the copy's own memory stays small."""


@dataclass(frozen=True)
class EngineSettings:
    """How to embed; each field is a parameter of the vectorizer."""

    batch_size: int | Literal["auto"] = "auto"
    n_jobs: int | None = None
    long_texts: LongTexts = "truncate"
    on_error: Literal["raise", "nan"] = "raise"
    dimensions: int | None = None
    verbose: int = 0


def embed(
    texts: Sequence[str],
    *,
    prompt: Prompt,
    source: Source,
    settings: EngineSettings,
    titles: Sequence[str | None] | None = None,
    report: EmbeddingReport | None = None,
) -> NDArray[np.float32]:
    """Embed texts, from the cache where it has them.

    Parameters
    ----------
    texts : sequence of str, of length n
        Texts without their prompt.
    prompt : Prompt
        What is put around each.
    source : Source
        Backend and space.
    settings : EngineSettings
        How.
    titles : sequence of str or None, of length n, optional
        For prompts that take a title.
    report : EmbeddingReport, optional
        Counts are added to it as they happen, so it is right after an error too.

    Returns
    -------
    ndarray of shape (n, dimensions), dtype float32
        Unit vectors; rows of NaN for failed texts if ``on_error="nan"``.

    Raises
    ------
    EmbeddingError
        If some texts could not be embedded; everything else is in the cache.
    CacheMissError
        If there is no backend and texts are not in the cache.
    """
    started = time.perf_counter()
    report = EmbeddingReport() if report is None else report
    run = _Run(texts, prompt, source, settings, titles, report)
    try:
        return run.execute()
    except RowsMovedError:  # the space was pruned between looking up and reading: look again
        return _Run(texts, prompt, source, settings, titles, report).execute()
    finally:
        report.seconds = time.perf_counter() - started
        if isinstance(source.space, Space) and report.unique:
            misses = report.unique - report.hits
            source.space.note_call(prompt.template, report.hits, misses)


@dataclass
class _Run:
    """One call of :func:`embed`, step by step."""

    texts: Sequence[str]
    prompt: Prompt
    source: Source
    settings: EngineSettings
    titles: Sequence[str | None] | None
    report: EmbeddingReport
    failed: dict[int, str] = field(default_factory=dict)
    _warned_full: bool = False

    def execute(self) -> NDArray[np.float32]:
        source, report = self.source, self.report
        self.keys: Keys = hash_texts(self.texts, self.prompt, self.titles)
        self.lengths = np.fromiter(map(len, self.texts), np.int32, len(self.keys))
        self.first, self.inverse = unique_texts(self.keys)
        if len(self.first) < len(self.keys):
            self.keys, self.lengths = self.keys[self.first], self.lengths[self.first]
        report.texts, report.unique = len(self.inverse), len(self.keys)
        report.where = source.identity.describe()
        dimension = source.identity.dimension
        self.width = self.settings.dimensions or dimension
        if source.space is None:
            rows = np.full(len(self.keys), -1, dtype=np.int64)
        else:
            rows = self._look_up(self.keys, self.lengths)
        missing = np.flatnonzero(rows < 0)
        report.hits = len(rows) - len(missing)
        if not len(missing):
            assert source.space is not None or not len(rows)  # noqa: S101
            if not len(rows):
                return np.empty((0, self.width), dtype=np.float32)
            rows = rows[self.inverse] if len(self.first) < len(self.inverse) else rows
            found: NDArray[np.float32] = source.space.read(rows, self.settings.dimensions)
            return found
        self._need_backend(missing)
        # The result itself, written where each text stands first: vectors are held once.
        self.out = np.empty((len(self.inverse), self.width), dtype=np.float32)
        for known in _parts(np.flatnonzero(rows >= 0)):
            self.out[self.first[known]] = source.space.read(rows[known], self.settings.dimensions)
        self._embed_missing(missing)
        if self.failed:
            self._report_failures()
        self._repeat()
        return self.out

    def _place(self, unique: NDArray[np.intp], vectors: NDArray[np.float32]) -> None:
        self.out[self.first[unique]] = cut(vectors, self.settings.dimensions)

    def _repeat(self) -> None:
        """Give a text that stands at several places its vector at all of them."""
        again = np.ones(len(self.out), dtype=bool)
        again[self.first] = False
        for part in _parts(np.flatnonzero(again)):
            self.out[part] = self.out[self.first[self.inverse[part]]]

    # --- looking up ------------------------------------------------------------------------------

    def _look_up(self, keys: Keys, lengths: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return rows of the cache; of long texts, what an earlier call cut or averaged alike."""
        rows: NDArray[np.int64] = self.source.space.lookup(keys)
        limit = self.source.identity.context_length
        missing = np.flatnonzero(rows < 0)
        # No tokenizer makes more tokens than bytes; a text of fewer characters is never long.
        shortest = 20_000 // 4 if limit is None else limit // 4
        long = missing[lengths[missing] > shortest]
        if len(long) and self.settings.long_texts != "error":
            found = self.source.space.lookup(variant_keys(keys[long], self.settings.long_texts))
            rows[long] = found
            count = int((found >= 0).sum())
            if count:
                self._count_long(count)
        return rows

    def _need_backend(self, missing: NDArray[np.intp]) -> None:
        if self.source.backends:
            return
        if self.source.unavailable is not None:
            raise self.source.unavailable
        lost = np.flatnonzero(np.isin(self.inverse, missing)).tolist()
        space = self.source.space
        raise cache_miss_error(
            lost, len(self.inverse), space.id if space is not None else None, self.prompt.template
        )

    # --- embedding -------------------------------------------------------------------------------

    def _embed_missing(self, missing: NDArray[np.intp]) -> None:
        """Embed what nobody else is embedding right now, and wait for the rest."""
        hits = self.report.hits
        bar = tqdm(
            total=len(missing),
            desc="embedding",
            unit="text",
            # Off when not a terminal, unless asked for; not worth showing for a second's work.
            disable=None if self.settings.verbose == 0 else self.settings.verbose < 0,
            delay=0 if self.settings.verbose > 0 else 1,
            postfix={"from cache": hits} if hits else None,
            dynamic_ncols=True,
        )
        patience = Patience()
        with bar, ExitStack() as kept:
            self.backends = [kept.enter_context(kept_loaded(b)) for b in self.source.backends]
            while len(missing):
                with self._claim(missing, patience) as claim:
                    # What was claimed until now may be there by now.
                    found = self._take_found(missing, bar)
                    mine = missing[claim.mine & ~found]
                    if len(mine):
                        self._embed_claimed(mine, bar)
                missing = missing[~claim.mine & ~found]
                if len(missing):
                    patience.wait(progress=bool(len(mine) or found.any()))
        self.report.failed = len(self.failed)

    def _claim(self, unique: NDArray[np.intp], patience: Patience) -> Claim:
        if self.source.space is None or patience.is_over:
            return Claim(np.ones(len(unique), dtype=bool))
        claim: Claim = self.source.space.claim(self.keys[unique])
        return claim

    def _take_found(self, unique: NDArray[np.intp], bar: Any) -> NDArray[np.bool_]:
        """Take the rows that others have stored since; return which."""
        if self.source.space is None:
            return np.zeros(len(unique), dtype=bool)
        rows = self._look_up(self.keys[unique], self.lengths[unique])
        there = rows >= 0
        for part in _parts(np.flatnonzero(there)):
            self.out[self.first[unique[part]]] = self.source.space.read(
                rows[part], self.settings.dimensions
            )
        self.report.hits += int(there.sum())
        bar.update(int(there.sum()))
        return there

    def _embed_claimed(self, missing: NDArray[np.intp], bar: Any) -> None:
        missing, certain = self._part_certainly_long(missing)

        def store(positions: Sequence[int], vectors: NDArray[np.float32]) -> None:
            where = missing[np.asarray(positions)]
            self._commit(self.keys[where], vectors)
            self._place(where, vectors)

        job = self._job(self._rendered(missing), self.backends, store, bar.update)
        self._work(job, missing)
        self.failed.update({int(missing[p]): why for p, why in job.failed.items()})
        refused = missing[np.asarray(sorted(job.too_long), dtype=np.intp)]
        if len(refused) or len(certain):
            self._settle_long(np.concatenate([refused, certain]), bar)

    def _job(
        self,
        rendered: Sequence[str],
        backends: Sequence[Backend],
        store: Callable[[Sequence[int], NDArray[np.float32]], None],
        advance: Callable[[int], object] | None = None,
        *,
        size: int | None = None,
    ) -> EmbeddingJob:
        identity, settings = self.source.identity, self.settings
        auto = settings.batch_size == "auto"
        start = backends[0].preferred_batch if auto else int(settings.batch_size)
        tuner = BatchTuner(size or start, fixed=not auto or size is not None)
        per_host = getattr(backends[0], "parallel_requests", REQUESTS_PER_HOST)
        return EmbeddingJob(
            texts=rendered,
            backends=backends,
            identity=identity,
            batches=Batches(rendered, tuner, identity.context_length),
            store=store,
            report=self.report,
            # A number set with joblib.parallel_config, or a cluster's, counts too.
            n_jobs=settings.n_jobs or max(per_host * len(backends), effective_n_jobs(None)),
            advance=advance or (lambda count: None),
        )

    def _work(self, job: EmbeddingJob, unique: NDArray[np.intp]) -> None:
        """Run a job whose texts are, or are pieces of, these unique texts."""
        kept = "in the cache" if self.source.space is not None else "lost, for there is no cache"
        try:
            job.run()
        except KeyboardInterrupt as stop:
            stop.add_note(
                f"Stopped: {job.done:,} of {len(job.texts):,} texts were embedded and are {kept}; "
                f"{len(job.texts) - job.done:,} are left. Run it again to go on."
            )
            raise
        except BackendError as error:
            if not job.settled.any():
                raise
            left = unique if len(unique) != len(job.texts) else unique[~job.embedded]
            failed = dict.fromkeys(self._input_positions(left.tolist()), str(error))
            self.report.failed = len(left)
            raise interrupted_error(
                error,
                failed,
                len(self.inverse),
                done=job.done,
                asked=len(job.texts),
                kept=kept,
            ) from error
        finally:
            self.report.batch_size = job.batches.tuner.size
            self.report.batch_characters = job.batches.tuner.characters

    def _rendered(self, unique: NDArray[np.intp]) -> RenderedTexts:
        return RenderedTexts(self.texts, self.titles, self.prompt, self.first[unique])

    def _commit(self, keys: Keys, vectors: NDArray[np.float32]) -> None:
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

    # --- long texts ------------------------------------------------------------------------------

    def _part_certainly_long(
        self, missing: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Set texts apart that no tokenizer could fit: to send 10 MB takes a server seconds."""
        limit = self.source.identity.context_length
        if limit is None:
            return missing, missing[:0]
        most = limit * LONGEST_TOKEN
        long = self.lengths[missing] > most
        stop = self.settings.long_texts == "error" and self.settings.on_error == "raise"
        if long.any() and stop:
            raise self._too_long_error(missing[long].tolist())
        return missing[~long], missing[long]

    def _too_long_error(self, unique: Sequence[int]) -> EmbeddingError:
        reason = "longer than the model's context"
        failed = dict.fromkeys(self._input_positions(unique), reason)
        return too_long_error(failed, len(self.inverse), self.source.identity.context_length)

    def _settle_long(self, unique: NDArray[np.intp], bar: Any) -> None:
        """Do what ``long_texts`` says about the texts that the backend refused as too long."""
        policy, limit = self.settings.long_texts, self.source.identity.context_length
        if policy == "error":
            reason = f"longer than the model's context ({limit} tokens)"
            if self.settings.on_error == "raise":
                raise self._too_long_error(unique.tolist())
            self.failed.update(dict.fromkeys(unique.tolist(), reason))
            return
        keys = variant_keys(self.keys[unique], policy)
        embedded = self.report.embedded
        if policy == "truncate":

            def store(positions: Sequence[int], vectors: NDArray[np.float32]) -> None:
                where = np.asarray(positions)
                self._commit(keys[where], vectors)
                self._place(unique[where], vectors)

            cutting = [TruncatingBackend(b, limit) for b in self.backends]
            job = self._job(self._rendered(unique), cutting, store, bar.update, size=1)
            self._work(job, unique)
            self.failed.update({int(unique[p]): why for p, why in job.failed.items()})
            done = len(unique) - len(job.failed)
        else:
            vectors = self._mean_vectors(unique, limit)
            self._commit(keys, vectors)
            self._place(unique, vectors)
            done = len(unique)
            bar.update(done)
        self.report.embedded = embedded + done
        self._count_long(done)

    def _mean_vectors(self, unique: NDArray[np.intp], limit: int | None) -> NDArray[np.float32]:
        """Return the mean vectors of long texts."""
        positions = self.first[unique]

        def render(owner: int, piece: str) -> str:
            title = None if self.titles is None else self.titles[int(positions[owner])]
            return render_text(piece, title, self.prompt)

        def embed_pieces(
            pieces: Sequence[str],
        ) -> tuple[NDArray[np.float32], Sequence[int]]:
            vectors = np.zeros((len(pieces), self.source.identity.dimension), dtype=np.float32)

            def store(where: Sequence[int], found: NDArray[np.float32]) -> None:
                vectors[np.asarray(where)] = found

            job = self._job(pieces, self.backends, store)
            self._work(job, unique)
            if job.failed:
                reason = next(iter(job.failed.values()))
                raise EmbeddingError(
                    f"{len(job.failed)} pieces of texts over the model's limit could not be "
                    f"embedded: {reason}",
                    dict.fromkeys(self._input_positions(unique.tolist()), reason),
                )
            return vectors, job.too_long

        return average_pieces(
            [encode_text(self.texts[p]).decode() for p in positions.tolist()],
            render,
            embed_pieces,
            limit or 512,
            self.prompt,
        )

    def _count_long(self, count: int) -> None:
        if self.settings.long_texts == "mean":
            self.report.averaged += count
        elif count:
            self.report.truncated += count
            warn_cut(count, len(self.texts), self.source.identity.context_length)

    # --- failures --------------------------------------------------------------------------------

    def _input_positions(self, unique: Sequence[int]) -> list[int]:
        found: list[int] = np.flatnonzero(np.isin(self.inverse, np.asarray(unique))).tolist()
        return found

    def _report_failures(self) -> None:
        failed = {
            position: self.failed[int(self.inverse[position])]
            for position in self._input_positions(list(self.failed))
        }
        if self.settings.on_error == "nan":
            self.out[self.first[list(self.failed)]] = np.nan
            warn_nan_rows(failed, len(self.inverse))
            return
        raise failed_error(failed, len(self.inverse), cached=self.source.space is not None)


def _parts(positions: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(positions), ROWS_AT_ONCE):
        yield positions[start : start + ROWS_AT_ONCE]
