"""What the processes of the tests do: ``python -m tests.cache.worker NAME ARGUMENTS``."""

import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

from tests.cache.making import PROMPT, identity_of, keys_of, vectors_of
from toolkit.cache import EmbeddingCache, Space, compaction


def write(folder: str, seed: str, number: str) -> None:
    """Put batches of random names below ``number``; say each name once its vector is stored."""
    space, draw = Space(folder), random.Random(seed)
    left = list(range(int(number)))
    draw.shuffle(left)
    while left:
        size = draw.choice([1, 3, 9, 27])
        names, left = left[:size], left[size:]
        keys = keys_of(names)
        space.put(keys, vectors_of(keys), PROMPT)
        print(*names, flush=True)


def read(folder: str, number: str) -> None:
    """Read random names until the parent closes the input, and once more; all must be right."""
    space, draw = Space(folder), random.Random(0)
    right = vectors_of(keys_of(range(int(number))))
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    print("begun", flush=True)
    seen, last = 0, False
    while not last:
        last = stop.is_set()
        names = np.array(draw.sample(range(int(number)), 200))
        vectors, found = space.get(keys_of(names))
        assert np.array_equal(vectors, right[names[found]]), "a wrong vector was read"
        cut, again = space.get(keys_of(names), 128)
        assert again.sum() >= found.sum(), "a vector was lost"
        assert np.allclose(np.linalg.norm(cut, axis=1), 1, atol=1e-5)
        seen = max(seen, len(space))
        assert len(space.matrix()) >= seen
    assert len(space.matrix()) == len(space)
    print(seen)


def resolve(folder: str) -> None:
    """Ask for one identity's space when the parent says so."""
    print("ready", flush=True)
    sys.stdin.readline()
    print(EmbeddingCache(folder).resolve(identity_of())[0].id)


def fork(folder: str) -> None:
    """Fork with open connections; both sides write and read."""
    space = Space(folder)
    keys = keys_of(range(50))
    space.put(keys, vectors_of(keys), PROMPT)
    assert space.get(keys)[1].all()
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                _write_and_read(space, number)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(pid)
    _write_and_read(space, 9)
    print(*[os.waitpid(pid, 0)[1] for pid in children])


def _write_and_read(space: Space, number: int) -> None:
    for start in range(0, 200, 20):
        keys = keys_of(f"{number} {name}" for name in range(start, start + 20))
        space.put(keys, vectors_of(keys), PROMPT)
        vectors, found = space.get(keys_of(range(50)))
        assert found.all()
        assert np.array_equal(vectors, vectors_of(keys_of(range(50))))
        assert np.array_equal(space.get(keys)[0], vectors_of(keys))


def fork_among_threads(folder: str) -> None:
    """Fork again and again while threads are in the middle of reading and writing."""
    space, stop = Space(folder), threading.Event()
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            while not stop.is_set():
                _write_and_read(space, number)
        except BaseException as error:
            errors.append(error)

    keys = keys_of(range(50))
    space.put(keys, vectors_of(keys), PROMPT)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    states = []
    for number in range(10):
        pid = os.fork()
        if pid == 0:
            try:
                _write_and_read(space, 100 + number)
                os._exit(0)
            finally:
                os._exit(1)
        states.append(os.waitpid(pid, 0)[1])
    stop.set()
    for thread in threads:
        thread.join()
    print(states == [0] * 10, errors)


def leave_nothing(folder: str) -> None:
    """Write and end as processes do; say what was there in between."""
    space, _ = EmbeddingCache(folder).resolve(identity_of())
    keys = keys_of(range(5))
    space.put(keys, vectors_of(keys), PROMPT)
    print(*sorted(file.name for file in Path(space.path).iterdir()))


def kill_writers(folder: str, kills: str, seed: str) -> None:
    """Kill writers at random moments while others write; look at everything after each four."""
    draw, cache = random.Random(seed), EmbeddingCache(folder)
    space, _ = cache.resolve(identity_of())
    acknowledged: set[int] = set()
    killed, first = 0, 0
    while killed < int(kills) or len(acknowledged) <= 100:  # a busy machine stores few a round
        writers = []
        for number in range(4):
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                try:
                    os.close(read)
                    _write_until_killed(space, write, first, number)
                finally:
                    os._exit(1)
            os.close(write)
            writers.append((pid, read))
        draw.shuffle(writers)
        time.sleep(draw.uniform(0.0, 0.05))
        for pid, _ in writers:
            time.sleep(draw.expovariate(1 / 0.015))
            os.kill(pid, signal.SIGKILL)
        for pid, read in writers:
            assert os.waitpid(pid, 0)[1] == signal.SIGKILL, "it ended before it was killed"
            killed += 1
            with os.fdopen(read) as said:
                for line in said:
                    if line.endswith("\n"):  # the kill may tear the last one
                        acknowledged.update(map(int, line.split()))
        (report,) = cache.verify()
        assert not report.damaged, report
        known = keys_of(sorted(acknowledged))
        vectors, found = space.get(known)
        assert found.all(), "an acknowledged vector is lost"
        some = draw.sample(range(len(known)), min(300, len(known)))
        assert np.array_equal(vectors[some], vectors_of(known[some]))
        after = keys_of([f"after {killed}"])
        assert space.put(after, vectors_of(after), PROMPT) == 1
        first = max(acknowledged, default=0) // 2  # some of the next ones are there already
    print(killed, len(acknowledged))


def _write_until_killed(space: Space, out: int, first: int, seed: int) -> None:
    draw, name = random.Random(seed), first
    while True:
        names = range(name, name + draw.choice([1, 3, 9, 27]))
        keys = keys_of(names)
        space.put(keys, vectors_of(keys), PROMPT)
        os.write(out, " ".join(map(str, names)).encode() + b"\n")
        name = names[-1] + draw.randint(-5, 5)


def hold(folder: str) -> None:
    """Have a space open until killed."""
    print(len(Space(folder)), flush=True)
    sys.stdin.read()


def put(folder: str, *names: str) -> None:
    """Put names and end."""
    keys = keys_of(names)
    Space(folder).put(keys, vectors_of(keys), PROMPT)


def put_and_die_flushing(folder: str, *names: str) -> None:
    """Be killed when the rows are written and nothing is flushed or committed."""
    os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    put(folder, *names)


def prune_and_die_committed(folder: str, size: str) -> None:
    """Be killed when a pruning is committed and nothing else is done."""
    compaction.remove_orphans = lambda _: os.kill(os.getpid(), signal.SIGKILL)
    EmbeddingCache(folder).prune(max_bytes=size)


def prune(folder: str, number: str) -> None:
    """Prune so many times, each time the oldest tenth or so."""
    cache = EmbeddingCache(folder)
    print("begun", flush=True)
    for _ in range(int(number)):
        (row,) = cache.stats()
        cache.prune(max_bytes=int(row["bytes"] * 0.9))
    print("done", flush=True)


def find_or_miss(folder: str, number: str) -> None:
    """Read while rows are pruned: a right vector or none, until the parent closes the input.

    Six times at least, which on a busy machine may take longer.
    """
    (space,) = EmbeddingCache(folder).spaces()
    draw, right = random.Random(0), vectors_of(keys_of(range(int(number))))
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    print("begun", flush=True)
    reads = 0
    while reads < 6 or not stop.is_set():
        names = np.array(draw.sample(range(int(number)), draw.choice([1, 100, 300])))
        vectors, found = space.get(keys_of(names))
        assert np.array_equal(vectors, right[names[found]]), "a wrong vector was read"
        keys, rows = space.snapshot()
        some = draw.sample(range(len(keys)), min(20, len(keys)))
        assert np.array_equal(rows[some], vectors_of(keys[some])), "a key has another's vector"
        (report,) = EmbeddingCache(folder).verify()
        assert not report.damaged, report
        reads += 1


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
