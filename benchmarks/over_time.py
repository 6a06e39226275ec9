"""Words told of periods where dates say nothing, and where they say something.

    python benchmarks/over_time.py [--shuffles 200] [--out benchmarks/results/over_time.json]

The data sets have no dates, so the texts of each label get some: of 12 months drawn at random, of
which no word should be told; and of months that half of the texts take from what else is known of
them, a region or a language, each of which has its month. Beside it stands the rule without a test:
the five words of highest log-odds of each period, in twice as large a share of its texts as of the
others. Needs no server. Takes about three minutes.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from record import results_file, write_record

from toolkit.cluster import log_odds, sum_by_cluster, top_keywords
from toolkit.cluster.over_time import OverTime, follow_clusters
from toolkit.cluster.periods import make_periods
from toolkit.cluster.terms import TermCounts, count_terms
from toolkit.datasets import load

MONTHS = 12
CASES = {
    "sdg": ("sdg", None, None),
    "factbook": ("factbook", None, "region"),
    "assist_intents": ("assist_intents", None, "lang"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Count the words told of periods.")
    parser.add_argument("--shuffles", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("over_time"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    results = {}
    for name in CASES:
        results[name] = measure(name, options.shuffles)
        print(name, results[name], flush=True)
    record = {
        "benchmark": "over_time",
        "what": "words told of periods, labels for clusters: of dates drawn at random, and of "
        "months that half of the texts take from their region or language",
        "shuffles": options.shuffles,
        "results": results,
    }
    write_record(options.out, record, packages=("numpy", "scipy"))
    return 0


def measure(name: str, shuffles: int) -> dict[str, Any]:
    data, subset, column = CASES[name]
    frame = load(data, subset=subset, as_frame=True).frame
    texts, labels = frame["text"].tolist(), np.unique(frame["label"], return_inverse=True)[1]
    counts, rng = count_terms(texts), np.random.default_rng(0)
    told = []
    months = rng.integers(0, MONTHS, len(texts))
    for _ in range(shuffles):
        months = rng.permutation(months)
        told.append(n_words(followed(counts, labels, months, texts)))
    found: dict[str, Any] = {
        "texts": len(texts),
        "labels": int(labels.max()) + 1,
        "shuffled": {
            "words": sum(told),
            "with any word": sum(words > 0 for words in told),
            "without a test": untested(counts, labels, months),
        },
    }
    if column is not None:
        kinds = np.unique(frame[column].astype(str), return_inverse=True)[1]
        drifting = np.where(rng.random(len(texts)) < 0.5, kinds % MONTHS, months)
        time = followed(counts, labels, drifting, texts)
        large = int((np.array(time.counts) >= 5).sum())
        found["drifting"] = {
            "periods": large,
            "with words": sum(len(one) for one in time.words),
            "words": n_words(time),
        }
    return found


def followed(counts: TermCounts, labels: Any, months: Any, texts: list[str]) -> OverTime:
    """Follow labels over the months of a year."""
    year = make_periods([f"2024-{month + 1:02}" for month in range(MONTHS)])
    return follow_clusters(counts, labels, replace(year, numbers=months), texts)


def n_words(time: OverTime) -> int:
    return sum(len(one.words) for told in time.words for one in told)


def untested(counts: TermCounts, labels: Any, months: Any) -> int:
    """Return how many words there would be if all were told that chance favours."""
    found = 0
    for label in range(int(labels.max()) + 1):
        rows = np.flatnonzero(labels == label)
        own = TermCounts(counts.counts[rows], counts.terms)
        weights = log_odds(sum_by_cluster(own.counts, months[rows], MONTHS))
        found += sum(map(len, top_keywords(weights, own, months[rows], n_keywords=5)))
    return found


if __name__ == "__main__":
    sys.exit(main())
