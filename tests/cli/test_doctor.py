"""`toolkit doctor` on servers in every state."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.running import invoke, toolkit_process
from tests.ollama_double.server import Model, OllamaDouble
from toolkit.cli.health import RED_PLANET


def test_all_is_well(ollama_double: OllamaDouble) -> None:
    done = toolkit_process("doctor", "--host", ollama_double.host)
    assert done.code == 0, done.stdout
    assert f"ok     server   Ollama {ollama_double.version} at {ollama_double.host}" in done.stdout
    assert "ok     model    embeddinggemma: 768 dimensions, 2,048 tokens, BF16" in done.stdout
    assert "ok     vectors  its vectors are those of the published model" in done.stdout
    assert "0.636 (0.636)" in " ".join(done.stdout.split())
    assert "ok     cache    " in done.stdout
    assert "ok     packs    " in done.stdout
    assert "WRONG" not in done.stdout
    assert done.stderr == ""


def test_as_json(ollama_double: OllamaDouble) -> None:
    done = invoke("doctor", "--host", ollama_double.host, "--full", "--json")
    assert done.code == 0
    found = json.loads(done.stdout)
    assert found["healthy"] is True
    by_name = {finding["about"]: finding for finding in found["findings"]}
    assert list(by_name) == ["server", "model", "vectors", "cache", "packs", "extras"]
    assert by_name["vectors"]["facts"]["compared"] == 29
    assert by_name["vectors"]["facts"]["build"] == "right"
    similarities = by_name["vectors"]["facts"]["similarities"]
    assert similarities == pytest.approx(RED_PLANET, abs=0.002)
    assert by_name["model"]["facts"]["digest"] is not None


def test_no_server() -> None:
    done = toolkit_process("doctor")
    assert done.code == 1
    assert "WRONG  server   no Ollama server answers at http://127.0.0.1:9" in done.stdout
    assert "ollama serve" in done.stdout
    assert "ok     cache" in done.stdout, "the rest is looked at all the same"
    assert "1 thing is wrong" in done.stderr


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def no_ollama(tmp_path: Path) -> Iterator[str]:
    """A web server that hands out files, and answers whatever is asked of a page of its own."""
    (tmp_path / "site" / "other" / "api").mkdir(parents=True)
    (tmp_path / "site" / "other" / "api" / "version").write_text("<h1>welcome</h1>")
    handler = partial(_Quiet, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["", "/other"], ids=["no such page", "a page"])
def test_a_server_that_is_no_ollama(no_ollama: str, path: str) -> None:
    address = no_ollama + path
    done = invoke("doctor", "--host", address)
    said = " ".join(done.stdout.split())
    assert done.code == 1
    assert f"WRONG server what answers at {address} is not an Ollama server" in said
    assert "--backend openai" in said
    embedded = invoke("embed", "-", "--host", address, "--cache", "off", stdin="a text\n")
    assert embedded.code == 1
    assert f"what answers at {address} is not an Ollama server" in embedded.stderr
    assert "mozilla" not in said + embedded.stderr


def test_a_server_without_embeddings(no_ollama: str) -> None:
    words = ("--backend", "openai", "--host", no_ollama, "--cache", "off")
    done = invoke("embed", "-", *words, stdin="a text\n")
    assert done.code == 1
    assert f"there is no /v1/embeddings at {no_ollama}" in done.stderr


def test_the_model_is_not_there(ollama_double_factory: Callable[..., OllamaDouble]) -> None:
    double = ollama_double_factory(models=[])
    done = invoke("doctor", "--host", double.host, "--json")
    assert done.code == 1
    found = json.loads(done.stdout)
    assert [finding["state"] for finding in found["findings"][:2]] == ["ok", "wrong"]
    assert "ollama pull embeddinggemma" in found["findings"][1]["said"]


def test_a_model_that_cannot_embed(ollama_double_factory: Callable[..., OllamaDouble]) -> None:
    double = ollama_double_factory(models=[Model("chatty", architecture="llama", pooled=False)])
    done = invoke("doctor", "--host", double.host, "--model", "chatty")
    assert done.code == 1
    assert "not an embedding model" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("version", "build", "code", "said"),
    [
        ("0.32.15", "causal", 1, "Update Ollama to 0.12.7 or later"),
        ("0.32.15", "no_window", 1, "Update Ollama to 0.30 or later"),
        ("0.32.15", "random", 1, "ollama rm embeddinggemma"),
        ("0.11.11", None, 1, "causal attention"),
        ("0.24.0", None, 1, "without a sliding window"),
        ("0.0.0", None, 0, "those of the published model"),
    ],
)
def test_wrong_vectors(
    version: str,
    build: str | None,
    code: int,
    said: str,
    ollama_double_factory: Callable[..., OllamaDouble],
) -> None:
    double = ollama_double_factory(version, models=[Model(build=build)])
    done = invoke("doctor", "--host", double.host)
    assert done.code == code, done.stdout
    assert said in " ".join(done.stdout.split())


def test_a_quantised_tag_of_the_official_model_is_well(
    ollama_double_factory: Callable[..., OllamaDouble],
) -> None:
    tag = "embeddinggemma:300m-qat-q4_0"
    double = ollama_double_factory(models=[Model(tag, quantization="Q4_0", noise=0.3)])
    done = invoke("doctor", "--host", double.host, "--model", tag)
    assert done.code == 0, done.stdout
    said = " ".join(done.stdout.split())
    assert "near those of the published model, as quantised weights' are" in said


def test_a_model_of_another_name_is_only_noted(
    ollama_double_factory: Callable[..., OllamaDouble],
) -> None:
    models = [Model("me/embeddinggemma", build="random"), Model("nomic-embed-text")]
    double = ollama_double_factory(models=models)
    done = invoke("doctor", "--host", double.host, "--model", "me/embeddinggemma")
    assert done.code == 0
    assert "note   vectors  its vectors are near those of no known build" in done.stdout
    assert "If it is a model of your own, that is as it should be" in " ".join(done.stdout.split())
    done = invoke("doctor", "--host", double.host, "--model", "nomic-embed-text")
    assert done.code == 0
    assert "no reference vectors for nomic-embed-text" in " ".join(done.stdout.split())


def test_a_model_of_another_name_that_cannot_be_loaded(
    ollama_double_factory: Callable[..., OllamaDouble],
) -> None:
    double = ollama_double_factory(models=[Model("nomic-embed-text", damaged=True)])
    done = invoke("doctor", "--host", double.host, "--model", "nomic-embed-text")
    assert done.code == 1
    assert "cannot load 'nomic-embed-text'" in " ".join(done.stdout.split())


def test_the_command_that_mends_a_tag_names_the_tag(
    ollama_double_factory: Callable[..., OllamaDouble],
) -> None:
    tag = "embeddinggemma:300m-qat-q8_0"
    double = ollama_double_factory(models=[Model(tag, build="random")])
    done = invoke("doctor", "--host", double.host, "--model", tag)
    assert done.code == 1
    assert f"`ollama pull {tag}`" in " ".join(done.stdout.split())


def test_several_hosts(ollama_double: OllamaDouble) -> None:
    done = invoke("doctor", "--host", ollama_double.host, "--host", "127.0.0.1:9")
    assert done.code == 1
    assert done.stdout.count("server") >= 2
    assert "WRONG  server" in done.stdout


def test_a_damaged_cache(tmp_path: Path, ollama_double: OllamaDouble) -> None:
    folder = tmp_path / "broken" / "spaces" / "one"
    folder.mkdir(parents=True)
    (folder / "index.sqlite").write_bytes(b"this is no database" * 100)
    cache = tmp_path / "broken"
    done = invoke("doctor", "--host", ollama_double.host, "--cache", cache)
    assert done.code == 1
    assert "WRONG  cache" in done.stdout


def test_the_cache_switched_off(ollama_double: OllamaDouble) -> None:
    done = invoke("doctor", "--host", ollama_double.host, "--cache", "off")
    assert done.code == 0
    assert "note   cache    off" in done.stdout
