"""`toolkit check-labels`: a table of problems, told and written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.running import invoke, toolkit_process
from tests.ollama_double.faults import Fault, status
from tests.ollama_double.server import OllamaDouble


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    rows = [f"text {i} of {kind},{kind},train,{i}" for i in range(12) for kind in ("fruit", "car")]
    rows += ["text 5 of fruit,car,test,99", "text 6 of car,car,test,100"]
    path.write_text("text,kind,part,score\n" + "\n".join(rows) + "\n")
    return path


def test_a_shipped_data_set_needs_no_server(tmp_path: Path) -> None:
    out = tmp_path / "problems.csv"
    done = toolkit_process("check-labels", "dataset:sdg", "--backend", "cache", "--out", out)
    assert (done.code, done.stdout) == (0, "")
    assert "615 rows," in done.stderr
    assert "labels the model finds unlikely" in done.stderr
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert [row["problem"] for row in rows[:3]] == ["conflicting_duplicate"] * 2 + [
        "unlikely_label"
    ]
    assert rows[2]["suggested_label"].startswith("SDG")
    assert rows[2]["other_row"] == ""


def test_duplicates_of_a_file_by_its_own_columns(table: Path, ollama_double: OllamaDouble) -> None:
    words = ("--host", ollama_double.host, "--label-column", "kind", "--split-column", "part")
    done = invoke("check-labels", table, *words, "--keep", "score", "--output-format", "jsonl")
    assert done.code == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    conflict = [one for one in found if one["problem"] == "conflicting_duplicate"]
    assert {one["row"] for one in conflict} == {10, 24}
    assert {one["input_score"] for one in conflict} == {"5", "99"}
    leaked = {one["row"]: one for one in found if one["problem"] == "leaked_duplicate"}
    assert set(leaked) == {10, 13, 24, 25}
    assert leaked[25]["other_row"] == 13
    assert "task: classification | query: text 5 of fruit" in ollama_double.texts_received


def test_rows_are_those_of_the_file_where_texts_have_no_vector(
    table: Path, ollama_double: OllamaDouble
) -> None:
    ollama_double.faults.add(Fault(status(400, "no"), times=None, containing="text 0 of fruit"))
    words = ("--host", ollama_double.host, "--label-column", "kind", "--on-error", "nan")
    done = toolkit_process("check-labels", table, *words, "--no-text", "--output-format", "jsonl")
    assert done.code == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    conflict = {one["row"]: one for one in found if one["problem"] == "conflicting_duplicate"}
    assert set(conflict) == {10, 24}
    assert conflict[24]["other_row"] == 10
    assert "text" not in conflict[24]


def test_rows_are_those_of_the_file_where_some_have_no_label(
    table: Path, tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    lines = table.read_text().splitlines()
    partly = tmp_path / "partly.csv"
    blank = "text without a kind" + "," * lines[0].count(",")
    partly.write_text("\n".join([lines[0], blank, blank, *lines[1:]]))
    words = ("--host", ollama_double.host, "--label-column", "kind", "--missing-labels", "drop")
    done = toolkit_process("check-labels", partly, *words, "--output-format", "jsonl")
    assert done.code == 0, done.stderr
    assert f"2 of {len(lines) + 1} rows have no label and are left out" in done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    conflict = {one["row"]: one for one in found if one["problem"] == "conflicting_duplicate"}
    assert set(conflict) == {12, 26}
    assert conflict[26]["other_row"] == 12


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--label-column", "kind", "--out", "in.csv"], "there already"),
        (["--label-column", "kind", "--out", "p.xlsx"], "cannot tell the format"),
        ([], "no column 'label' (--label-column)"),
        (["--label-column", "kind", "--split-column", "fold"], "no column 'fold'"),
    ],
)
def test_mistakes(
    words: list[str], said: str, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("check-labels", table, *words)
    assert (done.code, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_several_labels_a_text(tmp_path: Path, ollama_double: OllamaDouble) -> None:
    path = tmp_path / "in.csv"
    rows = [f"text {i} of {kind},{kind};all,{i}" for i in range(12) for kind in ("fruit", "car")]
    rows += ["text 5 of fruit,car,99", "text 3 of car,;,100"]
    path.write_text("text,label,n\n" + "\n".join(rows) + "\n")
    done = invoke(
        "check-labels", path, "--host", ollama_double.host, "--label-separator=;", "--keep", "n"
    )
    assert done.code == 0, done.stderr
    found = [
        row
        for row in csv.DictReader(io.StringIO(done.stdout))
        if row["problem"] == "conflicting_duplicate"
    ]
    assert {(row["n"], row["label"]) for row in found} == {
        ("5", "all;fruit"),
        ("99", "car"),
        ("3", "all;car"),
        ("100", ""),
    }
