"""Damaged files, full disks, read-only folders: an error or a miss, never a wrong vector."""

import errno
import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cache.making import DIMENSION, PROMPT, check_by_hand, identity_of, keys_of, vectors_of
from tests.cache.outside import READ_ONLY, posix, run, tmpfs
from toolkit.cache import Space, connections, memory
from toolkit.cache.connections import writing
from toolkit.errors import CacheCorruptedError, CacheError

ROW = 4 * DIMENSION


def put(space: Space, names: object) -> int:
    keys = keys_of(names)
    return space.put(keys, vectors_of(keys), PROMPT)


@pytest.fixture
def space(tmp_path: Path) -> Space:
    space = Space.create(tmp_path / "space", identity_of())
    put(space, range(20))
    return space


# --- the matrix ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [1, ROW - 1, ROW, 10 * ROW + 3])
def test_a_torn_tail_is_overwritten(space, tail):
    with (space.path / "vectors.f32").open("ab") as file:
        file.write(b"\xff" * tail)
    assert len(space) == 20
    assert put(space, range(15, 25)) == 5
    assert len(check_by_hand(space.path)) == 25


@pytest.mark.parametrize("size", [0, 1, 10 * ROW, 20 * ROW - 1])
def test_a_truncated_matrix_is_an_error_for_what_is_lost(space, size):
    space.get(keys_of(range(20)))
    os.truncate(space.path / "vectors.f32", size)
    for use in (lambda: space.get(keys_of([19])), space.matrix, lambda: put(space, [99])):
        with pytest.raises(CacheCorruptedError, match="cut off"):
            use()
    assert len(space) == 20  # nothing was entered
    if size == 10 * ROW:
        assert np.array_equal(space.get(keys_of(range(10)))[0], vectors_of(keys_of(range(10))))


def test_truncated_and_grown_again(space):
    space.get(keys_of(range(20)))
    os.truncate(space.path / "vectors.f32", 5 * ROW)
    os.truncate(space.path / "vectors.f32", 20 * ROW)
    assert np.array_equal(space.get(keys_of(range(5)))[0], vectors_of(keys_of(range(5))))
    with pytest.raises(CacheCorruptedError, match="row 5 "):
        space.get(keys_of(range(20)))


def test_a_lost_matrix(space):
    (space.path / "vectors.f32").unlink()
    for use in (lambda: space.get(keys_of([19])), space.matrix, lambda: put(space, [99])):
        with pytest.raises(CacheCorruptedError, match=r"vectors\.f32 is not there"):
            use()
    assert not (space.path / "vectors.f32").exists()


def test_the_matrix_of_another_space(space, tmp_path):
    other = Space.create(tmp_path / "other", identity_of("two"))
    put(other, range(100, 130))
    shutil.copyfile(other.path / "vectors.f32", space.path / "vectors.f32")
    for row in range(20):
        with pytest.raises(CacheCorruptedError, match=f"row {row} .* not what was stored"):
            space.read(np.array([row]))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    byte=st.integers(0, 20 * ROW - 1),
    bit=st.integers(0, 7),
    dimensions=st.sampled_from([None, 1, 128, 129, DIMENSION]),
)
def test_a_flipped_bit_never_gives_a_wrong_vector(space, byte, bit, dimensions):
    file = space.path / "vectors.f32"
    row, column = byte // ROW, byte % ROW // 4
    with file.open("r+b") as handle:

        def flip() -> None:
            handle.seek(byte)
            value = handle.read(1)[0] ^ (1 << bit)
            handle.seek(byte)
            handle.write(bytes([value]))
            handle.flush()

        flip()
        others = [name for name in range(20) if name != row]
        full = vectors_of(keys_of(others))[:, :dimensions]
        full /= np.linalg.norm(full, axis=1, keepdims=True)
        assert np.allclose(space.get(keys_of(others), dimensions)[0], full, atol=1e-6)
        if column < 128 or dimensions not in (1, 128):
            with pytest.raises(CacheCorruptedError, match=f"row {row} "):
                space.get(keys_of(range(20)), dimensions)
        else:  # the damage is in columns nobody asked for
            assert space.get(keys_of(range(20)), dimensions)[1].all()
        flip()
    assert space.get(keys_of(range(20)))[1].all()


# --- the index -----------------------------------------------------------------------------------


def change(space: Space, *statements: str) -> None:
    connection = sqlite3.connect(space.path / "index.sqlite")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entries WHERE row = 7",
        "UPDATE entries SET checksum = x'00' WHERE row = 7",
        "UPDATE entries SET checksum = x'0011223344556677' WHERE row = 7",
    ],
)
@pytest.mark.parametrize("few", [False, True])
def test_an_index_with_a_wrong_row(space, statement, few, monkeypatch):
    if few:  # ask SQLite for every key instead of loading the index
        monkeypatch.setattr("toolkit.cache.memory.FEW", 0)
    change(space, statement)
    if few and statement.startswith("DELETE"):
        assert space.lookup(keys_of([7])).tolist() == [-1]  # a miss, to be embedded again
    else:
        with pytest.raises(CacheCorruptedError):
            space.get(keys_of(range(20)))
    # A row that is not there any more, asked for by one who looked before.
    with pytest.raises(CacheCorruptedError):
        space.read(np.array([6, 7]))


def test_tables_that_contradict_each_other(space, monkeypatch):
    """The tree that finds a key's row is another one, with the rows the other way round."""
    change(
        space,
        "CREATE TABLE other (row INTEGER PRIMARY KEY, key BLOB UNIQUE)",
        "INSERT INTO other SELECT 19 - row, key FROM entries",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE "
        "name = 'sqlite_autoindex_other_1') WHERE name = 'sqlite_autoindex_entries_1'",
    )
    connections.close_free()
    assert np.array_equal(space.get(keys_of([3, 5]))[0], vectors_of(keys_of([3, 5])))
    monkeypatch.setattr(memory, "_loaded", {})
    monkeypatch.setattr(memory, "FEW", 0)
    with pytest.raises(CacheCorruptedError, match="contradict each other"):
        space.get(keys_of([3, 5]))


def test_rows_exchanged_in_the_index(space):
    change(
        space,
        "CREATE TEMP TABLE old AS SELECT * FROM entries",
        "UPDATE entries SET checksum = (SELECT checksum FROM old WHERE row = 19 - entries.row)",
    )
    with pytest.raises(CacheCorruptedError, match="not what was stored"):
        space.get(keys_of(range(20)))


def test_the_index_of_another_space(space, tmp_path):
    other = Space.create(tmp_path / "other", identity_of())
    put(other, range(100, 110))
    shutil.copyfile(other.path / "index.sqlite", space.path / "index.sqlite")
    for suffix in ("-wal", "-shm"):
        for folder in (other.path, space.path):
            file = folder / f"index.sqlite{suffix}"
            if file.exists() and folder == other.path:
                shutil.copyfile(file, space.path / file.name)
    for name in range(100, 110):
        try:
            _, found = space.get(keys_of([name]))
        except CacheCorruptedError:
            continue
        assert not found.any()


@pytest.fixture
def closed(space: Space) -> Path:
    """The folder of a space with all in one file, and no connection open to it."""
    put(space, range(40))
    connection = sqlite3.connect(space.path / "index.sqlite")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    folder = space.path.with_name("closed")
    shutil.copytree(space.path, folder)
    return folder


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1))
def test_a_damaged_index_never_gives_a_wrong_vector(closed, tmp_path_factory, damage):
    folder = tmp_path_factory.mktemp("damaged") / "space"
    shutil.copytree(closed, folder)
    file = folder / "index.sqlite"
    content = bytearray(file.read_bytes())
    for where, bit in damage:
        content[int(where * len(content))] ^= 1 << bit
    file.write_bytes(content)
    asked = keys_of(range(50))
    for few in (0, 200):
        memory.FEW, before = few, memory.FEW
        try:
            with suppress(CacheError):
                vectors, found = Space(folder).get(asked)
                assert not found[40:].any()
                assert np.array_equal(vectors, vectors_of(asked[found]))
        finally:
            memory.FEW = before
    for use in (Space.sightings, Space.counts, Space.keys, Space.matrix, len):
        with suppress(CacheError):
            use(Space(folder))
    with suppress(CacheError):
        put(Space(folder), range(30, 60))
        vectors, found = Space(folder).get(asked)
        assert np.array_equal(vectors, vectors_of(asked[found]))


# --- the disk ------------------------------------------------------------------------------------


@posix
def test_a_file_size_limit_stores_nothing_half(space):
    script = """
import resource
from toolkit.errors import CacheError, CacheCorruptedError
space = Space(sys.argv[1])
keys = keys_of(range(20, 2000))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
for attempt in range(2):
    try:
        space.put(keys, vectors_of(keys), PROMPT)
    except CacheError as error:
        assert not isinstance(error, CacheCorruptedError)
        print(error)
    else:
        raise AssertionError
    vectors, found = space.get(keys_of(range(25)))
    assert found.tolist() == [True] * 20 + [False] * 5
assert space.put(keys[:3], vectors_of(keys[:3]), PROMPT) == 3
"""
    assert "disk is full" in run(script, space.path)
    assert len(check_by_hand(space.path)) == 23


FULL_DISK = """
from toolkit.errors import CacheError, CacheCorruptedError
cache = EmbeddingCache("/mnt")
space, _ = cache.resolve(identity_of())
stored, failed = 0, 0
for start in range(0, 4000, 50):
    keys = keys_of(range(start, start + 50))
    try:
        stored += space.put(keys, vectors_of(keys), PROMPT)
    except CacheError as error:
        assert not isinstance(error, CacheCorruptedError), error
        failed += 1
        message = str(error)
    assert len(space) == stored
    keys = keys_of(range(start, start + 50))
    vectors, found = space.get(keys)
    assert np.array_equal(vectors, vectors_of(keys[found]))
assert stored > 1000 and failed > 10
assert "disk is full" in message, message
try:
    cache.resolve(identity_of("two"))
except CacheError as error:
    print("refused:", error, flush=True)
if sys.argv[1] == "again":
    # Another process, the disk as full as can be.
    with open("/mnt/rest", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(100))
        except OSError:
            pass
    os.execv(sys.executable, [sys.executable, "-c", '''
from tests.cache.making import *; from toolkit.cache import *
(space,) = EmbeddingCache("/mnt").spaces()
keys = space.keys()
vectors, found = space.get(keys)
assert found.all() and len(keys) > 1000
assert np.array_equal(vectors, vectors_of(keys))
print("read:", len(keys))
'''])
os.unlink("/mnt/rest") if os.path.exists("/mnt/rest") else None
check_by_hand(space.path)
"""


@tmpfs
@pytest.mark.parametrize("then", ["check", "again"])
def test_a_full_disk_stores_nothing_half_and_can_be_read(then):
    command = 'mount -t tmpfs -o size=2m none /mnt && exec "$@"'
    out = run(FULL_DISK, then, prefix=("unshare", "-rm", "sh", "-c", command, "sh"))
    assert "refused: " in out
    assert ("read: " in out) == (then == "again")


@tmpfs
@pytest.mark.parametrize("log", ["kept", "without shared memory", "closed"])
def test_a_read_only_file_system(filled, log):
    (index,) = filled.glob("spaces/*/index.sqlite")
    assert index.with_name("index.sqlite-wal").stat().st_size
    if log == "without shared memory":
        index.with_name("index.sqlite-shm").unlink()
    elif log == "closed":
        sqlite3.connect(index).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
        assert not index.with_name("index.sqlite-wal").exists()
    mount = 'mount --bind "$0" /mnt && mount -o remount,bind,ro /mnt && exec "$@"'
    prefix = ("unshare", "-rm", "sh", "-c", mount, str(filled))
    # Copying the index is the last resort, for a log without its shared memory.
    no_copy = "" if log == "without shared memory" else "import shutil; shutil.copyfile = None\n"
    out = run(no_copy + READ_ONLY, "/mnt", prefix=prefix)
    assert len(out.splitlines()) == 2


@posix
def test_a_folder_of_somebody_else(filled, tmp_path):
    """Readable, not writable, on an ordinary file system."""
    # Modules that are imported on first use, from a library that only root may be able to read.
    drop = "import mmap, numpy.random, shutil, tempfile\n"
    if os.geteuid() == 0:
        drop += "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    folder = Path("/tmp" if os.geteuid() == 0 else tmp_path) / f"toolkit-read-only-{os.getpid()}"
    shutil.copytree(filled, folder)
    try:
        for path in folder.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        folder.chmod(0o555)
        assert "read-only" in run(drop + READ_ONLY, folder)
    finally:
        for path in [folder, *folder.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
        shutil.rmtree(folder)


# --- power loss ----------------------------------------------------------------------------------


def test_rows_are_flushed_before_their_keys_are_committed(space, monkeypatch):
    flushed = []
    real = os.fsync

    def fsync(number: int) -> None:
        if os.fstat(number).st_size == 25 * ROW:  # the rows are in the file
            flushed.append(len(Space(space.path)))  # and nobody else knows of them
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    put(space, range(20, 25))
    assert flushed == [20]
    connection = sqlite3.connect(space.path / "index.sqlite")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    with writing(space.path / "index.sqlite") as lent:
        assert lent.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_flush_that_fails_stores_nothing(space, monkeypatch):
    def fsync(number: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as context:
        context.setattr(os, "fsync", fsync)
        with pytest.raises(CacheError, match="Input/output error"):
            put(space, range(25))
    assert len(space) == 20
    assert put(space, range(25)) == 5
    assert len(check_by_hand(space.path)) == 25


# --- file systems without shared memory ----------------------------------------------------------

NO_SHARED_MEMORY = """
import sqlite3
from pathlib import Path
from toolkit.cache import index
from toolkit.errors import CacheError, CacheCorruptedError
connect = sqlite3.connect
def connect_without(file, *rest, **more):
    # SQLite's own locks by files: as on a network drive, no log that processes share.
    if sys.argv[1] not in str(file):
        return connect(file, *rest, **more)
    file = str(file) if more.get("uri") else Path(file).absolute().as_uri()
    more["uri"] = True
    return connect(file + ("&" if "?" in file else "?") + "vfs=unix-dotfile", *rest, **more)
sqlite3.connect = connect_without
"""


@posix
def test_a_cache_made_where_no_log_can_be_shared(tmp_path):
    """It does without, and is a cache like any other."""
    script = (
        NO_SHARED_MEMORY
        + """
cache = EmbeddingCache(sys.argv[1])
space, _ = cache.resolve(identity_of())
keys = keys_of(range(300))
for start in range(0, 300, 100):
    part = keys[start:start + 100]
    assert space.put(part, vectors_of(part), PROMPT) == 100
vectors, found = space.get(keys)
assert found.all() and np.array_equal(vectors, vectors_of(keys))
cache.prune(max_bytes=200_000)
assert len(space) < 300
assert not cache.verify()[0].damaged
mode = connect_without(space.path / "index.sqlite").execute("PRAGMA journal_mode").fetchone()[0]
print(mode)
"""
    )
    assert run(script, tmp_path / "cache").strip() == "delete"
    (space,) = (tmp_path / "cache" / "spaces").iterdir()
    check_by_hand(space)


@posix
def test_a_cache_whose_log_cannot_be_opened(filled, tmp_path):
    """Copied to such a file system: read as it is, and an error that says so to who writes."""
    script = (
        NO_SHARED_MEMORY
        + """
(space,) = EmbeddingCache(sys.argv[1]).spaces()
keys = keys_of(range(25))
vectors, found = space.get(keys)
assert found.tolist() == [True] * 20 + [False] * 5
assert np.array_equal(vectors, vectors_of(keys[:20]))
for use in (lambda: space.put(keys, vectors_of(keys), PROMPT),
            lambda: EmbeddingCache(sys.argv[1]).prune(max_bytes=0)):
    try:
        use()
    except CacheError as error:
        assert not isinstance(error, CacheCorruptedError), error
        print(error)
    else:
        raise AssertionError
"""
    )
    said = run(script, filled).splitlines()
    assert len(said) == 2
    assert all("write-ahead log cannot be opened" in line for line in said)
    assert "local disk" in said[0]
