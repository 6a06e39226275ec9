"""A commit that is in the log and was never announced: nobody may build on the ground it left."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cache.making import DIMENSION, check_by_hand, identity_of, keys_of
from tests.cache.outside import finish, posix, run, start
from toolkit.cache import EmbeddingCache, compaction, connections, settling
from toolkit.errors import CacheError

ROW = 4 * DIMENSION
FIRST = ["1", "2", "3"]
BATCH = [str(name) for name in range(100, 127)]


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "cache")


@pytest.fixture
def folder(cache: EmbeddingCache) -> Path:
    """A space of three rows that no process has open."""
    space, _ = cache.resolve(identity_of())
    finish(start("put", space.path, *FIRST))
    connections.close_free()
    return space.path


@pytest.fixture
def other(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process at work in the space: the shared memory lives as long as it does."""
    process = start("hold", folder)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


@contextlib.contextmanager
def never_announced(folder: Path) -> Iterator[None]:
    """What other processes commit in the block is in the log, as if killed before they said so.

    A commit writes and flushes the log, then the shared memory, which is put back here. This
    process must have no connection of its own: to close the file would give its locks away.
    """
    shared = folder / "index.sqlite-shm"
    before = shared.read_bytes()
    yield
    with shared.open("r+b") as file:
        file.write(before)


def end(process: subprocess.Popen[str], *, kill: bool = True) -> None:
    """Kill a process, or wait until it has killed itself.

    When the last one that has the space open was killed, the next one reads the log anew.
    """
    if kill:
        process.kill()
    _, err = process.communicate()
    assert process.returncode == -signal.SIGKILL, err


def names_in(folder: Path) -> set[str]:
    rows = check_by_hand(folder)
    known = ["a", "b", *FIRST, *BATCH]
    return {name for name, key in zip(known, keys_of(known).tolist(), strict=True) if key in rows}


@posix
def test_such_a_commit_is_found_when_all_have_ended(folder, other):
    with never_announced(folder):
        finish(start("put", folder, "a", "b"))
    assert run("print(len(Space(sys.argv[1])))", folder).split() == ["3"]
    end(other)
    assert names_in(folder) == {*FIRST, "a", "b"}


@posix
def test_its_rows_are_not_overwritten_by_one_who_is_killed_too(cache, folder, other):
    with never_announced(folder):
        finish(start("put", folder, "a", "b"))
    end(start("put_and_die_flushing", folder, *BATCH), kill=False)
    end(other)
    assert not cache.verify()[0].damaged
    assert names_in(folder) == {*FIRST}
    assert (folder / "vectors.f32").stat().st_size > 3 * ROW, "the killed one wrote its rows"
    finish(start("put", folder, *BATCH, "a"))
    assert names_in(folder) == {*FIRST, *BATCH, "a"}


@posix
def test_the_next_writer_goes_on_from_what_is_known(folder, other):
    with never_announced(folder):
        finish(start("put", folder, "a", "b"))
    finish(start("put", folder, *BATCH))
    end(other)
    assert names_in(folder) == {*FIRST, *BATCH}


@posix
def test_its_rows_are_not_cut_off_by_a_repair(cache, folder, other):
    with never_announced(folder):
        finish(start("put", folder, "a", "b"))
    out = run("print(EmbeddingCache(sys.argv[1]).repair()[0].cut_bytes)", cache.path)
    assert int(out) == 2 * ROW
    end(other)
    assert not cache.verify()[0].damaged
    assert names_in(folder) == {*FIRST}


@posix
def test_the_matrix_of_a_pruning_is_not_deleted_while_its_commit_may_be_found(cache, folder, other):
    finish(start("put", folder, *BATCH, *map(str, range(200, 300))))
    with never_announced(folder):
        end(start("prune_and_die_committed", cache.path, "80kB"), kill=False)
        assert len(list(folder.glob("vectors*"))) == 2
    run("EmbeddingCache(sys.argv[1]).prune(max_bytes='1GB')", cache.path)
    end(other)
    assert not cache.verify()[0].damaged
    assert names_in(folder) == {*FIRST, *BATCH}
    assert [file.name for file in folder.glob("vectors*")] == ["vectors.f32"]


def test_a_pruning_whose_commit_fails_may_have_been_committed(cache, folder, monkeypatch):
    """SQLite may say that a commit failed after it was written: what counts is what is found."""

    @contextlib.contextmanager
    def writing(file):
        with connections.writing(file) as connection:
            yield connection
        raise CacheError("disk I/O error")

    finish(start("put", folder, *map(str, range(200, 300))))
    monkeypatch.setattr(compaction, "writing", writing)
    with pytest.raises(CacheError, match="disk I/O"):
        cache.prune(max_bytes="80kB")
    monkeypatch.undo()
    assert [file.name for file in folder.glob("vectors*")] == ["vectors-1.f32"]
    assert not cache.verify()[0].damaged
    assert 0 < len(check_by_hand(folder)) < 103


def test_settled_again_if_somebody_else_came_between(folder, monkeypatch):
    """Who came between may have written rows and been killed in its commit."""
    with (folder / "vectors.f32").open("ab") as file:
        file.write(bytes(ROW))
    calls = []

    def settle(path):
        calls.append(real(path))
        if len(calls) == 1:
            real(path)  # somebody else
        return calls[-1]

    real = settling.settle
    monkeypatch.setattr(settling, "settle", settle)
    with settling.writing_rows(folder, DIMENSION) as (_, name, rows):
        assert (name, rows) == ("vectors.f32", 3)
    assert calls == [1, 3]


def test_nothing_is_settled_where_nothing_lies_behind_the_last_row(folder, monkeypatch):
    monkeypatch.setattr(settling, "settle", lambda _: pytest.fail("not needed"))
    with settling.writing_rows(folder, DIMENSION) as (_, _, rows):
        assert rows == 3
