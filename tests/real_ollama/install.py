"""Put a real Ollama together: ``python tests/real_ollama/install.py [DIR]``.

The server is compiled from its Go module, the engine comes with the ``xllamacpp`` wheel of the
Python that runs this, the model is made on the spot. Nothing is done twice.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = "0.32.15"
MODULE = "github.com/ollama/ollama"


class InstallError(Exception):
    """Something that is needed is missing; the text says what to do."""


def install(directory: Path) -> Path:
    """Return the ollama executable in a directory, after making everything that is not there."""
    directory = directory.resolve()
    _require_wheels()
    executable = directory / "bin" / "ollama"
    if _version(executable) != VERSION:
        _compile(directory / "bin")
    complete(executable, directory)
    return executable


def complete(executable: Path, directory: Path) -> None:
    """Add engine and models to an Ollama; the engine goes where its executable looks for it."""
    from tests.real_ollama import store

    _require_wheels()
    _write_engine(executable.resolve().parent.parent / "lib" / "ollama" / "llama-server")
    store.build(directory / "models")


def _require_wheels() -> None:
    missing = [name for name in ("xllamacpp", "gguf") if importlib.util.find_spec(name) is None]
    if missing:
        raise InstallError(
            f"{sys.executable} lacks {' and '.join(missing)}: "
            "pip install 'embeddinggemma-toolkit[ollama-tests]' (or run `make install` first)"
        )


def _version(executable: Path) -> str | None:
    """Return the version an executable says it is, without talking to any server."""
    if not executable.exists():
        return None
    said = subprocess.run(
        [str(executable), "--version"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OLLAMA_HOST": "127.0.0.1:9"},
    ).stdout
    words = said.split()
    return words[-1] if words else None


def _compile(target: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise InstallError(
            "Go is not installed, and Ollama is compiled with it: get Go 1.26 or later from "
            "https://go.dev/dl or your system's packages, and put `go` on PATH"
        )
    print(f"compiling Ollama {VERSION} (one to four minutes)", flush=True)
    done = subprocess.run(
        [
            go,
            "install",
            f"-ldflags=-X={MODULE}/version.Version={VERSION}",
            f"{MODULE}@v{VERSION}",
        ],
        env={**os.environ, "GOBIN": str(target), "CGO_ENABLED": "1"},
        check=False,
    )
    if done.returncode != 0:
        raise InstallError(
            "Go could not compile Ollama (see above); it needs Go 1.26 or later and a C compiler"
        )


def _write_engine(target: Path) -> None:
    source = (Path(__file__).parent / "llama_server.py").read_text(encoding="utf-8")
    wanted = f"#!{sys.executable}\n{source}"
    if not target.exists() or target.read_text(encoding="utf-8") != wanted:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(wanted, encoding="utf-8")
        target.chmod(0o755)


def main() -> int:
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".ollama"
    try:
        executable = install(directory)
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Ollama {VERSION} is at {executable}")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
