"""Every recorded exchange again: with the double, and with a real server.

A file is replayed in its order by one test, because later exchanges see what earlier ones loaded;
all that differs is reported together. Rows that cannot be sent as they were:

========================== =======================================================================
``ps before``              what was loaded before the recording is not known; keys alone
``model cannot be loaded`` was ``embeddinggemma`` with a broken file; here the model ``damaged``,
                           whose fault is another: on the real server the text is compared up to
                           its colon
``10 MB ...`` (real)       5 s each: the first is sent whole, the two others with 100,000 characters
========================== =======================================================================

On the tiny real model one token is one character, so texts between 2,046 characters and 2,046
tokens would differ; no recorded one is: the long ones have 17,599 characters or more, the short
ones 588 or less.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.contract import exchanges
from tests.contract.compare import Differences, Sameness
from tests.ollama_double.server import Model, OllamaDouble
from tests.real_ollama.server import RealOllama

LOADED_BEFORE = "ps before"
CANNOT_LOAD = "model cannot be loaded"
SHORTENED = {"10 MB default": 100_000, "10 MB of one letter": 100_000}


def replay(host: str, file: str, *, real: bool) -> list[str]:
    """Return everything that differs from a file."""
    sameness, found = Sameness(), []
    with httpx.Client(base_url=host, timeout=120, trust_env=False) as client:
        for exchange in exchanges.read(file):
            differences = Differences(exchange)
            response = exchange.send(
                client,
                longest=SHORTENED.get(exchange.name) if real else None,
                model="damaged" if exchange.name == CANNOT_LOAD else None,
            )
            if exchange.name == LOADED_BEFORE:
                differences.check("status", response.status_code, 200)
                differences.check("keys", list(response.json()), ["models"])
            elif exchange.name == CANNOT_LOAD and real:
                wanted = exchange.response["body"]["error"]
                differences.check("status", response.status_code, 500)
                differences.check(
                    "text", response.json()["error"].partition(":")[0], wanted.partition(":")[0]
                )
            else:
                differences.compare(response)
            sameness.add(differences)
            found += [f"{exchange.name}: {what}" for what in differences.found]
    return found + sameness.clashes()


def doubles_models(architecture: str) -> list[Model]:
    """Return models of the recorded server's kind."""
    return [
        Model(architecture=architecture),
        Model("chatty", architecture="gemma3", pooled=False),
        Model("damaged", architecture=architecture, damaged=True),
    ]


@pytest.mark.parametrize(
    ("version", "architecture"), [("0.32.15", "gemma-embedding"), ("0.24.0", "gemma3")]
)
def test_the_double_answers_as_recorded(
    ollama_double_factory: Callable[..., OllamaDouble], version: str, architecture: str
) -> None:
    double = ollama_double_factory(version, models=doubles_models(architecture))
    found = replay(double.host, f"ollama-{version}.json", real=False)
    assert not found, "\n".join(found)


@pytest.mark.ollama
@pytest.mark.slow
def test_the_real_server_answers_as_recorded(
    real_ollama_factory: Callable[..., RealOllama],
) -> None:
    found = replay(real_ollama_factory().host, "ollama-0.32.15.json", real=True)
    assert not found, "\n".join(found)


def test_the_double_chats_as_recorded(
    ollama_double_factory: Callable[..., OllamaDouble],
) -> None:
    double = ollama_double_factory("0.32.15", models=doubles_models("gemma-embedding"))
    found = replay(double.host, "ollama-0.32.15-chat.json", real=False)
    assert not found, "\n".join(found)


@pytest.mark.ollama
def test_the_real_server_chats_as_recorded(real_ollama: RealOllama) -> None:
    found = replay(real_ollama.host, "ollama-0.32.15-chat.json", real=True)
    assert not found, "\n".join(found)


def test_another_version_is_noticed(ollama_double_factory: Callable[..., OllamaDouble]) -> None:
    double = ollama_double_factory("0.24.0", models=doubles_models("gemma-embedding"))
    found = replay(double.host, "ollama-0.32.15.json", real=False)
    rows = {what.partition(":")[0] for what in found}
    assert rows == {"version", "tags", "show", "show missing", "show chat", "chat model embed"}
