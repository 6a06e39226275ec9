"""The named clusterers beside each other, on the shipped EmbeddingGemma vectors.

    python benchmarks/clusterers.py [--out benchmarks/results/clusterers.json]

Each clusters the SDG passages (17 goals) and the factbook sample (9 sections) under the clustering
prompt, with as many clusters as there are labels where it has to be told. Agreement with the labels
on both; whether the clusters come out again from parts of the texts and from other seeds on the
passages. Needs no server. BLAS and OpenMP are held to one thread (see benchmarks/clustering.py).
Takes two to four minutes, most of it for UMAP.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from record import results_file, write_record
from threadpoolctl import threadpool_limits

from toolkit import UMAPProjector
from toolkit.cluster import CLUSTERERS, cluster_texts
from toolkit.datasets import load, load_vectors

DATA: dict[str, tuple[str | None, int]] = {"sdg": (None, 10), "factbook": ("sample", 0)}
LIBRARIES = ("numpy", "scipy", "scikit-learn", "umap-learn")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the named clusterers.")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("clusterers"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    with threadpool_limits(1):
        results = {name: measure(name, *settings) for name, settings in DATA.items()}
    record = {
        "benchmark": "clusterers",
        "what": "agreement with known labels (noise is a cluster of its own), share of texts in a "
        "cluster, and on sdg stability: mean Jaccard similarity over 10 parts of 80 % of the "
        "texts, and mean adjusted Rand index between seeds (1 for one that uses none)",
        "results": results,
    }
    write_record(options.out, record, packages=LIBRARIES, threads=1)
    return 0


def measure(name: str, subset: str | None, stability: int) -> dict[str, Any]:
    """Return the figures of every clusterer on one data set."""
    data = load(name, subset=subset)
    X = load_vectors(name, subset=subset, task="clustering")
    found: dict[str, Any] = {}
    print(f"\n{name:20}{'V':>7}{'ARI':>7}{'covered':>9}{'Jaccard':>9}{'seeds':>7}{'seconds':>9}")
    for clusterer, info in CLUSTERERS.items():
        begin = time.perf_counter()
        result = cluster_texts(
            data.data,
            X,
            clusterer=clusterer,
            n_clusters=len(data.target_names) if info.takes_n_clusters else None,
            reducer=UMAPProjector("clustering", verbose=0) if info.reduce else None,
            labels_true=data.target,
            stability=stability,
        )
        row: dict[str, Any] = {
            "clusters": result.n_clusters,
            "v_measure": result.agreement.all_texts.v_measure,
            "ari": result.agreement.all_texts.ari,
            "coverage": result.quality.coverage,
            "silhouette": result.quality.silhouette,
        }
        if result.stability is not None:
            row |= {"jaccard": result.stability.jaccard, "seed_ari": result.stability.seed_ari}
        row = {key: round(value, 4) for key, value in row.items()}
        row["seconds, stability included"] = round(time.perf_counter() - begin, 1)
        found[clusterer] = row
        print(
            f"{clusterer:20}{row['v_measure']:7.3f}{row['ari']:7.3f}{row['coverage']:9.2f}"
            f"{row.get('jaccard', float('nan')):9.3f}{row.get('seed_ari', float('nan')):7.3f}"
            f"{row['seconds, stability included']:9.1f}",
            flush=True,
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
