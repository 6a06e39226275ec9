"""Claims keep others away from what is being embedded, and die with their process."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cache.making import identity_of, keys_of
from toolkit.cache import EmbeddingCache, Space, claims

HOLD = """
import sys
from pathlib import Path
from tests.cache.making import keys_of
from toolkit.cache import Space
with Space(sys.argv[1]).claim(keys_of(range(100))) as claim:
    print(int(claim.mine.sum()), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def space(tmp_path: Path) -> Space:
    return Space.create(tmp_path / "space", identity_of())


def hold(space: Space) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(space.path)],
        cwd=Path(__file__).parents[2],
        stdin=pipe,
        stdout=pipe,
        text=True,
    )
    assert process.stdout.readline() == "100\n"
    return process


def test_each_key_is_one_callers(space):
    with space.claim(keys_of(range(10))) as first:
        assert first.mine.all()
        with space.claim(keys_of(range(5, 15))) as second:
            assert second.mine.tolist() == [False] * 5 + [True] * 5
            with space.claim(keys_of(range(15))) as third:
                assert not third.mine.any()
    with space.claim(keys_of(range(15))) as again:
        assert again.mine.all()
    assert not list((space.path / "claims").glob("*.claim"))


def test_released_when_the_block_fails(space):
    with pytest.raises(RuntimeError), space.claim(keys_of([1])):
        raise RuntimeError
    assert space.claim(keys_of([1])).mine.all()


def test_threads_never_share_a_key(space):
    held, most, together = np.zeros(50, dtype=int), [0], threading.Barrier(8)
    lock, given = threading.Lock(), []

    def work(seed: int) -> None:
        draw = np.random.default_rng(seed)
        together.wait()
        for _ in range(6):
            names = draw.permutation(50)[:20]
            with space.claim(keys_of(names.tolist())) as claim:
                mine = names[claim.mine]
                with lock:
                    held[mine] += 1
                    most[0] = max(most[0], int(held.max()))
                    given.append(len(mine))
                with lock:
                    held[mine] -= 1

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert sum(given) > 100


def test_another_process_holds_them_until_it_is_killed(space):
    process = hold(space)
    wanted = keys_of(range(50, 150))
    with space.claim(wanted) as claim:
        assert claim.mine.tolist() == [False] * 50 + [True] * 50
    process.kill()
    process.communicate()
    with space.claim(wanted) as claim:
        assert claim.mine.all()


def test_a_process_that_gives_no_sign_of_life(space, monkeypatch):
    """On another host there is no process to look for: the time alone says it."""
    monkeypatch.setattr(claims, "DEAD_AFTER", 400.0)  # else half a minute, on a busy machine
    process = hold(space)
    try:
        monkeypatch.setattr(claims.socket, "gethostname", lambda: "elsewhere")
        assert not space.claim(keys_of(range(10))).mine.any()
        (file,) = (space.path / "claims").glob("*.claim")
        before = file.stat().st_mtime
        deadline = time.monotonic() + 60
        while file.stat().st_mtime == before:  # it is touched by its holder
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
        process.wait()
        assert not space.claim(keys_of(range(10))).mine.any()
        old = time.time() - claims.DEAD_AFTER - 1
        os.utime(file, (old, old))
        with space.claim(keys_of(range(10))) as claim:
            assert claim.mine.all()
            assert not file.exists()
    finally:
        process.kill()
        process.communicate()


def test_a_torn_claim_claims_nothing(space):
    folder = space.path / "claims"
    folder.mkdir()
    (folder / "a.claim").write_bytes(b"")
    (folder / "b.claim").write_bytes(b'{"host": "x", "process": 1}\n' + b"\0" * 7)
    with space.claim(keys_of(range(3))) as claim:
        assert claim.mine.all()


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
def test_where_nothing_can_be_written_everybody_embeds_for_themselves(space):
    # A file in the folder's place: root, too, is refused.
    (space.path / "claims").write_bytes(b"")
    with space.claim(keys_of(range(3))) as claim:
        assert claim.mine.all()
        assert space.claim(keys_of(range(3))).mine.all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_fork_does_not_release_its_parents_claim(space):
    with space.claim(keys_of(range(3))) as claim:
        child = os.fork()
        if child == 0:
            claim.__exit__(None, None, None)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert not space.claim(keys_of(range(3))).mine.any()


def test_a_cache_with_claims_is_sound_and_can_be_cleared(tmp_path):
    cache = EmbeddingCache(tmp_path / "cache")
    space, _ = cache.resolve(identity_of())
    with space.claim(keys_of([1])):
        assert [report.damaged for report in cache.verify()] == [False]
        assert cache.stats()[0]["error"] is None
        assert cache.clear() == 1
    assert cache.spaces() == []
