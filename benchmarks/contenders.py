"""One way of embedding a list of texts through Ollama, measured in a process of its own.

    python benchmarks/contenders.py WAY HOST MODEL TEXTS.json VECTORS.npy

Run by engine.py, for some ways with the interpreter of another virtual environment. Imports and the
construction of objects are not measured, nor is what is done once for a server (``first_seconds``
apart): the call that embeds the texts is. Prints a line of JSON: seconds, the seconds of processor
time that this process took for it, and the versions of the packages.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

Embed = Callable[[list[str]], Any]


def toolkit(host: str, model: str) -> Embed:
    from toolkit import EmbeddingGemmaVectorizer

    # Raw texts, as everybody else sends them; a new cache, so that every text is embedded.
    cache = tempfile.TemporaryDirectory(prefix="toolkit-engine-")
    vectorizer = EmbeddingGemmaVectorizer(task=None, model=model, host=host, cache=cache.name)

    def embed(texts: list[str]) -> Any:
        with cache:
            vectors = vectorizer.transform(texts)
        assert vectorizer.report_.embedded == len(texts), vectorizer.report_
        return vectors

    start = time.perf_counter()
    vectorizer.fit(["any"])  # identity, canaries, and a space in the cache
    embed.first_seconds = time.perf_counter() - start  # type: ignore[attr-defined]
    embed.batch_size = lambda: vectorizer.report_.batch_size  # type: ignore[attr-defined]
    return embed


def plain_client(host: str, model: str, size: int) -> Embed:
    import numpy as np
    import ollama

    client = ollama.Client(host)

    def embed(texts: list[str]) -> Any:
        parts = [
            np.asarray(client.embed(model, texts[i : i + size]).embeddings, dtype=np.float32)
            for i in range(0, len(texts), size)
        ]
        return np.concatenate(parts)

    return embed


def langchain_ollama(host: str, model: str) -> Embed:
    import langchain_ollama

    return langchain_ollama.OllamaEmbeddings(model=model, base_url=host).embed_documents


def embetter(host: str, model: str) -> Embed:
    from embetter.external import OllamaEncoder

    return OllamaEncoder(model, host=host).transform


def scikit_ollama(host: str, model: str) -> Embed:
    warnings.simplefilter("ignore")
    import ollama
    from skollama.llm.ollama.clients.ollama import embedding
    from skollama.models.ollama.vectorization import OllamaVectorizer

    # Its ``url`` parameter is not used: it always asks localhost:11434, with a new client for
    # each text. Only the address is changed here.
    embedding.set_credentials = lambda: ollama.Client(host=host)

    def embed(texts: list[str]) -> Any:
        vectors = OllamaVectorizer(model=f"custom_url::{model}").fit_transform(texts)
        return vectors.reshape(len(texts), -1)

    return embed


WAYS: dict[str, tuple[Callable[[str, str], Embed], tuple[str, ...]]] = {
    "toolkit": (toolkit, ("embeddinggemma-toolkit", "ollama", "httpx", "numpy", "joblib")),
    "client, 32 a request": (lambda h, m: plain_client(h, m, 32), ("ollama",)),
    "client, 1 a request": (lambda h, m: plain_client(h, m, 1), ("ollama",)),
    "langchain-ollama": (langchain_ollama, ("langchain-ollama", "ollama")),
    "embetter": (embetter, ("embetter", "ollama")),
    "scikit-ollama": (scikit_ollama, ("scikit-ollama", "scikit-llm", "ollama")),
}


def main() -> None:
    way, host, model, texts_file, vectors_file = sys.argv[1:]
    texts = json.loads(Path(texts_file).read_text(encoding="utf-8"))
    make, packages = WAYS[way]
    embed = make(host, model)
    start, cpu = time.perf_counter(), time.process_time()
    vectors = embed(texts)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    import numpy as np

    np.save(vectors_file, np.asarray(vectors, dtype=np.float32))
    found = {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "versions": {name: version(name) for name in packages},
    }
    if hasattr(embed, "first_seconds"):
        found["first_seconds"] = embed.first_seconds
        found["batch_size"] = embed.batch_size()  # type: ignore[attr-defined]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
