"""JSON that keeps its place inside an HTML page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import PurePath
from typing import Any

import numpy as np
from markupsafe import Markup

__all__ = ["dump_json", "embed_json", "jsonable"]

# Inside <script> only these can end the element, open a comment or (in old engines) a line.
_ESCAPES = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def jsonable(value: Any) -> Any:
    """Return a value as plain JSON types: arrays as lists, NaN and infinities as None.

    Raises
    ------
    TypeError
        For an object that has no obvious JSON form.

    Examples
    --------
    >>> import numpy as np
    >>> jsonable({"a": np.array([1.5, np.nan]), 2: np.int64(3)})
    {'a': [1.5, None], '2': 3}
    """
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        return [jsonable(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "to_dict"):
        return jsonable(value.to_dict())
    raise TypeError(f"{type(value).__name__} has no JSON form: {value!r:.80}")


def dump_json(value: Any, *, indent: int | None = None) -> str:
    r"""Return JSON text: readable characters kept, lone surrogates escaped, never NaN.

    Examples
    --------
    >>> dump_json({"été": float("nan")})
    '{"été":null}'
    """
    separators = (",", ":") if indent is None else (",", ": ")
    plain = jsonable(value)
    text = json.dumps(
        plain, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(
            plain, ensure_ascii=True, allow_nan=False, indent=indent, separators=separators
        )
    return text


def embed_json(value: Any) -> Markup:
    r"""Return JSON that cannot break out of a ``<script type="application/json">``.

    Examples
    --------
    >>> print(embed_json(["</script><b>", "a\u2028b"]))
    ["\u003c/script\u003e\u003cb\u003e","a\u2028b"]
    """
    return Markup(dump_json(value).translate(_ESCAPES))  # noqa: S704 - escaped one line above
