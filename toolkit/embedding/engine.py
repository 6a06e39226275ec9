"""Texts in, matrix out: deduplicate, look up, dispatch, check, store, cut to size."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from toolkit.cache import Claim, Space
from toolkit.embedding.failures import cache_miss_error, failed_error, warn_nan_rows
from toolkit.embedding.keeping import kept_loaded
from toolkit.embedding.long_texts import count_long, part_certainly_long, settle_long, variant_keys
from toolkit.embedding.patience import Patience
from toolkit.embedding.report import EmbeddingReport
from toolkit.embedding.settings import EngineSettings
from toolkit.embedding.spaces import Source
from toolkit.embedding.work import Work
from toolkit.errors import RowsMovedError
from toolkit.prompts import Prompt

__all__ = ["EngineSettings", "embed"]


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
    try:
        return _embed(Work(texts, titles, prompt, source, settings, report))
    except RowsMovedError:  # the space was pruned between looking up and reading: look again
        return _embed(Work(texts, titles, prompt, source, settings, report))
    finally:
        report.seconds = time.perf_counter() - started
        if isinstance(source.space, Space) and report.unique:
            misses = report.unique - report.hits
            source.space.note_call(prompt.template, report.hits, misses)


def _embed(work: Work) -> NDArray[np.float32]:
    source, report, settings = work.source, work.report, work.settings
    report.texts, report.unique = len(work), len(work.keys)
    report.where = source.identity.describe()
    if not len(work):
        return np.empty((0, settings.dimensions or source.identity.dimension), dtype=np.float32)
    rows = _look_up(work, np.arange(len(work.keys)))
    missing = np.flatnonzero(rows < 0)
    report.hits = len(rows) - len(missing)
    if not len(missing):
        rows = rows[work.inverse] if len(work.first) < len(work.inverse) else rows
        found: NDArray[np.float32] = source.space.read(rows, settings.dimensions)
        return found
    if not source.backends:
        raise _nobody_to_ask(work, missing)
    work.begin(rows)
    _embed_missing(work, missing)
    if work.failed:
        _report_failures(work)
    work.repeat()
    return work.out


# --- looking up -----------------------------------------------------------------------------------


def _look_up(work: Work, positions: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return rows of the cache; of long texts, what an earlier call cut or averaged alike."""
    space, policy = work.source.space, work.settings.long_texts
    if space is None:
        return np.full(len(positions), -1, dtype=np.int64)
    keys = work.keys[positions]
    rows: NDArray[np.int64] = space.lookup(keys)
    missing = np.flatnonzero(rows < 0)
    # No tokenizer makes more tokens than bytes; a text of fewer characters is never long.
    shortest = 20_000 // 4 if work.limit is None else work.limit // 4
    if policy == "error" or not len(missing):
        return rows
    long = missing[work.lengths(positions[missing]) > shortest]
    if len(long):
        found = space.lookup(variant_keys(keys[long], policy))
        rows[long] = found
        count = int((found >= 0).sum())
        if count:
            count_long(work, count)
    return rows


def _nobody_to_ask(work: Work, missing: NDArray[np.intp]) -> Exception:
    if work.source.unavailable is not None:
        return work.source.unavailable
    space = work.source.space
    return cache_miss_error(
        work.input_positions(missing.tolist()),
        len(work),
        space.id if space is not None else None,
        work.prompt.template,
    )


# --- embedding ------------------------------------------------------------------------------------


def _embed_missing(work: Work, missing: NDArray[np.intp]) -> None:
    """Embed what nobody else is embedding right now, and wait for the rest."""
    hits, verbose = work.report.hits, work.settings.verbose
    bar = tqdm(
        total=len(missing),
        desc="embedding",
        unit="text",
        # Off when not a terminal, unless asked for; not worth showing for a second's work.
        disable=None if verbose == 0 else verbose < 0,
        delay=0 if verbose > 0 else 1,
        postfix={"from cache": hits} if hits else None,
        dynamic_ncols=True,
    )
    patience = Patience()
    with bar, ExitStack() as kept:
        work.backends = [kept.enter_context(kept_loaded(b)) for b in work.source.backends]
        while len(missing):
            with _claim(work, missing, patience) as claim:
                # What was claimed until now may be there by now.
                found = _take_found(work, missing, bar)
                mine = missing[claim.mine & ~found]
                if len(mine):
                    _embed_claimed(work, mine, bar)
            missing = missing[~claim.mine & ~found]
            if len(missing):
                patience.wait(progress=bool(len(mine) or found.any()))
    work.report.failed = len(work.failed)


def _claim(work: Work, positions: NDArray[np.intp], patience: Patience) -> Claim:
    if work.source.space is None or patience.is_over:
        return Claim(np.ones(len(positions), dtype=bool))
    claim: Claim = work.source.space.claim(work.keys[positions])
    return claim


def _take_found(work: Work, positions: NDArray[np.intp], bar: Any) -> NDArray[np.bool_]:
    """Take the rows that others have stored since; return which."""
    rows = _look_up(work, positions)
    there = rows >= 0
    work.take(positions[there], rows[there])
    work.report.hits += int(there.sum())
    bar.update(int(there.sum()))
    return there


def _embed_claimed(work: Work, missing: NDArray[np.intp], bar: Any) -> None:
    missing, certain = part_certainly_long(work, missing)

    def store(positions: Sequence[int], vectors: NDArray[np.float32]) -> None:
        work.keep(missing[np.asarray(positions)], vectors)

    job = work.run_job(work.rendered(missing), store, advance=bar.update)
    work.failed.update({int(missing[p]): why for p, why in job.failed.items()})
    refused = missing[np.asarray(sorted(job.too_long), dtype=np.intp)]
    if len(refused) or len(certain):
        settle_long(work, np.concatenate([refused, certain]), bar)


def _report_failures(work: Work) -> None:
    failed = {
        position: work.failed[int(work.inverse[position])]
        for position in work.input_positions(list(work.failed))
    }
    if work.settings.on_error == "nan":
        work.out[work.first[list(work.failed)]] = np.nan
        warn_nan_rows(failed, len(work))
        return
    raise failed_error(failed, len(work), cached=work.source.space is not None)
