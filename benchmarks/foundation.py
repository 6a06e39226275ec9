"""Accuracy of a classifier of the SDG passages on the shipped EmbeddingGemma vectors.

    python benchmarks/foundation.py [--out benchmarks/results/foundation.json]

Logistic regression (C=10) in five stratified folds, on the vectors at 768, 512, 256 and 128
dimensions (cut to the first values, then scaled to unit length) and on TF-IDF of words and pairs of
words. Needs no server. Prints the figures beside those published with the project and writes them
with the machine and the versions they were measured on. Takes about 15 seconds.

BLAS is held to one thread: the matrices are small, and on a machine whose cores are shared its
threads wait for each other (measured on two cores: 17 seconds instead of 0.3 at 768 dimensions).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from record import results_file, write_record
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from toolkit.datasets import load, load_vectors

PUBLISHED = {
    "embeddinggemma 768": 0.774,
    "embeddinggemma 512": 0.767,
    "embeddinggemma 256": 0.761,
    "embeddinggemma 128": 0.704,
    "tf-idf (1, 2)-grams": 0.696,
}
TOLERANCE = 0.005
LIBRARIES = ("numpy", "scipy", "scikit-learn")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the foundation's five accuracies.")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("foundation"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    with threadpool_limits(1, user_api="blas"):
        results = measure()
    record = {
        "benchmark": "foundation",
        "what": "accuracy, SDG passages (615 texts, 17 classes), mean of five folds",
        "classifier": "LogisticRegression(C=10, max_iter=2000)",
        "cross_validation": "StratifiedKFold(5, shuffle=True, random_state=0)",
        "results": results,
    }
    write_record(options.out, record, packages=LIBRARIES, blas_threads=1)
    off = [name for name, r in results.items() if abs(r["accuracy"] - r["published"]) > TOLERANCE]
    if off:
        print(f"not within {TOLERANCE} of what is published: {', '.join(off)}", file=sys.stderr)
    return 1 if off else 0


def measure() -> dict[str, dict[str, float]]:
    """Return accuracy, standard deviation over folds and seconds by representation."""
    texts, y = load("sdg", return_X_y=True)
    classifier = LogisticRegression(C=10, max_iter=2000)

    def on_vectors(dimensions: int) -> Callable[[], tuple[BaseEstimator, object]]:
        return lambda: (
            classifier,
            load_vectors("sdg", task="classification", dimensions=dimensions),
        )

    def on_tfidf() -> tuple[BaseEstimator, object]:
        return make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), classifier), texts

    ways = {f"embeddinggemma {d}": on_vectors(d) for d in (768, 512, 256, 128)}
    ways["tf-idf (1, 2)-grams"] = on_tfidf
    results = {}
    print(f"{'':22}{'accuracy':>9}{'sd':>7}{'published':>11}{'seconds':>9}")
    for name, prepare in ways.items():
        begin = time.perf_counter()
        estimator, X = prepare()
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        scores = cross_val_score(estimator, X, y, cv=folds)
        results[name] = {
            "accuracy": round(float(np.mean(scores)), 4),
            "sd": round(float(np.std(scores, ddof=1)), 4),
            "published": PUBLISHED[name],
            "seconds": round(time.perf_counter() - begin, 1),
        }
        r = results[name]
        print(
            f"{name:22}{r['accuracy']:9.4f}{r['sd']:7.4f}{r['published']:11.3f}{r['seconds']:9.1f}",
            flush=True,
        )
    return results


if __name__ == "__main__":
    sys.exit(main())
