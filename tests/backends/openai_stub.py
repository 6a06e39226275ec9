"""A small server with OpenAI's ``/v1/embeddings``, to answer as vLLM, TEI, LM Studio and others do.

Written after their sources and issue threads, for what cannot be run here. Vectors are made of the
text's hash; a text has as many tokens as words.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMENSION = 32


def vector_of(text: str) -> NDArray[np.float32]:
    """Return the unit vector of a text."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    drawn = np.random.default_rng(seed).standard_normal(DIMENSION)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


@dataclass
class Stub:
    """One server; use it as a context manager.

    Parameters
    ----------
    pages : dict of str to object
        JSON by path, for GET.
    limit : int, optional
        Most words of a text.
    refusal : callable, optional
        Called with the number of words and the limit; returns status and JSON. None cuts.
    has_base64 : bool or None, default=True
        Whether base64 is understood; None refuses to be asked for it.
    norm : float, default=1.0
        Length of the vectors.
    most_texts : int, optional
        Of one request.
    key : str, optional
        What Authorization must carry.
    """

    pages: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    refusal: Callable[[int, int], tuple[int, Any]] | None = None
    has_base64: bool | None = True
    norm: float = 1.0
    most_texts: int | None = None
    key: str | None = None
    change: Callable[[list[Any]], list[Any]] = lambda data: data
    requests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Address for clients."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Return status and JSON."""
        if path != "/v1/embeddings":
            return 404, {"detail": "Not Found"}
        self.requests.append(body)
        texts, wanted = body["input"], body.get("encoding_format")
        if self.has_base64 is None and wanted == "base64":
            return 422, {"detail": [{"loc": ["body", "encoding_format"], "msg": "not permitted"}]}
        if self.most_texts is not None and len(texts) > self.most_texts:
            text = f"batch size {len(texts)} > maximum allowed batch size {self.most_texts}"
            return 422, {"message": text, "code": 422, "type": "Validation"}
        kept = []
        for text in texts:
            words = text.split()
            if self.limit is not None and len(words) > self.limit:
                if self.refusal is not None:
                    return self.refusal(len(words), self.limit)
                text = " ".join(words[: self.limit])
            kept.append(vector_of(text) * np.float32(self.norm))
        encode = _base64 if wanted == "base64" and self.has_base64 else _floats
        data = [
            {"object": "embedding", "index": i, "embedding": encode(v)} for i, v in enumerate(kept)
        ]
        return 200, {"object": "list", "data": self.change(data), "usage": {"prompt_tokens": -1}}

    def __enter__(self) -> Stub:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                found = stub.pages.get(self.path)
                self._answer((404, {"detail": "Not Found"}) if found is None else (200, found))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self._answer(stub.post(self.path, body))

            def _answer(self, reply: tuple[int, Any]) -> None:
                if stub.key and self.headers.get("authorization") != f"Bearer {stub.key}":
                    reply = (401, {"error": {"message": "Incorrect API key provided"}})
                raw = json.dumps(reply[1]).encode()
                self.send_response(reply[0])
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _floats(vector: NDArray[np.float32]) -> list[float]:
    return [float(x) for x in vector]


def _base64(vector: NDArray[np.float32]) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
