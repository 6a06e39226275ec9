"""The double itself: sockets, threads, and the way of a request through it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from tests.ollama_double import api, chat, errors, gojson, openai, wire
from tests.ollama_double.access import allowed
from tests.ollama_double.durations import DEFAULT_KEEP_ALIVE
from tests.ollama_double.fault import Faults
from tests.ollama_double.jitter import Jitter
from tests.ollama_double.log import EMBED_PATHS, Log, Record, texts_of
from tests.ollama_double.models import Model, Store
from tests.ollama_double.scheduler import LoadOptions, Scheduler
from tests.ollama_double.vectors import Vector, VectorSource
from tests.ollama_double.versions import DEFAULT_VERSION, Behaviour

__all__ = ["Model", "OllamaDouble"]

ROUTES = api.routes() | openai.routes() | {"/api/chat": {"POST": chat.chat}}


class OllamaDouble:
    """A server that answers as Ollama does; use it as a context manager.

    Parameters
    ----------
    version : str
        Which Ollama it is: statuses, texts and the model's build follow.
    models : iterable of Model, optional
        What it has; by default ``embeddinggemma`` alone.
    known : mapping of str to array, optional
        Texts with vectors of their own, for the default model.
    text_seconds, token_seconds : float
        Time to compute a text, and each of its tokens; one text at a time, whoever asks.
    request_seconds : float
        Time each embedding request costs by itself (30 ms on a real server).
    load_seconds : float
        Time to load a model.
    max_queue : int
        Requests that may wait for a load (``OLLAMA_MAX_QUEUE``).
    keep_alive : float
        Seconds that a model stays loaded unless a request says otherwise (``OLLAMA_KEEP_ALIVE``).
    port : int
        0 for any free one.
    """

    def __init__(
        self,
        version: str = DEFAULT_VERSION,
        *,
        models: Iterable[Model] | None = None,
        known: Mapping[str, Vector] | None = None,
        text_seconds: float = 0.0,
        token_seconds: float = 0.0,
        request_seconds: float = 0.0,
        load_seconds: float = 0.0,
        max_queue: int = 512,
        keep_alive: float = DEFAULT_KEEP_ALIVE,
        port: int = 0,
    ) -> None:
        self.behaviour = Behaviour(version)
        self.models = Store(tuple(models if models is not None else [Model(known=known or {})]))
        self.text_seconds = text_seconds
        self.token_seconds = token_seconds
        self.request_seconds = request_seconds
        self.faults = Faults()
        self.requests = Log()
        self.ghosts: list[tuple[str, str]] = []
        self.jitter = Jitter.from_environment()
        self.scheduler = Scheduler(
            load_seconds=load_seconds,
            max_queue=max_queue,
            keep_alive=keep_alive,
            on_unload=lambda model: self.faults.on_unload(),
        )
        self.port = port
        self.connections = 0
        self._listener: socket.socket | None = None
        self._reserved: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._sources: dict[tuple[int, str], tuple[Model, VectorSource]] = {}

    # --- life ------------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        return self.behaviour.version

    @version.setter
    def version(self, version: str) -> None:
        self.behaviour = Behaviour(version)

    @property
    def host(self) -> str:
        """Address for clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts_received(self) -> list[str]:
        """Every text that came in, in order."""
        return self.requests.texts

    def start(self) -> OllamaDouble:
        """Listen, on the same port as before if it was stopped."""
        if self._listener is not None:
            return self
        self._stopping = threading.Event()
        listener, self._reserved = self._reserved or self._bound(), None
        listener.listen(512)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Close the port and every connection: clients in the middle of a request are cut off.

        The models stay in the store, but not in memory. ``start`` opens the same port again, which
        nobody else can take meanwhile.
        """
        if self._listener is None:
            return
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None
        self._reserved = self._bound()  # refuses connections as long as it does not listen
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.scheduler.clear()

    kill = stop

    def _bound(self) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", self.port))
        return bound

    def restart(self, version: str | None = None) -> None:
        """Stop and start, perhaps as another version."""
        self.stop()
        if version is not None:
            self.version = version
        self.start()

    def __enter__(self) -> OllamaDouble:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    # --- what tests do to it ---------------------------------------------------------------------

    def kill_runner(self) -> int:
        """Let the engine crash: batches in flight end with 400 and EOF, the next one reloads."""
        return self.scheduler.kill()

    def freeze_runner(self) -> None:
        """Let the engine hang: requests wait for its health until ``thaw_runner``."""
        self.scheduler.healthy.clear()

    def thaw_runner(self) -> None:
        """Let the engine go on."""
        self.scheduler.healthy.set()

    def load(self, model: str = "embeddinggemma", *, num_ctx: int = 2048) -> None:
        """Load a model as another client would, waiting for what runs."""
        options = LoadOptions(num_ctx, min(2048, num_ctx))
        found = self.models[model]
        self.scheduler.release(self.scheduler.acquire(found, options, None, self.wait))

    def wait(self, seconds: float, request: wire.Request | None = None) -> None:
        """Wait; raise if meanwhile the client has gone or the double is stopped."""
        end = time.monotonic() + seconds
        while True:
            if self._stopping.is_set():
                raise errors.StoppedError
            if request is not None and request.client_gone():
                raise errors.ClientGoneError
            left = end - time.monotonic()
            if left <= 0:
                return
            self._stopping.wait(min(left, 0.02))

    def source(self, model: Model) -> VectorSource:
        """Return the vectors of a model on this version."""
        key = (id(model), self.behaviour.build)
        with self._lock:
            if key not in self._sources:
                # The model is kept too: its id is the key only as long as it lives.
                self._sources[key] = (model, model.source(self.behaviour.build))
            return self._sources[key][1]

    # --- the way of a request --------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
                self.connections += 1
                number = self.connections
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        stopping = self._stopping
        try:
            with connection, connection.makefile("rb") as stream:
                while not stopping.is_set():
                    request = wire.read_request(stream, connection)
                    if request is None or not self._exchange(request, number):
                        break
        except (OSError, errors.StoppedError, errors.ClientGoneError):
            pass  # the other end is gone, or we are
        finally:
            with self._lock:
                self._open.discard(connection)

    def _exchange(self, request: wire.Request, connection: int) -> bool:
        """Answer one request; return whether the connection stays open."""
        started = time.monotonic()
        path = request.path.partition("?")[0]
        body = _decoded(request) if path in ROUTES and request.method != "GET" else None
        texts = texts_of(path, body)
        self.jitter.wait()
        record = self.requests.add(
            Record(
                number=0,
                method=request.method,
                path=path,
                body=None if isinstance(body, errors.ApiError) else body,
                headers=request.headers,
                texts=texts,
                started=started,
                connection=connection,
            )
        )
        effects = self.faults.meet(record)
        try:
            reply = self._reply(request, record, body, path)
            for effect in effects:
                reply = effect.on_reply(reply)
            reply.head_only = request.method == "HEAD"
            if not any(effect.cuts for effect in effects):
                record.status = reply.status
            self.jitter.wait()
            for effect in effects:
                if effect.send(self, request, reply):
                    return False
            # Known before the client can look for it.
            record.seconds = time.monotonic() - started
            request.connection.sendall(reply.framed())
            return request.keep_alive
        finally:
            record.seconds = time.monotonic() - started

    def _reply(self, request: wire.Request, record: Record, body: Any, path: str) -> wire.Reply:
        if not allowed(request.headers):
            return wire.Reply(403, content_type=None)
        for effect in record.effects:
            reply = effect.before(self, request)
            if reply is not None:
                return reply
        if path == "/" and request.method in ("GET", "HEAD"):
            return wire.Reply(200, b"Ollama is running", "text/plain; charset=utf-8")
        methods = ROUTES.get(path)
        if methods is None:
            return _not_routed(request.method, path)
        handler = methods.get(request.method)
        if handler is None:
            headers = [("Allow", ", ".join(methods))]
            return wire.Reply(405, b"405 method not allowed", wire.PLAIN, headers)
        try:
            return handler(api.Call(self, request, record, body))
        except errors.ApiError as error:
            return wire.Reply.error(error.status, error.text)


def _decoded(request: wire.Request) -> Any:
    """Return the body's JSON, or the error to raise once the handler wants it."""
    try:
        return gojson.decode(request.body)
    except errors.ApiError as error:
        return error


def _not_routed(method: str, path: str) -> wire.Reply:
    short = path.rstrip("/")
    if path != short and short in ROUTES and method in ROUTES[short]:
        if method == "GET":
            page = f'<a href="{short}">Moved Permanently</a>.\n\n'.encode()
            return wire.Reply(301, page, "text/html; charset=utf-8", [("Location", short)])
        return wire.Reply(307, b"", None, [("Location", short)])
    return wire.Reply(404, b"404 page not found", wire.PLAIN)


assert set(EMBED_PATHS) <= set(ROUTES)  # the log and the faults go by these paths
