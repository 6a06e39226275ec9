from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from toolkit.errors import DataError, UsageError
from toolkit.visualize import projection_quality
from toolkit.visualize import quality as module
from toolkit.visualize.projection import project


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 20))
    return X, X[:, :2] + 0.3 * rng.normal(size=(300, 2))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_agrees_with_scikit_learn(data: tuple[np.ndarray, np.ndarray], metric: str) -> None:
    X, points = data
    ours = projection_quality(X, points, metric=metric, n_neighbors=10)
    theirs = trustworthiness(X, points, n_neighbors=10, metric=metric)
    assert ours.trustworthiness == pytest.approx(theirs, abs=1e-6)

    def neighbours(data: np.ndarray, metric: str) -> np.ndarray:
        model = NearestNeighbors(n_neighbors=10, metric=metric).fit(data)
        return model.kneighbors(return_distance=False)

    pairs = zip(neighbours(X, metric), neighbours(points, "euclidean"), strict=True)
    kept = np.mean([len(set(a) & set(b)) / 10 for a, b in pairs])
    assert ours.neighbour_preservation == pytest.approx(kept, abs=1e-9)
    assert ours.n_sampled == 300


def test_blocks_do_not_matter(
    data: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = projection_quality(*data)
    monkeypatch.setattr(module, "_BLOCK_VALUES", 300 * 7)
    blocked = projection_quality(*data)
    assert blocked.to_dict() == pytest.approx(whole.to_dict())


def test_sample_estimates_the_whole(data: tuple[np.ndarray, np.ndarray]) -> None:
    whole = projection_quality(*data)
    part = projection_quality(*data, n_samples=120, random_state=1)
    assert part.n_sampled == 120
    assert part.trustworthiness == pytest.approx(whole.trustworthiness, abs=0.02)
    assert part.neighbour_preservation == pytest.approx(whole.neighbour_preservation, abs=0.03)
    assert part == projection_quality(*data, n_samples=120, random_state=1)
    assert "a sample of 120 of 300 texts" in str(part)


def test_large_data_is_sampled() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20_000, 2))
    quality = projection_quality(points, points, metric="euclidean", n_neighbors=5)
    assert quality.n_sampled == 1_250
    assert quality.trustworthiness == pytest.approx(1, abs=1e-6)
    assert quality.neighbour_preservation > 0.999


def test_random_places_are_no_better_than_chance(data: tuple[np.ndarray, np.ndarray]) -> None:
    X, _ = data
    random = projection_quality(X, np.random.default_rng(5).normal(size=(300, 2)))
    assert random.trustworthiness == pytest.approx(0.5, abs=0.05)
    assert random.neighbour_preservation == pytest.approx(random.chance, abs=0.02)


def test_copies_count_once(data: tuple[np.ndarray, np.ndarray]) -> None:
    X, _ = data
    first = np.repeat(np.arange(40), 40)
    found = project(X[first], PCA(2)).quality
    once = project(X[:40], PCA(2)).quality
    assert found is not None
    assert once is not None
    assert (found.n_points, found.n_copies) == (40, 1560)
    assert str(found).endswith("measured on all 40 different texts.")
    # Which of 40 copies are the 15 nearest is drawn by lot.
    assert found.neighbour_preservation == pytest.approx(once.neighbour_preservation, abs=0.02)
    assert found.trustworthiness == pytest.approx(once.trustworthiness, abs=0.02)
    assert project(np.repeat(X[:2], 5, axis=0), PCA(2)).quality is None


def test_refusals(data: tuple[np.ndarray, np.ndarray]) -> None:
    X, points = data
    with pytest.raises(UsageError, match="less than n / 2"):
        projection_quality(X[:20], points[:20], n_neighbors=10)
    with pytest.raises(UsageError, match="metric='hamming'"):
        projection_quality(X, points, metric="hamming")
    with pytest.raises(DataError, match="at least 3"):
        projection_quality(X[:2], points[:2])
    with pytest.raises(ValueError, match="inconsistent"):
        projection_quality(X, points[:5])
