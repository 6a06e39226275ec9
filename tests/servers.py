"""Fixtures that give tests a server: the double, a real Ollama, or both in turn.

A pytest plugin: ``tests/conftest.py`` names it in ``pytest_plugins``. Tests that use the real
server are marked ``ollama`` by themselves. Without a real Ollama they are skipped; with
``TOOLKIT_REQUIRE_OLLAMA=1``, as in CI, they fail.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from tests.ollama_double.server import OllamaDouble
from tests.real_ollama.find import MISSING
from tests.real_ollama.server import RealOllama, find_ollama

REQUIRE = "TOOLKIT_REQUIRE_OLLAMA"
_REAL = {"real_ollama", "real_ollama_factory", "real_ollama_executable"}


class Server(Protocol):
    """What the double and the real server have in common."""

    @property
    def host(self) -> str: ...
    def start(self) -> object: ...
    def stop(self) -> None: ...
    def kill(self) -> object: ...
    def kill_runner(self) -> int: ...
    def freeze_runner(self) -> None: ...
    def thaw_runner(self) -> None: ...


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a real server."""
    for item in items:
        if _REAL & set(getattr(item, "fixturenames", ())):
            item.add_marker("ollama")


@pytest.fixture
def ollama_double() -> Iterator[OllamaDouble]:
    """A fresh double of the newest version with ``embeddinggemma``."""
    with OllamaDouble() as double:
        yield double


@pytest.fixture
def ollama_double_factory() -> Iterator[Callable[..., OllamaDouble]]:
    """Start doubles with the arguments of ``OllamaDouble``; all are stopped at the end."""
    with ExitStack() as stack:

        def make(*args: Any, **kwargs: Any) -> OllamaDouble:
            return stack.enter_context(OllamaDouble(*args, **kwargs))

        yield make


@pytest.fixture(scope="session")
def real_ollama_executable() -> Path:
    """The ollama to run; skips (or fails, where one is required) if there is none."""
    found = find_ollama()
    if found is None:
        (pytest.fail if os.environ.get(REQUIRE) == "1" else pytest.skip)(MISSING)
    return found


@pytest.fixture(scope="session")
def real_ollama(real_ollama_executable: Path) -> Iterator[RealOllama]:
    """One real server for the whole session, its model loaded; leave it as you find it.

    Its models ``embeddinggemma`` and ``test/embeddinggemma`` have random weights.
    """
    with RealOllama(real_ollama_executable) as server:
        warm(server)
        yield server


@pytest.fixture
def real_ollama_factory(real_ollama_executable: Path) -> Iterator[Callable[..., RealOllama]]:
    """Start real servers of the test's own, with environment variables as keywords."""
    with ExitStack() as stack:

        def make(**env: str) -> RealOllama:
            return stack.enter_context(RealOllama(real_ollama_executable, **env))

        yield make


@pytest.fixture(params=["double", pytest.param("real", marks=pytest.mark.ollama)])
def any_ollama(request: pytest.FixtureRequest) -> Server:
    """The double, then the real server (the session's): for what both have to do alike."""
    name = "ollama_double" if request.param == "double" else "real_ollama"
    server: Server = request.getfixturevalue(name)
    return server


def warm(server: Server, model: str = "embeddinggemma") -> None:
    """Load a model."""
    body = {"model": model, "input": ""}
    httpx.post(f"{server.host}/api/embed", json=body, timeout=60, trust_env=False)
