"""Several labels a text, from a table to a model, its evaluation and its predictions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import invoke, toolkit_process
from tests.cli.test_train_predict import GOALS, passages, rows_of, write_csv
from toolkit.classify import read_model_info

TAGS = dict(zip(GOALS, ("people", "planet; energy", "planet"), strict=True))


def tagged(per_goal: int, begin: int = 0) -> list[tuple[str, str]]:
    return [(text, TAGS[goal]) for text, goal in passages(per_goal, begin)]


@pytest.fixture
def training(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "train.csv", ["text", "tags"], tagged(12))


def train(training: Path, *more: str | Path) -> tuple[str | Path, ...]:
    columns = ("--label-column", "tags", "--label-separator", ";", "--backend", "cache")
    return ("train", training, *columns, "--classifier", "logistic_regression", *more)


@pytest.fixture
def model(training: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    done = invoke(*train(training, "--cv", "3", "--no-baselines", "--out", folder))
    assert done.code == 0, done.stderr
    return folder


def test_train_evaluate_and_predict(training: Path, tmp_path: Path) -> None:
    folder, report = tmp_path / "m", tmp_path / "r.html"
    done = toolkit_process(*train(training, "--cv", "3", "--out", folder, "--report", report))
    assert done.code == 0, done.stderr
    assert "36 texts of 3 labels" in done.stderr
    assert "micro F1" in done.stdout
    assert "TF-IDF" in done.stdout
    assert "By label" in report.read_text(encoding="utf-8")
    assert read_model_info(folder).classes == ["energy", "people", "planet"]
    new = write_csv(tmp_path / "new.csv", ["text", "tags"], tagged(4, begin=12))
    done = toolkit_process("evaluate", folder, new, "--label-column", "tags", "--backend", "cache")
    assert done.code == 0, done.stderr
    assert "subset_accuracy" in done.stdout
    done = toolkit_process("predict", folder, new, "--backend", "cache", "--top", "2")
    assert done.code == 0, done.stderr
    rows = rows_of(done.stdout)
    names = ["text", "tags", "label", "probability"]
    assert list(rows[0]) == [*names, "label_1", "probability_1", "label_2", "probability_2"]
    right = sum(set(r["label"].split(";")) == set(r["tags"].split("; ")) for r in rows)
    assert right >= 9
    for row in rows:
        assert row["label"].count(";") == row["probability"].count(";")


def test_thresholds_separators_and_formats(model: Path, tmp_path: Path) -> None:
    new = write_csv(tmp_path / "new.csv", ["text"], [(text,) for text, _ in tagged(2, begin=12)])
    words = ("predict", model, new, "--backend", "cache")
    done = invoke(*words, "--threshold", "0", "--label-separator", " | ")
    assert {row["label"].count(" | ") for row in rows_of(done.stdout)} == {2}
    done = invoke(*words, "--threshold", "1")
    assert {(row["label"], row["probability"]) for row in rows_of(done.stdout)} == {("", "")}
    assert "6 without a label" in done.stderr
    done = invoke(*words, "--label-separator", "p")
    assert done.code == 2
    assert "contains 'p'" in done.stderr
    expected = [row["label"] for row in rows_of(invoke(*words).stdout)]
    for name in ("p.jsonl", "p.parquet"):
        assert invoke(*words, "--out", tmp_path / name).code == 0
    lines = (tmp_path / "p.jsonl").read_text().splitlines()
    assert [json.loads(line)["label"] for line in lines] == expected
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(tmp_path / "p.parquet")["label"].to_pylist() == expected


def test_lists_in_json_lines_are_label_sets(tmp_path: Path) -> None:
    lines = [json.dumps({"text": text, "tags": cell.split("; ")}) for text, cell in tagged(12)]
    table = tmp_path / "t.jsonl"
    table.write_text("\n".join(lines), encoding="utf-8")
    done = invoke(*train(table, "--cv", "3", "--no-baselines", "--json"))
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["classes"] == ["energy", "people", "planet"]
    assert found["provenance"]["separator"] == ";"


def test_reports_of_training_and_evaluation_in_every_format(
    training: Path, model: Path, tmp_path: Path
) -> None:
    for name in ("r.html", "r.md", "r.json"):
        done = invoke(*train(training, "--cv", "3", "--no-baselines", "--report", tmp_path / name))
        assert done.code == 0, done.stderr
        words = ("evaluate", model, training, "--label-column", "tags", "--backend", "cache")
        done = invoke(*words, "--report", tmp_path / f"e{name}")
        assert done.code == 0, done.stderr
    assert "planet" in (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "Micro F1 in training" in (tmp_path / "er.html").read_text(encoding="utf-8")
    assert "micro_f1" in json.loads((tmp_path / "er.json").read_text(encoding="utf-8"))["drop"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--label-separator", "|"), "no label has the separator '|'"),
        (("--metric", "accuracy"), "the metric is one of micro_f1"),
        (("--classifier", "sklearn.svm.LinearSVC"), "has no probabilities"),
        (("--label-separator", ""), "cannot separate labels"),
    ],
)
def test_mistakes(training: Path, more: tuple[str, ...], said: str) -> None:
    done = invoke(*train(training, *more))
    assert (done.code, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_an_empty_cell_is_missing_and_the_separator_alone_is_none(tmp_path: Path) -> None:
    rows = tagged(12)
    table = write_csv(tmp_path / "t.csv", ["text", "tags"], [*rows[:-1], (rows[-1][0], "")])
    done = invoke(*train(table))
    assert done.code == 1
    assert "is missing at" in done.stderr
    table = write_csv(tmp_path / "t.csv", ["text", "tags"], [*rows[:-1], (rows[-1][0], ";")])
    done = invoke(*train(table, "--no-baselines", "--cv", "3"))
    assert done.code == 0, done.stderr
    assert "1 none." in done.stdout


def test_a_model_of_one_label_takes_no_separator(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["text", "label"], passages(6))
    words = ("train", table, "--backend", "cache", "--classifier", "nearest_centroid")
    assert invoke(*words, "--cv", "3", "--no-baselines", "--out", tmp_path / "m").code == 0
    for name in ("predict", "evaluate"):
        done = invoke(name, tmp_path / "m", table, "--label-separator", ";")
        assert done.code == 2
        assert "gives one label a text" in done.stderr
