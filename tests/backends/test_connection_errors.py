from __future__ import annotations

import httpx
import pytest

from toolkit.backends import ollama_errors, openai_errors
from toolkit.errors import ServerUnavailableError

ADDRESS = "http://127.0.0.1:1"


@pytest.mark.parametrize("errors", [ollama_errors, openai_errors])
def test_a_connection_that_breaks_is_waited_for_whatever_the_server(errors):
    more = {"model": "m"} if errors is ollama_errors else {}
    for raised in (httpx.ReadError("reset"), httpx.RemoteProtocolError("half a body")):
        error = errors.from_exception(raised, address=ADDRESS, **more)
        assert (error.retryable, error.broken) == (True, True)
    slow = errors.from_exception(httpx.ReadTimeout("slow"), address=ADDRESS, **more)
    assert (slow.retryable, slow.broken) == (True, False)
    assert "Backend(timeout=600)" in str(slow)
    gone = errors.from_exception(httpx.ConnectError("refused"), address=ADDRESS, **more)
    assert type(gone) is ServerUnavailableError
