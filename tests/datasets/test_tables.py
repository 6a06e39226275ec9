"""Reading tables of every format, with everything that can be wrong with them."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from toolkit.datasets.table_streams import check_encoding, open_lines
from toolkit.datasets.tables import (
    TableFormat,
    check_texts_present,
    open_table,
    read_texts,
    text_column,
)
from toolkit.errors import DataError, MissingTextError, OptionalDependencyError, UsageError

ROWS = [
    {"id": "1", "text": 'a "quoted", text', "label": "x"},
    {"id": "2", "text": "two\nlines", "label": "y"},
    {"id": "3", "text": "naïve 日本 🎉", "label": "x"},
]
TEXTS = [row["text"] for row in ROWS]


def write(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def as_delimited(delimiter: str) -> str:
    lines = [delimiter.join(ROWS[0])]
    for row in ROWS:
        cells = ['"' + cell.replace('"', '""') + '"' for cell in row.values()]
        lines.append(delimiter.join(cells))
    return "\n".join(lines) + "\n"


def as_jsonl() -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)


def as_parquet(path: Path) -> Path:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "A.CSV", "a.ndjson"])
def test_every_text_format_gives_the_same_table(tmp_path: Path, name: str, suffix: str) -> None:
    kind = Path(name).suffix.lower()
    content = {".csv": as_delimited(","), ".tsv": as_delimited("\t")}.get(kind, as_jsonl())
    read = read_texts(write(tmp_path / (name + suffix), content), labels="label", keep=["id"])
    assert read.texts == TEXTS
    assert read.labels == ["x", "y", "x"]
    assert read.kept == {"id": ["1", "2", "3"]}


def test_parquet_gives_the_same_table(tmp_path: Path) -> None:
    read = read_texts(as_parquet(tmp_path / "a.parquet"), labels="label", keep=["id"])
    assert (read.texts, read.labels, read.kept) == (
        TEXTS,
        ["x", "y", "x"],
        {"id": ["1", "2", "3"]},
    )


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = as_parquet(tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OptionalDependencyError, match=r"pip install 'embeddinggemma-toolkit\["):
        read_texts(path)


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_texts(write(tmp_path / "a.parquet", "text\nhello\n"))


def test_text_lines_keep_row_and_line_in_step(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one\r\n\ntwo, with \x0b and \u2028 in it\nthree")
    read = read_texts(path, missing="empty")
    assert read.texts == ["one", None, "two, with \x0b and \u2028 in it", "three"]
    with pytest.raises(MissingTextError, match="line 2") as caught:
        read_texts(path)
    assert caught.value.positions == (1,)


def test_dataset_as_a_source() -> None:
    read = read_texts("dataset:factbook:sample", labels="label")
    assert len(read.texts) == 1670
    assert read.labels is not None
    assert len(set(read.labels)) == 9
    with pytest.raises(UsageError, match=r"no data set 'sgd'.*did you mean 'sdg'"):
        read_texts("dataset:sgd")
    with pytest.raises(UsageError, match="subset"):
        read_texts("dataset:assist_intents:xx")


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "\ufefftext\nhello\n".encode())
    assert read_texts(path).texts == ["hello"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252", "utf-32"])
def test_other_encodings_by_name(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.csv", "text,label\ncafé,x\n".encode(encoding))
    assert read_texts(path, TableFormat(encoding=encoding)).texts == ["café"]


@pytest.mark.parametrize("name", ["utf-9", "base64", "zip", ""])
def test_unknown_encodings(name: str) -> None:
    with pytest.raises(UsageError, match="no text encoding"):
        check_encoding(name)


@pytest.mark.parametrize("before", [0, 3, 70_000])
def test_a_decoding_error_says_where(tmp_path: Path, before: int) -> None:
    head = b"text\n" + "größe\n".encode() * before
    path = write(tmp_path / "a.csv", head + b"caf\xe9 au lait\n" + b"more\n" * 50_000)
    with pytest.raises(DataError) as caught:
        read_texts(path)
    message = str(caught.value)
    assert f"a.csv: line {before + 2:,}, byte {len(head) + 3:,}: the bytes e9 20 61 75" in message
    assert "--encoding cp1252" in message


def test_a_decoding_error_at_the_end_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one\ntwo é".encode()[:-1])
    with pytest.raises(DataError, match="line 2, byte 8: the bytes c3 are not utf-8"):
        read_texts(path)


def test_a_decoding_error_names_a_likely_encoding(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text\nhello\n".encode("utf-16"))
    with pytest.raises(DataError, match="--encoding utf-16"):
        read_texts(path)
    with pytest.raises(DataError, match="spreadsheet"):
        read_texts(write(tmp_path / "b.csv", b"PK\x03\x04\xff\xff"))


def test_utf_16_that_is_cut_off_names_the_byte_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one\ntwo".encode("utf-16")[:-1])
    with pytest.raises(DataError, match=r"a\.txt: byte 14: "):
        read_texts(path, TableFormat(encoding="utf-16"))


def test_damaged_gzip(tmp_path: Path) -> None:
    whole = gzip.compress(as_delimited(",").encode() * 100)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    plain = tmp_path / "plain.csv.gz"
    plain.write_bytes(b"text\nhello\n")
    for path in (cut, plain):
        with pytest.raises(DataError, match="gzip data are damaged"):
            read_texts(path)


def test_a_cell_of_ten_megabytes(tmp_path: Path) -> None:
    big = "word " * 2_000_000
    path = write(tmp_path / "a.csv", f'text,label\n"{big}",x\nsmall,y\n')
    assert read_texts(path).texts == [big, "small"]


def test_nul_bytes_are_characters(tmp_path: Path) -> None:
    assert read_texts(write(tmp_path / "a.csv", "text\na\0b\n")).texts == ["a\0b"]


@pytest.mark.parametrize(
    ("rows", "line", "count"), [("a,x\nb\n", 3, 1), ('"a\nb",x\nc,y,z\n', 4, 3)]
)
def test_a_ragged_row_names_its_line(tmp_path: Path, rows: str, line: int, count: int) -> None:
    path = write(tmp_path / "a.csv", "text,label\n" + rows)
    with pytest.raises(DataError, match=rf"a\.csv: line {line} has {count} cells.* has 2"):
        read_texts(path)


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'text,label\nfine,x\n"open,y\nmore,z\n')
    with pytest.raises(DataError, match=r"line 3: a quote is opened and never closed.*--no-quotes"):
        read_texts(path)
    read = read_texts(path, TableFormat(quotes=False))
    assert read.texts == ["fine", '"open', "more"]


def test_text_after_a_closing_quote(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", 'text\tlabel\n"Hello" he said\tx\n')
    with pytest.raises(DataError, match=r"line 2: .*--no-quotes"):
        read_texts(path)
    assert read_texts(path, TableFormat(quotes=False)).texts == ['"Hello" he said']


def test_blank_lines(tmp_path: Path) -> None:
    several = write(tmp_path / "a.csv", "text,label\n\na,x\n\n\nb,y\n\n")
    assert read_texts(several).texts == ["a", "b"]
    one = write(tmp_path / "b.csv", "text\na\n\nb\n\n\n")
    assert read_texts(one, missing="empty").texts == ["a", None, "b"]


def test_empty_cells_are_missing_but_null_is_a_word(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'text,label\nnull,x\n"",y\nNA,z\n')
    assert read_texts(path, missing="empty").texts == ["null", None, "NA"]
    with pytest.raises(MissingTextError, match=r"missing at line 3\. .*--missing empty"):
        read_texts(path)


def test_many_missing_texts_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,label\n" + ",x\n" * 9)
    with pytest.raises(MissingTextError, match="line 6 and 4 more"):
        read_texts(path)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_empty_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="is empty"):
        read_texts(write(tmp_path / name, ""))


def test_a_header_alone_and_an_empty_text_file(tmp_path: Path) -> None:
    for path in (write(tmp_path / "a.csv", "text,label\n"), write(tmp_path / "a.txt", "")):
        with pytest.raises(DataError, match="has no rows"):
            read_texts(path)


def test_an_absent_column_lists_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,Text,label\n1,a,x\n")
    with pytest.raises(UsageError) as caught:
        read_texts(path, column="text")
    assert "no column 'text' (--text-column). Did you mean 'Text'?" in str(caught.value)
    assert "'id', 'Text', 'label'" in str(caught.value)
    with pytest.raises(UsageError, match=r"no column 'lable' \(--label-column\)"):
        read_texts(path, labels="lable")
    with pytest.raises(
        UsageError, match=r"--text-column. Did you mean 'Text'\? It has: 'id', 'Text', 'label'$"
    ):
        read_texts(path)


def test_a_column_that_is_there_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,label,text\na,x,b\n")
    with pytest.raises(UsageError, match="2 columns named 'text'"):
        read_texts(path)
    assert read_texts(path, column="label").texts == ["x"]


def test_the_only_column_is_taken_and_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "phrase,label\na,x\n")
    read = read_texts(path, labels="label")
    assert (read.text_column, read.chosen) == ("phrase", "the only other one")
    with open_table(path) as table, pytest.raises(UsageError):
        text_column(table)


def test_a_table_without_header_and_with_semicolons(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "first;x\nsecond;y\n")
    read = read_texts(path, TableFormat(delimiter=";", header=False), column="column_1")
    assert read.texts == ["first", "second"]
    with pytest.raises(UsageError, match="one character"):
        read_texts(path, TableFormat(delimiter="::"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "id;text;label\n1;a;x\n", r"a single cell with ';' in it.* --delimiter ';'; if"),
        ("a.csv", "id\ttext\n1\ta\n", r"with a tab in it.* give --delimiter '\\t'; if"),
        ("a.csv", "id|text\n1|a\n", r"with '\|' in it"),
        ("a.tsv", "id,text\n1,a\n", r"with ',' in it.* --delimiter ','"),
        ("a.csv", "sep=;\nid;text\n1;a\n", r"'sep=;', is a note to Excel.* --delimiter ';'"),
        ("a.csv", "sep=,\nid,text\n1,a\n", r"'sep=', is a note to Excel.* --delimiter ','"),
        ("a.csv", "\ufeffid;text\n1;a\n", r"single cell"),
    ],
)
def test_another_delimiter_is_no_table_of_one_column(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    # Lines with their numbers and labels would be embedded as if they were the texts.
    with pytest.raises(DataError, match=said):
        read_texts(write(tmp_path / name, content))


def test_one_column_that_has_a_semicolon_in_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "good; or bad\nfirst; text\n")
    assert read_texts(path, TableFormat(delimiter=",")).texts == ["first; text"]
    # Without names the first row is a sentence, and sentences have commas.
    sentences = write(tmp_path / "a.tsv", "good, they said\nbad, we said\n")
    assert read_texts(sentences, TableFormat(header=False)).texts[1] == "bad, we said"


def test_a_table_without_names_is_told_of_no_header(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", f"{'a long text ' * 90}\tx\nb\ty\n")
    with pytest.raises(UsageError, match="give --no-header") as caught:
        read_texts(path)
    assert len(str(caught.value)) < 500
    many = write(tmp_path / "b.csv", ",".join(f"c{i}" for i in range(3000)) + "\n")
    with pytest.raises(UsageError, match="and 2,970 more"):
        read_texts(many, column="message")


def test_a_tab_may_be_typed_as_it_is_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text\tlabel\na\tx\n")
    assert read_texts(path, TableFormat(delimiter=r"\t"), labels="label").labels == ["x"]


def test_a_blank_first_line_is_no_row_of_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "\ntext,label\na,x\n")
    with pytest.raises(DataError, match="line 1 is blank"):
        read_texts(path)


def test_names_with_spaces_around_them_are_suggested(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'text '"):
        read_texts(write(tmp_path / "a.csv", "text , label\na, x\n"))


def test_nested_values_are_no_texts_and_no_labels(tmp_path: Path) -> None:
    line = '{"text": "a", "label": ["x"], "body": {"text": "a"}, "meta": {"label": "x"}}\n'
    path = write(tmp_path / "a.jsonl", line)
    with pytest.raises(DataError, match=r"'body' holds dict .* line 1\. .*to the top first"):
        read_texts(path, column="body")
    for column, kind in (("label", "list"), ("meta", "dict")):
        with pytest.raises(DataError, match=rf"label \('{column}'\) is a {kind} at line 1"):
            read_texts(path, labels=column)
    assert read_texts(path, labels="label", convert=lambda one: one[0]).labels == ["x"]


def test_json_lines_with_absent_and_null_keys(tmp_path: Path) -> None:
    lines = '{"text": "a", "n": 1}\n\n{"n": 2}\n{"text": null}\n'
    path = write(tmp_path / "a.jsonl", lines)
    read = read_texts(path, missing="empty", keep=["n"])
    assert (read.texts, read.kept["n"]) == (["a", None, None], [1, 2, None])
    with pytest.raises(MissingTextError, match="line 3, line 4"):
        read_texts(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": "a"', r"line 2, column \d+: no valid JSON"),
        ('["a"]', r"line 2 holds a JSON array, not an object"),
        ("3", r"line 2 holds a JSON number"),
        ('{"text": "a", "text": "b"}', r"line 2: the key 'text' is there twice"),
        ("[" * 100_000, r"line 2: nested too deeply"),
        ('{"text": 3}', r"'text' holds int where texts should be, at line 2"),
    ],
)
def test_lines_that_are_no_json_objects(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_texts(write(tmp_path / "a.jsonl", f'{{"text": "fine"}}\n{line}\n'))


def test_a_json_array_is_told_from_json_lines(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="A JSON array"):
        read_texts(write(tmp_path / "a.jsonl", '[\n{"text": "a"}\n]\n'))


def test_labels_are_text_and_never_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "a", "y": 1}\n{"text": "b", "y": true}\n')
    assert read_texts(path, labels="y").labels == ["1", "True"]
    path = write(tmp_path / "b.csv", "text,y\na,1\nb,\n")
    with pytest.raises(DataError, match=r"the label \('y'\) is missing at line 3.*labels drop"):
        read_texts(path, labels="y")


def test_rows_without_a_label_are_left_out_or_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,y,n\na,1,0\n,,1\nc,,2\nd,2,3\n")
    read = read_texts(path, labels="y", keep=["n"], missing_labels="drop")
    assert (read.texts, read.labels, read.rows) == (["a", "d"], ["1", "2"], [0, 3])
    assert (read.kept, read.unlabelled) == ({"n": ["0", "3"]}, 2)
    with pytest.raises(MissingTextError, match="missing at line 3"):
        read_texts(path, labels="y", missing_labels="keep")
    read = read_texts(path, labels="y", missing_labels="keep", missing="empty")
    assert (read.labels, read.rows, read.unlabelled) == (["1", None, None, "2"], [0, 1, 2, 3], 2)
    path = write(tmp_path / "b.jsonl", '{"text": "a"}\n{"text": "b", "y": 2}\n{"text": "c"}\n')
    assert read_texts(path, labels="y", missing_labels="drop").rows == [1]
    path = write(tmp_path / "c.csv", "text,y\na,\nb,\n")
    for policy in ("drop", "keep"):
        with pytest.raises(DataError, match=r"no row has a label \('y'\)"):
            read_texts(path, labels="y", missing_labels=policy)


def test_a_missing_text_is_named_by_its_own_line_among_rows_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,y\na,\n,2\n")
    with pytest.raises(MissingTextError, match="missing at line 3"):
        read_texts(path, labels="y", missing_labels="drop")


@pytest.mark.parametrize("name", ["a", "a.xlsx", "a.json", "a.parquet.gz"])
def test_names_that_do_not_tell_the_format(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, "text\nhello\n")
    with pytest.raises(UsageError, match=r"cannot tell the format|unpack"):
        read_texts(path)
    if not name.endswith(".gz"):
        assert read_texts(path, TableFormat(format="csv")).texts == ["hello"]


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for name in ("absent.csv", "absent.parquet"):
        with pytest.raises(UsageError, match="there is no file"):
            read_texts(tmp_path / name)
    for name in ("folder.csv", "folder.parquet"):
        (tmp_path / name).mkdir()
        with pytest.raises(UsageError, match="is a folder"):
            read_texts(tmp_path / name)


def test_chunks_count_on_and_name_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text\n" + "".join(f"t{i}\n" for i in range(10)))
    with open_table(path) as table:
        chunks = list(table.chunks(["text"], 4))
    assert [chunk.start for chunk in chunks] == [0, 4, 8]
    assert [len(chunk) for chunk in chunks] == [4, 4, 2]
    assert chunks[2].columns["text"] == ["t8", "t9"]
    assert chunks[2].where(1) == "line 11"
    check_texts_present(chunks[0], "text")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt", "a.csv.gz"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    line = "x" * 1000
    head, row = {
        "csv": ("text\n", f"{line}\n"),
        "jsonl": ("", f'{{"text": "{line}"}}\n'),
        "txt": ("", f"{line}\n"),
    }[name.split(".")[1]]
    path = write(tmp_path / name, head + row * 20_000)  # 20 MB
    tracemalloc.start()
    with open_table(path) as table:
        count = sum(len(chunk) for chunk in table.chunks(["text"], 500))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 6_000_000


def read_stdin(data: bytes, how: str = "") -> subprocess.CompletedProcess[str]:
    program = (
        "from toolkit.datasets.tables import *\n"
        "from toolkit.errors import ToolkitError\n"
        f"try: print(read_texts('-', TableFormat({how})).texts)\n"
        "except ToolkitError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return subprocess.CompletedProcess([], 0, done.stdout.decode(), done.stderr.decode())


def test_standard_input() -> None:
    assert read_stdin("a, b\nç\n".encode()).stdout == "['a, b', 'ç']\n"
    assert read_stdin(b"text,label\na,x\n", "format='csv'").stdout == "['a']\n"
    assert "standard input: line 2, byte 2" in read_stdin(b"a\n\xff\n").stdout
    assert "Parquet cannot be read from standard input" in read_stdin(b"", "'parquet'").stdout


def test_standard_input_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"a\nb\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    with open_lines("-") as lines:
        assert next(lines) == "a\n"
    assert not stdin.buffer.closed


def test_parquet_numbers_and_nulls(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns: dict[str, Any] = {
        "text": pa.array(["a", None, "b"]).dictionary_encode(),
        "n": [1.5, None, 2.5],
    }
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table(columns), path)
    read = read_texts(path, missing="empty", keep=["n"])
    assert (read.texts, read.kept["n"]) == (["a", None, "b"], [1.5, None, 2.5])
    with pytest.raises(MissingTextError, match="row 2"):
        read_texts(path)
    with pytest.raises(DataError, match="float where texts should be, at row 1, row 3"):
        read_texts(path, column="n", missing="empty")
