"""Notes of use: cheap, shared by processes, and never in the way."""

import os
import sqlite3
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cache.making import PROMPT, identity_of, keys_of, vectors_of
from tests.cache.outside import READ_ONLY, run, tmpfs
from toolkit.cache import EmbeddingCache, Space, connections, usage

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "cache")


@pytest.fixture
def space(cache: EmbeddingCache) -> Space:
    space, _ = cache.resolve(identity_of())
    keys = keys_of(range(300))
    space.put(keys, vectors_of(keys), PROMPT)
    return space


def days(space: Space) -> list[int]:
    return usage.read_days(space.path, 0, 5, otherwise=0).tolist()


def test_counts_by_prompt(cache, space):
    start = time.time()
    space.note_call(PROMPT, 7, 3)
    space.note_call(PROMPT, 2, 0)
    space.note_call("other {text}", 0, 4)
    space.get(keys_of([1, 2, "missing"]))
    (row,) = cache.stats()
    assert (row["hits"], row["misses"]) == (11, 8)
    found = {name: (t["entries"], t["hits"], t["misses"]) for name, t in row["tasks"].items()}
    assert found == {PROMPT: (300, 9, 3), "other {text}": (0, 0, 4), "": (0, 2, 1)}
    assert start <= row["tasks"][PROMPT]["last_used"] <= row["last_used"] <= time.time()


def test_blocks_that_were_read_and_no_others(space, monkeypatch):
    monkeypatch.setattr(usage, "today", lambda: 20_000)
    space.read(space.lookup(keys_of([0, 299])))
    usage.flush()
    usage._spaces.clear()
    monkeypatch.setattr(usage, "today", lambda: 20_005)
    space.read(space.lookup(keys_of([70, 71, 290])))
    found = days(space)
    assert found == [20_000, 20_005, found[2], found[3], 20_005]
    assert set(found[2:4]) == {20_005}  # stored today, by the clock of before: later than now


def test_written_now_and_then_not_at_every_read(space, monkeypatch):
    writes = []
    write = usage.writing_soon
    monkeypatch.setattr(usage, "writing_soon", lambda *given: writes.append(given) or write(*given))
    monkeypatch.setattr(usage, "BETWEEN_WRITES", 3600.0)
    usage._spaces.clear()
    keys = keys_of(range(300))
    for _ in range(50):
        space.get(keys)
        space.note_call(PROMPT, 1, 1)
    assert len(writes) <= 2
    assert usage.read_tasks(space.path)[PROMPT].hits == 50
    monkeypatch.setattr(usage, "BETWEEN_WRITES", 0.0)
    space.read(space.lookup(keys))
    before = len(writes)
    space.read(space.lookup(keys))
    assert len(writes) == before, "nothing new to note"


def test_threads_lose_no_count(cache, space):
    def work() -> None:
        for _ in range(200):
            space.note_call(PROMPT, 1, 2)
            usage.flush(space.path)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (cache.stats()[0]["hits"], cache.stats()[0]["misses"]) == (800, 1600)


COUNT = """
from toolkit.cache import usage
usage.LAST_PATIENCE = 300.0  # however busy the machine is
(space,) = EmbeddingCache(sys.argv[1]).spaces()
for _ in range(100):
    space.note_call(PROMPT, 1, 2)
    space.get(keys_of([3, "missing"]))
"""


def test_processes_note_at_their_end(cache, space):
    threads = [threading.Thread(target=run, args=(COUNT, cache.path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tasks = cache.stats()[0]["tasks"]
    assert (tasks[PROMPT]["hits"], tasks[PROMPT]["misses"]) == (400, 800)
    assert (tasks[""]["hits"], tasks[""]["misses"]) == (400, 400)


def test_a_process_that_ends_waits_for_one_that_writes(cache, space):
    """What is not noted then is lost: there is no later time for it."""
    usage.flush()
    script = """
(space,) = EmbeddingCache(sys.argv[1]).spaces()
space.note_call("at the end {text}", 1, 0)
open(sys.argv[2], "x").close()
"""
    noted = cache.path.parent / "noted"
    writer = sqlite3.connect(space.path / "usage.sqlite", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    process = threading.Thread(target=run, args=(script, cache.path, noted))
    process.start()
    while process.is_alive() and not noted.exists():
        time.sleep(0.01)
    process.join(timeout=0.5)
    writer.close()
    process.join()
    assert cache.stats()[0]["tasks"]["at the end {text}"]["hits"] == 1


@forks
def test_a_fork_does_not_note_what_its_parent_did(cache, space):
    script = """
(space,) = EmbeddingCache(sys.argv[1]).spaces()
space.note_call(PROMPT, 1, 0)  # written at once
space.note_call(PROMPT, 10, 0)  # waits
pid = os.fork()
if pid == 0:
    space.note_call(PROMPT, 100, 0)
    sys.exit(0)
os.waitpid(pid, 0)
"""
    run(script, cache.path)
    assert cache.stats()[0]["tasks"][PROMPT]["hits"] == 111


def test_the_workers_of_joblib_note_too(cache, space):
    script = """
from joblib import Parallel, delayed
def work(path):
    (space,) = EmbeddingCache(path).spaces()
    for _ in range(10):
        space.note_call("of a worker {text}", 1, 0)
if __name__ == "__main__":
    Parallel(2)(delayed(work)(sys.argv[1]) for _ in range(8))
    from joblib.externals.loky import get_reusable_executor
    get_reusable_executor().shutdown(wait=True)
"""
    run(script, cache.path)
    assert cache.stats()[0]["tasks"]["of a worker {text}"]["hits"] == 80


@pytest.mark.parametrize(
    "content",
    [
        b"not a database" * 300,
        b"SQLite format 3\0" + b"\xff" * 5000,
        b"",
    ],
)
def test_a_damaged_file_is_begun_anew(cache, space, content):
    usage.flush()
    (space.path / "usage.sqlite").write_bytes(content)
    assert cache.stats()[0]["entries"] == 300
    usage._spaces.clear()
    space.get(keys_of(range(300)))
    usage.flush()
    space.note_call(PROMPT, 5, 0)
    usage.flush()
    assert cache.stats()[0]["tasks"][PROMPT]["hits"] == 5
    assert not cache.verify()[0].damaged


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE days SET stamps = x'010203'",
        "UPDATE days SET stamps = 'text'",
        "UPDATE days SET stamps = x'ffffffffffffffffffffffffffffffffffffffffffff'",
        "UPDATE tasks SET hits = 'many', last_used = x'00'",
        "DROP TABLE days",
        "DROP TABLE tasks",
        "DROP TABLE tasks; CREATE TABLE tasks (other TEXT)",
    ],
)
def test_strange_content_is_never_in_the_way(cache, space, sql, monkeypatch):
    day = usage.today()
    monkeypatch.setattr(usage, "today", lambda: day)  # no midnight in between
    space.note_call(PROMPT, 1, 1)
    usage.flush()
    connection = sqlite3.connect(space.path / "usage.sqlite")
    connection.executescript(sql)
    connection.close()
    usage._spaces.clear()
    keys = keys_of(range(300))
    assert space.get(keys)[1].all()
    space.note_call(PROMPT, 1, 1)
    usage.flush()
    assert cache.stats()[0]["entries"] == 300
    assert max(days(space)) <= day
    cache.prune(older_than=0)
    assert len(space) == 300


def test_a_prompt_of_any_kind(cache, space):
    for prompt in ("\ud83d {text}", "\0<script>{text}", "‮" * 1000, "x" * 100_000):
        space.note_call(prompt, 1, 0)
    usage.flush()
    assert cache.stats()[0]["hits"] == 4


def test_a_writer_that_does_not_let_go_is_not_waited_for(cache, space, monkeypatch):
    monkeypatch.setattr(connections, "BUSY_SECONDS", 500.0)
    connections.close_free()
    usage.flush()
    connection = sqlite3.connect(space.path / "usage.sqlite", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        usage._spaces.clear()
        start = time.perf_counter()
        assert space.get(keys_of(range(300)))[1].all()
        space.note_call(PROMPT, 4, 0)
        assert time.perf_counter() - start < 250, "an index would wait twice as long"
    finally:
        connection.close()
    assert cache.stats()[0]["tasks"][PROMPT]["hits"] == 4


@tmpfs
def test_a_read_only_file_system(filled):
    """Reads as always, says nothing, and stats has what is there."""
    mount = 'mount --bind "$0" /mnt && mount -o remount,bind,ro /mnt && exec "$@"'
    prefix = ("unshare", "-rm", "sh", "-c", mount, str(filled))
    script = (
        READ_ONLY
        + """
(row,) = cache.stats()
assert row["entries"] == 20 and row["hits"] is not None, row
assert row["last_used"], row
try:
    cache.prune(max_bytes=0)
except CacheError as error:
    print("refused:", error)
"""
    )
    assert "refused: " in run(script, "/mnt", prefix=prefix)


def test_days_do_not_slow_a_read_down_by_growing(space):
    """A million rows take two bytes for each 64."""
    usage.note_rows(space.path, np.arange(0, 1_000_000, 7))
    usage.flush()
    assert (space.path / "usage.sqlite").stat().st_size < 100_000
