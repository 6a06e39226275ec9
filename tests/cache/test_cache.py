import pickle
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from tests.cache.making import DIMENSION, PROMPT, identity_of, keys_of, vectors_of
from toolkit.cache import EmbeddingCache, Space, cache_root, usage
from toolkit.errors import CacheCorruptedError, CacheError


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "vectors")


# --- where ---------------------------------------------------------------------------------------


def test_the_path_given_then_the_environment_then_the_users_folder(tmp_path, monkeypatch):
    assert cache_root(tmp_path) == tmp_path
    monkeypatch.setenv("TOOLKIT_CACHE_DIR", str(tmp_path / "named"))
    assert cache_root() == EmbeddingCache().path == tmp_path / "named"
    assert cache_root("~/x") == Path.home() / "x"
    for value in ("", None):
        if value is None:
            monkeypatch.delenv("TOOLKIT_CACHE_DIR")
        else:
            monkeypatch.setenv("TOOLKIT_CACHE_DIR", value)
        expected = Path(platformdirs.user_cache_dir("embeddinggemma-toolkit"))
        assert cache_root() == expected


def test_light_to_make_and_to_pickle(cache):
    assert cache.spaces() == []
    assert cache.stats() == []
    assert cache.find(identity_of()) is None
    assert cache.clear() == 0
    assert not cache.path.exists()
    data = pickle.dumps(cache)
    assert len(data) < 300
    assert pickle.loads(data).path == cache.path
    assert str(cache.path) in repr(cache)


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("x")
    cache = EmbeddingCache(tmp_path / "file")
    assert cache.spaces() == []
    with pytest.raises(CacheError, match="file"):
        cache.resolve(identity_of())


# --- which space ---------------------------------------------------------------------------------


def test_one_identity_one_space(cache):
    space, created = cache.resolve(identity_of())
    assert created
    again, created = cache.resolve(identity_of())
    assert not created
    assert again.path == space.path
    assert space.id.startswith("embeddinggemma-160-")
    assert [one.id for one in cache.spaces()] == [space.id]


def test_another_version_with_agreeing_canaries_joins_and_is_known_from_then_on(cache):
    space, _ = cache.resolve(identity_of())
    newer = identity_of(engine_version="0.40.0", nearness=0.9999)
    assert cache.find(newer.with_canary(None)) is None
    joined, created = cache.resolve(newer)
    assert (joined.id, created) == (space.id, False)
    assert cache.find(newer.with_canary(None)).id == space.id
    assert len(space.sightings()) == 2


def test_same_digest_other_vectors_is_another_space(cache):
    """What Ollama did between versions."""
    space, _ = cache.resolve(identity_of())
    other, created = cache.resolve(identity_of(engine_version="0.40.0", nearness=0.997))
    assert created
    assert other.id != space.id


@pytest.mark.parametrize(
    "other",
    [
        identity_of(weights="cd" * 32),
        identity_of(backend="openai"),
        identity_of(dimension=DIMENSION + 1),
        identity_of("two"),
    ],
)
def test_spaces_that_stay_apart(cache, other):
    space, _ = cache.resolve(identity_of())
    apart, created = cache.resolve(other)
    assert created
    assert apart.id != space.id
    assert cache.resolve(other)[0].id == apart.id
    assert cache.resolve(identity_of())[0].id == space.id


def test_unknown_weights_join_but_two_known_ones_stay_apart(cache):
    space, _ = cache.resolve(identity_of(weights=None, digest="d1"))
    assert cache.resolve(identity_of(weights="aa"))[0].id == space.id
    assert cache.resolve(identity_of(weights=None, digest="d2"))[0].id == space.id
    apart, created = cache.resolve(identity_of(weights="bb"))
    assert created
    assert apart.id != space.id


def test_the_nearest_of_several_fitting_spaces(cache):
    far, _ = cache.resolve(identity_of(weights="aa", nearness=0.9998))
    near, _ = cache.resolve(identity_of(weights="bb"))
    found, created = cache.resolve(identity_of(weights=None, digest="d"))
    assert not created
    assert found.id == near.id != far.id


def test_an_identity_needs_canaries(cache):
    with pytest.raises(CacheError, match="no canaries"):
        cache.resolve(identity_of().with_canary(None))


def test_names_that_are_no_folder_names(cache):
    model = "hf.co/Some One/../model:Q8_0\0"
    space, _ = cache.resolve(identity_of(model=model))
    assert space.path.parent == cache.path / "spaces"
    assert space.id.startswith("hf.co-some-one-..-model-q8-0-160-")
    assert cache.resolve(identity_of("two", model="模型"))[0].id.startswith("model-160-")
    assert len(cache.resolve(identity_of("three", model="x" * 300))[0].id) < 100


# --- what is known without asking ----------------------------------------------------------------


def test_known_again_without_canaries(cache):
    space, _ = cache.resolve(identity_of())
    assert cache.find(identity_of().with_canary(None)).id == space.id


@pytest.mark.parametrize(
    "other",
    [
        identity_of(engine_version="0.32.16"),
        identity_of(weights="cd" * 32),
        identity_of(engine="llama.cpp"),
        identity_of(backend="openai"),
    ],
)
def test_anything_else_is_not(cache, other):
    cache.resolve(identity_of())
    assert cache.find(other.with_canary(None)) is None


@pytest.mark.parametrize(
    "vague",
    [
        identity_of(weights=None),
        identity_of(engine_version=None),
        identity_of(engine_version="0.0.0"),
    ],
)
def test_who_knows_too_little_of_itself_is_asked_every_time(cache, vague):
    space, _ = cache.resolve(vague)
    assert cache.find(vague.with_canary(None)) is None
    assert cache.find(vague).id == space.id  # its canaries agree


def test_canaries_that_come_along_must_agree(cache):
    cache.resolve(identity_of())
    assert cache.find(identity_of(nearness=0.99)) is None
    assert cache.find(identity_of("two")) is None


def test_manifest_digest_stands_for_unknown_weights(cache):
    space, _ = cache.resolve(identity_of(weights=None, digest="d1"))
    assert cache.find(identity_of(weights=None, digest="d1").with_canary(None)).id == space.id
    assert cache.find(identity_of(weights=None, digest="d2").with_canary(None)) is None


def test_what_only_a_file_says_is_not_trusted(cache):
    space, created = cache.resolve(identity_of(), seen=False)
    assert created
    assert space.sightings() == []
    assert cache.find(identity_of().with_canary(None)) is None
    assert cache.resolve(identity_of())[0].id == space.id  # a server that proves it
    assert cache.find(identity_of().with_canary(None)).id == space.id


# --- by name, statistics, deleting ---------------------------------------------------------------


def test_a_space_by_the_beginning_of_its_name(cache):
    a, _ = cache.resolve(identity_of())
    b, _ = cache.resolve(identity_of("two", model="nomic-embed-text"))
    assert cache.space("emb").id == a.id
    assert cache.space(b.id).id == b.id
    with pytest.raises(CacheError, match="no vector spaces") as caught:
        cache.space("qwen")
    assert a.id in str(caught.value)
    assert b.id in str(caught.value)
    with pytest.raises(CacheError, match="2 vector spaces"):
        cache.space("")


def test_stats(cache, monkeypatch):
    monkeypatch.setattr(usage, "today", lambda: 20_000)
    space, _ = cache.resolve(identity_of())
    keys = keys_of(range(5))
    space.put(keys, vectors_of(keys), PROMPT)
    (row,) = cache.stats()
    assert row["bytes"] >= 5 * 4 * DIMENSION
    del row["bytes"]
    assert row == {
        "space": space.id,
        "error": None,
        "model": "embeddinggemma",
        "backend": "ollama",
        "identity": identity_of().describe(),
        "dimension": DIMENSION,
        "entries": 5,
        "prompts": {PROMPT: 5},
        "hits": 0,
        "misses": 0,
        "last_used": 86_400.0 * 20_000,
        "tasks": {PROMPT: {"entries": 5, "hits": 0, "misses": 0, "last_used": None}},
    }


def test_clear_deletes_spaces_and_nothing_else(cache):
    for name in ("one", "two"):
        cache.resolve(identity_of(name))
    mine = cache.path / "spaces" / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("do not delete")
    assert cache.clear() == 2
    assert (mine / "thesis.txt").exists()
    assert cache.spaces() == []


def test_a_space_deleted_under_its_objects(cache):
    space, _ = cache.resolve(identity_of())
    keys = keys_of(range(5))
    space.put(keys, vectors_of(keys), PROMPT)
    space.get(keys)
    cache.clear()
    for use in (
        lambda: space.lookup(keys),
        lambda: space.read(np.arange(5)),
        lambda: space.put(keys, vectors_of(keys), PROMPT),
        lambda: Space(space.path),
    ):
        with pytest.raises(CacheError, match="there is no embedding cache"):
            use()


def test_an_older_copy_put_in_its_place_is_noticed(cache, tmp_path):
    space, _ = cache.resolve(identity_of())
    keys = keys_of(range(600))
    space.put(keys[:100], vectors_of(keys[:100]), PROMPT)
    shutil.copytree(space.path, tmp_path / "backup")
    space.put(keys[100:], vectors_of(keys[100:]), PROMPT)
    assert space.get(keys)[1].all()
    shutil.rmtree(space.path)
    shutil.copytree(tmp_path / "backup", space.path)
    vectors, found = space.get(keys)
    assert found.tolist() == [True] * 100 + [False] * 500
    assert np.array_equal(vectors, vectors_of(keys[:100]))


def test_another_space_put_in_its_place_is_noticed(cache):
    space, _ = cache.resolve(identity_of())
    other, _ = cache.resolve(identity_of("two"))
    keys = keys_of(range(600))
    space.put(keys[:300], vectors_of(keys[:300]), PROMPT)
    other.put(keys[300:], vectors_of(keys[300:]), PROMPT)
    assert space.get(keys)[1].sum() == 300
    shutil.rmtree(space.path)
    shutil.copytree(other.path, space.path)
    vectors, found = space.get(keys)
    assert found.tolist() == [False] * 300 + [True] * 300
    assert np.array_equal(vectors, vectors_of(keys[300:]))


# --- one bad space among good ones ---------------------------------------------------------------


def broken(cache: EmbeddingCache, how: str) -> Space:
    space, _ = cache.resolve(identity_of("broken"))
    file = space.path / "index.sqlite"
    if how == "garbage":
        file.write_bytes(b"no database, " * 1000)
    elif how == "empty":
        file.write_bytes(b"")
    else:
        connection = sqlite3.connect(file)
        connection.execute(how)
        connection.commit()
        connection.close()
    return space


@pytest.mark.parametrize(
    "how",
    [
        "garbage",
        "empty",
        "DROP TABLE meta",
        "DELETE FROM meta WHERE key = 'format'",
        "UPDATE meta SET value = 'x' WHERE key = 'format'",
        "UPDATE meta SET value = '{}' WHERE key = 'identity'",
        "UPDATE meta SET value = '7' WHERE key = 'dimension'",
    ],
)
def test_a_damaged_space_is_an_error_and_stays(cache, how):
    good, _ = cache.resolve(identity_of())
    bad = broken(cache, how)
    size = (bad.path / "index.sqlite").stat().st_size
    for use in (cache.spaces, lambda: cache.find(identity_of()), lambda: Space(bad.path)):
        with pytest.raises(CacheCorruptedError, match="toolkit cache repair"):
            use()
    with pytest.raises(CacheCorruptedError):
        cache.resolve(identity_of("broken"))
    rows = {row["space"]: row for row in cache.stats()}
    assert rows[good.id]["entries"] == 0
    assert rows[good.id]["error"] is None
    assert "toolkit cache repair" in rows[bad.id]["error"]
    assert rows[bad.id]["entries"] is None
    assert (bad.path / "index.sqlite").stat().st_size == size
    assert cache.clear() == 2


def test_a_newer_format_says_how_to_update(cache):
    broken(cache, "UPDATE meta SET value = '2' WHERE key = 'format'")
    for use in (cache.spaces, lambda: cache.resolve(identity_of())):
        with pytest.raises(CacheError, match="pip install --upgrade") as caught:
            use()
        assert not isinstance(caught.value, CacheCorruptedError)
    assert "has format 2" in cache.stats()[0]["error"]


def test_tables_of_a_later_version_are_no_obstacle(cache):
    space = broken(cache, "CREATE TABLE claims (key BLOB PRIMARY KEY)")
    again, created = cache.resolve(identity_of("broken"))
    assert not created
    assert again.put(keys_of("ab"), vectors_of(keys_of("ab")), PROMPT) == 2
    assert len(space) == 2
