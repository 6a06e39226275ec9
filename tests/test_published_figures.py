"""The tables of the documentation are those of the figures checked in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "doc_tables.py"

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="benchmarks are not in a wheel")


def test_the_tables_of_the_pages_are_the_figures_checked_in():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}; run {SCRIPT.name}"
