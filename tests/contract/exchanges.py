"""Reading the recorded exchanges, and making their requests again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

WIRE = Path(__file__).parent / "wire"


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its response."""

    name: str
    request: dict[str, Any]
    response: dict[str, Any]

    def content(self, *, longest: int | None = None, model: str | None = None) -> bytes | None:
        """Return the request's body, long texts written out again.

        Parameters
        ----------
        longest : int, optional
            Shorten texts to this many characters.
        model : str, optional
            Ask for this model instead.
        """
        if "body" not in self.request:
            return None
        body = self.request["body"]
        if isinstance(body, dict) and "first_hex" in body:
            raw = bytes.fromhex(body["first_hex"])
            assert len(raw) == body["bytes"], f"{self.name}: the body was not recorded whole"
            return raw
        body = _written_out(body, longest)
        if model is not None:
            body["model"] = model
        return json.dumps(body).encode()

    def send(self, client: httpx.Client, **changes: Any) -> httpx.Response:
        """Make the request again."""
        return client.request(
            self.request["method"],
            self.request["path"],
            content=self.content(**changes),
            headers=self.request.get("headers"),
        )


def read(name: str) -> list[Exchange]:
    """Return the exchanges of a file, in order."""
    recorded = json.loads((WIRE / name).read_text(encoding="utf-8"))
    return [Exchange(one["name"], one["request"], one["response"]) for one in recorded]


def read_faults(name: str) -> dict[str, dict[str, Any]]:
    """Return the recorded faults by name."""
    recorded = json.loads((WIRE / name).read_text(encoding="utf-8"))
    return {one["name"]: one for one in recorded}


def _written_out(value: Any, longest: int | None) -> Any:
    if isinstance(value, dict) and "characters" in value:
        return repeat(value["first"], value["last"], value["characters"], longest)
    if isinstance(value, dict):
        return {key: _written_out(item, longest) for key, item in value.items()}
    if isinstance(value, list):
        return [_written_out(item, longest) for item in value]
    return value


def repeat(first: str, last: str, characters: int, longest: int | None = None) -> str:
    """Return the text that begins with ``first`` and goes on in the same way."""
    period = next(p for p in range(1, len(first)) if first[p:] == first[:-p])
    text = (first[:period] * (characters // period + 1))[:characters]
    assert text.endswith(last), "the recorded end is not that of the repeated beginning"
    return text if longest is None else text[:longest]
