from __future__ import annotations

import numpy as np
import pytest

from toolkit.embedding.checks import check_vectors
from toolkit.errors import InvalidVectorsError


def test_checks_name_what_is_wrong():
    good = np.eye(4, 8, dtype=np.float32)
    assert check_vectors(good, 4, 8) == {}
    bad = good.copy()
    bad[0, 0], bad[1, 1], bad[2, 2] = np.nan, 0, 1.01
    assert check_vectors(bad, 4, 8) == {
        0: "not finite",
        1: "all zeros",
        2: "of length 1.01 instead of 1",
    }
    bad[0, 0] = np.inf
    assert check_vectors(bad, 4, 8)[0] == "not finite"
    with pytest.raises(InvalidVectorsError, match="3 vectors for 4"):
        check_vectors(good[:3], 4, 8)
    with pytest.raises(InvalidVectorsError, match="length 8 instead of 16"):
        check_vectors(good, 4, 16)
