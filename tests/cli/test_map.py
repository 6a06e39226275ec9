"""`toolkit map`: a page, a picture, a table, from one projection."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.running import invoke, toolkit_process
from tests.ollama_double.faults import Fault, status
from tests.ollama_double.server import OllamaDouble


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    lines = [f"{subject} {i},{subject},{i}\n" for i in range(10) for subject in ("fruit", "car")]
    path.write_text("text,kind,n\n" + "".join(lines))
    return path


def test_every_output_of_one_projection(
    table: Path, tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    names = ["m.html", "m.png", "m.svg", "m.csv", "m.parquet"]
    outputs = [word for name in names for word in ("--out", str(tmp_path / name))]
    words = ("map", table, "--host", ollama_double.host, "--label-column", "kind", "--keep", "n")
    done = toolkit_process(*words, *outputs, "--title", "Fruit <and> cars")
    assert done.code == 0, done.stderr
    assert done.stdout == ""
    assert "Trustworthiness" in done.stderr
    page = (tmp_path / "m.html").read_text(encoding="utf-8")
    assert "Fruit &lt;and&gt; cars" in page
    assert "Fruit <and>" not in page
    for made in ("task: clustering | query: {text}", "sha256:", "toolkit map ", "UMAPProjector"):
        assert made in page
    assert "Not EmbeddingGemma" not in page
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "m.svg").read_text().lstrip().startswith("<?xml")
    rows = list(csv.DictReader((tmp_path / "m.csv").read_text().splitlines()))
    assert len(rows) == 20
    assert {row["label"] for row in rows} == {"fruit", "car"}
    assert [row["n"] for row in rows] == [str(i) for i in range(10) for _ in range(2)]
    float(rows[0]["x"])
    assert "task: clustering | query: fruit 0" in ollama_double.texts_received


@pytest.mark.filterwarnings("default")
def test_texts_without_a_vector_are_left_out(
    table: Path, tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    ollama_double.faults.add(Fault(status(400, "no"), times=None, containing="fruit 3"))
    out = tmp_path / "m.csv"
    words = ("map", table, "--host", ollama_double.host, "--out", out)
    assert invoke(*words).code == 1
    done = invoke(*words, "--on-error", "nan")
    assert done.code == 0, done.stderr
    assert "1 of 20 texts has no vector and is left out" in done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 19
    assert "fruit 3" not in [row["text"] for row in rows]


def test_texts_without_a_label_are_on_the_map(
    table: Path, tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    table.write_text(table.read_text().replace("fruit 3,fruit", "fruit 3,"))
    out = tmp_path / "m.csv"
    words = ("map", table, "--host", ollama_double.host, "--label-column", "kind", "--out", out)
    done = invoke(*words)
    assert done.code == 0, done.stderr
    assert "1 of 20 rows has no label" in done.stderr
    rows = {row["text"]: row for row in csv.DictReader(out.read_text().splitlines())}
    assert len(rows) == 20
    assert (rows["fruit 3"]["label"], rows["fruit 3"]["group"]) == ("", "no label")
    assert rows["fruit 4"]["label"] == "fruit"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "--out"),
        (["--out", "m.xyz"], 2, "end it in .html, .png"),
        (["--out", "in.csv"], 2, "there already"),
        (["--out", "m.html", "--label-column", "sort"], 2, "It has: 'text', 'kind', 'n'"),
    ],
)
def test_mistakes(
    words: list[str],
    code: int,
    said: str,
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("map", table, *words)
    assert (done.code, done.stdout) == (code, "")
    assert said in " ".join(done.stderr.split())


def test_too_few_texts(tmp_path: Path, ollama_double: OllamaDouble) -> None:
    (tmp_path / "in.txt").write_text("a\nb\n")
    words = ("--host", ollama_double.host, "--out", tmp_path / "m.html")
    done = invoke("map", tmp_path / "in.txt", *words)
    assert done.code == 1
    assert "in.txt has 2 texts; give at least 4" in done.stderr


def test_colour_by_a_column(table: Path, tmp_path: Path, ollama_double: OllamaDouble) -> None:
    out = tmp_path / "m.html"
    words = ("map", table, "--host", ollama_double.host, "--out", out)
    done = invoke(*words, "--colour-by", "n")
    assert done.code == 0, done.stderr
    page = out.read_text(encoding="utf-8")
    assert '<option value="0" selected>n</option><option value="1">nothing</option>' in page
    unknown = invoke(*words, "--color-by", "nn", "--force")
    assert "no column 'nn' (--color-by). Did you mean 'n'?" in " ".join(unknown.stderr.split())
    refused = invoke(*words, "--color-by", "sort", "--force")
    assert refused.code == 2
    assert "'sort'" in refused.stderr


def test_a_map_is_called_projected_only_when_it_is(
    table: Path, tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    words = ("map", table, "--host", ollama_double.host, "--out", tmp_path / "m.csv", "--force")
    assert "Projecting the map" in invoke(*words).stderr
    again = invoke(*words)
    assert again.code == 0, again.stderr
    assert "Projecting the map" not in again.stderr


def test_two_maps(table: Path, tmp_path: Path, ollama_double: OllamaDouble) -> None:
    names = ["m.html", "m.png", "m.csv"]
    outputs = [word for name in names for word in ("--out", str(tmp_path / name))]
    words = ("map", table, "--host", ollama_double.host, "--label-column", "kind", *outputs)
    done = invoke(*words, "--compare-task", "query", "--compare-dimensions", "128")
    assert done.code == 0, done.stderr
    assert "nearest neighbours are the same in both" in " ".join(done.stderr.split())
    page = (tmp_path / "m.html").read_text(encoding="utf-8")
    assert "task clustering, full dimension and by task query, 128 dimensions" in page
    assert "<dt>dimensions of the second</dt><dd><bdi>128</bdi>" in page
    assert "prompt of the second" in page
    assert "data of the second" not in page
    rows = list(csv.DictReader((tmp_path / "m.csv").read_text().splitlines()))
    assert len(rows) == 20
    assert {"x", "y", "x_2", "y_2", "neighbours shared"} <= set(rows[0])
    assert "task: search result | query: fruit 0" in ollama_double.texts_received


@pytest.mark.filterwarnings("default")
def test_two_maps_are_of_the_texts_that_have_both_vectors(
    table: Path, tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    only_second = Fault(status(400, "no"), times=None, containing="search result | query: fruit 3")
    ollama_double.faults.add(only_second)
    out = tmp_path / "m.csv"
    words = ("map", table, "--host", ollama_double.host, "--out", out, "--compare-task", "query")
    done = invoke(*words, "--on-error", "nan")
    assert done.code == 0, done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 19
    assert "fruit 3" not in [row["text"] for row in rows]


def test_two_ways_to_compare_that_exclude_each_other(table: Path, tmp_path: Path) -> None:
    words = ("map", table, "--out", tmp_path / "m.html", "--compare-task", "query")
    done = invoke(*words, "--compare-prompt", "{text}")
    assert done.code == 2
    assert "exclude each other" in done.stderr


def test_page_and_picture_of_another_model_say_so(table: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "m.html", tmp_path / "m.svg"
    done = invoke("map", table, "--backend", "embedded", "--out", out, "--out", picture)
    assert done.code == 0, done.stderr
    page = out.read_text(encoding="utf-8")
    assert "<!-- Not EmbeddingGemma: vectors of" in picture.read_text(encoding="utf-8")
    assert page.index("Not EmbeddingGemma: vectors of") < page.index("<section")
