from __future__ import annotations

import numpy as np
import pytest

from toolkit.classify import neighbours
from toolkit.classify.neighbours import find_neighbours


@pytest.mark.parametrize("block", [7, 1 << 23])
def test_blocks_give_what_the_whole_matrix_gives(block, monkeypatch):
    monkeypatch.setattr(neighbours, "_BLOCK_VALUES", block * 60)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    codes, parts = rng.integers(0, 3, 60), rng.integers(0, 2, 60)
    found = find_neighbours(X, codes, parts, n_neighbors=4, duplicate_similarity=0.8)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    S = unit @ unit.T
    np.fill_diagonal(S, -3)
    assert np.allclose(found.distance, 1 - np.sort(S, axis=1)[:, -4:].mean(axis=1), atol=1e-6)
    rival = np.where(codes[:, None] != codes, S, -2)
    assert np.array_equal(found.rival, rival.argmax(axis=1))
    assert np.allclose(found.rival_similarity, rival.max(axis=1), atol=1e-6)
    assert np.array_equal(found.twin, np.where(parts[:, None] != parts, S, -2).argmax(axis=1))
    assert found.repeated == (S.max(axis=1) >= 0.8).sum()
    for row in range(60):
        near = codes[(S[row] >= 0.8) | (np.arange(60) == row)]
        votes = np.bincount(near, minlength=3)
        clear = (votes == votes.max()).sum() == 1
        assert found.majority[row] == (votes.argmax() if clear else -1)


def test_one_label_one_part_and_no_direction():
    found = find_neighbours(np.zeros((2, 3)), np.array([0, 0]), np.array([0, 0]))
    assert found.rival_similarity.tolist() == [-2, -2]
    assert found.twin_similarity.tolist() == [-2, -2]
    assert found.repeated == 0
