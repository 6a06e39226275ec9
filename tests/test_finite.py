from __future__ import annotations

import numpy as np
import pytest

from toolkit.cluster import mteb_clustering
from toolkit.errors import DataError
from toolkit.finite import refuse_gaps
from toolkit.visualize import (
    EmbeddingMapDisplay,
    MapComparison,
    UMAPProjector,
    neighbour_overlap,
    projection_quality,
)

X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
LOST = X.copy()
LOST[7, 3] = np.nan
LOST[9, 0] = np.inf


def test_large_numbers_are_no_gaps() -> None:
    refuse_gaps(np.full((4, 3), 3e38, dtype=np.float32))
    with pytest.raises(DataError, match=r"^2 of 40 vectors .* position 7;"):
        refuse_gaps(LOST)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: EmbeddingMapDisplay.from_embeddings(LOST, verbose=0),
        lambda: MapComparison.from_embeddings(LOST, X, verbose=0),
        lambda: UMAPProjector(verbose=0).fit(LOST),
        lambda: neighbour_overlap(X, LOST),
        lambda: projection_quality(LOST, X[:, :2]),
        lambda: mteb_clustering(LOST, ["a", "b"] * 20),
    ],
)
def test_which_vectors_are_none_is_said(ask) -> None:
    with pytest.raises(DataError, match="2 of 40 vectors hold NaN or infinity, the first at posi"):
        ask()
