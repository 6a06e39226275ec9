"""`toolkit cache`: looking at it, and clearing it only when that is meant."""

from __future__ import annotations

import json
import os
import pty
import select
import sqlite3
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.running import command, environment, invoke, toolkit_process
from toolkit.cache import EmbeddingCache, usage
from toolkit.embedding.keys import hash_texts
from toolkit.identity import CANARY_NAMES, Canary, ModelIdentity
from toolkit.prompts import Prompt
from toolkit.visualize.kept import kept_places, store_places


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)

    def unit(count: int) -> np.ndarray:
        rows = rng.normal(size=(count, 16)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    canary = Canary.of(dict(zip(CANARY_NAMES, unit(len(CANARY_NAMES)), strict=True)))
    identity = ModelIdentity("ollama", "tiny", 16, weights="ab" * 32, canary=canary)
    cache = EmbeddingCache(tmp_path / "vectors")
    space, _ = cache.resolve(identity)
    prompt = Prompt("query: {text}")
    space.put(hash_texts([f"text {i}" for i in range(5)], prompt), unit(5), prompt.template)
    return tmp_path / "vectors"


def test_info(folder: Path) -> None:
    done = invoke("cache", "info", "--cache", folder)
    assert done.code == 0
    assert f"{folder}: 5 vectors in 1 space" in done.stdout
    assert "tiny through ollama" in done.stdout
    assert "5 under 'query: {text}'" in done.stdout


def test_info_as_json(folder: Path) -> None:
    done = invoke("cache", "info", "--cache", folder, "--json")
    found = json.loads(done.stdout)
    assert (found["path"], found["entries"], found["writable"]) == (str(folder), 5, True)
    assert found["spaces"][0]["prompts"] == {"query: {text}": 5}


def test_info_says_how_the_cache_was_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now)  # no midnight in between
    (space,) = EmbeddingCache(folder).spaces()
    space.note_call("query: {text}", 1200, 5)
    space.get(space.keys())
    keep_projections(folder, 1)
    done = invoke("cache", "info", "--cache", folder)
    assert "5 vectors, " in done.stdout
    assert "last used today" in done.stdout
    assert "1,200 found, 5 embedded or missing; last asked today" in done.stdout
    assert "1 kept projection of maps" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines()[1:])
    found = json.loads(invoke("cache", "info", "--cache", folder, "--json").stdout)
    assert (found["hits"], found["misses"], found["projections"]["count"]) == (1205, 5, 1)
    task = found["spaces"][0]["tasks"]["query: {text}"]
    assert (task["entries"], task["hits"], task["misses"]) == (5, 1200, 5)


def test_info_of_a_newer_format(folder: Path) -> None:
    (space,) = EmbeddingCache(folder).spaces()
    connection = sqlite3.connect(space.path / "index.sqlite")
    connection.execute("UPDATE meta SET value = '9' WHERE key = 'format'")
    connection.commit()
    connection.close()
    done = invoke("cache", "info", "--cache", folder)
    assert done.code == 1
    assert "has format 9" in done.stdout
    assert "pip install --upgrade" in done.stdout


def test_path_and_the_bare_command() -> None:
    default = os.environ["TOOLKIT_CACHE_DIR"]
    assert invoke("cache", "path").stdout == f"{default}\n"
    assert invoke("cache", "path", "--cache", "/x/y").stdout == "/x/y\n"
    assert invoke("cache").stdout == f"{default}: empty\n"
    assert invoke("cache", "info", "--cache", "off").code == 2
    found = json.loads(invoke("cache", "path", "--cache", "/x/y", "--json").stdout)
    assert found == {"path": "/x/y", "exists": False}


def test_clear_asks_and_without_a_terminal_refuses(folder: Path) -> None:
    done = toolkit_process("cache", "clear", "--cache", folder)
    assert done.code == 2
    assert "give --yes" in done.stderr
    assert len(EmbeddingCache(folder).spaces()) == 1


def test_clear_with_yes(folder: Path) -> None:
    done = invoke("cache", "clear", "--cache", folder, "--yes", "--json")
    assert done.code == 0
    assert json.loads(done.stdout) == {
        "path": str(folder),
        "deleted_spaces": 1,
        "deleted_projections": 0,
    }
    assert "Deleted 1 vector space" in done.stderr
    assert EmbeddingCache(folder).spaces() == []
    assert invoke("cache", "clear", "--cache", folder, "-y").code == 0


def test_clear_of_a_damaged_cache(folder: Path) -> None:
    (space,) = EmbeddingCache(folder).spaces()
    (space.path / "index.sqlite").write_bytes(b"not a database" * 100)
    done = toolkit_process("cache", "info", "--cache", folder)
    assert done.code == 1
    assert space.id in done.stdout
    assert "Traceback" not in done.stderr
    assert invoke("cache", "clear", "--cache", folder, "--yes").code == 0
    assert EmbeddingCache(folder).spaces() == []


def in_a_terminal(answer: str, *arguments: str | Path) -> tuple[int, bytes]:
    """Run a command in a terminal and answer its question; return exit code and question."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*command, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(),
    )
    os.close(theirs)
    said = b""
    while b"[y/N]" not in said:
        assert select.select([ours], [], [], 300)[0], said
        said += os.read(ours, 4096)
    os.write(ours, f"{answer}\n".encode())
    while select.select([ours], [], [], 300)[0]:  # drained, or its last words would block it
        try:
            if not os.read(ours, 4096):
                break
        except OSError:  # how Linux says that the other side is closed
            break
    code = process.wait(timeout=300)
    os.close(ours)
    return code, said


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 1), ("y", 0, 0)])
def test_clear_in_a_terminal(folder: Path, answer: str, code: int, left: int) -> None:
    keep_projections(folder, 2)
    found, said = in_a_terminal(answer, "cache", "clear", "--cache", folder)
    said = b" ".join(said.split())  # however it is folded
    assert b"5 vectors in 1 space" in said
    assert b"2 kept projections" in said
    assert found == code
    assert len(EmbeddingCache(folder).spaces()) == left
    assert len(kept_places(folder)) == 2 * left


# --- prune ---------------------------------------------------------------------------------------


def keep_projections(folder: Path, count: int, days_ago: float = 0) -> None:
    for number in range(count):
        key = f"{days_ago}-{number}"
        store_places(key, np.zeros((3, 2)), folder)
        used = time.time() - 86_400 * days_ago
        os.utime(folder / "projections" / f"{key}.npy", (used, used))


def age(folder: Path, days: int) -> None:
    """Make the vectors of the one space as old as if nobody had used them for so long."""
    (space,) = EmbeddingCache(folder).spaces()
    usage.flush()
    usage._spaces.clear()
    usage.write_days(space.path, 0, np.array([usage.today() - days]))


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 5), ("y", 0, 0)])
def test_prune_in_a_terminal(folder: Path, answer: str, code: int, left: int) -> None:
    age(folder, 31)
    found, said = in_a_terminal(answer, "cache", "prune", "--cache", folder, "--older-than", "30d")
    assert b": 5 vectors would go" in said
    assert found == code
    (space,) = EmbeddingCache(folder).spaces()
    assert len(space) == left


def test_prune_by_age(folder: Path) -> None:
    words = ("cache", "prune", "--cache", folder, "--older-than")
    assert invoke(*words, "30d").stdout == "nothing to prune\n", "and nobody was asked"
    age(folder, 31)
    keep_projections(folder, 2, days_ago=40)
    keep_projections(folder, 1)
    done = toolkit_process(*words, "30d")
    assert done.code == 2
    assert "give --yes" in done.stderr
    done = invoke(*words, "30d", "--dry-run")
    assert done.code == 0
    assert "5 vectors would go" in done.stdout
    assert "2 kept projections of maps would go" in done.stdout
    (space,) = EmbeddingCache(folder).spaces()
    assert len(space) == 5
    done = invoke(*words, "30d", "--yes", "--json")
    found = json.loads(done.stdout)
    assert (done.code, found["removed"], found["projections"], found["dry_run"]) == (0, 5, 2, False)
    assert found["spaces"][0]["space"] == space.id
    assert found["spaces"][0]["kept"] == 0
    assert len(kept_places(folder)) == 1


def test_prune_by_size_and_by_space(folder: Path) -> None:
    (space,) = EmbeddingCache(folder).spaces()
    words = ("cache", "prune", "--cache", folder, "-y")
    assert invoke(*words, "--max-bytes", "1.5 GiB").stdout == "nothing to prune\n"
    assert "5 vectors removed" in invoke(*words, "--max-bytes", "10kB").stdout
    assert len(space) == 0
    done = invoke(*words, "--space", "tiny")
    assert done.code == 0
    assert "and the space itself" in done.stdout
    assert EmbeddingCache(folder).spaces() == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "say what to prune"),
        (("--max-bytes", "much"), 2, "'much' is not a size"),
        (("--older-than", "30 minutes"), 2, "is not an age"),
        (("--space", "qwen"), 1, "no vector spaces"),
        (("--max-bytes", "\ud83d<script>" * 500), 2, "is not a size"),
    ],
)
def test_prune_says_what_it_needs(
    folder: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = invoke("cache", "prune", "--cache", folder, "--yes", *words)
    assert (done.code, done.stdout) == (code, "")
    assert said in done.stderr
    assert len(done.stderr) < 300
    assert len(EmbeddingCache(folder).spaces()) == 1


# --- care ----------------------------------------------------------------------------------------


def test_verify_and_repair(folder: Path) -> None:
    (space,) = EmbeddingCache(folder).spaces()
    done = invoke("cache", "verify", "--cache", folder)
    assert (done.code, done.stdout) == (0, f"ok        {space.id}: 5 vectors\n")
    with (space.path / "vectors.f32").open("r+b") as file:
        file.seek(3 * 16 * 4)
        file.write(b"\0\0\0\0")
    done = invoke("cache", "verify", "--cache", folder)
    assert done.code == 1
    assert f"DAMAGED   {space.id}: 1 of 5 vectors\n" in done.stdout
    assert "1 is bad: not what was stored: its checksum differs (first: row 3)" in done.stdout
    assert "toolkit cache repair" in done.stderr
    done = invoke("cache", "verify", "--cache", folder, "--json")
    found = json.loads(done.stdout)
    assert (done.code, found["sound"]) == (1, False)
    assert found["spaces"][0]["bad_rows"][0]["row"] == 3
    done = invoke("cache", "repair", "--cache", folder, "--json")
    found = json.loads(done.stdout)
    (new,) = EmbeddingCache(folder).spaces()
    assert (done.code, found["spaces"][0]["kept"], found["spaces"][0]["lost"]) == (1, 4, 1)
    assert found["spaces"][0]["new_space"] == new.id
    assert Path(found["spaces"][0]["moved_to"]).is_dir()
    done = invoke("cache", "repair", "--cache", folder)
    assert (done.code, done.stdout) == (0, f"ok        {new.id}: 4 vectors\n")


def test_repair_says_what_it_did(folder: Path) -> None:
    (space,) = EmbeddingCache(folder).spaces()
    (space.path / "index.sqlite").write_bytes(b"not a database" * 100)
    done = invoke("cache", "repair", "--cache", folder)
    assert done.code == 1
    assert "moved the damaged folder to" in done.stdout
    assert invoke("cache", "verify", "--cache", folder).stdout == f"{folder}: empty\n"


def test_export_and_import(folder: Path, tmp_path: Path) -> None:
    pack = tmp_path / "out.safetensors"
    done = invoke("cache", "export", pack, "--cache", folder, "--json")
    assert done.code == 0
    assert json.loads(done.stdout)["vectors"] == 5
    assert invoke("cache", "export", pack, "--cache", folder).code == 2, "it is there already"
    done = invoke(
        "cache", "export", pack, "--cache", folder, "--force", "--template", "other: {text}"
    )
    assert done.code == 1
    assert "no vectors of the prompt" in done.stderr
    other = tmp_path / "other"
    done = invoke("cache", "import", pack, "--cache", other)
    assert done.code == 0
    assert "Added 5 vectors" in done.stderr
    done = invoke("cache", "import", pack, "--cache", other, "--json")
    found = json.loads(done.stdout)
    assert (found["added"], found["present"], found["new_space"]) == (0, 5, False)
    (one,), (two,) = EmbeddingCache(folder).spaces(), EmbeddingCache(other).spaces()
    keys = one.keys()
    assert np.allclose(one.get(keys)[0], two.get(keys)[0], atol=1e-6)
    done = invoke("cache", "import", __file__, "--cache", other)
    assert done.code == 1
