"""The ``llama-server`` that Ollama starts: llama.cpp's server out of the ``xllamacpp`` wheel.

Ollama (0.30 and later) looks for an executable of this name beside itself and talks HTTP to it.
``install.py`` writes this file there with the interpreter that has the wheel in its first line, so
it imports nothing of the project.
"""

from __future__ import annotations

import argparse
import signal
import sys
from typing import NoReturn


def arguments(given: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Read the flags that matter to an embedding model; return the others as they are."""
    parser = argparse.ArgumentParser(prog="llama-server", allow_abbrev=False)
    parser.add_argument("--model", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("-c", dest="context", type=int, default=2048)
    parser.add_argument("-np", dest="parallel", type=int, default=1)
    parser.add_argument("-b", dest="batch", type=int, default=2048)
    parser.add_argument("-ub", dest="microbatch", type=int, default=512)
    parser.add_argument("--keep", type=int, default=0)
    parser.add_argument("--embedding", action="store_true")
    return parser.parse_known_args(given)


def main() -> NoReturn:
    asked, ignored = arguments(sys.argv[1:])
    # The default action, so that a signal ends the process in the middle of loading, too.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    import xllamacpp  # type: ignore[import-untyped]

    parameters = xllamacpp.CommonParams()
    parameters.model.path = asked.model
    parameters.hostnames = [asked.host]
    parameters.port = asked.port
    parameters.n_ctx = asked.context
    parameters.n_parallel = asked.parallel
    parameters.n_batch = asked.batch
    parameters.n_ubatch = asked.microbatch
    parameters.n_keep = asked.keep
    parameters.embedding = asked.embedding
    # The tiny model gains nothing from more, and threads that wait for each other by spinning
    # make it ten times slower on a busy machine.
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.offline = True
    print("flags not used:", *ignored, file=sys.stderr)
    server = xllamacpp.Server(parameters)
    print("listening on", server.listening_address, file=sys.stderr, flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
