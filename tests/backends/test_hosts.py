"""Addresses are read as Ollama's own command line reads OLLAMA_HOST."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from toolkit.backends.hosts import (
    DEFAULT_HOST,
    host_from_environment,
    is_loopback,
    parse_host,
    parse_hosts,
)
from toolkit.backends.registry import make_backends
from toolkit.errors import ToolkitWarning, UsageError


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("", DEFAULT_HOST),
        ("  ", DEFAULT_HOST),
        ("'127.0.0.1:11434'", DEFAULT_HOST),
        (' "gpu" ', "http://gpu:11434"),
        ("gpu:9000", "http://gpu:9000"),
        (":9000", "http://127.0.0.1:9000"),
        ("http://gpu", "http://gpu:80"),
        ("https://gpu", "https://gpu:443"),
        ("HTTP://GPU", "http://gpu:80"),
        ("https://gpu/root/", "https://gpu:443/root"),
        ("ollama.com", "https://ollama.com:443"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("example.com/path", "http://example.com:11434/path"),
        ("bücher.example", "http://bücher.example:11434"),
        ("my_box.local:9000", "http://my_box.local:9000"),
        ("http://[fe80::1%25eth0]:9000", "http://[fe80::1%25eth0]:9000"),
    ],
)
def test_rules(given, address):
    assert parse_host(given) == address


@pytest.mark.parametrize(
    "wrong", ["gpu:port", "gpu:99999", "ftp://gpu", "[::1", "not an address", "gpu box:9000", "a,b"]
)
def test_what_is_no_address_is_refused(wrong):
    with pytest.raises(UsageError, match="11434"):
        parse_host(wrong)


@pytest.mark.parametrize(
    "host",
    [
        "http://me:s3cret@gpu:11434",
        "me:s3cret@gpu",
        "me@gpu",
        "https://s3cret@gpu/root",
        "me:p@s3cret:x",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(host, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", host)
    for ask in (lambda: parse_host(host), lambda: parse_hosts([host]), host_from_environment):
        with pytest.raises(UsageError, match="headers=") as caught:
            ask()
        assert "s3cret" not in str(caught.value)
    assert parse_host("gpu/people/@me") == "http://gpu:11434/people/@me"


def test_environment(monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", "gpu:9000")
    assert parse_hosts(None) == ["http://gpu:9000"]
    monkeypatch.delenv("OLLAMA_HOST")
    assert host_from_environment() == DEFAULT_HOST
    monkeypatch.setenv("OLLAMA_HOST", "gpu:port")
    with pytest.warns(ToolkitWarning, match="OLLAMA_HOST is passed over"):
        assert host_from_environment() == DEFAULT_HOST


@pytest.mark.parametrize("wrong", [[], 5, ["a", 5]])
def test_lists(wrong):
    with pytest.raises(UsageError):
        parse_hosts(wrong)
    assert parse_hosts(["a", "a:11434"]) == ["http://a:11434"]


def test_loopback():
    assert is_loopback("http://127.0.0.1:1")
    assert is_loopback("http://[::1]:1")
    assert is_loopback("http://localhost:1")
    assert not is_loopback("http://192.168.1.5:11434")


def test_a_worker_reads_its_own_environment(monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", "here:1")
    (everywhere,) = make_backends("ollama", model="embeddinggemma", host=None)
    (there,) = make_backends("ollama", model="embeddinggemma", host="there:2")
    kept = replace(everywhere, keep_seconds=60.0)
    assert everywhere.address == "http://here:1"
    sent = pickle.dumps([everywhere, there, kept])
    assert pickle.loads(sent) == [everywhere, there, kept]
    monkeypatch.setenv("OLLAMA_HOST", "worker:3")
    arrived = pickle.loads(sent)
    addresses = [one.address for one in arrived]
    assert addresses == ["http://worker:3", "http://there:2", "http://worker:3"]
    assert arrived[2].keep_seconds == 60.0
