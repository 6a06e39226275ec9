"""How Ollama words the loss of its engine, moment by moment, and that it goes on afterwards.

Against the real server with an engine that is lost exactly there, and against the double, which
has the wordings from here. What the toolkit makes of each: ``tests/embedding/test_faults.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract.compare import masked
from tests.ollama_double import faults
from tests.ollama_double.errors import RUNNER_LOST
from tests.ollama_double.server import OllamaDouble
from tests.real_ollama import crashing_engine, find
from tests.real_ollama.server import RealOllama
from tests.servers import Server, warm

Lose = Callable[[str, str], None]


@pytest.fixture(scope="module")
def crashing_ollama(
    real_ollama_executable: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealOllama]:
    """A real Ollama whose engine is ``crashing_engine.py``."""
    home = tmp_path_factory.mktemp("crashing")
    engine = engine_of(home)
    engine.parent.mkdir(parents=True)
    engine.write_text(f"#!{sys.executable}\n{Path(crashing_engine.__file__).read_text()}")
    engine.chmod(0o755)
    (home / "models").symlink_to(find.models_of(real_ollama_executable))
    executable = home / "bin" / "ollama"
    executable.parent.mkdir()
    try:
        os.link(real_ollama_executable, executable)
    except OSError:  # another file system
        shutil.copy2(real_ollama_executable, executable)
    with RealOllama(executable) as server:
        yield server


def engine_of(home: Path) -> Path:
    return home / "lib" / "ollama" / "llama-server"


@pytest.fixture(params=["double", pytest.param("real", marks=pytest.mark.ollama)])
def server_and_loss(request: pytest.FixtureRequest) -> tuple[Server, Lose]:
    """A server, its model loaded, and what lets it lose its engine at the next request."""
    if request.param == "double":
        double: OllamaDouble = request.getfixturevalue("ollama_double")
        return double, lambda call, moment: double.faults.add(faults.runner_lost(call, moment))
    real: RealOllama = request.getfixturevalue("crashing_ollama")
    loss = engine_of(real.executable.parent.parent).with_name("loss.json")
    warm(real)
    return real, lambda call, moment: lose(loss, call, moment)


def lose(loss: Path, call: str, moment: str) -> None:
    # Under its name at once: the engine may be looking for it.
    made = loss.with_suffix(".new")
    made.write_text(json.dumps({"call": call, "moment": moment}), encoding="utf-8")
    made.replace(loss)


def embed(server: Server) -> httpx.Response:
    body = {"model": "embeddinggemma", "input": ["a"]}
    return httpx.post(f"{server.host}/api/embed", json=body, timeout=60, trust_env=False)


@pytest.mark.parametrize(("call", "moment"), RUNNER_LOST)
def test_every_wording(server_and_loss: tuple[Server, Lose], call: str, moment: str) -> None:
    server, lose_at = server_and_loss
    lose_at(call, moment)
    answer = embed(server)
    assert answer.status_code == 400, answer.text[:300]
    assert list(answer.json()) == ["error"]
    assert masked(answer.json()["error"]) == masked(RUNNER_LOST[call, moment].format(port=1))
    assert embed(server).status_code == 200


@pytest.mark.parametrize("moment", ["unread", "read", "answering"])
def test_an_engine_lost_before_the_first_text_is_replaced(
    crashing_ollama: RealOllama, moment: str
) -> None:
    """Ollama asks how its engine is before it begins, and loads the model again if need be."""
    warm(crashing_ollama)
    before = crashing_ollama.runner_pids()
    lose(engine_of(crashing_ollama.executable.parent.parent).with_name("loss.json"), "ping", moment)
    assert embed(crashing_ollama).status_code == 200
    assert crashing_ollama.runner_pids() != before
