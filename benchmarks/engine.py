"""How long a job takes, beside the physical limit and beside other ways to Ollama.

    python benchmarks/engine.py [--competitors VENV/bin/python] [--out FILE]

Three tables. *Pace*: the tests' double of Ollama in a process of its own, set to what a real
server costs: 10 ms a text, one text at a time, and 30 ms a request, during which the texts of
another request may be computed. No client can take less than texts x 10 ms; the goal is 3 % more
at the most. *Cost*: the double without any costs: the processor time of the client's process,
whose goal is under 0.3 ms a text. *Real*: a real Ollama (``make ollama``) with a small model of
random weights; what its texts cost by themselves is not known, so only the ways are compared.

Every measurement is a process of its own (contenders.py), in rounds A B C A B C; medians count. The
client's connection is new each time, the server's model is loaded. The toolkit's first contact with
a server (seven canary texts, once for a cache and a version) is reported beside the job.

Other packages need an environment of their own, which is optional:

    python -m venv VENV && VENV/bin/pip install langchain-ollama embetter scikit-ollama

Takes about fifteen minutes with it and six without.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from record import print_goals, results_file, write_record

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.ollama_double.process import DoubleProcess  # noqa: E402
from tests.real_ollama.server import RealOllama, find_ollama  # noqa: E402
from tests.servers import warm  # noqa: E402

CONTENDERS = Path(__file__).with_name("contenders.py")
TEXT_SECONDS, REQUEST_SECONDS = 0.010, 0.030
GOAL_RATIO, GOAL_COST_MS = 1.03, 0.3
OURS = "toolkit"
OWN = (OURS, "client, 32 a request", "client, 1 a request")
OTHERS = ("langchain-ollama", "embetter", "scikit-ollama")
NOTES = {
    OURS: "two requests in flight, batches tuned; every vector checked and stored on disk",
    "client, 32 a request": "ollama.Client.embed in a loop",
    "client, 1 a request": "ollama.Client.embed in a loop",
    "langchain-ollama": "OllamaEmbeddings.embed_documents: all texts in one request",
    "embetter": "OllamaEncoder.transform: 25 texts a request",
    "scikit-ollama": "OllamaVectorizer.transform: a client and a request a text, to the old "
    "/api/embeddings; version 0.3.2 sends the first character of each text only",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the engine's throughput and cost.")
    parser.add_argument("--texts", type=int, default=2_000, help="of the table 'pace'")
    parser.add_argument("--cost-texts", type=int, default=5_000, help="of the table 'cost'")
    parser.add_argument("--real-texts", type=int, default=300, help="of the table 'real'; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--competitors", metavar="PYTHON", help="interpreter of an environment that has the others"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("engine"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    skipped = {} if options.competitors else dict.fromkeys(OTHERS, "no environment was given")
    ways = OWN if skipped else (*OWN, *OTHERS)
    with ExitStack() as stack:
        bench = Bench(options, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        costs = ("--text-seconds", str(TEXT_SECONDS), "--request-seconds", str(REQUEST_SECONDS))
        with DoubleProcess(*costs) as double:
            warm(double)  # type: ignore[arg-type]
            limit = options.texts * TEXT_SECONDS
            pace = bench.table("pace", ways, double.host, options.texts, limit=limit)
        with DoubleProcess() as double:
            warm(double)  # type: ignore[arg-type]
            cost = bench.table("cost", ways[:2], double.host, options.cost_texts)
        real: dict[str, Any] = {"skipped": "no real Ollama (make ollama)"}
        if options.real_texts and find_ollama() is not None:
            with RealOllama() as server:
                warm(server, "test/embeddinggemma")
                real = bench.table(
                    "real", ways, server.host, options.real_texts, model="test/embeddinggemma"
                )
                real["server"] = "Ollama, model of 6 layers with random weights"
    ours, cost_ms = pace["ways"][OURS], cost["ways"][OURS]["cpu_ms_a_text"]
    goals = {
        "job_to_limit": {
            "goal": GOAL_RATIO,
            "measured": ours["to_limit"],
            "met": ours["to_limit"] <= GOAL_RATIO,
        },
        "client_cpu_ms_a_text": {
            "goal": GOAL_COST_MS,
            "measured": cost_ms,
            "met": cost_ms < GOAL_COST_MS,
        },
    }
    record = {
        "benchmark": "engine",
        "what": "seconds to embed short texts (9 words), median of rounds A B C A B C",
        "goals": goals,
        "pace": pace
        | {
            "server": f"double: {TEXT_SECONDS * 1000:.0f} ms a text, one at a time, and "
            f"{REQUEST_SECONDS * 1000:.0f} ms a request, which may overlap with computing",
            "limit": "texts x 10 ms",
        },
        "cost": cost | {"server": "double without costs, on the same processor"},
        "real": real,
        "skipped": skipped,
        "notes": {way: NOTES[way] for way in ways},
    }
    write_record(options.out, record, packages=bench.versions)
    return print_goals(goals)


class Bench:
    """Runs contenders in turn and gathers what they took."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.rounds: int = options.rounds
        self.competitors: str | None = options.competitors
        self.folder = folder
        self.versions: dict[str, str] = {}

    def table(
        self,
        name: str,
        ways: Sequence[str],
        host: str,
        count: int,
        *,
        model: str = "embeddinggemma",
        limit: float | None = None,
    ) -> dict[str, Any]:
        """Measure every way, in rounds; print and return the table."""
        before = os.getloadavg()
        texts = self.folder / "texts.json"
        texts.write_text(
            json.dumps([f"short text number {i} of many, nine words long" for i in range(count)])
        )
        runs: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
        cosines = dict.fromkeys(ways, 1.0)
        for _ in range(self.rounds):
            right = None
            for way in ways:
                found, vectors = self.run(way, host, model, texts)
                runs[way].append(found)
                right = vectors if right is None else right
                cosines[way] = min(cosines[way], lowest_cosine(vectors, right))
        rows = {}
        for way in ways:
            rows[way] = summary(runs[way], count, limit) | {
                "lowest_cosine_to_toolkit": round(cosines[way], 4)
            }
        for row in rows.values():
            row["to_toolkit"] = round(row["seconds"] / rows[OURS]["seconds"], 3)
        loads = [[round(part, 1) for part in load] for load in (before, os.getloadavg())]
        table = {"texts": count, "rounds": self.rounds, "load_before_after": loads}
        if limit is not None:
            table["limit_seconds"] = limit
        show(name, table, rows)
        return table | {"ways": rows}

    def run(
        self, way: str, host: str, model: str, texts: Path
    ) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
        """Measure one way once."""
        vectors = self.folder / "vectors.npy"
        python = sys.executable if way in OWN else str(self.competitors)
        done = subprocess.run(
            [python, str(CONTENDERS), way, host, model, str(texts), str(vectors)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{way} failed:\n{done.stderr[-3000:]}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        self.versions |= found.pop("versions")
        return found, np.load(vectors)


def summary(runs: list[dict[str, Any]], count: int, limit: float | None) -> dict[str, Any]:
    seconds = statistics.median(run["seconds"] for run in runs)
    row: dict[str, Any] = {
        "seconds": round(seconds, 3),
        "seconds_of_rounds": [round(run["seconds"], 3) for run in runs],
        "texts_a_second": round(count / seconds, 1),
        "cpu_ms_a_text": round(statistics.median(r["cpu_seconds"] for r in runs) / count * 1e3, 4),
    }
    if limit is not None:
        row["to_limit"] = round(seconds / limit, 4)
    if "first_seconds" in runs[0]:
        row["first_contact_seconds"] = round(statistics.median(r["first_seconds"] for r in runs), 3)
        row["batch_size_at_the_end"] = statistics.median(run["batch_size"] for run in runs)
    return row


def lowest_cosine(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.min(np.einsum("ij,ij->i", a, b) / norms))


def show(name: str, table: dict[str, Any], rows: dict[str, dict[str, Any]]) -> None:
    limit = table.get("limit_seconds")
    print(
        f"\n{name}: {table['texts']:,} texts, {table['rounds']} rounds, "
        f"load {table['load_before_after'][0][0]}"
        + (f", limit {limit:g} s" if limit is not None else "")
    )
    print(f"{'':22}{'seconds':>9}{'to limit':>10}{'to ours':>9}{'CPU ms/text':>13}{'cosine':>9}")
    for way, row in rows.items():
        to_limit = f"{row['to_limit']:10.3f}" if "to_limit" in row else f"{'':10}"
        print(
            f"{way:22}{row['seconds']:9.2f}{to_limit}{row['to_toolkit']:9.2f}"
            f"{row['cpu_ms_a_text']:13.3f}{row['lowest_cosine_to_toolkit']:9.3f}",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
