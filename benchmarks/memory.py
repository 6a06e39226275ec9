"""Peak memory of embedding many short texts from a generator into the cache.

    python benchmarks/memory.py [--texts 1000000] [--out benchmarks/results/memory.json]

The texts come from a generator, the vectors from the tests' Ollama double in a process of its own
(without any cost of computing), and go into a new cache and the output matrix. Measured is the
anonymous memory (``RssAnon`` in /proc/self/status, fifty times a second) of a process that does
nothing else: what it holds after its imports and a first transform, and at its peak. Then another
process reads the same vectors from the cache alone. Linux only. A million texts take about ten
minutes, 3.1 GB for the output, and as much on the disk of the temporary folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from record import results_file, write_record

ROOT = Path(__file__).resolve().parents[1]
MODEL_DIMENSION = 768
LIBRARIES = ("embeddinggemma-toolkit", "numpy", "scikit-learn", "joblib", "ollama", "httpx")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the peak memory of a large job.")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--dimensions", type=int, default=MODEL_DIMENSION, help="of the output")
    parser.add_argument("--limit", type=float, default=500.0, help="megabytes beyond the output")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("memory"),
        help="where to write the figures (default: %(default)s)",
    )
    parser.add_argument("--worker", nargs=2, metavar=("HOST", "CACHE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(*options.worker, options.texts, options.dimensions)))
        return 0
    sys.path.insert(0, str(ROOT))
    from tests.ollama_double.process import DoubleProcess

    with tempfile.TemporaryDirectory(prefix="toolkit-memory-") as cache:
        with DoubleProcess() as double:
            embedding = run(options, double.host, cache)
        reading = run(options, "", cache)
    record = {
        "benchmark": "memory",
        "what": f"peak anonymous memory, {options.texts:,} short texts from a generator",
        "limit_mb_beyond_output": options.limit,
        "embedding": embedding,
        "reading_from_cache": reading,
    }
    write_record(options.out, record, packages=LIBRARIES)
    show(record)
    return int(any(r["beyond_output_mb"] > options.limit for r in (embedding, reading)))


def run(options: argparse.Namespace, host: str, cache: str) -> dict[str, float]:
    """Measure in a new process; without a host, everything must be in the cache."""
    command = [sys.executable, __file__, "--worker", host, cache]
    command += ["--texts", str(options.texts), "--dimensions", str(options.dimensions)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the measuring process failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(host: str, cache: str, count: int, dimensions: int) -> dict[str, float]:
    """Embed ``count`` texts in this process; return megabytes and seconds."""
    from toolkit import EmbeddingGemmaVectorizer

    vectorizer = EmbeddingGemmaVectorizer(
        host=host or None,
        backend="ollama" if host else "cache",
        cache=cache,
        dimensions=None if dimensions == MODEL_DIMENSION else dimensions,
    )
    few = list(texts(300, "warming up"))
    vectorizer.fit(few)
    vectorizer.transform(few)
    before = anonymous_megabytes()
    watch = Watch()
    start, cpu = time.perf_counter(), time.process_time()
    with watch:
        vectors = vectorizer.transform(texts(count))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert vectors.shape == (count, dimensions), vectors.shape
    report = vectorizer.report_
    assert (report.embedded if host else report.hits) == count, report
    output = vectors.nbytes / 1e6
    return {
        "output_mb": round(output, 1),
        "before_mb": round(before, 1),
        "peak_mb": round(watch.peak, 1),
        "beyond_output_mb": round(watch.peak - output, 1),
        "bytes_a_text": round((watch.peak - output - before) * 1e6 / count, 1),
        "seconds": round(seconds, 1),
        "cpu_ms_a_text": round(cpu / count * 1e3, 4),
    }


def texts(count: int, what: str = "short text") -> Iterator[str]:
    """Yield distinct texts of eight words."""
    for i in range(count):
        yield f"{what} number {i} of many, nine words long"


def anonymous_megabytes() -> float:
    """Return what this process holds of memory that is no file's."""
    with Path("/proc/self/status").open(encoding="ascii") as status:
        for line in status:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("/proc/self/status does not tell RssAnon")


class Watch:
    """Keeps the highest anonymous memory seen within a block."""

    def __init__(self, interval: float = 0.02) -> None:
        self.peak = 0.0
        self._interval = interval
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()
        self.peak = max(self.peak, anonymous_megabytes())

    def _look(self) -> None:
        while not self._end.wait(self._interval):
            self.peak = max(self.peak, anonymous_megabytes())


def show(record: dict[str, object]) -> None:
    print(record["what"])
    print(f"{'':22}{'output':>9}{'before':>9}{'peak':>9}{'beyond':>9}  MB   bytes/text  seconds")
    for name in ("embedding", "reading_from_cache"):
        r = record[name]
        assert isinstance(r, dict)
        print(
            f"{name:22}{r['output_mb']:9.1f}{r['before_mb']:9.1f}{r['peak_mb']:9.1f}"
            f"{r['beyond_output_mb']:9.1f}{r['bytes_a_text']:17.0f}{r['seconds']:9.1f}"
        )


if __name__ == "__main__":
    sys.exit(main())
