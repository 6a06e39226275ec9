"""Fixtures that give tests a server: the double, a real Ollama, or both in turn.

A pytest plugin: ``tests/conftest.py`` names it in ``pytest_plugins``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.ollama_double.server import OllamaDouble


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
