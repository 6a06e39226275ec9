"""Which host the next batch goes to."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["HostPool", "Lease"]


class Lease:
    """One request on its way to a host; given back when it is answered, and once only.

    In threads the worker gives it back at once, so that the next batch goes to the host that is
    free now. A copy in another process gives nothing back; there the caller does, when the answer
    arrives.
    """

    def __init__(self, pool: HostPool | None, host: int) -> None:
        self._pool = pool
        self.host = host
        self._open = True

    def give_back(self) -> None:
        """Free the host's place."""
        if self._pool is not None:
            with self._pool.lock:
                if self._open:
                    self._open = False
                    self._pool.busy[self.host] -= 1

    def __reduce__(self) -> tuple[Any, ...]:
        return Lease, (None, self.host)


class HostPool:
    """Counts requests on their way, host by host.

    Parameters
    ----------
    count : int
        How many hosts there are.

    Examples
    --------
    >>> pool = HostPool(2)
    >>> first, second = pool.lease(), pool.lease()
    >>> first.host, second.host
    (0, 1)
    >>> second.give_back()
    >>> pool.lease().host
    1
    """

    def __init__(self, count: int) -> None:
        self.lock = threading.Lock()
        self.busy = [0] * count
        self._dropped: set[int] = set()

    def lease(self, avoid: int | None = None) -> Lease:
        """Take a place on the host with the fewest requests on their way.

        Parameters
        ----------
        avoid : int, optional
            A host that has just failed the request; another is taken if there is one.
        """
        with self.lock:
            alive = [host for host in range(len(self.busy)) if host not in self._dropped]
            others = [host for host in alive if host != avoid]
            host = min(others or alive, key=lambda h: self.busy[h])
            self.busy[host] += 1
        return Lease(self, host)

    def drop(self, host: int) -> bool:
        """Take a host out for good; False if it is the last one, which stays."""
        with self.lock:
            if host in self._dropped:
                return True
            if len(self._dropped) + 1 == len(self.busy):
                return False
            self._dropped.add(host)
            return True

    def is_dropped(self, host: int) -> bool:
        """Return whether a host was taken out."""
        with self.lock:
            return host in self._dropped
