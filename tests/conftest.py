"""What every test shares: its own cache, no proxy, nothing remembered from another test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.ollama_double.jitter import VARIABLE as JITTER

# The same examples each time, however slow the machine: no test fails by chance. To look for more,
# `pytest --hypothesis-profile=default`.
settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

if JITTER in os.environ:
    sys.setswitchinterval(1e-5)

pytest_plugins = ["tests.servers", "tests.llama_server", "tests.browser"]


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep tests off the user's cache, servers and settings, and off each other's."""
    monkeypatch.setenv("TOOLKIT_CACHE_DIR", str(tmp_path / "cache"))
    # Nothing listens on port 9 (discard): a test that forgets its server fails at once.
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    yield
    if "toolkit.embedding.identities" in sys.modules:
        sys.modules["toolkit.embedding.identities"].forget_identities()
    if "toolkit.backends.ollama_client" in sys.modules:
        sys.modules["toolkit.backends.ollama_client"].disconnect()
    if "toolkit.backends.openai_client" in sys.modules:
        sys.modules["toolkit.backends.openai_client"].disconnect()
