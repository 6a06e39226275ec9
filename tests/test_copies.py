"""Which vectors are copies, beside numpy's own answer."""

import numpy as np
import pytest

from toolkit.copies import distinct_vectors


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 200])
def test_the_same_kinds_as_numpy_finds(n, dtype):
    vectors = np.random.default_rng(n).integers(0, 3, size=(n, 3)).astype(dtype)
    first, kind = distinct_vectors(vectors)
    assert np.array_equal(vectors[first][kind] if n else vectors, vectors)
    assert len(first) == len(np.unique(vectors, axis=0)) if n else not len(first)
    assert first.tolist() == sorted(first)


def test_rows_that_are_not_contiguous():
    vectors = np.asfortranarray([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
    assert distinct_vectors(vectors)[1].tolist() == [0, 1, 0]
