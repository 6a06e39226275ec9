"""The ``ollama`` package finds what it expects on both servers."""

from __future__ import annotations

import numpy as np
import ollama
import pytest

from tests.servers import Server


def test_embed_list_show_ps(any_ollama: Server) -> None:
    with ollama.Client(any_ollama.host, trust_env=False) as client:
        answer = client.embed("embeddinggemma", ["a", "b", "a"])
        vectors = np.array(answer.embeddings)
        assert vectors.shape == (3, 768)
        np.testing.assert_array_equal(vectors[0], vectors[2])
        assert answer.prompt_eval_count == 9
        listed = {model.model: model.digest for model in client.list().models}
        assert "embeddinggemma:latest" in listed
        shown = client.show("embeddinggemma")
        assert shown.capabilities == ["embedding"]
        assert shown.modelinfo is not None
        architecture = shown.modelinfo["general.architecture"]
        assert shown.modelinfo[f"{architecture}.context_length"] == 2048
        running = {model.model: model for model in client.ps().models}["embeddinggemma:latest"]
        assert running.digest == listed["embeddinggemma:latest"]
        assert running.context_length == 2048


def test_errors(any_ollama: Server) -> None:
    with ollama.Client(any_ollama.host, trust_env=False) as client:
        with pytest.raises(ollama.ResponseError, match="try pulling it first") as missing:
            client.embed("nope", "a")
        assert missing.value.status_code == 404
        with pytest.raises(ollama.ResponseError, match="exceeds the context length") as too_long:
            client.embed("embeddinggemma", "x" * 20_000, truncate=False)
        assert too_long.value.status_code == 400
