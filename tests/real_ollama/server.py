"""A real ``ollama serve`` of one's own, to load, crash and kill."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from tests.ports import KeptPort
from tests.real_ollama import find, processes
from tests.real_ollama.find import find_ollama

__all__ = ["RealOllama", "find_ollama"]

READY_SECONDS = 120.0


class RealOllama:
    """``ollama serve`` on a free port, with a home and a model store of its own.

    Use it as a context manager. Models: ``embeddinggemma`` and ``test/embeddinggemma`` (random
    weights), ``chatty`` (cannot embed), ``damaged`` (cannot be loaded). The blobs are hard links,
    so copying and deleting models harms nothing.

    Parameters
    ----------
    executable : Path, optional
        The ollama to run; None for what :func:`find_ollama` finds.
    **env : str
        Environment of the server, for example ``OLLAMA_MAX_QUEUE="1"``.
    """

    def __init__(self, executable: Path | None = None, **env: str) -> None:
        found = executable or find_ollama()
        if found is None:
            raise FileNotFoundError(find.MISSING)
        self.executable = found
        self.env = env
        self.port = 0
        self.home = Path()
        self._kept = KeptPort()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """Address for clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process of the server itself."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def models(self) -> Path:
        """The server's own model store."""
        return self.home / "models"

    def log(self) -> str:
        """Return what the server has written."""
        return (self.home / "log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> RealOllama:
        """Start the server, on the port it had before if there was one, and wait for it."""
        if self._process is not None:
            return self
        if self.home == Path():
            self.home = Path(tempfile.mkdtemp(prefix="toolkit-ollama-"))
            _copy_store(find.models_of(self.executable), self.models)
        new = self.port == 0
        self.port = self.port or _free_port()
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self.executable), "serve"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                cwd=self.home,
                start_new_session=True,
            )
        self._guard = processes.guard(self._process.pid, self.home)
        try:
            self._wait_until_ready()
        except BaseException as error:
            self.kill()
            if new and "address already in use" in str(error):  # taken since it was found free
                (self.home / "log").unlink()
                self.port = 0
                return self.start()
            raise
        self._kept.release()
        return self

    def runner_pids(self) -> list[int]:
        """Return the processes that compute: llama-server, one for each loaded model."""
        return processes.children(self.pid) if self._process is not None else []

    def kill_runner(self) -> int:
        """SIGKILL every runner; returns how many there were."""
        pids = self.runner_pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)

    def freeze_runner(self) -> None:
        """SIGSTOP every runner: the next request hangs until ``thaw_runner``."""
        for pid in self.runner_pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw_runner(self) -> None:
        """SIGCONT every runner."""
        for pid in self.runner_pids():
            os.kill(pid, signal.SIGCONT)

    def kill(self) -> list[int]:
        """SIGKILL the server, then the runners it left behind, which are returned."""
        return self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM the server and wait; ``start`` starts it again."""
        self._end(signal.SIGTERM)

    def close(self) -> None:
        """Stop, and remove the server's home."""
        self.stop()
        self._kept.release()
        if self.home != Path():
            shutil.rmtree(self.home, ignore_errors=True)
            self.home = Path()

    def __enter__(self) -> RealOllama:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()

    # --- inside ----------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        unwanted = ("OLLAMA_", "LLAMA_", "PYTHON")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(unwanted) and not name.upper().endswith("_PROXY")
        }
        return kept | {
            "HOME": str(self.home),
            "OLLAMA_HOST": f"127.0.0.1:{self.port}",
            "OLLAMA_MODELS": str(self.models),
            "OLLAMA_NO_CLOUD": "1",
            **self.env,
        }

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        with httpx.Client(base_url=self.host, trust_env=False, timeout=2.0) as client:
            while True:
                assert self._process is not None
                if self._process.poll() is not None:
                    raise RuntimeError(f"ollama serve ended at once:\n{self.log()}")
                with contextlib.suppress(httpx.HTTPError):
                    if client.get("/api/version").status_code == 200:
                        return
                if time.monotonic() > deadline:
                    raise TimeoutError(f"ollama serve does not answer:\n{self.log()}")
                time.sleep(0.02)

    def _end(self, number: signal.Signals) -> list[int]:
        process, self._process = self._process, None
        if process is None:
            return []
        runners = processes.children(process.pid)
        process.send_signal(number)
        try:
            process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=120)
        self._kept.keep(self.port)
        left = [pid for pid in runners if processes.alive(pid)]
        processes.end(runners)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # one that was just being started
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.kill()
            if guard.stdin is not None:
                guard.stdin.close()
            guard.wait(timeout=120)
        return left


def _copy_store(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_dir():
            continue
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.name == "blobs":
            try:
                os.link(path, place)
                continue
            except OSError:
                pass  # another file system
        shutil.copyfile(path, place)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
