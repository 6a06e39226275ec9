"""Damaged installations are told, not guessed around."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from toolkit.datasets import rows
from toolkit.datasets.catalog import info
from toolkit.errors import DataError

HEADER = "id,text,label,labels\n"


@pytest.fixture
def data_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rows, "data_root", lambda: tmp_path)
    path = tmp_path / "sdg" / "sdg.csv.gz"
    path.parent.mkdir()
    return path


def test_missing_file(data_file: Path):
    with pytest.raises(DataError, match=r"sdg\.csv\.gz, which is not there.*install"):
        rows.read_columns(info("sdg"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip", "cannot be read"),
        (gzip.compress(b"id,text,label,labels\n" * 999)[:40], "cannot be read"),
        (gzip.compress(b"")[:10] + b"\xff" * 50, "cannot be read: Error -3"),  # zlib.error
        (gzip.compress(b"\xff\xfe"), "cannot be read"),
        (gzip.compress(b""), "cannot be read"),
        (gzip.compress((HEADER + "1,a,b\n").encode()), "cannot be read"),
        (gzip.compress((HEADER + "1,a,b,c\n").encode()), "has 1 rows .*615 rows"),
        (gzip.compress(b"id,label\n" + b"1,a\n" * 615), "615 rows of id, label, but"),
    ],
    ids=["not-gzip", "cut", "broken", "not-utf8", "empty", "ragged", "few-rows", "columns"],
)
def test_damaged_file(data_file: Path, content: bytes, message: str):
    data_file.write_bytes(content)
    with pytest.raises(DataError, match=message):
        rows.read_columns(info("sdg"))
