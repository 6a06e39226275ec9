"""Finding and ending the processes of one server, and no others."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the direct children of a process."""
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():
        listed = subprocess.run(
            ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
        )
        return [int(line) for line in listed.stdout.split()]
    found = []
    for stat in proc.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in brackets may hold anything; what follows its end is regular.
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)


def alive(pid: int) -> bool:
    """Return whether a process runs; one that ended and was not waited for does not."""
    try:
        os.kill(pid, 0)
        text = Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError:
        return False
    except OSError:
        return not Path("/proc/self").exists()
    return text.rpartition(")")[2].split()[0] != "Z"


def end(pids: list[int], seconds: float = 60.0) -> None:
    """SIGKILL processes and wait until they are gone."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {pids} do not end")
        time.sleep(0.01)


def guard(group: int, home: Path) -> subprocess.Popen[bytes]:
    """Start a process that clears up should this process die in any way.

    It waits for the end of a pipe whose other end only this process holds, then kills the process
    group and removes the folder.
    """
    script = 'read -r _; kill -s KILL -- "-$1"; rm -rf -- "$2"'
    return subprocess.Popen(
        ["/bin/sh", "-c", script, "guard", str(group), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
