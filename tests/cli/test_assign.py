"""`toolkit cluster --save`, `toolkit assign`, `toolkit cluster --reuse`."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.running import invoke
from tests.ollama_double.faults import Fault, status
from tests.ollama_double.server import Model, OllamaDouble

PROMPT = "task: clustering | query: "
KINDS = ("fruit", "vehicle", "river")


def write(path: Path, rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def server() -> OllamaDouble:
    """A server on which the three kinds lie apart, and strange ones from all of them."""
    rng = np.random.default_rng(0)
    centers = dict(zip((*KINDS, "strange"), np.eye(4, 768), strict=True))
    known = {}
    for kind, center in centers.items():
        for i in range(2000 if kind == "river" else 40):
            vector = center + rng.normal(scale=0.01, size=768)
            known[f"{PROMPT}{kind} number {i}"] = (vector / np.linalg.norm(vector)).astype("f4")
    return OllamaDouble(models=[Model(known=known)])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    texts = [(f"{kind} number {i}",) for i in range(12) for kind in KINDS]
    return write(tmp_path / "in.csv", [("text",), *texts])


def save(table: Path, folder: Path, server: OllamaDouble, *more: str | Path) -> str:
    done = invoke(
        "cluster", table, "--host", server.host, "--n-clusters", "3", "--stability", "0",
        "--save", folder, "--json", *more,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert f"toolkit assign {folder} INPUT" in " ".join(done.stderr.split())
    return str(json.loads(done.stdout)["clustering"])


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_new_texts_get_their_cluster(table: Path, tmp_path: Path, server: OllamaDouble) -> None:
    new = write(
        tmp_path / "new.csv",
        [
            ("id", "text", "name"),
            *((i, f"{kind} number {i + 20}", "x") for i in range(6) for kind in KINDS),
            *((i, f"strange number {i}", "=1+1") for i in range(4)),
        ],
    )
    out = tmp_path / "out.csv"
    with server:
        save(table, tmp_path / "topics", server)
        words = ("assign", tmp_path / "topics", new, "--host", server.host, "--text-column", "text")
        done = invoke(*words, "--out", out, "--max-distance", "0.5")
        assert done.code == 0, done.stderr
        assert "22 texts assigned to 3 clusters, 4 of them to none (-1)" in done.stderr
        rows = rows_of(out.read_text())
        assert list(rows[0]) == ["id", "text", "input_name", "cluster", "name", "similarity"]
        clusters = {row["text"].split()[0]: row["cluster"] for row in rows}
        assert clusters["strange"] == "-1"
        assert sorted(clusters[kind] for kind in KINDS) == ["0", "1", "2"]
        for row in rows:
            kind = row["text"].split()[0]
            assert row["cluster"] == clusters[kind]
            assert row["name"] == ("" if kind == "strange" else row["name"])
            assert (float(row["similarity"]) > 0.9) == (kind != "strange")
        assert not list(tmp_path.glob("*.part"))
        done = invoke(*words, "--no-text", "--keep", "id", "--spreadsheet-safe")
        assert done.code == 0, done.stderr
        assert list(rows_of(done.stdout)[0]) == ["id", "cluster", "name", "similarity"]
        assert "topics that are new" in " ".join(done.stderr.split())


def test_an_interrupted_run_goes_on(table: Path, tmp_path: Path, server: OllamaDouble) -> None:
    rows = [(f"river number {i}",) for i in range(1500)]
    new = write(tmp_path / "new.csv", [("text",), *rows])
    out = tmp_path / "out.csv"
    with server:
        save(table, tmp_path / "topics", server)
        words = ("assign", tmp_path / "topics", new, "--host", server.host, "--out", out)
        broken = Fault(status(400, "no"), times=None, containing="number 1400")
        server.faults.add(broken)
        done = invoke(*words)
        assert done.code == 1
        assert "in the texts 1024 to 1499" in " ".join(done.stderr.split())
        assert (tmp_path / "out.csv.part").is_file()
        assert not out.exists()
        server.faults.clear()
        done = invoke(*words)
    assert done.code == 0, done.stderr
    assert "1,024 rows were taken" in done.stderr
    assert len(rows_of(out.read_text())) == 1500
    assert not (tmp_path / "out.csv.part").exists()


def test_decisions_replay_on_a_saved_clustering(
    table: Path, tmp_path: Path, server: OllamaDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = tmp_path / "edits.json"
    with server:
        monkeypatch.setattr(sys, "argv", ["toolkit", "cluster", "in.csv", "--save", "topics"])
        clustering = save(table, tmp_path / "topics", server)
        decisions = [{"merge": [0, 1]}, {"rename": 0, "to": "Both"}]
        edits.write_text(
            json.dumps({"format": 1, "clustering": clustering, "decisions": decisions})
        )
        words = ("cluster", table, "--host", server.host, "--reuse", tmp_path / "topics")
        monkeypatch.setattr(sys, "argv", ["toolkit", "cluster", "in.csv", "--reuse", "topics"])
        done = invoke(*words, "--decisions", edits, "--save", tmp_path / "edited", "--json")
        assert done.code == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["clustering"] == clustering
        assert found["clusters"][0]["name"] == "Both"
        # The first alone would make other clusters, the second none.
        assert found["provenance"]["command"] == (
            "toolkit cluster in.csv --save topics && toolkit cluster in.csv --reuse topics"
        )
        assert found["n_clusters"] == 2
        assigned = invoke("assign", tmp_path / "edited", table, "--host", server.host)
        assert {row["cluster"] for row in rows_of(assigned.stdout)} == {"0", "1"}
        again = invoke("cluster", table, "--host", server.host, "--reuse", tmp_path / "edited")
        assert "Edited by hand: 2 decisions" in again.stdout
        done = invoke(*words, "--clusterer", "spectral")
        assert done.code == 2
        assert "and their names as they were saved" in " ".join(done.stderr.split())
        done = invoke(*words, "--task", "classification")
        assert done.code == 2
        assert "under the prompt" in " ".join(done.stderr.split())


def test_mistakes(table: Path, tmp_path: Path, server: OllamaDouble) -> None:
    with server:
        save(table, tmp_path / "topics", server)
        done = invoke("cluster", table, "--host", server.host, "--save", tmp_path / "topics")
        assert done.code == 2
        assert "holds a clustering already" in " ".join(done.stderr.split())
        for folder in (tmp_path, tmp_path / "nowhere"):
            done = invoke("assign", folder, table)
            assert done.code == 1
            assert "toolkit cluster --save" in " ".join(done.stderr.split())
        done = invoke("assign", tmp_path / "topics", table, "--backend", "embedded")
        assert done.code == 1
        assert "another space" in " ".join(done.stderr.split())
        done = invoke("predict", tmp_path / "topics", table)
        assert "toolkit assign" in " ".join(done.stderr.split())
