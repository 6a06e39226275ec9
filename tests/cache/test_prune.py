"""Pruning: what goes, what stays, beside readers and writers, and killed in the middle."""

import os
import random
import shutil
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.cache.making import DIMENSION, PROMPT, check_by_hand, identity_of, keys_of, vectors_of
from tests.cache.outside import finish, posix, run, start
from toolkit.cache import EmbeddingCache, Space, compaction, connections, usage
from toolkit.errors import CacheCorruptedError, CacheError, RowsMovedError, UsageError

ROW = 4 * DIMENSION
DAY = 20_000


class Clock:
    """The day it is."""

    def __init__(self) -> None:
        self.day = DAY

    def __call__(self) -> int:
        return self.day


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(usage, "today", clock)
    return clock


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "cache")


@pytest.fixture
def space(cache: EmbeddingCache) -> Space:
    return cache.resolve(identity_of())[0]


def put(space: Space, names: object) -> int:
    keys = keys_of(names)
    return space.put(keys, vectors_of(keys), PROMPT)


def there(space: Space, names: object) -> list[int]:
    """Return which names are there, after a look whether their vectors are right."""
    names = list(names)
    vectors, found = space.get(keys_of(names))
    assert np.array_equal(vectors, vectors_of(keys_of(names)[found]))
    return [name for name, here in zip(names, found, strict=True) if here]


# --- by age --------------------------------------------------------------------------------------


def test_what_was_not_used_goes(cache, space, clock):
    put(space, range(300))
    clock.day += 10
    put(space, range(300, 400))  # begins in the last block of those before
    space.get(keys_of([130]))
    clock.day += 20
    (done,) = cache.prune(older_than=20)
    # Blocks of 64: the third was read, the fifth has rows that were stored later.
    left = [*range(128, 192), *range(256, 400)]
    assert (done.space, done.removed, done.kept) == (space.id, 192, 208)
    assert done.last_used == DAY
    assert done.bytes_after < done.bytes_before
    assert sorted(check_by_hand(space.path)) == sorted(keys_of(left).tolist())
    assert (space.path / "vectors-1.f32").stat().st_size == 208 * ROW
    assert not (space.path / "vectors.f32").exists()
    assert there(space, range(400)) == left
    assert put(space, range(400)) == 192
    assert there(Space(space.path), range(400)) == list(range(400))
    check_by_hand(space.path)
    assert not cache.verify()[0].damaged


@pytest.mark.parametrize("age", [20, "20d", timedelta(days=20, hours=5)])
def test_older_means_more_days_ago(cache, space, clock, age):
    put(space, range(10))
    clock.day += 20
    assert cache.prune(older_than=age)[0].removed == 0
    clock.day += 1
    assert cache.prune(older_than=age)[0].removed == 10
    assert len(space) == 0
    assert cache.prune(older_than=0)[0].removed == 0
    assert put(space, range(10)) == 10
    assert len(check_by_hand(space.path)) == 10


@pytest.mark.parametrize("use", ["get", "read", "matrix", "export", "put"])
def test_every_use_counts(cache, space, clock, use, tmp_path):
    put(space, range(200))
    clock.day += 100
    if use == "get":
        space.get(keys_of(range(200)), 16)
    elif use == "read":
        space.read(space.lookup(keys_of(range(200))))
    elif use == "matrix":
        cache.matrix()
    elif use == "export":
        cache.export(tmp_path / "pack.safetensors")
    else:
        put(space, range(200, 260))  # rows of the last block and of a new one
    removed = 192 if use == "put" else 0
    assert cache.prune(older_than=99)[0].removed == removed


def test_looking_after_a_cache_is_no_use_of_it(cache, space, clock):
    put(space, range(200))
    clock.day += 100
    cache.verify()
    cache.stats()
    space.lookup(keys_of(range(200)))
    assert cache.prune(older_than=99)[0].removed == 200


def test_days_are_kept_through_a_pruning(cache, space, clock):
    for number in range(5):
        put(space, range(64 * number, 64 * number + 64))
        clock.day += 10
    for older_than, kept in ((45, 256), (35, 192), (35, 192), (15, 64)):
        cache.prune(older_than=older_than)
        assert len(space) == kept
    assert there(space, range(320)) == list(range(256, 320))


def test_nothing_known_is_the_day_of_the_last_write(cache, space, clock):
    put(space, range(200))
    usage.flush()
    (space.path / "usage.sqlite").unlink()
    written = DAY * 86_400 - 3 * 86_400
    os.utime(space.path / "vectors.f32", (written, written))
    usage._spaces.clear()
    assert cache.prune(older_than=3)[0].removed == 0
    assert cache.prune(older_than=2)[0].removed == 200


def test_a_clock_that_was_wrong_keeps_nothing_for_ever(cache, space, clock):
    clock.day += 20_000
    put(space, range(10))
    clock.day = DAY
    usage.flush()
    usage._spaces.clear()
    clock.day += 1
    assert cache.prune(older_than=0)[0].removed == 0, "as if used today"
    usage.note_rows(space.path, space.lookup(keys_of([0])))
    usage.flush()
    clock.day += 1
    assert cache.prune(older_than=0)[0].removed == 10


# --- by size -------------------------------------------------------------------------------------


def test_down_to_a_size_the_oldest_first(cache, clock):
    spaces = [cache.resolve(identity_of(name))[0] for name in ("one", "two")]
    for number, space in enumerate(spaces):
        clock.day = DAY + number
        put(space, range(2000))
    clock.day = DAY + 2
    there(spaces[0], range(1000, 1100))
    before = sum(row["bytes"] for row in cache.stats())
    for part in (0.8, 0.55, 0.3):
        limit = int(before * part)
        cache.prune(max_bytes=limit)
        after = sum(row["bytes"] for row in cache.stats())
        assert 0.8 * limit < after <= limit
        for space in spaces:
            check_by_hand(space.path)
    assert set(range(1000, 1100)) <= set(there(spaces[0], range(2000)))
    assert len(spaces[0]) == 3 * 64
    assert cache.prune(max_bytes="1GB")[0].removed == 0
    assert sum(done.removed for done in cache.prune(max_bytes=0)) > 0
    assert [len(space) for space in spaces] == [0, 0]


def test_of_one_space_only(cache, clock):
    spaces = [cache.resolve(identity_of(name))[0] for name in ("one", "two")]
    for space in spaces:
        put(space, range(100))
    clock.day += 50
    (done,) = cache.prune(older_than="30d", space=spaces[0])
    assert (done.space, done.removed, done.deleted) == (spaces[0].id, 100, False)
    assert [len(space) for space in spaces] == [0, 100]


def test_age_and_size_together(cache, space, clock):
    put(space, range(640))
    clock.day += 50
    put(space, range(640, 1280))
    size = cache.stats()[0]["bytes"]
    assert cache.prune(older_than=40, max_bytes=size)[0].removed == 640
    assert len(space) == 640


# --- whole spaces --------------------------------------------------------------------------------


def test_a_space_is_deleted(cache, space):
    other, _ = cache.resolve(identity_of("two"))
    put(space, range(5))
    (done,) = cache.prune(space=space.id)
    assert (done.removed, done.kept, done.deleted, done.bytes_after) == (5, 0, True, 0)
    assert [left.id for left in cache.spaces()] == [other.id]
    assert [f.name for f in (cache.path / "spaces").iterdir()] == [other.id]
    with pytest.raises(CacheError, match="no embedding cache"):
        put(space, range(5))


@pytest.mark.parametrize("damage", ["index", "format", "lost"])
def test_a_space_that_cannot_be_opened(cache, space, damage):
    put(space, range(2000))
    other, _ = cache.resolve(identity_of("two"))
    index = space.path / "index.sqlite"
    connections.close_free()  # what is in the write-ahead log would mend it
    if damage == "index":
        index.write_bytes(b"not a database" * 100)
    elif damage == "lost":
        index.unlink()
    else:
        script = "import sqlite3; c = sqlite3.connect(sys.argv[1])\n"
        script += "c.execute(\"UPDATE meta SET value = 9 WHERE key = 'format'\"); c.commit()"
        run(script, index)
    put(other, range(5))
    cache.prune(max_bytes=120_000)
    assert len(other) == 5, "sound vectors do not go for damaged ones"
    done = {found.space: found for found in cache.prune(max_bytes=0)}
    assert done[space.id].error
    assert done[space.id].kept is None
    assert done[other.id].error is None
    assert space.path.is_dir(), "it is not deleted on its own"
    cache.prune(space=space.id)
    assert not space.path.exists()


def test_what_an_interrupted_deletion_left(cache, space):
    put(space, range(5))
    shutil.copytree(space.path, space.path.with_name(".removed-abc"))
    assert [found.id for found in cache.spaces()] == [space.id]
    cache.repair()
    assert not space.path.with_name(".removed-abc").exists()


# --- questions and refusals ----------------------------------------------------------------------


@pytest.mark.parametrize("how", [{"older_than": 0}, {"max_bytes": 0}, {"space": "emb"}])
def test_a_dry_run_changes_nothing(cache, space, clock, how):
    put(space, range(2000))
    clock.day += 1
    usage.flush()
    # But for the memory that SQLite's readers share.
    names = [file for file in space.path.iterdir() if not file.name.endswith("-shm")]
    content = [file.read_bytes() for file in names]
    (said,) = cache.prune(**how, dry_run=True)
    assert [file.read_bytes() for file in names] == content
    (done,) = cache.prune(**how)
    assert said.removed == done.removed == 2000
    assert (said.kept, said.deleted) == (done.kept, done.deleted)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, "say what to prune"),
        ({"max_bytes": "2 gigabytes"}, "not a size"),
        ({"max_bytes": -1}, "not a size"),
        ({"max_bytes": True}, "not a size"),
        ({"older_than": "a month"}, "not an age"),
        ({"older_than": "30m"}, "not an age"),
        ({"older_than": -1}, "not an age"),
        ({"older_than": timedelta(days=-1)}, "not an age"),
    ],
)
def test_what_is_not_clear_is_refused(cache, space, how, words):
    with pytest.raises(UsageError, match=words):
        cache.prune(**how)
    assert space.path.is_dir()


def test_a_space_that_is_not_there(cache, space):
    with pytest.raises(CacheError, match="no vector spaces"):
        cache.prune(space="qwen")
    assert EmbeddingCache(cache.path / "none").prune(max_bytes=0) == []
    with pytest.raises(CacheError, match="no vector spaces"):
        EmbeddingCache(cache.path / "none").prune(space="")


def test_a_damaged_row_stops_it(cache, space, clock):
    put(space, range(640))
    clock.day += 5
    there(space, range(64, 640))
    with (space.path / "vectors.f32").open("r+b") as file:
        file.seek(100 * ROW)
        file.write(b"\0\0\0\0")
    with pytest.raises(CacheCorruptedError, match="nothing was pruned"):
        cache.prune(older_than=1)
    assert len(space) == 640
    assert not (space.path / "vectors-1.f32").exists()
    cache.repair()
    (repaired,) = cache.spaces()
    assert len(repaired) == 639


@posix
def test_a_disk_without_place_for_the_copy(cache, space):
    put(space, range(2000))
    script = """
import resource
from toolkit.errors import CacheError, CacheCorruptedError
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
cache = EmbeddingCache(sys.argv[1])
try:
    cache.prune(max_bytes=1_200_000)
except CacheError as error:
    assert not isinstance(error, CacheCorruptedError)
    print(error)
"""
    assert "disk is full" in run(script, cache.path)
    assert len(check_by_hand(space.path)) == 2000
    assert not (space.path / "vectors-1.f32").exists()


# --- others at work ------------------------------------------------------------------------------


def test_rows_that_were_looked_up_before_are_never_others(cache, space, clock):
    put(space, range(128))
    clock.day += 5
    put(space, range(128, 256))
    rows = space.lookup(keys_of(range(256)))
    cache.prune(older_than=1)
    for asked in (rows, rows[:1], rows[128:], rows[[0, 255]]):
        with pytest.raises(RowsMovedError, match="look their keys up again"):
            space.read(asked)
    again = space.lookup(keys_of(range(256)))
    assert (again >= 0).tolist() == [False] * 128 + [True] * 128
    mixed = np.concatenate([again[128:], rows[:1]])
    with pytest.raises(RowsMovedError):
        space.read(mixed)
    assert np.array_equal(space.read(again[128:]), vectors_of(keys_of(range(128, 256))))
    with pytest.raises(IndexError):  # the matrix has other rows now, and its numbers are no rows
        space.matrix()[again[128:]]


def test_pruned_between_looking_up_and_reading(cache, space, clock, monkeypatch):
    put(space, range(256))
    clock.day += 5
    there(space, range(128, 256))
    read = Space.read

    def read_late(self, rows, dimensions=None):
        monkeypatch.setattr(Space, "read", read)
        cache.prune(older_than=1)
        return self.read(rows, dimensions)

    monkeypatch.setattr(Space, "read", read_late)
    assert there(space, range(256)) == list(range(128, 256))


def test_written_and_pruned_and_read_by_many(cache, space):
    put(space, range(600))
    reader = start("find_or_miss", cache.path, 600)
    assert reader.stdout.readline() == "begun\n"
    writers = [start("write", space.path, seed, 600) for seed in range(3)]
    pruner = start("prune", cache.path, 25)
    for writer in writers:
        finish(writer)
    assert "done" in finish(pruner)
    finish(reader)
    stored = check_by_hand(space.path)
    assert set(stored) <= set(keys_of(range(600)).tolist())
    assert not cache.verify()[0].damaged
    put(space, range(600))
    assert len(check_by_hand(space.path)) == 600


def test_what_was_stored_while_it_was_pruned_stays(cache, space, clock, monkeypatch):
    put(space, range(300))
    clock.day += 5
    there(space, range(64, 128))
    copy = compaction._copy

    def copy_late(connection, removal, source, target, begin, end):
        monkeypatch.setattr(compaction, "_copy", copy)
        put(space, range(300, 500))  # in the middle of the first copy
        copy(connection, removal, source, target, begin, end)

    monkeypatch.setattr(compaction, "_copy", copy_late)
    cache.prune(older_than=1)
    left = [*range(64, 128), *range(300, 500)]
    assert there(space, range(500)) == left
    assert len(check_by_hand(space.path)) == len(left)
    clock.day += 1
    assert cache.prune(older_than=0)[0].removed == len(left)


@posix
@pytest.mark.slow
def test_killed_in_the_middle(cache, space):
    draw = random.Random(3)
    put(space, range(3000))
    for _ in range(10):
        put(space, range(3000))
        before = set(check_by_hand(space.path))
        process = start("prune", cache.path, 4)
        process.stdout.readline()
        time.sleep(draw.uniform(0.0, 0.12))
        process.kill()
        process.communicate()
        after = check_by_hand(space.path)
        assert set(after) <= before
        assert len(after) > 1000, "more than was to be pruned"
        assert there(space, range(3000))
        assert not cache.verify()[0].damaged
    cache.prune(max_bytes="1GB")
    assert len(list(space.path.glob("vectors*.f32"))) == 1, "what a killed one left is removed"
    assert len(check_by_hand(space.path)) > 1000
