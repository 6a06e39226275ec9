"""A folder that knows which of its files it made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit.datasets.output_folder import OutputFolder
from toolkit.errors import UsageError


def make(path: Path, *, force: bool = False) -> OutputFolder:
    return OutputFolder(path, "toolkit test", force=force)


def test_its_own_files_are_cleared_and_others_stay(tmp_path: Path) -> None:
    folder = make(tmp_path / "out")
    for name in ("a.txt", "sub/b.txt", "sub/deep/c.txt"):
        folder.claim(name).write_text("made")
    (tmp_path / "out" / "sub" / "mine.txt").write_text("mine")
    again = make(tmp_path / "out")
    again.clear()
    left = {path.relative_to(tmp_path / "out").as_posix() for path in again.path.rglob("*")}
    assert left == {".toolkit-test.json", "sub", "sub/mine.txt"}
    again.claim("a.txt").write_text("made again")


def test_a_file_of_others_is_not_claimed(tmp_path: Path) -> None:
    folder = make(tmp_path / "out")
    folder.claim("a.txt").write_text("made")
    (tmp_path / "out" / "b.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"b\.txt' was not made by `toolkit test`"):
        make(tmp_path / "out").claim("b.txt")
    make(tmp_path / "out", force=True).claim("b.txt")


def test_a_name_is_noted_before_the_file_is_there(tmp_path: Path) -> None:
    make(tmp_path / "out").claim("a.txt")
    noted = json.loads((tmp_path / "out" / ".toolkit-test.json").read_text())
    assert noted == {"made by": "toolkit test", "files": ["a.txt"]}
    (tmp_path / "out" / "a.txt").write_text("half of it")  # and then the run was interrupted
    again = make(tmp_path / "out")
    again.clear()
    again.claim("a.txt").write_text("all of it")


def test_an_empty_folder_is_as_good_as_none_and_a_foreign_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    make(tmp_path / "empty").claim("a.txt")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="--force to add to it"):
        make(tmp_path / "foreign")
    forced = make(tmp_path / "foreign", force=True)
    forced.clear()
    forced.claim("a.txt").write_text("made")
    assert (tmp_path / "foreign" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["../outside.txt", "/{tmp}/outside.txt", "link/outside.txt"])
def test_a_list_that_leads_out_of_the_folder_deletes_nothing(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / "link").symlink_to(tmp_path)
    files = [name.replace("/{tmp}", str(tmp_path))]
    (out / ".toolkit-test.json").write_text(json.dumps({"files": files}))
    make(out).clear()
    assert outside.read_text() == "mine"


@pytest.mark.parametrize("content", ["", "[]", '{"files": 3}', '{"files": [3, null]}', "\xff"])
def test_a_damaged_list_claims_nothing(tmp_path: Path, content: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".toolkit-test.json").write_text(content, encoding="latin-1")
    (out / "a.txt").write_text("whose?")
    folder = make(out)
    folder.clear()
    with pytest.raises(UsageError):
        folder.claim("a.txt")
    assert (out / "a.txt").read_text() == "whose?"
