"""Stability measured on samples of many texts in many clusters, beside that on all of them.

    python benchmarks/stability_sample.py [--out benchmarks/results/stability_sample.json]

Stability clusters parts of the texts again and again, of many texts parts of a sample. Here are
20,000 vectors of 64 dimensions, normal around as many centres as there are clusters to be: apart,
overlapping, and blurred into each other; the last two with clusters of uneven size. Each is
clustered by k-means, and its stability measured on 5,000, on 10,000 and on all. The figures are why
`cluster_texts` examines more than 5,000 where many clusters are asked for. Needs no server. Takes
about six minutes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import results_file, write_record
from sklearn.preprocessing import normalize

from toolkit.cluster import assess_stability, make_clusterer
from toolkit.cluster.geometry import order_by_size

TEXTS, DIMENSION = 20_000, 64
SAMPLES = (5_000, 10_000, TEXTS)
CLUSTERS = (60, 120)
# Spread around a centre of length 1, and how fast the sizes of clusters fall (0: all alike).
MIXTURES = {"apart": (0.6, 0.0), "overlapping": (1.3, 0.7), "blurred": (2.0, 0.7)}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure stability on samples.")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("stability_sample"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    results = []
    for k in CLUSTERS:
        for name in MIXTURES:
            results.append({"vectors": name, "clusters": k, "samples": measure(name, k)})
            print(results[-1], flush=True)
    record = {
        "benchmark": "stability_sample",
        "what": "stability of k-means by samples of the vectors: mean Jaccard similarity over "
        "texts, clusters that come out again (0.75 or more), seeds' adjusted Rand index",
        "texts": TEXTS,
        "dimension": DIMENSION,
        "mixtures": {name: {"spread": a, "fall": b} for name, (a, b) in MIXTURES.items()},
        "results": results,
    }
    write_record(options.out, record, packages=("numpy", "scikit-learn"))
    return 0


def measure(name: str, k: int) -> dict[str, Any]:
    X = mixture(k, *MIXTURES[name])
    clusterer = make_clusterer("kmeans", k, n_samples=TEXTS, random_state=0)
    labels, _ = order_by_size(clusterer.fit_predict(X))
    found = {}
    for size in SAMPLES:
        stability = assess_stability(X, labels, clusterer, n_resamples=5, n_seeds=2, max_texts=size)
        again = sum(cluster.jaccard >= 0.75 for cluster in stability.clusters)
        found[str(size)] = {
            "jaccard": round(stability.jaccard, 3),
            "come out again": again,
            "seed_ari": round(stability.seed_ari, 3),
        }
    return found


def mixture(k: int, spread: float, fall: float) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    centres = normalize(rng.normal(size=(k, DIMENSION)))
    shares = np.arange(1, k + 1) ** -fall
    which = rng.choice(k, size=TEXTS, p=shares / shares.sum())
    noise = rng.normal(size=(TEXTS, DIMENSION)) / np.sqrt(DIMENSION)
    return np.asarray(normalize(centres[which] + spread * noise), dtype=np.float32)


if __name__ == "__main__":
    sys.exit(main())
