import errno
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cache.making import DIMENSION, PROMPT, check_by_hand, identity_of, keys_of, vectors_of
from toolkit.cache import Space, matrix, memory
from toolkit.errors import CacheCorruptedError, CacheError


@pytest.fixture
def space(tmp_path: Path) -> Space:
    return Space.create(tmp_path / "spaces" / "one", identity_of())


def put(space: Space, names: object) -> int:
    keys = keys_of(names)
    return space.put(keys, vectors_of(keys, space.dimension), PROMPT)


def test_what_is_put_is_found(space):
    keys = keys_of(range(30))
    assert put(space, range(20)) == 20
    rows = space.lookup(keys)
    assert rows.tolist() == [*range(20), *[-1] * 10]
    assert np.array_equal(space.read(rows[:20]), vectors_of(keys[:20]))
    vectors, found = space.get(keys[::-1])
    assert found.tolist() == [False] * 10 + [True] * 20
    assert np.array_equal(vectors, vectors_of(keys[:20])[::-1])
    assert len(space) == 20
    assert space.keys().tolist() == keys[:20].tolist()
    assert space.counts() == {PROMPT: 20}
    check_by_hand(space.path)


def test_keys_as_rows_of_bytes(space):
    keys = keys_of(range(3))
    put(space, range(3))
    assert space.lookup(keys.view(np.uint8).reshape(3, 16)).tolist() == [0, 1, 2]


def test_duplicates_and_known_keys_are_passed_over(space):
    assert put(space, [1, 2, 1, 3]) == 3
    assert put(space, [3, 4, 4, 2]) == 1
    assert put(space, [4, 3, 2, 1]) == 0
    assert space.lookup(keys_of([1, 2, 3, 4])).tolist() == [0, 1, 2, 3]
    check_by_hand(space.path)


def test_the_first_vector_of_a_key_stays(space):
    keys = keys_of("a")
    space.put(keys, vectors_of(keys), PROMPT)
    space.put(keys, vectors_of(keys_of("b")), PROMPT)
    assert np.array_equal(space.get(keys)[0], vectors_of(keys))


@pytest.mark.parametrize("value", [np.nan, np.inf, 2.0, 1e300])
def test_one_bad_vector_and_none_is_stored(space, value):
    keys = keys_of(range(5))
    vectors = vectors_of(keys).astype(np.float64)
    vectors[3, 0] = value
    with pytest.raises(CacheError, match=r"1 of 5 vectors .* row 3"):
        space.put(keys, vectors, PROMPT)
    assert len(space) == 0


def test_vectors_that_do_not_fit_are_refused(space):
    keys = keys_of(range(5))
    with pytest.raises(CacheError, match="shape"):
        space.put(keys, vectors_of(keys, DIMENSION - 1), PROMPT)
    with pytest.raises(CacheError, match="5 keys for 4 vectors"):
        space.put(keys, vectors_of(keys)[:4], PROMPT)
    with pytest.raises(CacheError, match="shape"):
        space.put(keys, vectors_of(keys)[0], PROMPT)
    assert len(space) == 0


def test_nothing_asked_nothing_done(space):
    none = keys_of([])
    assert space.put(none, np.empty((0, DIMENSION), np.float32), PROMPT) == 0
    assert space.lookup(none).shape == (0,)
    assert space.read(space.lookup(none)).shape == (0, DIMENSION)
    assert space.read(space.lookup(none), 7).shape == (0, 7)
    assert space.matrix().shape == (0, DIMENSION)
    assert space.keys().shape == (0,)


@pytest.mark.parametrize("dimensions", [1, 100, 128, 130, 159, 160, 161, None])
def test_fewer_dimensions_are_cut_from_the_full_vector(space, dimensions):
    put(space, range(700))
    keys = keys_of(range(0, 700, 3))
    vectors, _ = space.get(keys, dimensions)
    full = vectors_of(keys)[:, :dimensions]
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert vectors.flags.writeable
    assert np.allclose(vectors, full / np.linalg.norm(full, axis=1, keepdims=True), atol=1e-6)


def test_a_few_keys_do_not_load_a_large_index(space, monkeypatch):
    put(space, range(900))
    loads = []
    monkeypatch.setattr(memory, "_Loaded", lambda width: loads.append(width))
    keys = keys_of([5, "missing", 899])
    assert space.lookup(keys).tolist() == [5, -1, 899]
    assert np.array_equal(space.read(np.array([899, 5])), vectors_of(keys[[2, 0]]))
    assert loads == []


def test_rows_beyond_the_index_are_an_error(space):
    put(space, range(900))
    for rows in ([900], [-1], [3, -1, 5], list(range(800, 1000))):
        with pytest.raises(CacheCorruptedError, match="900 rows"):
            space.read(np.array(rows))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.tuples(st.sampled_from(["put", "get"]), st.lists(st.integers(0, 400)))),
    st.sampled_from([None, 64, 128]),
)
def test_like_a_dict(tmp_path_factory, steps, dimensions):
    space = Space.create(tmp_path_factory.mktemp("space") / "s", identity_of())
    model: dict[int, int] = {}
    for step, numbers in steps:
        if step == "put":
            assert put(space, numbers) == len(set(numbers) - set(model))
            for number in numbers:
                model.setdefault(number, len(model))
        rows = space.lookup(keys_of(numbers))
        assert rows.tolist() == [model.get(number, -1) for number in numbers]
        known = keys_of(number for number in numbers if number in model)
        expected = vectors_of(known)[:, :dimensions]
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        assert np.allclose(space.read(rows[rows >= 0], dimensions), expected, atol=1e-6)
    assert len(space) == len(model)


def test_another_object_sees_what_is_new(space):
    other = Space(space.path)
    for end in (1, 5, 40, 300, 301, 1000):
        put(space, range(end))
        assert other.lookup(keys_of(range(end + 1))).tolist() == [*range(end), -1]
        assert np.array_equal(other.read(np.arange(end)), vectors_of(keys_of(range(end))))


def test_pickled_as_a_path(space):
    put(space, range(2000))
    space.get(keys_of(range(2000)))
    data = pickle.dumps(space)
    assert len(data) < 500
    again = pickle.loads(data)
    assert again.id == space.id
    assert again.identity == space.identity
    assert len(again) == 2000


def test_a_relative_path_survives_a_change_of_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = Space.create(Path("here"), identity_of())
    monkeypatch.chdir("/")
    assert put(space, "abc") == 3


def test_threads_share_a_space(space):
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for start in range(0, 300, 10):
                names = range(start + number, start + number + 20)
                put(space, names)
                vectors, found = space.get(keys_of(names))
                assert found.all()
                assert np.array_equal(vectors, vectors_of(keys_of(names)))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(check_by_hand(space.path)) == len(space) == 290 + 5 + 20


def test_matrix_is_read_only_and_has_committed_rows_only(space):
    put(space, range(10))
    with (space.path / "vectors.f32").open("ab") as file:
        file.write(b"x" * 1000)  # what a killed writer leaves
    found = space.matrix()
    assert found.shape == (10, DIMENSION)
    assert np.array_equal(found, vectors_of(keys_of(range(10))))
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1
    put(space, range(20))
    assert space.matrix().shape == (20, DIMENSION)
    assert found.shape == (10, DIMENSION)
    check_by_hand(space.path)


def test_file_systems_without_memory_mapping(space, monkeypatch):
    put(space, range(300))

    def refused(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(matrix.np, "memmap", refused)
    keys = keys_of([7, 299, 0])
    assert np.array_equal(space.get(keys)[0], vectors_of(keys))
    assert space.get(keys, 128)[0].shape == (3, 128)
    with pytest.raises(CacheError, match="cannot be used"):
        space.matrix()


def test_keys_and_counts_by_prompt(space):
    put(space, "abc")
    keys = keys_of("cde")
    assert space.put(keys, vectors_of(keys), "other {text}") == 2
    assert space.counts() == {PROMPT: 3, "other {text}": 2}
    assert space.keys("other {text}").tolist() == keys_of("de").tolist()
    assert space.keys("third {text}").shape == (0,)
    assert space.keys().tolist() == keys_of("abcde").tolist()


def test_a_prompt_with_half_a_character(space):
    keys = keys_of("ab")
    assert space.put(keys, vectors_of(keys), "\ud83d {text}") == 2
    assert space.counts() == {"? {text}": 2}


def test_identity_and_sightings_are_kept(space):
    assert space.identity == identity_of()
    assert np.array_equal(space.identity.canary.vectors, identity_of().canary.vectors)
    newer = identity_of(engine_version="0.40.0")
    space.record(newer)
    space.record(newer)
    assert Space(space.path).sightings() == [identity_of(), newer]
    assert [seen.canary for seen in space.sightings()] == [None, None]
