"""The double in a process of its own, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.ports import KeptPort

ROOT = Path(__file__).resolve().parents[2]


class DoubleProcess:
    """``python -m tests.ollama_double`` with some arguments, as a context manager.

    Parameters
    ----------
    *arguments : str
        Command-line arguments, for example ``"--version", "0.24.0"``.
    """

    def __init__(self, *arguments: str) -> None:
        self.arguments: Sequence[str] = arguments
        self.host = ""
        self._process: subprocess.Popen[str] | None = None
        self._kept = KeptPort()

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> DoubleProcess:
        """Start it, on the same port as before if there was one."""
        port = ["--port", self.host.rpartition(":")[2]] if self.host else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ollama_double", *self.arguments, *port],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self._process.stdout is not None
        self.host = self._process.stdout.readline().strip()
        if not self.host:
            self.__exit__()
            raise RuntimeError("the double did not start")
        self._kept.release()
        return self

    def kill(self) -> None:
        """SIGKILL: clients are cut off, nothing is written."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        process.wait(timeout=120)
        self._kept.keep(int(self.host.rpartition(":")[2] or 0))
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> DoubleProcess:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()
        self._kept.release()
