"""In a terminal: a bar that says how far it is, and Ctrl-C that says how many are left."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import command, environment
from tests.ollama_double import faults
from tests.ollama_double.fault import Fault
from tests.ollama_double.server import OllamaDouble


def _take_terminal() -> None:
    """Make the terminal the session's own, so that Ctrl-C becomes a signal, and is heard."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A command in a terminal of 100 columns."""

    def __init__(self, *arguments: str) -> None:
        self._raw = b""
        self._side, other = pty.openpty()
        fcntl.ioctl(self._side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self._process = subprocess.Popen(
            [*command, *arguments],
            stdin=other,
            stdout=other,
            stderr=other,
            env=environment(TERM="xterm"),
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(other)

    def read_until(self, pattern: str, seconds: float = 300.0) -> str:
        """Return the output when it holds the pattern."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, output := self._raw.decode(errors="replace")):
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern!r} is not in {output!r}"
            if select.select([self._side], [], [], left)[0]:
                self._raw += os.read(self._side, 65536)
        return output

    def press_ctrl_c(self) -> None:
        os.write(self._side, b"\x03")

    def end(self) -> int:
        code = self._process.wait(timeout=300)
        os.close(self._side)
        return code


@pytest.mark.parametrize("answered", [True, False])
def test_ctrl_c(
    tmp_path: Path, answered: bool, ollama_double_factory: Callable[..., OllamaDouble]
) -> None:
    """A request on its way is not waited for: one that is never answered holds nothing up."""
    texts, out = tmp_path / "in.txt", tmp_path / "out.npy"
    texts.write_text("\n".join(f"text number {i}" for i in range(2000)))
    double = ollama_double_factory(text_seconds=0.02)
    hanging = Fault(faults.hang(), containing="number 40", times=0 if answered else None)
    double.faults.add(hanging)
    terminal = Terminal("embed", str(texts), "--host", double.host, "--out", str(out))
    if answered:
        terminal.read_until(r"embedding: +\d+%.*/2000 \[\d\d:\d\d<\d\d:\d\d, .*text/s")
    else:
        deadline = time.monotonic() + 300
        while not hanging.hits:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    terminal.press_ctrl_c()
    # Two minutes is what the answer would be waited for.
    said = terminal.read_until(r"are left\. Run it again to go on\.", seconds=60)
    assert terminal.end() == 130
    counted = re.search(
        r"interrupted\. Stopped: ([\d,]+) of 2,000 texts were embedded and are in the cache; "
        r"([\d,]+) are left",
        " ".join(said.split()),
    )
    assert counted is not None
    assert sum(int(number.replace(",", "")) for number in counted.groups()) == 2000
    assert "Traceback" not in said
    assert not out.exists()


def test_what_is_being_done_stands_in_one_line_that_is_cleared_at_the_end() -> None:
    words = ("--backend", "cache", "--n-clusters", "5", "--stability", "2")
    terminal = Terminal("cluster", "dataset:sdg", *words)
    said = terminal.read_until(r"4 +\d+ texts")
    assert terminal.end() == 0
    steps = said[said.index("of the texts again") :].partition("615 texts")[0]
    assert "\r\x1b[Kstability: subsample 2 of 2 \u2026" in steps
    assert steps.endswith("\r\x1b[K")
    assert steps.count("\n") == 1  # of the message before the first of them
