"""The commands from end to end against a real Ollama (a tiny model with random weights)."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.cli.running import toolkit_process
from tests.real_ollama.server import RealOllama
from toolkit.classify import load_model

NAMED = ("--model", "test/embeddinggemma")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    words = {"fruit": "apple pear plum fig", "vehicle": "car bus tram boat"}
    rows = [
        (f"A {word} is what I saw on day {day}.", kind)
        for kind, some in words.items()
        for word in some.split()
        for day in range(4)
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def test_embed_train_predict_cluster(real_ollama: RealOllama, table: Path, tmp_path: Path) -> None:
    server = ("--host", real_ollama.host, *NAMED)
    vectors = tmp_path / "v.npy"
    done = toolkit_process("embed", table, *server, "--out", vectors)
    assert done.code == 0, done.stderr
    X = np.load(vectors)
    assert len(X) == 32
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1, atol=1e-4)

    model, report = tmp_path / "model", tmp_path / "r.html"
    words = ("train", table, *server, "--cv", "3", "--out", model, "--report", report)
    done = toolkit_process(*words)
    assert done.code == 0, done.stderr
    assert "LogisticRegression at" in done.stdout
    assert report.stat().st_size > 10_000
    assert load_model(model)[0].identity_.backend == "ollama"

    done = toolkit_process("predict", model, table, "--host", real_ollama.host, "--no-text")
    assert done.code == 0, done.stderr
    found = [row["label"] for row in csv.DictReader(done.stdout.splitlines())]
    assert len(found) == 32
    assert set(found) <= {"fruit", "vehicle"}

    out = tmp_path / "c.csv"
    words = ("cluster", table, *server, "--n-clusters", "2", "--stability", "0", "--out", out)
    done = toolkit_process(*words)
    assert done.code == 0, done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert {row["cluster"] for row in rows} == {"0", "1"}


def test_an_official_name_with_other_vectors_is_refused(
    real_ollama: RealOllama, table: Path, tmp_path: Path
) -> None:
    words = ("embed", table, "--host", real_ollama.host, "--out", tmp_path / "v.npy")
    done = toolkit_process(*words)
    assert (done.code, done.stdout) == (1, "")
    assert "--allow-unverified" in done.stderr
    done = toolkit_process(*words, "--allow-unverified")
    assert done.code == 0, done.stderr
    assert "warning: " in done.stderr


def test_the_doctor_sees_it(real_ollama: RealOllama) -> None:
    done = toolkit_process("doctor", "--host", real_ollama.host)
    assert done.code == 1
    assert "ok     server   Ollama" in done.stdout
    assert "ok     model    embeddinggemma:" in done.stdout
    assert "WRONG  vectors" in done.stdout
    done = toolkit_process("doctor", "--host", real_ollama.host, *NAMED)
    assert done.code == 0, done.stdout
    done = toolkit_process("doctor", "--host", real_ollama.host, "--model", "chatty")
    assert done.code == 1
    assert "not an embedding model" in " ".join(done.stdout.split())
