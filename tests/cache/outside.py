"""What happens outside of this process: scripts, workers, and folders that cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def run(script: str, *arguments: object, prefix: tuple[str, ...] = ()) -> str:
    """Run a script in a process of its own: limits and user changes cannot be undone."""
    lines = "import os, sys; from tests.cache.making import *; from toolkit.cache import *\n"
    done = subprocess.run(
        [*prefix, sys.executable, "-W", "error", "-c", lines + script, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def start(name: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.cache.worker", name, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=500)
    assert process.returncode == 0, err
    return out


def tmpfs_is_possible() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = "mount -t tmpfs -o size=1m none /mnt"
    return subprocess.run(["unshare", "-rm", "sh", "-c", command], check=False).returncode == 0


tmpfs = pytest.mark.skipif(not tmpfs_is_possible(), reason="needs to mount a tmpfs in a namespace")

READ_ONLY = """
from toolkit.errors import CacheError, CacheCorruptedError
cache = EmbeddingCache(sys.argv[1])
assert not os.access(cache.path / "spaces", os.W_OK)
space = cache.find(identity_of().with_canary(None))
again, created = cache.resolve(identity_of(engine_version="9"))
assert not created and again.id == space.id
keys = keys_of(range(25))
for _ in range(3):
    vectors, found = space.get(keys)
    assert found.tolist() == [True] * 20 + [False] * 5
    assert np.array_equal(vectors, vectors_of(keys[:20]))
assert cache.stats()[0]["entries"] == 20
for use in (lambda: space.put(keys, vectors_of(keys), PROMPT),
            lambda: cache.resolve(identity_of("two"))):
    try:
        use()
    except CacheError as error:
        assert not isinstance(error, CacheCorruptedError)
        print(error)
    else:
        raise AssertionError
"""
