"""The cache beside other ways of keeping vectors, and beside the physical limit; and as it grows.

    python benchmarks/cache.py [--competitors VENV/bin/python] [--out FILE]

*Ways*: the same 100,000 vectors of 768 float32, stored under their texts and read by them in random
order, 1,000 a call, each way in processes of its own (cache_stores.py), in rounds A B C A B C;
medians count.
Writes are of batches of 64 that are committed one by one; this cache and the SQLite table wait for
the disk each time, the others do not. Slow ways read as many as they can in the given seconds.

*Growth*: this cache alone at 1,000 to 1,000,000 entries (cache_growth.py): reads by key, of 128
dimensions, a ``transform`` that finds everything, durable writes, and what opening takes.

Ratios are of the same run. ``python benchmarks/cache_picture.py`` draws the curve afterwards.

Other packages need an environment of their own, which is optional:

    python -m venv VENV && VENV/bin/pip install numpy joblib diskcache langchain-classic

Takes about twenty minutes with it, 8 GB of disk in a temporary folder, and 8 GB of memory at the
largest size.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from record import print_goals, results_file, write_record

STORES, GROWTH = (Path(__file__).with_name(f"cache_{name}.py") for name in ("stores", "growth"))
DIMENSION = 768
OURS, OURS_128, LIMIT = "toolkit", "toolkit, 128 dimensions", "numpy gather"
OWN = (OURS, OURS_128, LIMIT, ".npy", "SQLite blobs", "joblib.Memory")
OTHERS = ("diskcache", "langchain")
NOTES = {
    OURS: "every row compared with its checksum; a write waits for the disk",
    OURS_128: "the first 128 values, scaled to unit length again",
    LIMIT: "np.take from a matrix in memory: no keys, no disk",
    ".npy": "loaded whole and gathered in one call: no keys, cannot grow",
    "SQLite blobs": "WAL, synchronous=FULL, pages of 16 kB, memory-mapped, 1,000 keys a query",
    "joblib.Memory": "a call a text; a write does not wait for the disk",
    "diskcache": "a transaction a batch; a write does not wait for the disk",
    "langchain": "CacheBackedEmbeddings with LocalFileStore: JSON, a file a text; a write does not "
    "wait for the disk",
}
SIZES = (1_000, 10_000, 100_000, 1_000_000)
OPEN_MS = 50


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the cache.")
    parser.add_argument("--vectors", type=int, default=100_000, help="of the table 'ways'")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="that a slow way may read for")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="of the table 'growth'")
    parser.add_argument(
        "--competitors", metavar="PYTHON", help="interpreter of an environment that has the others"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("cache"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="toolkit-cache-") as folder:
        bench = Bench(options, Path(folder))
        ways = bench.ways()
        growth = [bench.growth(size) for size in options.sizes]
    skipped = {} if options.competitors else dict.fromkeys(OTHERS, "no environment was given")
    goals = found_goals(ways, growth, options.vectors)
    record = {
        "benchmark": "cache",
        "what": f"vectors of {DIMENSION} float32 by their texts, in random order, a second",
        "goals": goals,
        "ways": ways,
        "vectors": options.vectors,
        "growth": growth,
        "rounds": options.rounds,
        "load_before_after": [[round(x, 1) for x in part] for part in (load, os.getloadavg())],
        "skipped": skipped,
        "notes": {way: NOTES[way] for way in ways},
    }
    write_record(options.out, record, packages=bench.versions)
    return print_goals(goals)


class Bench:
    """Runs ways in turn and gathers what they took."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.versions: dict[str, str] = {}

    def ways(self) -> dict[str, dict[str, Any]]:
        """Fill every store, read them in rounds; print and return the table."""
        rng, count = np.random.default_rng(0), self.options.vectors
        vectors = rng.standard_normal((count, DIMENSION), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        np.save(self.folder / "vectors.npy", vectors)
        np.save(self.folder / "order.npy", rng.permutation(count))
        names = (*OWN, *OTHERS) if self.options.competitors else OWN
        rows: dict[str, dict[str, Any]] = {}
        for way in names:
            rows[way] = {"read_a_second": 0}
            if way not in (OURS_128, LIMIT):
                filled = self.run("fill", way)
                rows[way]["stored_bytes_a_vector"] = round(used(self.place(way)) / count)
                if way != ".npy":
                    rows[way]["written_a_second"] = round(filled["written_a_second"])
        reads: dict[str, list[dict[str, Any]]] = {way: [] for way in names}
        for _ in range(self.options.rounds):
            for way in names:
                reads[way].append(self.run("read", way))
        for way, runs in reads.items():
            rows[way]["read_a_second"] = round(statistics.median(r["read_a_second"] for r in runs))
            rows[way]["of_rounds"] = [round(run["read_a_second"]) for run in runs]
            rows[way]["read"] = runs[0]["read"]
        print(f"{'':26}{'read/s':>11}{'to limit':>10}{'toolkit is':>12}{'written/s':>11}")
        for way, row in rows.items():
            row["to_limit"] = round(row["read_a_second"] / rows[LIMIT]["read_a_second"], 3)
            row["toolkit_is"] = round(rows[OURS]["read_a_second"] / row["read_a_second"], 2)
            print(
                f"{way:26}{row['read_a_second']:11,}{row['to_limit']:10.3f}"
                f"{row['toolkit_is']:11.2f}x{row.get('written_a_second', 0):11,}",
                flush=True,
            )
            shutil.rmtree(self.place(way), ignore_errors=True)
        return rows

    def place(self, way: str) -> Path:
        return self.folder / ("toolkit" if way == OURS_128 else way.replace(" ", "-").strip("."))

    def run(self, what: str, way: str) -> dict[str, Any]:
        """Fill or read one store once."""
        python = str(self.options.competitors) if way in OTHERS else sys.executable
        files = [str(self.folder / name) for name in ("vectors.npy", "order.npy")]
        seconds = str(self.options.seconds)
        found = output(python, STORES, what, way, str(self.place(way)), *files, seconds)
        self.versions |= found.pop("versions")
        return found

    def growth(self, entries: int) -> dict[str, Any]:
        """Measure this cache at one size; print and return the row."""
        place = self.folder / "growth"
        reads = str(min(entries, self.options.vectors))
        row = output(sys.executable, GROWTH, "measure", str(place), str(entries), reads)
        shutil.rmtree(place)
        print(", ".join(f"{name} {value:,}" for name, value in row.items()), flush=True)
        return row


def output(python: str, script: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, str(script), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{script.name} {' '.join(arguments[:2])} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def used(folder: Path) -> int:
    """Return what a folder takes on disk, in whole blocks."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def found_goals(
    ways: dict[str, dict[str, Any]], growth: list[dict[str, Any]], vectors: int
) -> dict[str, dict[str, Any]]:
    """Compare the figures with the goals; those of what was not measured are left out."""
    read = {way: row["read_a_second"] for way, row in ways.items()}
    written = {way: row.get("written_a_second", 0) for way, row in ways.items()}
    least: dict[str, tuple[float, float]] = {
        "read_to_gather": (0.25, read[OURS] / read[LIMIT]),
        "read_to_sqlite_blobs": (2, read[OURS] / read["SQLite blobs"]),
        "read_128_to_read": (1, read[OURS_128] / read[OURS]),
        "written_to_sqlite_blobs": (1, written[OURS] / written["SQLite blobs"]),
    }
    for way in ("joblib.Memory", *OTHERS):
        if way in read:
            least[f"read_to_{way}"] = (5, read[OURS] / read[way])
    by_size = {row["entries"]: row for row in growth}
    if vectors in by_size:
        least["transform_to_read"] = (0.6, by_size[vectors]["transform_to_read"])
    goals: dict[str, dict[str, Any]] = {
        name: {"goal": f"at least {goal:g}", "measured": round(found, 3), "met": found >= goal}
        for name, (goal, found) in least.items()
    }
    if growth:
        largest = growth[-1]
        goals[f"open_ms_at_{largest['entries']}"] = {
            "goal": f"under {OPEN_MS}",
            "measured": largest["open_ms"],
            "met": largest["open_ms"] < OPEN_MS,
        }
    return goals


if __name__ == "__main__":
    sys.exit(main())
