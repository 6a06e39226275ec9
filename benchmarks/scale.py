"""The whole clustering job on many texts: seconds and peak memory of each stage.

    python benchmarks/scale.py [--sizes 20000 100000] [--competitors VENV/bin/python] [--out FILE]

Texts are those of the bundled sets, repeated with words exchanged, so that all differ and none is
longer than 150 characters; the vectors are placed: 45 centres in 768 dimensions with noise around
them, one for each of the 45 classes of these sets, and a twentieth of the texts anywhere.

Every stage is a process of its own (scale_stages.py). UMAP and HDBSCAN run once, and what they
found is given to both contenders: BERTopic gets the same vectors and the same outcome of the same
settings, so that its time and memory are those *outside* UMAP and HDBSCAN.

The two do not do the same there. BERTopic counts words with scikit-learn's CountVectorizer, weighs
them one way, and picks representative documents by words. Ours reads any script, weighs words two
ways, and compares every vector with every centroid, for exemplars, silhouette and quality of each
cluster, which BERTopic does not have. Its keywords are therefore measured once more alone, which is
the nearest to equal work; neither share is left out of the record.

Stages are short at 20,000 texts, so most are run as often as ``--repeats`` says, and the run of
the median time counts. All of it takes about 25 minutes on two quiet cores, most of it UMAP. The
report is opened in Chromium, from its file, until the map stands; when the first thing is seen and
when text can be read is recorded, too. At last, keywords of many short texts.

BERTopic needs an environment of its own, which is optional:

    python -m venv VENV && VENV/bin/pip install --no-deps bertopic
    VENV/bin/pip install umap-learn hdbscan scikit-learn pandas plotly tqdm pyyaml joblib
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from record import print_goals, results_file, write_record

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import ARGUMENTS, EXECUTABLE  # noqa: E402
from tests.ollama_double.process import DoubleProcess  # noqa: E402

STAGES = Path(__file__).with_name("scale_stages.py")
CENTRES, DIMENSION, LONGEST = 45, 768, 150
OPENINGS, OPENED = 5, ("something is seen", "text can be read", "the map stands")
OWN = (
    "vectors from the cache",
    "UMAP to 5 dimensions",
    "HDBSCAN",
    "UMAP to the map",
    "how far the map is to be believed",
    "describing the clusters",
    "keywords alone",
    "report",
)
OTHERS = ("BERTopic: describing", "BERTopic: page")
REPEATED = ("describing the clusters", "keywords alone", "report", *OTHERS)
GOAL_SHARE, GOAL_MB, GOAL_SECONDS, GOAL_KEYWORDS_MB = 0.5, 8.0, 2.0, 4000.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure a large clustering job, stage by stage.")
    parser.add_argument("--sizes", type=int, nargs="*", default=[20_000, 100_000])
    parser.add_argument(
        "--keywords", type=int, default=1_000_000, help="texts of the keywords alone; 0: none"
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="runs of each stage but UMAP's and the vectors'"
    )
    parser.add_argument("--competitors", metavar="PYTHON", help="interpreter that has BERTopic")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("scale"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    bench = Bench(options.competitors, options.repeats)
    jobs = {str(size): bench.job(size) for size in options.sizes}
    keywords = bench.keywords(options.keywords) if options.keywords else None
    goals = goals_of(jobs, keywords)
    record = {
        "benchmark": "scale",
        "what": "seconds and megabytes of anonymous memory of each stage of a clustering job",
        "goals": goals,
        "jobs": jobs,
        "keywords": keywords,
        "skipped": {} if options.competitors else {"BERTopic": "no environment was given"},
    }
    write_record(options.out, record, packages=bench.versions)
    return print_goals(goals)


class Bench:
    """Runs stages and gathers what they took."""

    def __init__(self, competitors: str | None, repeats: int) -> None:
        self.competitors = competitors
        self.repeats = repeats
        self.versions: dict[str, str] = {}

    def job(self, size: int) -> dict[str, Any]:
        """Measure every stage on so many texts."""
        print(f"\n{size:,} texts; load {os.getloadavg()[0]:.1f}")
        print(f"{'':36}{'seconds':>9}{'CPU':>9}{'before':>9}{'extra':>9}  MB", flush=True)
        with tempfile.TemporaryDirectory(prefix="toolkit-scale-") as name:
            folder = Path(name)
            texts, vectors = make_collection(size)
            write_texts(folder, texts)
            np.save(folder / "vectors.npy", vectors)
            del vectors
            fill_cache(texts, folder / "cache")
            stages = {stage: self.run(stage, folder) for stage in OWN}
            if self.competitors:
                stages |= {stage: self.run(stage, folder) for stage in OTHERS}
            opened = open_in_chromium(folder / "report.html")
        for what, seconds in (opened or {}).items():
            print(f"report opened: {what:21}{seconds:9.2f}", flush=True)
        return {"texts": size, "stages": stages, "report_opened": opened}

    def keywords(self, size: int) -> dict[str, Any]:
        """Measure the keywords of very many short texts."""
        with tempfile.TemporaryDirectory(prefix="toolkit-scale-") as name:
            folder = Path(name)
            texts, codes = make_texts(size, longest=60)
            write_texts(folder, texts)
            np.save(folder / "labels.npy", codes)
            del texts
            print(f"\nkeywords of {size:,} texts", flush=True)
            return {"texts": size} | self.run("keywords alone", folder)

    def run(self, stage: str, folder: Path) -> dict[str, Any]:
        """Measure one stage, each time in a new process; return the run of the median time."""
        times = self.repeats if stage in REPEATED else 1
        runs = sorted((self.once(stage, folder) for _ in range(times)), key=itemgetter("seconds"))
        found = runs[len(runs) // 2]
        numbers = (found[key] for key in ("seconds", "cpu_seconds", "before_mb", "extra_mb"))
        print(f"{stage:36}" + "".join(f"{number:9.1f}" for number in numbers), flush=True)
        return found | {"runs": [run["seconds"] for run in runs]}

    def once(self, stage: str, folder: Path) -> dict[str, Any]:
        """Measure one stage in a new process."""
        python = str(self.competitors) if stage in OTHERS else sys.executable
        done = subprocess.run(
            [python, str(STAGES), stage, str(folder)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{stage} failed:\n{done.stderr[-3000:]}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        self.versions |= found.pop("versions")
        return found


def make_texts(size: int, longest: int = LONGEST) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Return texts that all differ, and which of the sources each was made from."""
    from toolkit.datasets import load

    rng = np.random.default_rng(0)
    sources: list[list[str]] = []
    for name in ("sdg", "factbook", "assist_intents"):
        data = load(name)
        by_label: dict[Any, list[str]] = {}
        for text, label in zip(data.data, data.target, strict=True):
            by_label.setdefault(label, []).append(text)
        sources += list(by_label.values())
    sources = sorted(sources, key=len, reverse=True)[:CENTRES]
    words = [" ".join(texts).split() for texts in sources]
    codes = rng.integers(0, len(sources), size=size)
    picks = rng.random((size, 3))
    found = []
    for i, code in enumerate(codes.tolist()):
        base = sources[code][int(picks[i, 0] * len(sources[code]))].split()
        pool = words[code]
        start = int(picks[i, 1] * max(1, len(base) - 12))
        part = base[start : start + 24]
        # Three words of the same subject in other places; and a number, which makes it unique.
        for step in range(3):
            part[(step * 7 + i) % len(part)] = pool[int(picks[i, 2] * len(pool) + step) % len(pool)]
        text = f"{' '.join(part)[: longest - 9].rstrip()} {i:x}"
        found.append(text)
    return found, codes


def make_collection(size: int) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Return texts and where they lie."""
    texts, codes = make_texts(size)
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(CENTRES, DIMENSION)).astype(np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors = rng.standard_normal((size, DIMENSION), dtype=np.float32)
    # As far from its centre as a text's vector is from its class's: cosine about 0.6.
    vectors *= 1.3 / DIMENSION**0.5
    placed = rng.random(size) >= 0.05
    vectors[placed] += centres[codes[placed]]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return texts, vectors


def write_texts(folder: Path, texts: list[str]) -> None:
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")


def fill_cache(texts: list[str], cache: Path) -> None:
    """Embed the texts through a double of the server, so that all are in a cache."""
    from toolkit import EmbeddingGemmaVectorizer

    with DoubleProcess() as double:
        EmbeddingGemmaVectorizer("clustering", host=double.host, cache=cache).fit_transform(texts)


PAINTED = """() => new Promise((resolve) => {
  const first = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  const largest = (list) => resolve([first, list.getEntries().at(-1).startTime]);
  new PerformanceObserver(largest).observe({ type: "largest-contentful-paint", buffered: true });
})"""


def open_in_chromium(report: Path) -> dict[str, float] | None:
    """Return seconds until something is seen, text can be read, and the map stands.

    Medians of new tabs. Text can be read when the largest piece of it on the screen is painted;
    the map stands when its dots are drawn and it answers, also a search.
    """
    if not Path(EXECUTABLE).exists():
        return None
    from playwright.sync_api import sync_playwright

    runs = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        for _ in range(OPENINGS):
            page = browser.new_context(
                viewport={"width": 1440, "height": 900}, offline=True
            ).new_page()
            start = time.perf_counter()
            page.goto(report.resolve().as_uri(), wait_until="load")
            page.wait_for_selector('[data-embedding-map][data-ready="true"]', timeout=120_000)
            map_stands = time.perf_counter() - start
            first, text = page.evaluate(PAINTED)
            runs.append((first / 1000, text / 1000, map_stands))
            page.context.close()
        browser.close()
    medians = np.median(runs, axis=0)
    return {name: round(float(seconds), 2) for name, seconds in zip(OPENED, medians, strict=True)}


def goals_of(jobs: dict[str, Any], keywords: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    goals: dict[str, dict[str, Any]] = {}

    def add(name: str, goal: float, measured: float) -> None:
        goals[name] = {"goal": goal, "measured": round(measured, 3), "met": measured <= goal}

    for size, job in jobs.items():
        ours, theirs = (
            job["stages"].get(stage) for stage in ("describing the clusters", OTHERS[0])
        )
        if theirs:
            add(f"{size}: time to BERTopic's", GOAL_SHARE, ours["seconds"] / theirs["seconds"])
            add(f"{size}: memory to BERTopic's", GOAL_SHARE, ours["extra_mb"] / theirs["extra_mb"])
            alone = job["stages"]["keywords alone"]
            for what, key in (("time", "seconds"), ("memory", "extra_mb")):
                name = f"{size}: keywords alone, {what} to BERTopic's"
                add(name, GOAL_SHARE, alone[key] / theirs[key])
        if int(size) <= 20_000:
            add(f"{size}: report, MB", GOAL_MB, job["stages"]["report"]["megabytes"])
            if job["report_opened"] is not None:
                opened = job["report_opened"]["the map stands"]
                add(f"{size}: report opened, s", GOAL_SECONDS, opened)
    if keywords is not None:
        add("keywords: peak, MB", GOAL_KEYWORDS_MB, keywords["peak_mb"])
    return goals


if __name__ == "__main__":
    sys.exit(main())
