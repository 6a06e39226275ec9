"""Several processes on one cache: writers, readers, kills and forks."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cache.making import PROMPT, check_by_hand, identity_of, keys_of, vectors_of
from tests.cache.outside import finish, start
from toolkit.cache import EmbeddingCache, Space, connections
from toolkit.errors import CacheError

MOST_AT_ONCE = 27  # of what the workers put

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@pytest.fixture
def space(tmp_path: Path) -> Space:
    return Space.create(tmp_path / "space", identity_of())


def test_writers_of_the_same_keys_and_a_reader(space):
    reader = start("read", space.path, 600)
    assert reader.stdout.readline() == "begun\n"
    writers = [start("write", space.path, seed, 600) for seed in range(8)]
    for writer in writers:
        assert sorted(map(int, finish(writer).split())) == list(range(600))
    assert int(finish(reader)) == 600
    assert len(check_by_hand(space.path)) == 600  # none lost, none twice
    rows = (space.path / "vectors.f32").stat().st_size / (4 * space.dimension)
    assert 600 <= rows <= 600 + MOST_AT_ONCE  # the last to come may have left what others had


def test_killed_at_any_moment(space):
    """What was acknowledged is there and right, and the next writer goes on."""
    draw = random.Random(1)
    everything: set[int] = set()
    for round_ in range(5):
        writers = [start("write", space.path, 10 * round_ + i, 100_000) for i in range(3)]
        acknowledged: set[int] = set()
        for writer in writers:  # all are at work
            acknowledged.update(map(int, writer.stdout.readline().split()))
        time.sleep(draw.uniform(0.0, 0.15))
        for writer in writers:
            writer.kill()
        for writer in writers:
            for line in writer.stdout:
                if line.endswith("\n"):  # the kill may tear the last one
                    acknowledged.update(map(int, line.split()))
            writer.communicate()
        wanted = keys_of(acknowledged)
        vectors, found = space.get(wanted)
        assert found.all()
        assert np.array_equal(vectors, vectors_of(wanted))
        keys = keys_of([f"after {round_}"])
        assert space.put(keys, vectors_of(keys), PROMPT) == 1
        everything |= acknowledged
    stored = check_by_hand(space.path)
    assert set(keys_of(everything).tolist()) <= stored.keys()
    assert len(everything) > 100


@forks
@pytest.mark.slow
def test_two_hundred_writers_killed_at_any_moment(tmp_path):
    """Four at a time: verify is clean, what was acknowledged is right, the next write works."""
    out = finish(start("kill_writers", tmp_path / "cache", 200, "durability"))
    killed, acknowledged = map(int, out.split())
    assert killed >= 200
    assert acknowledged > 100
    (space,) = EmbeddingCache(tmp_path / "cache").spaces()
    assert len(check_by_hand(space.path)) >= acknowledged


def test_one_space_for_all_who_ask_at_once(tmp_path):
    processes = [start("resolve", tmp_path / "cache") for _ in range(5)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("now\n")
        process.stdin.flush()
    found = {finish(process) for process in processes}
    assert len(found) == 1
    assert len(EmbeddingCache(tmp_path / "cache").spaces()) == 1


@forks
def test_fork_after_open(space):
    assert finish(start("fork", space.path)).split() == ["0"] * 4
    assert len(check_by_hand(space.path)) == 50 + 5 * 200


@forks
def test_fork_among_busy_threads(space):
    assert finish(start("fork_among_threads", space.path)).strip() == "True []"
    assert len(check_by_hand(space.path)) == 50 + 13 * 200


@forks
def test_a_fork_in_the_middle_of_ones_own_use_does_not_wait_for_itself(space):
    script = """
import os, sys
from toolkit.cache.connections import reading
from pathlib import Path
with reading(Path(sys.argv[1]) / "index.sqlite"):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    print(os.waitpid(pid, 0)[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", script, space.path],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "0"


def test_an_ended_process_leaves_index_and_matrix_alone(tmp_path):
    out = finish(start("leave_nothing", tmp_path / "cache"))
    assert "index.sqlite-wal" in out
    (folder,) = (tmp_path / "cache" / "spaces").iterdir()
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["index.sqlite", "usage.sqlite", "vectors.f32"]
    assert len(check_by_hand(folder)) == 5


# --- connections ---------------------------------------------------------------------------------


def test_connections_are_kept_and_bounded(tmp_path, monkeypatch):
    connections.close_free()
    monkeypatch.setattr(connections, "MOST_FREE", 3)
    spaces = [Space.create(tmp_path / str(i), identity_of()) for i in range(6)]
    assert len(connections._free) == 3
    with connections.reading(spaces[-1].path / "index.sqlite") as first:
        pass
    with connections.reading(spaces[-1].path / "index.sqlite") as second:
        assert second is first
        with connections.reading(spaces[-1].path / "index.sqlite") as third:
            assert third is not second


def test_an_error_undoes_what_was_begun(space):
    file = space.path / "index.sqlite"

    def fail() -> None:
        with connections.writing(file) as connection:
            connection.execute("DELETE FROM meta")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Space(space.path).identity == identity_of()
    with connections.writing(file) as connection:  # the lock is free again
        connection.execute("SELECT 1")


def test_a_lock_held_too_long_is_an_error(space, monkeypatch):
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.1)
    connections.close_free()
    file = space.path / "index.sqlite"
    keys = keys_of("a")
    with connections.writing(file):
        with pytest.raises(CacheError, match="locked by another process"):
            space.put(keys, vectors_of(keys), PROMPT)
        assert space.lookup(keys).tolist() == [-1]  # readers do not wait
    assert space.put(keys, vectors_of(keys), PROMPT) == 1
