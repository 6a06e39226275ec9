"""`toolkit cluster`: findings, assignments in step with the input, a report."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from tests.browser import Chromium
from tests.cli.running import invoke, toolkit_process
from tests.cluster.examples import HOSTILE
from tests.ollama_double.faults import Fault, status
from tests.ollama_double.server import Model, OllamaDouble
from toolkit.cache import cache_root

PROMPT = "task: clustering | query: "


@pytest.fixture
def texts() -> list[str]:
    return [f"{kind} number {i}" for i in range(12) for kind in ("fruit", "vehicle", "river")]


@pytest.fixture
def table(tmp_path: Path, texts: list[str]) -> Path:
    path = tmp_path / "in.csv"
    rows = [(i, text, text.split()[0]) for i, text in enumerate(texts)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text", "kind"), *rows])
    return path


@pytest.fixture
def server(texts: list[str]) -> OllamaDouble:
    """A server on which the three kinds lie apart."""
    rng = np.random.default_rng(0)
    centers = dict(zip(("fruit", "vehicle", "river"), np.eye(3, 768), strict=True))
    known = {}
    for text in texts:
        vector = centers[text.split()[0]] + rng.normal(scale=0.01, size=768)
        known[PROMPT + text] = (vector / np.linalg.norm(vector)).astype(np.float32)
    return OllamaDouble(models=[Model(known=known)])


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_three_kinds_are_found(table: Path, tmp_path: Path, server: OllamaDouble) -> None:
    out, report = tmp_path / "c.csv", tmp_path / "r.html"
    with server:
        done = toolkit_process(
            "cluster", table, "--host", server.host, "--n-clusters", "3", "--label-column", "kind",
            "--keep", "id", "--out", out, "--report", report, "--stability", "2",
        )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "36 texts, 3 clusters of 12 texts each" in done.stdout
    assert "adjusted Rand index 1.00" in done.stdout
    for kind in ("fruit", "vehicle", "river"):
        assert kind in done.stdout
    rows = rows_of(out.read_text())
    assert [row["id"] for row in rows] == [str(i) for i in range(36)]
    pairs = {(row["text"].split()[0], row["cluster"]) for row in rows}
    assert len(pairs) == 3
    page = report.read_text(encoding="utf-8")
    assert "fruit number 3" in page
    assert "toolkit cluster" in page
    assert "data-embedding-map=" in page


def test_as_json_and_without_a_map(table: Path, tmp_path: Path, server: OllamaDouble) -> None:
    with server:
        words = ("cluster", table, "--host", server.host, "--stability", "0", "--n-clusters", "3")
        done = invoke(*words, "--json", "--report", tmp_path / "r.html", "--no-map")
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["n_clusters"] == 3
    assert [one["size"] for one in found["clusters"]] == [12, 12, 12]
    assert found["provenance"]["random_state"] == 0
    assert "data-embedding-map=" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_decisions_are_followed_and_said(table: Path, tmp_path: Path, server: OllamaDouble) -> None:
    edits = tmp_path / "edits.json"
    edits.write_text('{"format": 1, "decisions": [{"merge": [0, 2]}]}')
    with server:
        words = ("cluster", table, "--host", server.host, "--stability", "0", "--n-clusters", "3")
        done = invoke(*words, "--json", "--decisions", edits)
        edits.write_text('{"format": 1, "decisions": [{"join": [0, 2]}]}')
        wrong = invoke(*words, "--decisions", edits)
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one["size"] for one in found["clusters"]] == [24, 12]
    assert found["edits"][0].startswith("Merged clusters 0")
    assert len(found["clustering"]) == 16
    assert wrong.code == 2
    assert "is unknown" in wrong.stderr


def test_several_reports_of_one_clustering(
    tmp_path: Path, table: Path, server: OllamaDouble
) -> None:
    names = ("r.html", "r.md", "r.json")
    words = [word for name in names for word in ("--report", tmp_path / name)]
    with server:
        done = invoke(
            "cluster", table, "--n-clusters", "3", "--stability", "0", "--host", server.host,
            "--no-map", *words,
        )  # fmt: skip
    assert done.code == 0, done.stderr
    assert all(
        (tmp_path / name).is_file() and f"Report: {tmp_path / name}" in done.stderr
        for name in names
    )


def test_clusters_over_time_are_in_the_report(
    tmp_path: Path, texts: list[str], server: OllamaDouble
) -> None:
    path, report, out = tmp_path / "in.csv", tmp_path / "r.html", tmp_path / "c.csv"
    with path.open("w", newline="") as file:
        rows = [(f"{2019 + i % 2}-05-01", text) for i, text in enumerate(texts)]
        csv.writer(file).writerows([("day", "text"), *rows])
    with server:
        words = ("cluster", path, "--host", server.host, "--stability", "0", "--n-clusters", "3")
        done = invoke(*words, "--time-column", "day", "--report", report, "--no-map", "--out", out)
        alone = invoke(*words, "--time-column", "day")
        unknown = invoke(*words, "--time-column", "date", "--report", report, "--force")
        asked = len(server.texts_received)
        unreadable = invoke(*words, "--time-column", "text", "--report", report, "--force")
        assert len(server.texts_received) == asked
    assert done.code == 0, done.stderr
    assert ">2020-05<" in report.read_text(encoding="utf-8")
    assert "day" not in rows_of(out.read_text())[0]
    assert alone.code == unknown.code == 2
    assert "give --report" in alone.stderr
    assert "--time-column" in unknown.stderr
    assert "none of the times can be read" in unreadable.stderr


def test_times_of_another_form_are_read_as_said_and_never_guessed(
    tmp_path: Path, texts: list[str], server: OllamaDouble
) -> None:
    path, report = tmp_path / "in.csv", tmp_path / "r.json"
    with path.open("w", newline="") as file:
        rows = [(f"0{i % 2 + 3}/04/2026", text) for i, text in enumerate(texts)]
        csv.writer(file).writerows([("day", "text"), *rows, ("soon", "fruit number 3")])
    with server:
        words = ("cluster", path, "--host", server.host, "--stability", "0", "--n-clusters", "3")
        dated = (*words, "--report", report, "--no-map", "--time-column", "day")
        guessed = invoke(*dated)
        wrong = invoke(*dated, "--time-format", "dd/mm/yyyy")
        alone = invoke(*words, "--time-format", "%d/%m/%Y")
        assert len(server.texts_received) == 0
        done = toolkit_process(*dated, "--time-format", "%d/%m/%Y", "--save", tmp_path / "saved")
        assert done.code == 0, done.stderr
        first = json.loads(report.read_text())["over_time"]
        again = toolkit_process(
            *words[:4], "--reuse", tmp_path / "saved", "--report", report, "--no-map", "--force",
            "--time-column", "day", "--time-format", "%m/%d/%Y",
        )  # fmt: skip
    assert (guessed.code, wrong.code, alone.code) == (1, 2, 2)
    said = " ".join(guessed.stderr.split())
    assert "'%d/%m/%Y' (day first) or '%m/%d/%Y' (month first): say which" in said
    assert "--time-format" in said
    assert "has no year" in wrong.stderr
    assert "give that, too" in alone.stderr
    said = " ".join(done.stderr.split())
    assert said.count("1 of 37 times cannot be read, at position 36, for example 'soon'") == 1
    assert (first["periods"], first["totals"], first["undated"]) == (
        ["2026-04-03", "2026-04-04"], [18, 18], 1,
    )  # fmt: skip
    assert again.code == 0, again.stderr
    second = json.loads(report.read_text())["over_time"]
    assert second["periods"] == ["2026-03", "2026-04"]
    assert second["counts"] == first["counts"]


def test_assignments_on_standard_output(table: Path, server: OllamaDouble) -> None:
    with server:
        words = ("cluster", table, "--host", server.host, "--stability", "0", "--n-clusters", "3")
        done = invoke(*words, "--out", "-", "--no-text", "-q")
    assert (done.code, done.stderr) == (0, "")
    rows = rows_of(done.stdout)
    assert len(rows) == 36
    assert next(iter(rows[0])) == "cluster"
    assert "text" not in rows[0]


def test_texts_without_a_known_label_are_clustered_too(
    tmp_path: Path, texts: list[str], server: OllamaDouble
) -> None:
    table, out = tmp_path / "in.csv", tmp_path / "out.json"
    labels = [text.split()[0] if at // 3 % 3 else "" for at, text in enumerate(texts)]
    lines = [f"{text},{label}" for text, label in zip(texts, labels, strict=True)]
    table.write_text("\n".join(["text,kind", *lines]))
    with server:
        words = ("cluster", table, "--host", server.host, "--stability", "0", "--n-clusters", "3")
        done = invoke(*words, "--label-column", "kind", "--report", out)
    assert done.code == 0, done.stderr
    assert "12 of 36 rows have no label; only the others are compared" in done.stderr
    said = "Compared with 3 known labels that 24 texts have: 100% of the clustered ones"
    assert said in " ".join(done.stdout.split())
    report = json.loads(out.read_text())
    assert report["agreement"]["n_labelled"] == 24


@pytest.mark.filterwarnings("default")
def test_a_text_without_a_vector_has_a_row_without_a_cluster(
    table: Path, tmp_path: Path, server: OllamaDouble
) -> None:
    server.faults.add(Fault(status(400, "no"), times=None, containing="river number 3"))
    out = tmp_path / "c.csv"
    with server:
        done = invoke(
            "cluster", table, "--host", server.host, "--stability", "0", "--n-clusters", "3",
            "--on-error", "nan", "--out", out,
        )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "1 of 36 texts has no vector" in done.stderr
    rows = rows_of(out.read_text())
    assert len(rows) == 36
    assert [row["text"] for row in rows if not row["cluster"]] == ["river number 3"]


@pytest.mark.slow
def test_a_density_clusterer_gets_its_reduction(table: Path, server: OllamaDouble) -> None:
    with server:
        done = invoke(
            "cluster", table, "--host", server.host, "--stability", "0", "--json",
            "--clusterer", "hdbscan", "--min-cluster-size", "5",
        )  # fmt: skip
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["n_clusters"] == 3
    assert "UMAP" in json.dumps(found["provenance"])
    assert len(list((cache_root() / "projections").iterdir())) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--n-clusters", "1"], 2, "a number from 2, or auto"),
        (["--n-clusters", "many"], 2, "a number from 2, or auto"),
        (["--n-clusters", "99"], 2, "99 clusters of 36 texts"),
        (["--clusterer", "magic"], 2, "no clusterer is called 'magic'"),
        (["--output-format", "csv"], 2, "give --out"),
        (["--json", "--out", "-"], 2, "give --out a file"),
        (["--label-column", "sort"], 2, "no column 'sort'"),
        (["--report", "r.docx"], 2, "end it in .html"),
        (["--out", "in.csv"], 2, "there already"),
    ],
)
def test_mistakes(
    words: list[str],
    code: int,
    said: str,
    table: Path,
    tmp_path: Path,
    server: OllamaDouble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with server:
        done = invoke("cluster", table, "--host", server.host, "--stability", "0", *words)
    assert (done.code, done.stdout) == (code, ""), done.stderr
    assert said in " ".join(done.stderr.split())


def test_a_chat_model_names_the_clusters(table: Path, tmp_path: Path, server: OllamaDouble) -> None:
    def say(messages: list[dict[str, str]]) -> str:
        word = json.loads(messages[1]["content"])["words"][0]
        return json.dumps({"name": f"Talk of {word}"})

    server.models.add(Model("chatty", pooled=False, answer=say))
    words = ("cluster", table, "--n-clusters", "3", "--stability", "0", "--report")
    with server:
        host = ("--host", server.host)
        done = invoke(*words, tmp_path / "r.md", *host, "--name-with", "chatty")
        assert done.code == 0, done.stderr
        assert "Talk of fruit: " in done.stdout
        assert "made by the language model chatty" in " ".join(done.stdout.split())
        page = (tmp_path / "r.md").read_text()
        assert "Talk of river" in page
        assert "- Names: chatty" in page
        asked = len(server.texts_received)
        for model, message in (("embeddinggemma", "not a chat model"), ("nope", "ollama pull")):
            done = invoke(*words, tmp_path / "s.md", *host, "--name-with", model)
            assert done.code == 1
            assert message in " ".join(done.stderr.split())
        assert len(server.texts_received) == asked, "said before the work, not after it"
        done = invoke(*words, tmp_path / "s.md", *host, "--name-host", server.host)
        assert done.code == 2


@pytest.mark.browser
def test_hostile_files_and_columns_do_nothing(chromium_page: Chromium, tmp_path: Path):
    """Names of files and columns are as hostile as texts and labels."""
    file = tmp_path / "<img src=x onerror=window.hurt=6>'\".csv"
    columns = ("<script>window.hurt = 7</script>", HOSTILE[1], HOSTILE[2])
    rows = [
        (f"{HOSTILE[i % len(HOSTILE)]} {'harbour ship' if i % 2 else 'oven bread'} {i}",
         HOSTILE[i % 2], 2000 + i % 3)
        for i in range(24)
    ]  # fmt: skip
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([columns, *rows])
    texts, labels, times = columns
    words = (file, "--backend", "embedded", "--text-column", texts, "--label-column", labels)
    page, drawn = tmp_path / "r.html", tmp_path / "m.html"
    done = invoke(
        "cluster", *words, "--time-column", times, "--n-clusters", "2", "--stability", "0",
        "--report", page,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    done = invoke("map", *words, "--keep", times, "--out", drawn)
    assert done.code == 0, done.stderr
    for path in (page, drawn):
        visit = chromium_page.open(path)
        visit.page.wait_for_selector(".emap[data-ready]")
        for summary in visit.page.locator("summary:visible").all():
            summary.click()
        visit.page.wait_for_timeout(300)
        assert visit.page.evaluate("window.hurt") is None
        assert visit.page.locator("iframe, base, link, main img").count() == 0
        assert file.name in visit.page.locator(".facts").last.inner_text()
        visit.assert_clean(path)
