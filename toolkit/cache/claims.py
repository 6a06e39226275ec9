"""Who is embedding what right now, so that nobody embeds it again.

A claim is a file in the space's folder ``claims``: a line of JSON (host and process), then the
keys. Its holder touches it every second; one that was not touched for thirty seconds, or
whose process is gone from this host, is dead and counts no more. Nothing depends on claims but the
number of texts a server is sent: where they cannot be written, everybody embeds for themselves.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.connections import exclusive
from toolkit.cache.rows import KEY_BYTES, KEY_DTYPE, KeyIndex
from toolkit.errors import CacheError

__all__ = ["CLAIMS", "Claim", "claim_keys"]

CLAIMS = "claims"
"""The folder of the claims, in the folder of a space."""

BEAT = 1.0
"""Seconds between two signs of life."""

DEAD_AFTER = 30.0
"""Seconds without one: a busy disk can hold it up for several."""

_LOCK = "lock.sqlite"
_ENDING = ".claim"


class _Other(NamedTuple):
    host: str
    process: int
    keys: KeyIndex


# A claim's file never changes, so it is read once.
_known: dict[Path, _Other] = {}


class Claim:
    """Keys that this caller alone embeds, until the end of the ``with`` block.

    Parameters
    ----------
    mine : ndarray of bool, shape (n,)
        Which of the keys; the others are being embedded elsewhere.
    file : Path, optional
        Says so to others; None if nothing needs to be said, or nothing can be.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.cache import EmbeddingCache, bundled_spaces
    >>> shipped = bundled_spaces()[0]
    >>> space, _ = EmbeddingCache(tempfile.mkdtemp()).resolve(shipped.identity)
    >>> with space.claim(shipped.keys()[:2]) as first, space.claim(shipped.keys()[1:3]) as second:
    ...     first.mine.tolist(), second.mine.tolist()
    ([True, True], [False, True])
    """

    def __init__(self, mine: NDArray[np.bool_], file: Path | None = None) -> None:
        self.mine = mine
        self._file = file
        self._process = os.getpid()
        self._released = threading.Event()

    def __enter__(self) -> Claim:
        if self._file is not None:
            threading.Thread(target=self._beat, daemon=True, name="toolkit-claim").start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._released.set()
        if self._file is not None and self._process == os.getpid():  # not in a fork
            with suppress(OSError):
                self._file.unlink()

    def _beat(self) -> None:
        assert self._file is not None  # noqa: S101
        while not self._released.wait(BEAT):
            with suppress(OSError):
                os.utime(self._file)


def claim_keys(space: Path, keys: NDArray[np.void]) -> Claim:
    """Claim the keys that nobody else has claimed.

    Parameters
    ----------
    space : Path
        The space's folder.
    keys : ndarray of shape (n,) of 16 bytes

    Returns
    -------
    Claim
        To be used in a ``with`` statement. Rows may have come into the cache before the claim:
        look again once it is made.
    """
    folder = space / CLAIMS
    try:
        mine = ~_claimed(folder, keys)
        if not mine.any():
            return Claim(mine)
        with exclusive(folder / _LOCK):
            mine = ~_claimed(folder, keys, remove_dead=True)
            return Claim(mine, _write(folder, keys[mine]) if mine.any() else None)
    except (CacheError, OSError):
        return Claim(np.ones(len(keys), dtype=bool))


def _write(folder: Path, keys: NDArray[np.void]) -> Path:
    header = json.dumps({"host": socket.gethostname(), "process": os.getpid()})
    file = folder / f"{uuid.uuid4().hex}{_ENDING}"
    unfinished = file.with_suffix(".new")
    try:
        unfinished.write_bytes(header.encode() + b"\n" + keys.tobytes())
        unfinished.rename(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file


def _claimed(
    folder: Path, keys: NDArray[np.void], *, remove_dead: bool = False
) -> NDArray[np.bool_]:
    """Return which keys living claims hold."""
    claimed = np.zeros(len(keys), dtype=bool)
    if not folder.is_dir():
        return claimed
    files = set(folder.glob(f"*{_ENDING}"))
    for gone in [file for file in list(_known) if file.parent == folder and file not in files]:
        _known.pop(gone, None)
    for file in files:
        with suppress(OSError, ValueError, KeyError, TypeError):
            other = _known.get(file) or _read(file)
            _known[file] = other
            if _alive(file, other):
                claimed |= other.keys.find(keys) >= 0
            elif remove_dead:
                file.unlink()
    return claimed


def _read(file: Path) -> _Other:
    header, _, data = file.read_bytes().partition(b"\n")
    known = json.loads(header)
    if len(data) % KEY_BYTES:
        raise ValueError("not whole keys")
    keys = KeyIndex(np.frombuffer(data, dtype=KEY_DTYPE))
    return _Other(str(known["host"]), int(known["process"]), keys)


def _alive(file: Path, other: _Other) -> bool:
    if time.time() - file.stat().st_mtime > DEAD_AFTER:
        return False
    if other.host != socket.gethostname() or os.name != "posix":
        return True
    try:
        os.kill(other.process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, and alive
        return True
    return True
