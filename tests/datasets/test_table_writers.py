"""Writing tables, and files that are whole or not there."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toolkit.datasets.output_files import check_output, output_file
from toolkit.datasets.table_writers import (
    check_table_output,
    open_writer,
    output_format,
    spreadsheet_safe,
    write_table,
)
from toolkit.datasets.tables import read_texts
from toolkit.errors import DataError, OptionalDependencyError, UsageError

COLUMNS: dict[str, Any] = {
    "text": ['a, "b"\nc', None, "=1+1\rx\r", "日本 🎉"],
    "n": np.array([1, 2, 3, 4]),
    "p": [0.5, float("nan"), np.float32(0.25), 1.0],
}


@pytest.mark.parametrize(
    "name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet", "a.csv.gz", "a.jsonl.gz"]
)
def test_what_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_table(path, COLUMNS)
    read = read_texts(path, missing="empty", keep=["n", "p"])
    assert read.texts == COLUMNS["text"]
    assert [float(n) for n in read.kept["n"]] == [1, 2, 3, 4]
    assert [p and float(p) for p in read.kept["p"]] == [0.5, None, 0.25, 1.0]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_chunks_make_one_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with open_writer(path) as writer:
        writer.write({"text": [None, None], "n": [1, 2]})
        writer.write({"text": ["a", None], "n": [3, 4]})
    read = read_texts(path, missing="empty", keep=["n"])
    assert read.texts == [None, None, "a", None]
    assert list(map(int, read.kept["n"])) == [1, 2, 3, 4]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        write_table(tmp_path / name, COLUMNS)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_vectors_in_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_table(tmp_path / "a.parquet", {"text": ["a", "b"], "vector": vectors})
    table = parquet.read_table(tmp_path / "a.parquet")
    assert str(table.schema.field("vector").type) == "fixed_size_list<element: float>[3]"
    assert table["vector"].to_pylist() == vectors.tolist()


def test_cells_that_only_parquet_has(tmp_path: Path) -> None:
    when, day = datetime(2026, 5, 1, 12, 30, tzinfo=UTC), date(2026, 5, 1)
    cells = [when, day, Decimal("1.10"), b"x", [1, "é"], {"days": [day]}, None]
    columns = {"n": range(len(cells)), "cell": cells}
    write_table(tmp_path / "a.jsonl", columns)
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["cell"] for line in lines] == [
        "2026-05-01T12:30:00+00:00",
        "2026-05-01",
        "1.10",
        "b'x'",
        [1, "é"],
        {"days": ["2026-05-01"]},
        None,
    ]
    write_table(tmp_path / "a.csv", columns)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = [row["cell"] for row in csv.DictReader(file)]
    assert rows[1:] == ["2026-05-01", "1.10", "b'x'", '[1, "é"]', '{"days": ["2026-05-01"]}', ""]


def test_lone_surrogates_stay_what_they_are_where_the_format_can_say_so(tmp_path: Path) -> None:
    write_table(tmp_path / "a.jsonl", {"text": ["a\ud800b", "é"]})
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["a\ud800b", "é"]
    write_table(tmp_path / "a.csv", {"text": ["a\ud800b"]})
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "text\na?b\n"
    write_table(tmp_path / "a.parquet", {"text": ["a\ud800b"]})
    assert read_texts(tmp_path / "a.parquet").texts == ["a?b"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"])
def test_formulas_are_neutralised_when_asked(tmp_path: Path, text: str) -> None:
    assert spreadsheet_safe(text) == "'" + text
    path = tmp_path / "a.csv"
    write_table(path, {"=text": [text, "a=b"], "n": [-1, 2]}, safe=True)
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["'=text", "n"], ["'" + text, "-1"], ["a=b", "2"]]
    write_table(path, {"text": [text]}, force=True)
    assert read_texts(path).texts == [text]


def test_a_type_that_changes_further_down(tmp_path: Path) -> None:
    def write() -> None:
        with open_writer(tmp_path / "a.parquet") as writer:
            writer.write({"n": [1, 2]})
            writer.write({"n": ["x", "y"]})

    with pytest.raises(DataError, match=r"write \.csv or \.jsonl"):
        write()
    with pytest.raises(DataError, match="column 'n' cannot be written"):
        write_table(tmp_path / "a.parquet", {"n": [1, {"a": 2}]})
    assert list(tmp_path.iterdir()) == []


def test_formats_of_output() -> None:
    assert output_format("a.PARQUET") == "parquet"
    assert output_format("x.csv", "jsonl") == "jsonl"
    for path in ("a.txt", "a", "a.npy"):
        with pytest.raises(UsageError, match=r"end it in \.csv, \.tsv, \.jsonl or \.parquet"):
            output_format(path)
    with pytest.raises(UsageError, match="standard output"):
        output_format("-", "parquet")
    with pytest.raises(UsageError, match="one of csv"):
        output_format("a.csv", "xlsx")


def test_parquet_without_pyarrow_is_refused_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OptionalDependencyError, match="pip install"):
        check_table_output(tmp_path / "a.parquet")


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")
    with pytest.raises(UsageError, match="there already; give another name, or --force"):
        write_table(path, COLUMNS)
    assert path.read_text() == "mine"
    write_table(path, {"text": ["a"]}, force=True)
    assert path.read_text() == "text\na\n"
    assert [item.name for item in tmp_path.iterdir()] == ["a.csv"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")

    def fail() -> None:
        with open_writer(path, force=True) as writer:
            writer.write({"text": ["a"]})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "mine"
    assert [item.name for item in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_made_by_somebody_else_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def write() -> None:
        with output_file(path) as place:
            place.write_text("mine")
            path.write_text("theirs")

    with pytest.raises(UsageError, match="meanwhile"):
        write()
    assert path.read_text() == "theirs"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


def test_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", no_links)
    with output_file(tmp_path / "a.txt") as place:
        place.write_text("done")
    assert (tmp_path / "a.txt").read_text() == "done"


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with output_file(tmp_path / "link.txt", force=True) as place:
        place.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no folder .*mkdir -p"):
        check_output(tmp_path / "absent" / "a.csv")
    with pytest.raises(UsageError, match="is a folder"):
        check_output(tmp_path)


def test_standard_output_is_utf_8_and_stays_open() -> None:
    program = (
        "from toolkit.datasets.table_writers import write_table\n"
        "write_table(None, {'text': ['é, 日本']})\n"
        "write_table('-', {'text': ['é']}, 'jsonl')\n"
        "print('after')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "ascii"},
    )
    assert done.stdout.decode() == 'text\n"é, 日本"\n{"text": "é"}\nafter\n'


def test_gzip_ends_well(tmp_path: Path) -> None:
    write_table(tmp_path / "a.tsv.gz", {"text": ["a\tb"]})
    assert gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()) == b'text\n"a\tb"\n'
