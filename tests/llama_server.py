"""llama.cpp's own server as an OpenAI-compatible one, with the real Ollama's engine and tiny model.

A pytest plugin: ``tests/conftest.py`` names it in ``pytest_plugins``. It needs what ``make ollama``
puts together, and is skipped or fails without as in ``tests/servers.py``.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.ports import KeptPort
from tests.real_ollama import find, processes

READY_SECONDS = 120.0
CONTEXT = 512
_FIXTURES = {"llama_server", "llama_server_factory"}


class LlamaServer:
    """``llama-server`` on a free port, in a process of its own: to ask, kill and start again.

    Its context is 512 tokens, because the tiny model is slow with long texts: a token is a
    character, so 510 characters fit, and the longest canary does not.

    Parameters
    ----------
    ollama : Path
        The ollama executable beside whose engine and models it works.
    model : Path, optional
        The file to serve; None for the tiny EmbeddingGemma.
    """

    def __init__(self, ollama: Path, model: Path | None = None) -> None:
        self.executable = ollama.resolve().parent.parent / "lib" / "ollama" / "llama-server"
        self.model = model or tiny_model_file(ollama)
        self.port = 0
        self._home = Path()
        self._kept = KeptPort()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """Address for clients."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> LlamaServer:
        """Start the server, on the port it had before if there was one, and wait for it."""
        self._home = Path(tempfile.mkdtemp(prefix="toolkit-llama-"))
        flags = {"--model": self.model, "--port": self.port}
        flags |= dict.fromkeys(("-c", "-b", "-ub"), CONTEXT)
        command = [str(word) for flag in flags.items() for word in flag]
        with (self._home / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(self.executable), *command, "--host", "127.0.0.1", "-np", "1", "--embedding"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._home,
                start_new_session=True,
            )
        self._guard = processes.guard(self._process.pid, self._home)
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._log()
                self.kill()
                raise RuntimeError(f"llama-server does not come up:\n{said}")
            time.sleep(0.02)
        self._kept.release()
        return self

    def kill(self) -> None:
        """SIGKILL the server and wait until it is gone."""
        process, self._process = self._process, None
        guard, self._guard = self._guard, None
        if process is not None:
            process.kill()
            process.wait(timeout=120)
            self._kept.keep(self.port)
        if guard is not None:
            guard.kill()
            assert guard.stdin is not None
            guard.stdin.close()
            guard.wait(timeout=120)
        if self._home != Path():
            shutil.rmtree(self._home, ignore_errors=True)

    def ask(self, *texts: str) -> list[list[float]]:
        """Return the vectors of texts, a request a text, by no way of the package under test."""
        rows = []
        with httpx.Client(base_url=self.host, timeout=60, trust_env=False) as client:
            for text in texts:
                answer = client.post("/v1/embeddings", json={"input": text})
                answer.raise_for_status()
                rows.append(answer.json()["data"][0]["embedding"])
        return rows

    def __enter__(self) -> LlamaServer:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._kept.release()

    def _ready(self) -> bool:
        # It finds itself a free port, which nobody can take in between, and says which.
        said = re.search(r"listening on \S+:(\d+)", self._log())
        if said is None:
            return False
        self.port = int(said[1])
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.host}/health", trust_env=False).status_code == 200
        return False

    def _log(self) -> str:
        return (self._home / "log").read_text(errors="replace")


def tiny_model_file(ollama: Path) -> Path:
    """Return the file of the tiny EmbeddingGemma in the store of an ollama."""
    models = find.models_of(ollama)
    name = "manifests/registry.ollama.ai/library/embeddinggemma/latest"
    layers = json.loads((models / name).read_text(encoding="utf-8"))["layers"]
    digest: str = layers[0]["digest"]
    return models / "blobs" / digest.replace(":", "-")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the real engine."""
    for item in items:
        if _FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("ollama")


@pytest.fixture(scope="session")
def llama_server(real_ollama_executable: Path) -> Iterator[LlamaServer]:
    """One llama-server for the whole session; leave it as you find it."""
    with LlamaServer(real_ollama_executable) as server:
        yield server


@pytest.fixture
def llama_server_factory(real_ollama_executable: Path) -> Iterator[Callable[..., LlamaServer]]:
    """Start llama-servers of the test's own; the model's file may be given."""
    with ExitStack() as stack:

        def make(model: Path | None = None) -> LlamaServer:
            return stack.enter_context(LlamaServer(real_ollama_executable, model))

        yield make
