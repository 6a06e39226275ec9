"""Which real Ollama the tests use: the checkout's own, or one named by an environment variable."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from tests.real_ollama import install, store

VARIABLE = "TOOLKIT_TEST_OLLAMA"
MISSING = (
    'no real Ollama: run "make ollama" (needs Go) or set TOOLKIT_TEST_OLLAMA to an ollama '
    "executable"
)


def find_ollama() -> Path | None:
    """Return the ollama executable to test with, or None.

    That of ``make ollama`` comes first, then the one of ``TOOLKIT_TEST_OLLAMA``. An executable
    without an engine beside it is copied to a folder of the temporary directory and gets one.
    """
    own = install.ROOT / ".ollama"
    if (own / "models" / store.COMPLETE).exists() and (own / "bin" / "ollama").exists():
        return own / "bin" / "ollama"
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    executable = Path(named)
    if not executable.is_file():
        raise FileNotFoundError(f"{VARIABLE} is {named}, which is not a file")
    if (executable.resolve().parent.parent / "lib" / "ollama" / "llama-server").exists():
        return executable
    copy = _place(executable) / "bin" / "ollama"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        made = copy.with_name(f"making.{os.getpid()}")
        shutil.copy2(executable, made)
        made.replace(copy)
    try:
        install.complete(copy, copy.parent.parent)
    except install.InstallError:
        return None
    return copy


def models_of(executable: Path) -> Path:
    """Return the store that goes with an executable, made if it is not there yet."""
    beside = executable.resolve().parent.parent / "models"
    if (beside / store.COMPLETE).exists():
        return beside
    models = _place(executable) / "models"
    store.build(models)
    return models


def _place(executable: Path) -> Path:
    """Return this user's folder for things made for an executable."""
    mark = f"{executable.resolve()} {executable.stat().st_mtime_ns}"
    name = hashlib.sha256(mark.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"toolkit-test-ollama-{os.getuid()}" / name
