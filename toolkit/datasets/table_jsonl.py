"""Reading JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

from toolkit.datasets.table import Row, Table, table_name, table_of_rows
from toolkit.datasets.table_streams import open_lines
from toolkit.errors import DataError

__all__ = ["ARRAY_HINT", "read_jsonl_table"]

_JSON_LOOKAHEAD = 100
"""Rows of a JSON Lines file that are looked at for its columns."""
ARRAY_HINT = (
    "A JSON array? JSON Lines has one object a line; make them of it with "
    "`jq -c '.[]' FILE.json > FILE.jsonl`"
)


@contextmanager
def read_jsonl_table(source: str | Path, *, encoding: str = "utf-8") -> Generator[Table]:
    """Open JSON Lines: one object a line.

    The columns are the keys of the first hundred objects. A key an object lacks is a missing
    value.

    Yields
    ------
    Table

    Raises
    ------
    DataError
        If the file is empty, a line is no JSON object, or repeats a key; names the line.
    """
    name = table_name(source)
    with open_lines(source, encoding) as file:
        objects = _json_objects(file, name)
        head = list(islice(objects, _JSON_LOOKAHEAD))
        if not head:
            raise DataError(f"{name} is empty: there is no JSON object in it")
        columns = list(dict.fromkeys(key for _, item in head for key in item))

        def rows() -> Iterator[Row]:
            for line, item in chain(head, objects):
                yield line, [item.get(column) for column in columns]

        yield table_of_rows(name, columns, rows())


def _json_objects(file: Iterable[str], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            item = json.loads(text, object_pairs_hook=_unique_keys)
        except json.JSONDecodeError as error:
            hint = ""
            if line == 1 and text.lstrip().startswith("["):
                hint = f". {ARRAY_HINT}"
            raise DataError(
                f"{name}: line {line:,}, column {error.colno}: no valid JSON ({error.msg}){hint}"
            ) from None
        except (_RepeatedKeyError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise DataError(f"{name}: line {line:,}: {reason}") from None
        if not isinstance(item, dict):
            hint = f". {ARRAY_HINT}" if isinstance(item, list) else ""
            raise DataError(
                f"{name}: line {line:,} holds a JSON {_JSON_NAMES.get(type(item), 'number')}, not "
                f'an object like {{"text": "…"}}{hint}'
            )
        yield line, item


_JSON_NAMES = {list: "array", str: "string", bool: "true or false", type(None): "null"}


class _RepeatedKeyError(Exception):
    pass


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    item = dict(pairs)
    if len(item) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        raise _RepeatedKeyError(f"the key {repeated[0]!r} is there twice")
    return item
