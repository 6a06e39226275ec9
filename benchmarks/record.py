"""What every benchmark notes beside its figures, and how it writes them."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["machine", "print_goals", "results_file", "versions", "write_record"]


def machine() -> dict[str, Any]:
    """Return what is known of the machine: processor model, cores, system, load."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    load = [round(part, 1) for part in os.getloadavg()]
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.system(), "load": load}


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of packages."""
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def results_file(name: str) -> Path:
    """Return where the figures of a benchmark are checked in."""
    return Path(__file__).parent / "results" / f"{name}.json"


def print_goals(goals: Mapping[str, Mapping[str, Any]]) -> int:
    """Print what was measured beside each goal; return the exit code: 1 if one was missed."""
    for name, goal in goals.items():
        print(f"{name}: {goal['measured']} (goal {goal['goal']}){'' if goal['met'] else ' MISSED'}")
    return int(not all(goal["met"] for goal in goals.values()))


def write_record(
    out: Path,
    figures: Mapping[str, Any],
    *,
    packages: Iterable[str] | Mapping[str, str],
    **about_machine: Any,
) -> None:
    """Write figures with the machine, the versions and the date they were measured on.

    Parameters
    ----------
    out : Path
        The file; its folder is made.
    figures : mapping
        What was measured.
    packages : iterable of str, or mapping
        Packages whose versions count; or the versions, where other processes measured.
    **about_machine
        More that is to be said of the machine, such as its threads.
    """
    known = (
        {"python": platform.python_version()} | dict(packages)
        if isinstance(packages, Mapping)
        else versions(packages)
    )
    record = {
        **figures,
        "machine": machine() | about_machine,
        "versions": known,
        "date": datetime.now(UTC).date().isoformat(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written to {out}")
