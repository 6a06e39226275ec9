"""`toolkit datasets`."""

from __future__ import annotations

import json

from tests.cli.running import invoke
from toolkit.datasets import names


def test_list() -> None:
    for words in (["datasets"], ["datasets", "list"]):
        done = invoke(*words)
        assert done.code == 0
        for name in names():
            assert f"{name} " in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 100
        assert "dataset:NAME" in done.stderr
    found = json.loads(invoke("datasets", "list", "--json").stdout)
    assert [item["name"] for item in found] == names()


def test_show() -> None:
    done = invoke("datasets", "show", "sdg")
    assert done.code == 0
    assert "CC BY 4.0" in done.stdout
    assert "[SDG01 No Poverty] " in done.stdout
    assert json.loads(invoke("datasets", "show", "sdg", "--json").stdout)["rows"] == 615
    done = invoke("datasets", "show", "sgd")
    assert done.code == 2
    assert "did you mean 'sdg'" in done.stderr
