"""Go's durations: ``keep_alive`` values, and dates with nanoseconds."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.ollama_double import errors

FOREVER = (2**63 - 1) / 1e9
"""Go's longest duration in seconds, which stands for never: about 292 years."""

DEFAULT_KEEP_ALIVE = 300.0

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")


def parse_duration(text: str) -> float:
    """Return the seconds of a Go duration such as ``1h30m``, or raise Go's complaint."""
    quoted = errors.quote(text)
    rest = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    if rest == "0":
        return 0.0
    if not rest:
        raise errors.ApiError(400, f"time: invalid duration {quoted}")
    total, position = 0.0, 0
    while position < len(rest):
        match = _PART.match(rest, position)
        if match is None:
            raise errors.ApiError(400, f"time: invalid duration {quoted}")
        if not match[2]:
            raise errors.ApiError(400, f"time: missing unit in duration {quoted}")
        if match[2] not in _UNITS:
            raise errors.ApiError(
                400, f"time: unknown unit {errors.quote(match[2])} in duration {quoted}"
            )
        total += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    return -total if text.startswith("-") else total


def parse_keep_alive(value: Any) -> float:
    """Return the seconds of a ``keep_alive``: negative is forever."""
    if isinstance(value, bool):
        raise errors.ApiError(400, "Unsupported type: 'bool'")
    if isinstance(value, int | float):
        seconds = float(value)
    elif isinstance(value, str):
        seconds = parse_duration(value)
    else:
        kind = "[]interface {}" if isinstance(value, list) else "map[string]interface {}"
        raise errors.ApiError(400, f"Unsupported type: '{kind}'")
    return FOREVER if seconds < 0 or math.isinf(seconds) else seconds


def date(moment: datetime) -> str:
    """Write a date as Go does, with nanoseconds and Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}001Z"


def from_now(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
