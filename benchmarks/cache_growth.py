"""This cache at one size: filled, then read, appended to and opened, in processes of their own.

    python benchmarks/cache_growth.py measure FOLDER ENTRIES READS
    python benchmarks/cache_growth.py open SPACE KEY

Run by cache.py. ``measure`` fills a cache with random unit vectors of 768 float32 and times, in
turn and five times: a numpy gather from the mapped matrix (resident by then), reads by key in
random order, the same of 128 dimensions, and a ``transform`` of the texts, which renders, hashes
and looks up before it reads: once of texts that lie in memory in their order, as after reading a
file, and once of a shuffled list, whose every text must be fetched from somewhere else. Then
batches of 64 are stored, each waiting for the disk. ``open`` times what a new process does before
its first vector: the space, its length, one key, one row; imports are not counted. Prints a line of
JSON.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from cache_stores import BATCH, text_of

FILL = 4_096
TURNS, APPENDED, OPENED = 5, 3_200, 5


def measure(folder: str, entries: int, reads: int) -> dict[str, Any]:
    from toolkit import EmbeddingGemmaVectorizer
    from toolkit.cache import EmbeddingCache, bundled_spaces
    from toolkit.embedding.keys import hash_texts
    from toolkit.prompts import resolve_prompt

    space, _ = EmbeddingCache(folder).resolve(bundled_spaces()[0].identity)
    prompt = resolve_prompt("embeddinggemma", "classification")
    texts = [text_of(number) for number in range(entries + APPENDED)]
    keys = hash_texts(texts, prompt)
    rng = np.random.default_rng(0)
    for start in range(0, entries, FILL):
        end = min(start + FILL, entries)
        space.put(keys[start:end], unit(rng, end - start), prompt.template)
    order = rng.permutation(entries)[:reads]
    shuffled, matrix = [texts[i] for i in order.tolist()], space.matrix()
    asked = [text_of(i) for i in order.tolist()]
    vectorizer = EmbeddingGemmaVectorizer(
        "classification", backend=f"cache:{space.id}", cache=folder, verbose=0
    ).fit(asked[:1])
    ways: dict[str, Callable[[], Any]] = {
        "gather": lambda: np.take(matrix, order, axis=0),
        "read": lambda: space.get(keys[order]),
        "read_128": lambda: space.get(keys[order], 128),
        "transform": lambda: vectorizer.transform(asked),
        "transform_shuffled": lambda: vectorizer.transform(shuffled),
    }
    runs: dict[str, list[float]] = {name: [] for name in ways}
    first = timed(ways["read"])  # loads the index
    ways["gather"]()
    for _ in range(TURNS):
        for name, way in ways.items():
            runs[name].append(timed(way))
    found: dict[str, Any] = {"entries": entries, "reads": reads}
    for name, seconds in runs.items():
        found[f"{name}_a_second"] = round(reads / statistics.median(seconds))
    # Of the same turn, so that what else the machine does is in both.
    compared = ("read", "gather"), ("transform", "read"), ("transform_shuffled", "read")
    for name, to in compared:
        ratios = [b / a for a, b in zip(runs[name], runs[to], strict=True)]
        found[f"{name}_to_{to}"] = round(statistics.median(ratios), 3)
    found["first_read_seconds"] = round(first, 3)
    vectors, seconds = unit(rng, APPENDED), 0.0
    for start in range(0, APPENDED, BATCH):
        batch = slice(entries + start, entries + start + BATCH)
        part = vectors[start : start + BATCH]
        seconds += timed(lambda b=batch, p=part: space.put(keys[b], p, prompt.template))  # type: ignore[misc]
    found["written_a_second"] = round(APPENDED / seconds)
    found["bytes_a_vector"] = round(
        sum(file.stat().st_size for file in space.path.iterdir()) / (entries + APPENDED)
    )
    opened = [open_elsewhere(space.path, keys[0].tobytes().hex()) for _ in range(OPENED)]
    found["open_ms"] = round(statistics.median(opened) * 1e3, 2)
    return found


def unit(rng: np.random.Generator, count: int) -> Any:
    vectors = rng.standard_normal((count, 768), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def timed(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def open_elsewhere(space: Path, key: str) -> float:
    done = subprocess.run(
        [sys.executable, __file__, "open", str(space), key],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def open_here(path: str, key: str) -> float:
    from toolkit.cache import Space

    wanted = np.frombuffer(bytes.fromhex(key), dtype="V16")

    def use() -> None:
        space = Space(path)
        assert len(space)
        assert space.get(wanted)[1].all()

    return timed(use)


def main() -> None:
    what, *arguments = sys.argv[1:]
    if what == "open":
        print(open_here(*arguments))
    else:
        folder, entries, reads = arguments
        print(json.dumps(measure(folder, int(entries), int(reads))))


if __name__ == "__main__":
    main()
