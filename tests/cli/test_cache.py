"""`toolkit cache`: looking at it, and clearing it only when that is meant."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.cli.running import command, environment, invoke, toolkit_process
from toolkit.cache import EmbeddingCache
from toolkit.embedding.keys import hash_texts
from toolkit.identity import CANARY_NAMES, Canary, ModelIdentity
from toolkit.prompts import Prompt


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


def test_path_and_the_bare_command() -> None:
    default = os.environ["TOOLKIT_CACHE_DIR"]
    assert invoke("cache", "path").stdout == f"{default}\n"
    assert invoke("cache", "path", "--cache", "/x/y").stdout == "/x/y\n"
    assert invoke("cache").stdout == f"{default}: empty\n"
    assert invoke("cache", "info", "--cache", "off").code == 2


def test_clear_asks_and_without_a_terminal_refuses(folder: Path) -> None:
    done = toolkit_process("cache", "clear", "--cache", folder)
    assert done.code == 2
    assert "give --yes" in done.stderr
    assert len(EmbeddingCache(folder).spaces()) == 1


def test_clear_with_yes(folder: Path) -> None:
    done = invoke("cache", "clear", "--cache", folder, "--yes", "--json")
    assert done.code == 0
    assert json.loads(done.stdout) == {"path": str(folder), "deleted_spaces": 1}
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


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 1), ("y", 0, 0)])
def test_clear_in_a_terminal(folder: Path, answer: str, code: int, left: int) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*command, "cache", "clear", "--cache", str(folder)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(),
    )
    os.close(theirs)
    said = b""
    while b"[y/N]" not in said:
        assert select.select([ours], [], [], 60)[0], said
        said += os.read(ours, 4096)
    assert b"5 vectors in 1 space" in said
    os.write(ours, f"{answer}\n".encode())
    while select.select([ours], [], [], 60)[0]:  # drained, or its last words would block it
        try:
            if not os.read(ours, 4096):
                break
        except OSError:  # how Linux says that the other side is closed
            break
    assert process.wait(timeout=60) == code
    os.close(ours)
    assert len(EmbeddingCache(folder).spaces()) == left


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
