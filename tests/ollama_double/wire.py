"""HTTP/1.1 on a socket, the way Go's server frames it."""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import BinaryIO

from tests.ollama_double import gojson

JSON = "application/json; charset=utf-8"
OPENAI_JSON = "application/json"
PLAIN = "text/plain"

BUFFER = 2048
"""Go announces a length when the whole body fits its buffer, and sends chunks otherwise."""


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: socket.socket

    @property
    def keep_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"

    def client_gone(self) -> bool:
        """Return whether the client has closed its end."""
        try:
            if not select.select([self.connection], [], [], 0)[0]:
                return False
            return self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True


@dataclass
class Reply:
    """One response before it is framed."""

    status: int
    body: bytes = b""
    content_type: str | None = JSON
    headers: Sequence[tuple[str, str]] = ()
    head_only: bool = field(default=False, compare=False)

    @classmethod
    def json(cls, value: object, status: int = 200) -> Reply:
        return cls(status, gojson.dumps(value))

    @classmethod
    def error(cls, status: int, text: str) -> Reply:
        return cls.json({"error": text}, status)

    def framed(self) -> bytes:
        """Return the whole response as it goes over the wire."""
        head, body = self.parts()
        return head + body

    def parts(self) -> tuple[bytes, bytes]:
        """Return the head, and the body in its framing."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "status code " + str(self.status)
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{k}: {v}" for k, v in self.headers)]
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        lines.append(f"Date: {formatdate(usegmt=True)}")
        chunked = len(self.body) > BUFFER
        lines.append(
            "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(self.body)}"
        )
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        if self.head_only:
            return head, b""
        if chunked:
            return head, b"%x\r\n%b\r\n0\r\n\r\n" % (len(self.body), self.body)
        return head, self.body


def read_request(stream: BinaryIO, connection: socket.socket) -> Request | None:
    """Read the next request of a connection, or return None at its end or at nonsense."""
    try:
        return _read_request(stream, connection)
    except ValueError:
        return None


def _read_request(stream: BinaryIO, connection: socket.socket) -> Request | None:
    line = stream.readline(65536)
    while line in (b"\r\n", b"\n"):
        line = stream.readline(65536)
    words = line.decode("latin-1").split()
    if len(words) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := stream.readline(65536)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = _read_chunks(stream)
    else:
        length = int(headers.get("content-length", "0"))
        body = stream.read(length)
        if len(body) < length:
            return None
    return Request(words[0], words[1], headers, body, connection)


def _read_chunks(stream: BinaryIO) -> bytes:
    chunks = []
    while size := int(stream.readline().split(b";")[0], 16):
        chunks.append(stream.read(size))
        stream.readline()
    while stream.readline() not in (b"\r\n", b"\n", b""):
        pass
    return b"".join(chunks)
