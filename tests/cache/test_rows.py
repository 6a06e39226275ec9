import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.cache.making import keys_of, vectors_of
from toolkit.cache.rows import (
    KeyIndex,
    as_keys,
    bad_rows,
    checked_columns,
    checksum_width,
    cut_rows,
    row_checksums,
    unit_rows,
)

# Few distinct bytes at both ends, so that keys share their first half often.
alike = st.builds(lambda a, b: bytes([a] * 8 + [b] * 8), st.integers(0, 3), st.integers(0, 255))
keys = st.one_of(alike, st.binary(min_size=16, max_size=16))


def packed(items: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(items), dtype=np.dtype((np.void, 16)))


@given(st.lists(keys, unique=True, max_size=60), st.lists(keys, max_size=60), st.data())
def test_index_finds_what_a_dict_finds(known, others, data):
    asked = data.draw(st.permutations([*known, *others]))
    found = KeyIndex(packed(known)).find(packed(asked))
    rows = {key: row for row, key in enumerate(known)}
    assert found.tolist() == [rows.get(key, -1) for key in asked]


def test_index_keeps_given_rows():
    index = KeyIndex(keys_of("abc"), np.array([30, 10, 20]))
    assert index.find(keys_of("cxa")).tolist() == [20, -1, 30]
    assert len(index) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 15), dtype=np.uint8),
        np.zeros(16, dtype=np.uint8),
        np.zeros((2, 16), dtype=np.int8),
        np.zeros((2, 1), dtype="V16"),
        np.zeros(2, dtype="V8"),
        np.array(["a", "b"]),
    ],
)
def test_other_arrays_are_not_keys(wrong):
    with pytest.raises(ValueError, match="not \\(n,\\) of 16 bytes"):
        as_keys(wrong)


def test_keys_of_strided_bytes():
    wide = np.arange(96, dtype=np.uint8).reshape(3, 32)
    assert as_keys(wide[:, ::2]).tolist() == [bytes(range(i, i + 32, 2)) for i in (0, 32, 64)]


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 4), st.integers(1, 300)), elements=st.floats(width=32)
    ),
    st.data(),
)
def test_one_flipped_bit_changes_the_checksum_of_its_block_alone(vectors, data):
    before = row_checksums(vectors)
    assert before.shape == (len(vectors), checksum_width(vectors.shape[1]))
    row = data.draw(st.integers(0, vectors.shape[0] - 1))
    column = data.draw(st.integers(0, vectors.shape[1] - 1))
    changed = vectors.copy()
    changed.view(np.uint32)[row, column] ^= np.uint32(1 << data.draw(st.integers(0, 31)))
    differs = np.argwhere(row_checksums(changed) != before)
    assert differs.tolist() == [[row, column // 128]]


@pytest.mark.parametrize(("dimension", "cut"), [(768, 128), (768, 512), (300, 128), (300, 256)])
def test_checksums_of_the_first_columns_are_the_first_checksums(dimension, cut):
    vectors = vectors_of(keys_of(range(9)), dimension)
    assert checked_columns(cut, dimension) == cut
    first = row_checksums(np.ascontiguousarray(vectors[:, :cut]))
    assert np.array_equal(first, row_checksums(vectors)[:, : cut // 128])


def test_zeros_or_another_row_in_a_blocks_place_are_seen():
    vectors = vectors_of(keys_of(range(200)), 256)
    sums = row_checksums(vectors)
    assert (sums != row_checksums(np.zeros_like(vectors))).all()
    assert len(np.unique(sums)) == sums.size


@given(st.integers(1, 40), st.integers(1, 45))
def test_cut_vectors_point_the_same_way_and_have_length_one(dimension, wanted):
    vectors = vectors_of(keys_of(range(5)), dimension)
    cut = cut_rows(vectors, wanted)
    assert cut.shape == (5, min(wanted, dimension))
    assert np.allclose(np.linalg.norm(cut, axis=1), 1, atol=1e-6)
    part = vectors[:, :wanted] / np.linalg.norm(vectors[:, :wanted], axis=1, keepdims=True)
    assert np.allclose(cut, part, atol=1e-6)


def test_zeros_stay_zeros():
    assert not unit_rows(np.zeros((2, 3), dtype=np.float32)).any()


def test_what_is_wrong_with_vectors():
    good = vectors_of(keys_of(range(4)), 8)
    assert bad_rows(good, 8) == ""
    assert bad_rows(good.astype(np.float16), 8) == ""
    assert "shape (4, 8), not (n, 9)" in bad_rows(good, 9)
    for value in (np.nan, np.inf, 0.9):
        bad = good.copy()
        bad[2, 1] = value
        assert bad_rows(bad, 8).startswith("1 of 4 vectors")
        assert bad_rows(bad, 8).endswith("row 2")
    assert bad_rows(good * np.float32(1.002), 8).startswith("4 of 4")
    assert bad_rows(good * np.float32(1.0005), 8) == ""


def test_cut_renormalises():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((5, 768)).astype(np.float32)
    short = cut_rows(vectors, 128)
    assert short.dtype == np.float32
    assert np.allclose(np.linalg.norm(short, axis=1), 1)
    assert np.allclose(
        short, vectors[:, :128] / np.linalg.norm(vectors[:, :128], axis=1)[:, None], atol=1e-6
    )
    assert cut_rows(vectors, None) is vectors
    assert not np.isnan(cut_rows(np.array([[0.0, 1.0]], dtype=np.float32), 1)).any()
