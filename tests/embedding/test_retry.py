from __future__ import annotations

import pytest

from toolkit.embedding.retry import RetryPolicy
from toolkit.errors import BackendError, ServerUnavailableError


def test_retries_end():
    retry = RetryPolicy(patience=0.0)
    retry.failed(BackendError("no"))
    with pytest.raises(BackendError, match="fatal"):
        retry.failed(BackendError("fatal", fatal=True))
    down = ServerUnavailableError("down")
    retry.failed(down)
    with pytest.raises(ServerUnavailableError):
        retry.failed(down)
    retry.succeeded()
    retry.failed(down)
    busy = BackendError("busy", retryable=True)
    retry = RetryPolicy(most_in_a_row=3)
    for _ in range(3):
        retry.failed(busy)
    with pytest.raises(BackendError, match="busy"):
        retry.failed(busy)


def test_delays_grow_and_follow_the_server():
    retry = RetryPolicy()
    busy = BackendError("busy", retryable=True)
    delays = [retry.delay(attempt, busy) for attempt in range(2, 12)]
    assert 0.1 <= delays[0] <= 0.2
    assert 2.5 <= delays[-1] <= 5.0
    assert retry.delay(2, BackendError("x", retryable=True, retry_after=3.0)) == 3.0
