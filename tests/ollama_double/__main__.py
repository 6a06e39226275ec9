"""The double as a process of its own: ``python -m tests.ollama_double --port 0``.

The first line it prints is its address.
"""

from __future__ import annotations

import argparse
import json
import signal
from pathlib import Path

import numpy as np

from tests.ollama_double.server import Model, OllamaDouble
from tests.ollama_double.vectors import Vector
from tests.ollama_double.versions import DEFAULT_VERSION


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.ollama_double", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--version", default=DEFAULT_VERSION)
    parser.add_argument("--model", action="append", help="default: embeddinggemma")
    parser.add_argument("--build", choices=["right", "no_window", "causal", "random"])
    parser.add_argument("--known", type=Path, help="npz with arrays `texts` and `vectors`")
    parser.add_argument("--text-seconds", type=float, default=0.0)
    parser.add_argument("--token-seconds", type=float, default=0.0)
    parser.add_argument("--request-seconds", type=float, default=0.0)
    parser.add_argument("--load-seconds", type=float, default=0.0)
    parser.add_argument("--max-queue", type=int, default=512)
    parser.add_argument("--log", type=Path, help="JSON lines of the requests, written at the end")
    args = parser.parse_args()
    known = _read(args.known) if args.known else {}
    double = OllamaDouble(
        args.version,
        models=[
            Model(name, build=args.build, known=known) for name in args.model or ["embeddinggemma"]
        ],
        text_seconds=args.text_seconds,
        token_seconds=args.token_seconds,
        request_seconds=args.request_seconds,
        load_seconds=args.load_seconds,
        max_queue=args.max_queue,
        port=args.port,
    )
    # Blocked before the threads start, so that only sigwait below receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    with double:
        print(double.host, flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    if args.log:
        args.log.write_text(
            "".join(
                json.dumps({"path": r.path, "status": r.status, "texts": r.texts}) + "\n"
                for r in double.requests
            ),
            encoding="utf-8",
        )


def _read(path: Path) -> dict[str, Vector]:
    with np.load(path, allow_pickle=False) as stored:
        texts, vectors = stored["texts"], stored["vectors"].astype(np.float32)
    return dict(zip(map(str, texts), vectors, strict=True))


if __name__ == "__main__":
    main()
