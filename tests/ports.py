"""A port that stays one's own while its server is away."""

from __future__ import annotations

import contextlib
import socket
import sys


class KeptPort:
    """Keeps a port of 127.0.0.1 for a server that comes back to it.

    A socket is bound to it that does not listen: nobody else is given the port, connections are
    refused, and a server that sets ``SO_REUSEADDR`` or ``SO_REUSEPORT``, as they do, may listen.
    Only Linux has it so; elsewhere nothing is kept.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def keep(self, port: int) -> None:
        """Keep a port, in place of one that was kept before."""
        self.release()
        if sys.platform != "linux":
            return
        self._socket = socket.socket()
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            self._socket.setsockopt(socket.SOL_SOCKET, option, 1)
        with contextlib.suppress(OSError):  # somebody was quicker: the server will say so
            self._socket.bind(("127.0.0.1", port))

    def release(self) -> None:
        """Keep it no longer."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
