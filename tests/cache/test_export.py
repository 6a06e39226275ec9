import numpy as np
import pytest

from tests.cache.making import PROMPT, check_by_hand, identity_of, keys_of, vectors_of
from toolkit.cache import EmbeddingCache, read_pack, write_pack
from toolkit.errors import CacheError, PackError


@pytest.fixture
def cache(tmp_path):
    return EmbeddingCache(tmp_path / "here")


@pytest.fixture
def space(cache):
    space, _ = cache.resolve(identity_of())
    keys = keys_of(range(50))
    space.put(keys, vectors_of(keys), PROMPT)
    return space


def test_there_and_back(cache, space, tmp_path):
    assert cache.export(tmp_path / "p.safetensors") == 50
    colleague = EmbeddingCache(tmp_path / "there")
    done = colleague.import_(tmp_path / "p.safetensors")
    assert (done.new_space, done.added, done.present) == (True, 50, 0)
    keys = keys_of(range(50))
    assert np.allclose(done.space.get(keys)[0], vectors_of(keys), atol=1e-7)
    assert done.space.counts() == {PROMPT: 50}
    assert done.space.identity == space.identity
    again = colleague.import_(str(tmp_path / "p.safetensors"))
    assert (again.new_space, again.added, again.present) == (False, 0, 50)


def test_float16_gives_unit_vectors(cache, space, tmp_path):
    cache.export(tmp_path / "p", space.id[:5], dtype="float16")
    done = EmbeddingCache(tmp_path / "there").import_(read_pack(tmp_path / "p"))
    vectors, _ = done.space.get(keys_of(range(50)))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.allclose(vectors, vectors_of(keys_of(range(50))), atol=1.3e-4)


def test_import_joins_and_keeps_what_is_there(cache, space, tmp_path):
    keys = keys_of(range(40, 70))
    write_pack(tmp_path / "p", keys, vectors_of(keys), identity_of(), PROMPT, provenance="x")
    done = cache.import_(tmp_path / "p")
    assert done.space.id == space.id
    assert (done.new_space, done.added, done.present) == (False, 20, 10)
    full, _ = space.get(keys_of(range(50)))
    assert np.array_equal(full, vectors_of(keys_of(range(50))))  # float32, as they were


def test_a_pack_of_another_space_gets_its_own(cache, space, tmp_path):
    keys = keys_of(range(5))
    other = identity_of(nearness=0.99, engine_version="0.11.0")
    write_pack(tmp_path / "p", keys, vectors_of(keys), other, PROMPT, provenance="x")
    done = cache.import_(tmp_path / "p")
    assert done.new_space
    assert done.space.id != space.id
    check_by_hand(space.path)


def test_an_imported_space_is_not_trusted_before_a_server_proves_it(cache, space, tmp_path):
    cache.export(tmp_path / "p")
    colleague = EmbeddingCache(tmp_path / "there")
    done = colleague.import_(tmp_path / "p")
    assert colleague.find(identity_of().with_canary(None)) is None
    assert colleague.resolve(identity_of())[0].id == done.space.id


def test_chosen_keys_only(cache, space, tmp_path):
    assert cache.export(tmp_path / "p", keys=keys_of([3, 4, 3])) == 2
    pack = read_pack(tmp_path / "p")
    assert sorted(pack.keys().tolist()) == sorted(keys_of([3, 4]).tolist())
    with pytest.raises(PackError, match="1 of 2 texts are not in"):
        cache.export(tmp_path / "q", keys=keys_of([3, "missing"]))
    with pytest.raises(PackError, match="no vectors"):
        cache.export(tmp_path / "q", keys=keys_of([]))
    assert not (tmp_path / "q").exists()


def test_a_pack_has_one_prompt(cache, space, tmp_path):
    keys = keys_of("ab")
    space.put(keys, vectors_of(keys), "other {text}")
    with pytest.raises(PackError, match="name one") as caught:
        cache.export(tmp_path / "p")
    assert "2 vectors of 'other {text}'" in str(caught.value)
    assert cache.export(tmp_path / "p", prompt="other {text}") == 2
    assert read_pack(tmp_path / "p").prompt == "other {text}"
    with pytest.raises(PackError, match="no vectors"):
        cache.export(tmp_path / "p", prompt="third {text}")


def test_order_of_embedding_does_not_show(tmp_path):
    for name, order in [("a", range(20)), ("b", range(19, -1, -1))]:
        cache = EmbeddingCache(tmp_path / name)
        space, _ = cache.resolve(identity_of())
        keys = keys_of(order)
        space.put(keys, vectors_of(keys), PROMPT)
        cache.export(tmp_path / f"{name}.safetensors")
    packs = [(tmp_path / f"{name}.safetensors").read_bytes() for name in "ab"]
    assert packs[0] == packs[1]


def test_an_empty_space_and_a_damaged_pack(cache, tmp_path):
    cache.resolve(identity_of())
    with pytest.raises(PackError, match="it is empty"):
        cache.export(tmp_path / "p")
    (tmp_path / "p").write_bytes(b"x" * 100)
    with pytest.raises(PackError, match="not a readable"):
        cache.import_(tmp_path / "p")
    with pytest.raises(CacheError, match="no vector spaces"):
        cache.export(tmp_path / "q", "other")


def test_several_spaces_are_listed_when_none_is_named(cache, space, tmp_path):
    other, _ = cache.resolve(identity_of("another"))
    with pytest.raises(CacheError) as caught:
        cache.export(tmp_path / "a.safetensors", "")
    assert "holds 2 vector spaces; name one of them" in str(caught.value)
    assert space.id in str(caught.value)
    assert other.id in str(caught.value)
    assert "''" not in str(caught.value)
