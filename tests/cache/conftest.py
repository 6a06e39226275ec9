from __future__ import annotations

from pathlib import Path

import pytest

from tests.cache.outside import run


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A cache whose last writer was killed: the write-ahead log is still there."""
    script = """
import signal
space, _ = EmbeddingCache(sys.argv[1]).resolve(identity_of())
keys = keys_of(range(20))
space.put(keys, vectors_of(keys), PROMPT)
(space.path / "done").touch()
os.kill(os.getpid(), signal.SIGKILL)
"""
    folder = tmp_path / "filled"
    with pytest.raises(AssertionError):
        run(script, folder)
    (done,) = folder.glob("spaces/*/done")
    done.unlink()
    return folder
