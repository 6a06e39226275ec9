"""The examples run to their end as they stand: nothing but the package, and no server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


def test_there_are_examples():
    assert {path.stem for path in EXAMPLES} >= {"train_classifier", "cluster_report"}


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error::toolkit.errors.ToolkitWarning", str(example)],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    # Each tells what it wrote, and wrote it.
    written = [line.split()[1].rstrip(":") for line in done.stdout.splitlines() if "wrote " in line]
    assert written
    for path in written:
        assert (tmp_path / path).exists(), done.stdout
