"""One way of keeping vectors on disk, filled or read in a process of its own.

    python benchmarks/cache_stores.py fill|read WAY FOLDER VECTORS.npy ORDER.npy SECONDS

Run by cache.py, for some ways with the interpreter of another virtual environment. ``fill`` writes
all vectors in batches of 64, each batch committed. ``read`` opens the store and reads every vector
in the given random order by its key, 1,000 a call, which gives a matrix of float32: once untimed,
once timed, each for SECONDS at the most (slow ways do not get through; the rate counts). The first
200 vectors of each call are compared with the right ones while the clock stands. Prints a line of
JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

BATCH, CALL = 64, 1_000


def text_of(number: int) -> str:
    """Return the text whose vector is in that row: nine words."""
    return f"short text number {number} of many, nine words long"


class Toolkit:
    """This cache."""

    packages = ("embeddinggemma-toolkit", "numpy")

    def __init__(self, folder: Path, vectors: Any, dimensions: int | None = None) -> None:
        from toolkit.cache import EmbeddingCache, bundled_spaces
        from toolkit.embedding.keys import hash_texts
        from toolkit.prompts import resolve_prompt

        self.dimensions, self.vectors = dimensions, vectors
        self.space, _ = EmbeddingCache(folder).resolve(bundled_spaces()[0].identity)
        self.prompt = resolve_prompt("embeddinggemma", "classification")
        self.keys = hash_texts([text_of(i) for i in range(len(vectors))], self.prompt)

    def put(self, start: int, end: int) -> None:
        self.space.put(self.keys[start:end], self.vectors[start:end], self.prompt.template)

    def read(self, rows: Any) -> Any:
        return self.space.get(self.keys[rows], self.dimensions)[0]


class Toolkit128(Toolkit):
    """This cache, 128 dimensions."""

    def __init__(self, folder: Path, vectors: Any) -> None:
        super().__init__(folder, vectors, 128)


class SqliteBlobs:
    """A table of keys and blobs; a commit waits for the disk."""

    packages = ("numpy",)

    def __init__(self, folder: Path, vectors: Any) -> None:
        import sqlite3

        self.vectors = vectors
        self.connection = sqlite3.connect(folder / "blobs.sqlite", isolation_level=None)
        for pragma in ("page_size = 16384", "journal_mode = WAL", "synchronous = FULL"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("PRAGMA mmap_size = 8000000000")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
        )
        self.keys = digests(len(vectors))

    def put(self, start: int, end: int) -> None:
        rows = [(self.keys[i], self.vectors[i].tobytes()) for i in range(start, end)]
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
        self.connection.execute("COMMIT")

    def read(self, rows: Any) -> Any:
        keys = [self.keys[i] for i in rows.tolist()]
        marks = ",".join("?" * len(keys))
        sql = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"
        found = dict(self.connection.execute(sql, keys))
        joined = b"".join([found[key] for key in keys])
        return np.frombuffer(joined, dtype=np.float32).reshape(len(rows), -1)


class JoblibMemory:
    """joblib.Memory: a pickle a text."""

    packages = ("joblib", "numpy")

    def __init__(self, folder: Path, vectors: Any) -> None:
        from joblib import Memory

        def embed(text: str) -> Any:
            return vectors[int(text.split()[3])]

        self.embed = Memory(folder, verbose=0).cache(embed)

    def put(self, start: int, end: int) -> None:
        for number in range(start, end):
            self.embed(text_of(number))

    def read(self, rows: Any) -> Any:
        return np.array([self.embed(text_of(number)) for number in rows.tolist()])


class Diskcache:
    """diskcache.Cache: SQLite rows, written in transactions that do not wait for the disk."""

    packages = ("diskcache", "numpy")

    def __init__(self, folder: Path, vectors: Any) -> None:
        from diskcache import Cache

        self.vectors = vectors
        self.cache = Cache(str(folder), size_limit=1 << 40, eviction_policy="none")

    def put(self, start: int, end: int) -> None:
        with self.cache.transact():
            for number in range(start, end):
                self.cache[text_of(number)] = self.vectors[number].tobytes()

    def read(self, rows: Any) -> Any:
        joined = b"".join([self.cache[text_of(number)] for number in rows.tolist()])
        return np.frombuffer(joined, dtype=np.float32).reshape(len(rows), -1)


class Langchain:
    """langchain's CacheBackedEmbeddings with its file store: a JSON file a text."""

    packages = ("langchain-classic", "langchain-core", "numpy")

    def __init__(self, folder: Path, vectors: Any) -> None:
        from langchain_classic.embeddings import CacheBackedEmbeddings
        from langchain_classic.storage import LocalFileStore
        from langchain_core.embeddings import Embeddings

        class Known(Embeddings):
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return [vectors[int(text.split()[3])].tolist() for text in texts]

            def embed_query(self, text: str) -> list[float]:
                return self.embed_documents([text])[0]

        self.cached = CacheBackedEmbeddings.from_bytes_store(
            Known(), LocalFileStore(str(folder)), namespace="model", key_encoder="blake2b"
        )

    def put(self, start: int, end: int) -> None:
        self.cached.embed_documents([text_of(i) for i in range(start, end)])

    def read(self, rows: Any) -> Any:
        texts = [text_of(number) for number in rows.tolist()]
        return np.array(self.cached.embed_documents(texts), dtype=np.float32)


class Npy:
    """One .npy file: loaded whole, and gathered by row in one call; it has no keys."""

    packages = ("numpy",)
    call = 1 << 20

    def __init__(self, folder: Path, vectors: Any) -> None:
        self.file, self.vectors = folder / "vectors.npy", vectors

    def put(self, start: int, end: int) -> None:
        if end == len(self.vectors):  # it cannot grow: all at once
            np.save(self.file, self.vectors)

    def read(self, rows: Any) -> Any:
        return np.take(np.load(self.file), rows, axis=0)


class Gather:
    """The physical limit: rows gathered from a matrix in memory, into a new one."""

    packages = ("numpy",)

    def __init__(self, folder: Path, vectors: Any) -> None:
        self.vectors = np.array(vectors)

    def put(self, start: int, end: int) -> None:
        """Keep nothing."""

    def read(self, rows: Any) -> Any:
        return np.take(self.vectors, rows, axis=0)


WAYS: dict[str, Any] = {
    "toolkit": Toolkit,
    "toolkit, 128 dimensions": Toolkit128,
    "numpy gather": Gather,
    ".npy": Npy,
    "SQLite blobs": SqliteBlobs,
    "joblib.Memory": JoblibMemory,
    "diskcache": Diskcache,
    "langchain": Langchain,
}


def digests(count: int) -> list[bytes]:
    """Return 16 bytes for each text."""
    from hashlib import blake2b

    return [blake2b(text_of(i).encode(), digest_size=16).digest() for i in range(count)]


def fill(store: Any, count: int) -> dict[str, float]:
    """Write all vectors, in batches."""
    start = time.perf_counter()
    for first in range(0, count, BATCH):
        store.put(first, min(first + BATCH, count))
    return {"written_a_second": count / (time.perf_counter() - start)}


def read(store: Any, vectors: Any, order: Any, most: float) -> dict[str, float]:
    """Read by key in random order; the second time counts."""
    for _ in range(2):
        done, seconds, parts = 0, 0.0, []
        for rows in calls(order, getattr(store, "call", CALL)):
            start = time.perf_counter()
            out = store.read(rows)
            seconds += time.perf_counter() - start
            parts.append((rows[:200], out[:200].copy()))
            done += len(rows)
            if seconds > most:
                break
        for rows, found in parts:
            right = vectors[rows, : found.shape[1]]
            if found.shape[1] < vectors.shape[1]:
                right = right / np.linalg.norm(right, axis=1, keepdims=True)
            assert np.allclose(found, right, atol=1e-6), "a wrong vector"
    return {"read_a_second": done / seconds, "read": done}


def calls(order: Any, size: int) -> Iterator[Any]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


def main() -> None:
    what, way, folder, vectors_file, order_file, most = sys.argv[1:]
    kind = WAYS[way]
    vectors = np.load(vectors_file, mmap_mode="r")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    store = kind(place, vectors)
    if what == "fill":
        found = fill(store, len(vectors))
    else:
        found = read(store, vectors, np.load(order_file), float(most))
    known = {name: version(name) for name in kind.packages}
    print(json.dumps(found | {"versions": known}))


if __name__ == "__main__":
    main()
