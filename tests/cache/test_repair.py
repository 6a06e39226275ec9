"""What is damaged is found and named; what is sound is kept; nothing is deleted."""

import os
import re
import shutil
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.cache.making import DIMENSION, PROMPT, check_by_hand, identity_of, keys_of, vectors_of
from toolkit.cache import EmbeddingCache, Space, SpaceReport, verify
from toolkit.errors import CacheCorruptedError, CacheError

ROW = 4 * DIMENSION
COUNT = 50


def put(space: Space, names: object) -> int:
    keys = keys_of(names)
    return space.put(keys, vectors_of(keys), PROMPT)


def have(space: Space, names: object) -> list[bool]:
    keys = keys_of(names)
    vectors, found = space.get(keys)
    assert np.array_equal(vectors, vectors_of(keys[found]))
    return found.tolist()


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(verify, "AT_ONCE", 16)


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "cache")


@pytest.fixture
def space(cache: EmbeddingCache) -> Space:
    space, _ = cache.resolve(identity_of())
    put(space, range(COUNT))
    other = keys_of(["another prompt"])
    space.put(other, vectors_of(other), "title: {title} | text: {text}")
    return space


def edit(space: Space, *sql: str) -> None:
    connection = sqlite3.connect(space.path / "index.sqlite")
    with connection:
        for one in sql:
            connection.execute(one)
    connection.close()


def flip(space: Space, row: int, column: int = 5) -> None:
    with (space.path / "vectors.f32").open("r+b") as file:
        file.seek(row * ROW + 4 * column)
        value = file.read(1)[0] ^ 4
        file.seek(row * ROW + 4 * column)
        file.write(bytes([value]))


def only(reports: list[SpaceReport]) -> SpaceReport:
    (report,) = reports
    return report


def test_a_sound_cache(cache, space):
    before = {file.name: file.read_bytes() for file in space.path.iterdir()}
    report = only(cache.verify())
    assert (report.damaged, report.rows, report.good) == (False, COUNT + 1, COUNT + 1)
    (done,) = cache.repair()
    assert (done.kept, done.lost, done.moved_to, done.new_space) == (COUNT + 1, 0, None, None)
    assert not (cache.path / "damaged").exists()
    assert before["vectors.f32"] == (space.path / "vectors.f32").read_bytes()
    assert EmbeddingCache(cache.path / "none").verify() == []
    assert EmbeddingCache(cache.path / "none").repair() == []


def test_a_torn_tail_is_no_damage_and_is_cut_off(cache, space):
    with (space.path / "vectors.f32").open("ab") as file:
        file.write(b"\xff" * (ROW + 7))
    report = only(cache.verify())
    assert (report.damaged, report.tail_bytes) == (False, ROW + 7)
    assert cache.repair()[0].cut_bytes == ROW + 7
    assert only(cache.verify()).tail_bytes == 0
    assert put(space, [99]) == 1
    assert all(have(space, [*range(COUNT), 99]))


def test_flipped_bits(cache, space):
    for row in (0, 17, 18, COUNT - 1):
        flip(space, row, column=row * 3)
    report = only(cache.verify())
    assert report.damaged
    assert [row for row, _ in report.bad_rows] == [0, 17, 18, COUNT - 1]
    assert dict(report.reasons) == {"not what was stored: its checksum differs": 4}
    with pytest.raises(CacheCorruptedError, match="toolkit cache repair"):
        space.get(keys_of([17]))
    (done,) = cache.repair()
    assert (done.kept, done.lost) == (COUNT + 1 - 4, 4)
    new = cache.space(done.new_space)
    lost = {0, 17, 18, COUNT - 1}
    assert have(new, range(COUNT)) == [name not in lost for name in range(COUNT)]
    assert len(check_by_hand(new.path)) == COUNT - 3
    assert new.counts() == {PROMPT: COUNT - 4, "title: {title} | text: {text}": 1}
    assert new.identity == space.identity
    assert new.sightings() == [identity_of().with_canary(None)]
    assert cache.find(identity_of()).id == new.id
    # The damaged folder is there as it was, and the old name leads nowhere.
    assert done.moved_to.parent == cache.path / "damaged"
    assert re.match(r"\d{4}-\d\d-\d\d", done.moved_to.name)
    assert (done.moved_to / "vectors.f32").stat().st_size == (COUNT + 1) * ROW
    with pytest.raises(CacheError):
        space.get(keys_of([1]))
    with pytest.raises(CacheError):
        put(space, [1234])
    assert put(new, lost) == 4
    assert [report.damaged for report in cache.verify()] == [False]
    assert cache.repair()[0].moved_to is None


@pytest.mark.parametrize("rows", [0, 1, 30])
def test_a_truncated_matrix(cache, space, rows):
    os.truncate(space.path / "vectors.f32", rows * ROW + rows)
    report = only(cache.verify())
    assert report.reasons == {"behind the end of the matrix": COUNT + 1 - rows}
    (done,) = cache.repair()
    assert (done.kept, done.lost) == (rows, COUNT + 1 - rows)
    if rows:
        assert have(cache.space(""), range(COUNT)) == [name < rows for name in range(COUNT)]
    else:
        assert cache.spaces() == []
    assert (done.moved_to / "index.sqlite").is_file()


def test_lost_files(cache, space):
    (space.path / "vectors.f32").unlink()
    assert "is not there" in only(cache.verify()).problems[0]
    second, _ = cache.resolve(identity_of("two"))
    (second.path / "index.sqlite").unlink()
    assert [report.damaged for report in cache.verify()] == [True, True]
    assert all(done.moved_to.is_dir() for done in cache.repair())
    assert cache.verify() == []
    assert len(list((cache.path / "damaged").iterdir())) == 2


@pytest.mark.parametrize(
    ("sql", "lost"),
    [
        ("DELETE FROM entries WHERE row IN (3, 20)", 2),
        ("UPDATE entries SET key = 'text' WHERE row = 4", 1),
        ("UPDATE entries SET checksum = x'00' WHERE row = 4", 1),
        ("UPDATE entries SET prompt = 99 WHERE row = 4", 1),
        ("UPDATE meta SET value = '../x' WHERE key = 'matrix'", 0),
        ("DROP TABLE sightings", 0),
    ],
)
def test_an_index_that_contradicts_itself(cache, space, sql, lost):
    edit(space, sql)
    assert only(cache.verify()).damaged
    (done,) = cache.repair()
    assert done.kept == COUNT + 1 - lost
    assert sum(have(cache.space(""), [*range(COUNT), "another prompt"])) == COUNT + 1 - lost
    assert not only(cache.verify()).damaged


def test_vectors_that_never_should_have_been_stored(cache, space):
    """A checksum that agrees does not make a vector."""
    bad = np.full((1, DIMENSION), np.nan, dtype="<f4")
    sums = verify.row_checksums(bad).astype("<u4").tobytes().hex()
    edit(space, f"UPDATE entries SET checksum = x'{sums}' WHERE row = 7")
    with (space.path / "vectors.f32").open("r+b") as file:
        file.seek(7 * ROW)
        file.write(bad.tobytes())
    assert only(cache.verify()).bad_rows == [(7, "not finite or not of length 1")]


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_index_file_never_costs_the_folder_or_gives_a_wrong_vector(cache, space, seed):
    draw = np.random.default_rng(seed)
    edit(space, "PRAGMA wal_checkpoint(TRUNCATE)")
    file = space.path / "index.sqlite"
    data = bytearray(file.read_bytes())
    start = int(draw.integers(0, len(data)))
    length = min(int(draw.integers(1, 3000)), len(data) - start)
    data[start : start + length] = draw.bytes(length)
    shutil.copytree(space.path, cache.path / "before")
    file.write_bytes(data)
    (cache.path / "before" / "index.sqlite").write_bytes(data)
    damaged = only(cache.verify()).damaged
    for done in cache.repair():
        assert (done.moved_to is not None) == damaged
        if damaged:
            assert (done.moved_to / "index.sqlite").read_bytes() == bytes(data)
    for left in cache.spaces():
        have(left, range(COUNT))
        put(left, range(COUNT))
        assert all(have(left, range(COUNT)))


def test_a_newer_format_is_left_alone(cache, space):
    edit(space, "UPDATE meta SET value = '2' WHERE key = 'format'")
    report = only(cache.verify())
    assert not report.damaged
    assert "has format 2" in report.error
    assert cache.repair()[0].moved_to is None
    assert space.path.is_dir()


def test_a_killed_repair_leaves_nothing_behind(cache, space, monkeypatch):
    flip(space, 3)
    left = cache.path / "spaces" / ".repair-abc"
    left.mkdir()
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(CacheError, match="disk is full"):
        cache.repair()
    monkeypatch.undo()
    assert [folder.name for folder in (cache.path / "spaces").iterdir()] == [space.id]
    assert sum(have(space, [name for name in range(COUNT) if name != 3])) == COUNT - 1
    assert cache.repair()[0].lost == 1


def test_a_folder_for_the_damaged_that_cannot_be_made(cache, space):
    flip(space, 3)
    (cache.path / "damaged").write_text("a file in the way")
    with pytest.raises(CacheError, match=r"damaged of the embedding cache cannot be made"):
        cache.repair()
    assert space.path.is_dir()


def test_beside_a_writer(cache, space):
    """Nothing is called damaged that is being written, and a repair never mixes two spaces."""
    stored, stop = [], threading.Event()

    def write() -> None:
        name = 1000
        while not stop.is_set():
            try:
                put(space, [name])
            except CacheError:
                return
            stored.append(name)
            name += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(stored) < 20:
            assert not only(cache.verify()).damaged
        flip(space, 3)
        (done,) = cache.repair()
        writer.join(200)
        assert not writer.is_alive()
    finally:
        stop.set()
        writer.join()
    new = cache.space("")
    assert new.id == done.new_space
    assert all(have(new, stored))
    assert have(new, [2, 3, 4]) == [True, False, True]
