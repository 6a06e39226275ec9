"""What the documentation says of privacy: no address but the server's, no text in the cache."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import environment
from tests.ollama_double.server import OllamaDouble

# Runs the command line with an ear on every look-up of a name and every connection.
WATCHED = """
import json, sys
asked = []
def hear(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        asked.append([event, str(arguments[1])])
    elif event.startswith("socket.get") and event != "socket.gethostname":
        asked.append([event, str(arguments[0])])
sys.addaudithook(hear)
place, sys.argv[1:] = sys.argv[1], sys.argv[2:]
import atexit
atexit.register(lambda: open(place, "w").write(json.dumps(asked)))
from toolkit.cli.main import run
run()
"""

# Texts that can be found again in a file, and would be found in any encoding of theirs.
TEXTS = [
    f"{topic} costs {price} zorkmid a day" for topic in ("rent", "water") for price in range(9)
]


def run(tmp_path: Path, *arguments: str | Path, code: int = 0) -> list[list[str]]:
    """Run a command; return what it asked of the network."""
    heard = tmp_path / "heard.json"
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(heard), *map(str, arguments)],
        env=environment(TOOLKIT_CACHE_DIR=str(tmp_path / "cache")),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == code, done.stderr
    found: list[list[str]] = json.loads(heard.read_text())
    return found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    rows = "".join(f"{text},{text.split()[0]}\n" for text in TEXTS)
    path.write_text(f"text,label\n{rows}", encoding="utf-8")
    return path


def test_the_watch_notices(tmp_path: Path, ollama_double: OllamaDouble, table: Path) -> None:
    heard = run(tmp_path, "embed", table, "--host", ollama_double.host, "--out", "a.npy")
    assert any(event == "socket.connect" for event, _ in heard)


@pytest.mark.slow
def test_no_address_is_asked_for_but_the_servers(
    tmp_path: Path, ollama_double: OllamaDouble, table: Path
) -> None:
    server = ("--host", ollama_double.host)
    port = ollama_double.host.rpartition(":")[2]
    commands: list[tuple[str | Path, ...]] = [
        ("doctor", *server),
        ("embed", table, *server, "--out", "a.jsonl"),
        ("train", table, *server, "--out", "model", "--classifier", "nearest_centroid"),
        ("predict", "model", table, *server, "--out", "predicted.csv"),
        ("cluster", table, *server, "--n-clusters", "2"),
    ]
    for command in commands:
        for event, address in run(tmp_path, *command):
            assert "127.0.0.1" in address, (command, event, address)
            if event == "socket.connect":
                assert port in address, (command, event, address)
    # Nothing of a text is in the cache, nor in what a model keeps for prediction.
    files = [file for file in tmp_path.rglob("*") if file.is_file() and "cache" in file.parts]
    assert any(file.name == "vectors.f32" for file in files)
    for file in files:
        content = file.read_bytes()
        for encoding in ("utf-8", "utf-16-le", "utf-32-le"):
            assert "zorkmid".encode(encoding) not in content, file


def test_without_a_server_nothing_is_asked_for(tmp_path: Path, table: Path) -> None:
    assert run(tmp_path, "embed", table, "--backend", "embedded", "--out", "a.npy") == []
    assert run(tmp_path, "embed", "dataset:sdg", "--backend", "cache", "--out", "b.npy") == []
