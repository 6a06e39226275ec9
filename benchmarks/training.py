"""How long `toolkit train` takes, and how much memory: the whole comparison, baselines and report.

    python benchmarks/training.py [--rows 20000] [--out benchmarks/results/training.json]

- `sdg`: the 615 shipped passages with their real vectors, held out;
- `large`: 20,000 made-up texts of 20 classes with vectors of 768 from a cache, held out: directions
  of classes with noise, so that classifiers have something to do; only time and memory mean
  anything there.

Each is measured in a process of its own, as its wall-clock time and its largest resident memory.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from record import results_file, write_record

from toolkit import ClassifierReport, EmbeddingGemmaVectorizer
from toolkit.classify import select_classifier
from toolkit.datasets import load
from toolkit.identity import ModelIdentity

CLASSES = 20
DIMENSION = 768


@dataclass(frozen=True)
class Directions:
    """A backend whose vectors are those of the class that a text begins with, and noise."""

    max_tokens: int | None = None
    preferred_batch: int = 512
    uses_prompts: bool = False

    def identify(self) -> ModelIdentity:
        return ModelIdentity(
            "made-up", "directions", DIMENSION, engine="made-up", engine_version="1"
        )

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        centres = np.random.default_rng(0).normal(size=(CLASSES + 1, DIMENSION))
        rows = []
        for text in texts:
            found = re.match(r"k(\d+) n(\d+) ", text)  # None for the reference texts
            kind, number = map(int, found.groups()) if found else (0, len(text))
            noise = np.random.default_rng(number).normal(scale=4.0, size=DIMENSION)
            rows.append(centres[kind] + 2 * centres[-1] + noise)
        X = np.asarray(rows)
        return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


def made_up(rows: int) -> tuple[list[str], list[str]]:
    """Return texts of twenty words and their labels; half of the words tell of the class."""
    rng = np.random.default_rng(1)
    texts, labels = [], []
    for number in range(rows):
        kind = int(rng.integers(CLASSES))
        words = [f"w{w}" for w in rng.zipf(1.3, 20) % 5000]
        words[::4] = [f"t{kind}x{w}" for w in rng.integers(0, 200, 5)]
        texts.append(f"k{kind} n{number} " + " ".join(words[: 1 + int(rng.integers(19))]))
        labels.append(f"class {rng.integers(CLASSES) if rng.random() < 0.1 else kind}")
    return texts, labels


def measure(which: str, rows: int) -> dict[str, Any]:
    """Train, and return the time, the memory and what was chosen."""
    with tempfile.TemporaryDirectory() as cache:
        if which == "sdg":
            data = load("sdg")
            texts, labels = list(data.data), list(data.target)
            vectorizer = EmbeddingGemmaVectorizer(backend="cache", cache=False)
        else:
            texts, labels = made_up(rows)
            vectorizer = EmbeddingGemmaVectorizer(backend=Directions(), cache=cache)
            vectorizer.fit(texts).transform(texts)
        begun = time.perf_counter()
        result = select_classifier(texts, labels, vectorizer=vectorizer)
        trained = time.perf_counter()
        size = len(ClassifierReport(result).to_html().encode())
        done = time.perf_counter()
    selection = result.selection
    assert selection is not None
    return {
        "rows": len(texts),
        "seconds": round(done - begun, 1),
        "seconds_of_report": round(done - trained, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "report_bytes": size,
        "chosen": selection.chosen,
        "accuracy": result.scores["accuracy"].mean,
        "seconds_by_candidate": {t.name: round(t.seconds, 1) for t in selection.trials},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure training.")
    parser.add_argument("--rows", type=int, default=20_000, help="default: %(default)s")
    parser.add_argument("--only", choices=["sdg", "large"], help="measure in this process, print")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("training"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    if options.only:
        json.dump(measure(options.only, options.rows), sys.stdout)
        return 0
    found: dict[str, Any] = {}
    for which in ("sdg", "large"):
        words = [sys.executable, __file__, "--only", which, "--rows", str(options.rows)]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        found[which] = json.loads(done.stdout)
        print(which, json.dumps(found[which], indent=1))
    write_record(options.out, found, packages=("numpy", "scikit-learn", "scipy"))
    good = found["sdg"]["seconds"] < 30 and found["large"]["seconds"] < 300
    return 0 if good and found["large"]["peak_mb"] < 2048 else 1


if __name__ == "__main__":
    sys.exit(main())
