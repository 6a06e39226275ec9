"""The real server's own machinery: what it starts it ends, and what it is given it leaves alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.real_ollama import find, install, processes, store
from tests.real_ollama import server as real_server
from tests.real_ollama.server import RealOllama
from tests.servers import warm

Factory = Callable[..., RealOllama]


def ask(server: RealOllama, model: str = "embeddinggemma") -> httpx.Response:
    body = {"model": model, "input": "a"}
    return httpx.post(f"{server.host}/api/embed", json=body, timeout=60, trust_env=False)


def test_models(real_ollama: RealOllama) -> None:
    assert ask(real_ollama).status_code == 200
    assert (
        ask(real_ollama, "test/embeddinggemma").json()["embeddings"]
        == (ask(real_ollama).json()["embeddings"])
    )
    version = httpx.get(f"{real_ollama.host}/api/version", timeout=60, trust_env=False).json()
    assert version == {"version": install.VERSION}


def test_stop_start_and_no_orphans(real_ollama_factory: Factory) -> None:
    server = real_ollama_factory(OLLAMA_KEEP_ALIVE="7m")
    warm(server)
    host, pids = server.host, [server.pid, *server.runner_pids()]
    assert len(pids) == 2
    server.stop()
    assert not any(processes.alive(pid) for pid in pids)
    if sys.platform == "linux":
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", server.port))
    server.start()
    assert server.host == host
    assert ask(server).status_code == 200
    assert "OLLAMA_KEEP_ALIVE:7m" in server.log()
    pids = [server.pid, *server.runner_pids()]
    home = server.home
    server.close()
    assert not any(processes.alive(pid) for pid in pids)
    assert not home.exists()


def test_a_port_that_is_taken_meanwhile_is_left_for_another(
    real_ollama_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        find_port = real_server._free_port
        found = iter([port])
        monkeypatch.setattr(real_server, "_free_port", lambda: next(found, None) or find_port())
        assert real_ollama_factory().port != port


def test_its_store_is_its_own(real_ollama_factory: Factory) -> None:
    server = real_ollama_factory()
    for name in ("embeddinggemma", "test/embeddinggemma"):
        response = httpx.request(
            "DELETE",
            f"{server.host}/api/delete",
            json={"model": name},
            timeout=60,
            trust_env=False,
        )
        assert response.status_code == 200
    assert ask(server).status_code == 404
    assert ask(real_ollama_factory()).status_code == 200


def test_the_guard_ends_everything_when_the_tests_are_killed(
    real_ollama_executable: Path,
) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from tests.real_ollama.server import RealOllama; from tests.servers import warm\n"
        "server = RealOllama(Path(sys.argv[1])).start(); warm(server)\n"
        "print(server.home, server.pid, *server.runner_pids(), flush=True); time.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(real_ollama_executable)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(install.ROOT)},
    )
    with process:
        assert process.stdout is not None
        home, *words = process.stdout.readline().split()
        process.send_signal(signal.SIGKILL)
    pids = [int(word) for word in words]
    assert len(pids) == 2
    deadline = time.monotonic() + 60
    while Path(home).exists() or any(processes.alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "orphans"
        time.sleep(0.02)


def test_install_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(install.InstallError, match="lacks xllamacpp and gguf"):
        install.install(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(install.InstallError, match="Go is not installed"):
        install.install(tmp_path)


def test_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.delenv(find.VARIABLE, raising=False)
    assert find.find_ollama() is None
    monkeypatch.setenv(find.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="which is not a file"):
        find.find_ollama()


def test_an_executable_named_by_the_environment(
    real_ollama_executable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One without an engine beside it gets one, elsewhere, and a store."""
    copied = tmp_path / "bare" / "ollama"
    copied.parent.mkdir()
    os.link(real_ollama_executable, copied)
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv(find.VARIABLE, str(copied))
    found = find.find_ollama()
    assert found is not None
    assert found != copied
    assert (find.models_of(found) / store.COMPLETE).exists()
    assert list(copied.parent.iterdir()) == [copied]
    with RealOllama(found) as server:
        assert ask(server).status_code == 200
