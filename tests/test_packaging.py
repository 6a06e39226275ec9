"""The wheel, in an empty environment, outside the checkout, does the whole job."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
        text=True,
    )
    return out


def test_sdist_and_wheel_hold_what_they_should(built):
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"toolkit"}
    for inside in (
        "toolkit/py.typed",
        "toolkit/reference/vectors.npz",
        "toolkit/datasets/data/sdg/sdg.csv.gz",
        "toolkit/datasets/data/sdg/sdg-classification.safetensors",
    ):
        assert inside in names
    assert any(name.startswith("toolkit/report/templates/") for name in names)
    assert any("LICENSE" in name for name in names if "datasets/data/sdg" in name)
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "tests/conftest.py"} <= inside
    assert "datasets/sdg/sdg.csv.gz" in inside


def test_the_wheel_runs_the_demo_in_an_empty_environment(built, tmp_path):
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    # The wheel's own dependencies come from the index, as a user's do.
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", f"{wheel}[embedded]"],
        check=True,
        capture_output=True,
        text=True,
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    clean["OLLAMA_HOST"] = "http://127.0.0.1:9"
    done = subprocess.run(
        [home / "bin" / "toolkit", "demo", "--out", "results"],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "0.774" in done.stdout + done.stderr
    assert list((tmp_path / "results").rglob("*.html"))
    nothing_else = subprocess.run(
        [python, "-c", "import datasets"], cwd=tmp_path, env=clean, capture_output=True, check=False
    )
    assert nothing_else.returncode == 1
