"""Keeping a model loaded for the length of a job, and leaving the server as it was.

Ollama drops a model some time after its last request: five minutes, or what ``OLLAMA_KEEP_ALIVE``
or the last client's ``keep_alive`` says. A request without one changes nothing, so nothing is sent
where that time is long enough for a job's pauses. Where it is shorter (some servers drop a model at
once) every request of a job asks for a minute, or each batch would load the model anew, and the end
of the job gives the server's own time back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from toolkit.backends.ollama_names import full_name

if TYPE_CHECKING:
    import httpx

    from toolkit.backends.ollama_client import Connection

__all__ = ["LONG_ENOUGH", "keep_loaded"]

LONG_ENOUGH = 60.0
"""Seconds: more than any pause between two requests of a job."""


@contextmanager
def keep_loaded(
    connection: Connection, model: str, options: Mapping[str, Any] | None = None
) -> Iterator[float | None]:
    """Yield what a job should send as ``keep_alive``; afterwards the server keeps its own time.

    The time is only known of a loaded model that has just been used, so a model that is not
    loaded, or is near its end, is first loaded by a request without a text. A server that drops
    it at once loads it a second time for the job, but only for the first job of a process, which
    remembers the server's own time.

    Parameters
    ----------
    connection : Connection
        With the server; it remembers what was learned.
    model : str
        The model's name.
    options : mapping, optional
        Runner options of the job, or the model would be loaded with others.

    Yields
    ------
    float or None
        Seconds; None if nothing need be sent.
    """
    http = connection.http
    body = {"model": model, "input": [], "options": dict(options or {})}
    try:
        left = _seconds_left(http, model)
        own = connection.keeps_seconds if left is None else left
        if own is None or (left is not None and left < LONG_ENOUGH):
            http.post("/api/embed", json=body).raise_for_status()
            own = max(0.0, _seconds_left(http, model) or 0.0)
            if left is None:
                connection.keeps_seconds = own
    except Exception:
        # Whatever it is, the job itself meets it too, and has the patience and the words for it.
        own = LONG_ENOUGH
    # A second of doubt: the date in a header has no fractions.
    if own >= LONG_ENOUGH - 1.0:
        yield None
        return
    try:
        yield LONG_ENOUGH
    finally:
        # To fail here would hide what the job itself says; the minute then runs out by itself.
        with suppress(Exception):
            left = _seconds_left(http, model)
            # One that is gone would be loaded by asking; a longer time is somebody else's wish.
            if left is not None and left <= LONG_ENOUGH + 1.0:
                http.post("/api/embed", json=body | {"keep_alive": round(own)})


def _seconds_left(http: httpx.Client, model: str) -> float | None:
    """Return the seconds until the server drops a model, or None if it is not loaded."""
    response = http.get("/api/ps")
    response.raise_for_status()
    wanted = full_name(model)
    ends = [
        datetime.fromisoformat(entry["expires_at"])
        for entry in response.json().get("models") or []
        if full_name(entry.get("model", "")) == wanted
    ]
    if not ends:
        return None
    # By the server's clock, which may not be this machine's.
    now = datetime.now(UTC)
    with suppress(KeyError, TypeError, ValueError):
        now = parsedate_to_datetime(response.headers["date"])
    return (max(ends) - now).total_seconds()
