"""A ``llama-server`` that is lost at a chosen moment under a real Ollama.

An engine that is killed is met wherever it happens to be; this one says where. Without a model it
answers what Ollama asks of an engine. A file ``loss.json`` beside it names the one of the ``CALLS``
at which it is lost, counted from the moment the file is there, and how far that call has come:

========== =====================================================================================
unread     the request is in the socket, and nobody has read it: the kernel resets the connection
read       the request was read, and no answer began: the connection closes
answering  the head of the answer is out, its body is not
refused    the port was closed during the call before: nobody takes this one
========== =====================================================================================

Like the engine proper it imports nothing of the project.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import NoReturn

CALLS = ("ping", "tokenize", "health", "embeddings")
"""What Ollama asks for one text whose model is loaded, in this order; a ping is a health, too."""

ANSWERS: dict[str, object] = {
    "/health": {"status": "ok"},
    "/tokenize": {"tokens": [5, 6, 7]},
    "/v1/embeddings": {"data": [{"embedding": [1.0] * 768}], "usage": {"prompt_tokens": 5}},
}
LOSS = Path(__file__).with_name("loss.json")


def serve(port: int) -> NoReturn:
    """Answer one call after another until the engine is to be lost."""
    listener = socket.create_server(("127.0.0.1", port), backlog=64)
    calls = 0
    while True:
        connection, _ = listener.accept()
        with connection:
            path = arrived(connection)
            loss = json.loads(LOSS.read_text()) if LOSS.exists() else None
            here, before = False, False
            if loss is not None:
                here = CALLS[calls] == loss["call"] and loss["moment"] != "refused"
                before = CALLS[calls + 1 :][:1] == (loss["call"],) and loss["moment"] == "refused"
                calls += 1
            if here and loss["moment"] == "unread":
                die()
            connection.recv(1 << 16)
            if here and loss["moment"] == "read":
                die()
            body = json.dumps(ANSWERS[path])
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            if before:
                listener.close()
            connection.sendall((head if here else head + body).encode())
            if here:
                die()
        while before:
            LOSS.unlink(missing_ok=True)
            signal.pause()


def arrived(connection: socket.socket) -> str:
    """Return the path of a request once all of it has come in, and leave it in the socket."""
    while True:
        head, end, body = connection.recv(1 << 16, socket.MSG_PEEK).partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        if end and len(body) >= int(fields.get(b"content-length", 0)):
            return head.split(b" ")[1].decode()
        time.sleep(0.001)


def die() -> None:
    LOSS.unlink()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="llama-server", allow_abbrev=False)
    # Ollama also starts it without a model, to ask for devices, and waits for the end of that.
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    serve(parser.parse_known_args()[0].port)
