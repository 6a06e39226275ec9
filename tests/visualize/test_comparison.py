from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from toolkit.errors import DataError, UsageError
from toolkit.visualize import EmbeddingMapDisplay, MapComparison, neighbour_overlap
from toolkit.visualize.aligning import align


def test_overlap_is_counted_as_by_hand() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 6)), rng.normal(size=(40, 3))

    def near(A: np.ndarray, i: int) -> set[int]:
        unit = A / np.linalg.norm(A, axis=1, keepdims=True)
        order = np.argsort(-(unit @ unit[i]))
        return set([j for j in order.tolist() if j != i][:5])

    overlap = neighbour_overlap(X, Y, n_neighbors=5)
    expected = [len(near(X, i) & near(Y, i)) / 5 for i in range(40)]
    np.testing.assert_allclose(overlap.shares, expected)
    assert overlap.mean == pytest.approx(np.mean(expected))
    assert neighbour_overlap(X, 3 * X).mean == 1
    assert "all 40 texts" in str(overlap)


def test_overlap_of_unrelated_spaces_is_chance_and_a_sample_says_so() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(3000, 8)), rng.normal(size=(3000, 8))
    overlap = neighbour_overlap(X, Y, n_neighbors=300, n_samples=200)
    assert overlap.mean == pytest.approx(overlap.chance, abs=0.01)
    assert len(overlap.rows) == len(overlap.shares) == 200
    assert "a sample of 200 of 3,000 texts" in str(overlap)


def test_overlap_refuses() -> None:
    X = np.random.default_rng(0).normal(size=(10, 4))
    with pytest.raises(UsageError, match="10 and 9 vectors cannot be compared"):
        neighbour_overlap(X, X[:9], n_neighbors=3)
    with pytest.raises(UsageError, match="less than n = 10"):
        neighbour_overlap(X, X, n_neighbors=10)
    with pytest.raises(DataError, match="at least 3 texts"):
        neighbour_overlap(X[:2], X[:2], n_neighbors=1)


def test_align_undoes_turning_mirroring_moving_and_scaling_only() -> None:
    points = np.random.default_rng(0).normal(size=(30, 2))
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mirrored = 5 * (points * [1, -1]) @ turn + [3, 9]
    np.testing.assert_allclose(align(mirrored, points), points, atol=1e-9)
    stretched = points * [1, 4]
    distances = np.linalg.norm(align(stretched, points)[:, None] - align(stretched, points), axis=2)
    before = np.linalg.norm(stretched[:, None] - stretched, axis=2)
    ratio = distances[before > 0] / before[before > 0]
    np.testing.assert_allclose(ratio, ratio[0])
    np.testing.assert_allclose(align(np.ones((30, 2)), points).std(axis=0), 0, atol=1e-12)


def test_second_map_begins_at_the_first() -> None:
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(4, 16)), 30, axis=0) + 0.3 * rng.normal(size=(120, 16))
    comparison = MapComparison.from_embeddings(X, X[:, :8], verbose=0, cache=False)
    a, b = comparison.first.points, comparison.second.points
    # Each group lies where it lay: far nearer to itself than groups are to each other.
    centres = [np.array([p[i * 30 : (i + 1) * 30].mean(axis=0) for i in range(4)]) for p in (a, b)]
    moved = np.linalg.norm(centres[0] - centres[1], axis=1).max()
    between = np.linalg.norm(centres[0][:, None] - centres[0], axis=2)
    assert moved < 0.5 * between[between > 0].min()
    assert "init" in comparison.second.projection
    assert comparison.first.columns["neighbours shared"] == [
        round(100 * share)
        for share in comparison.overlap.shares  # type: ignore[union-attr]
    ]
    # It is a map of the second vectors nevertheless, as good as one begun elsewhere.
    free = EmbeddingMapDisplay.from_embeddings(X[:, :8], verbose=0, cache=False).quality
    assert comparison.second.quality is not None
    assert free is not None
    assert comparison.second.quality.trustworthiness > free.trustworthiness - 0.02
    page = comparison.to_html()
    assert "begun at the places of the first" in page


def comparison_of(n: int = 60, **options: object) -> MapComparison:
    X = np.random.default_rng(0).normal(size=(n, 8))
    options = {"projector": PCA(2), "titles": ("all", "half"), **options}
    return MapComparison.from_embeddings(X, X[:, :4], **options)  # type: ignore[arg-type]


def test_frame_plot_and_colours(tmp_path: Path) -> None:
    labels = np.arange(60) % 4 - 1
    comparison = comparison_of(
        labels=labels, texts=map(str, range(60)), columns={"n": range(60)}, title="$a$ <b>"
    )
    frame = comparison.to_frame()
    assert list(frame)[:4] == ["x", "y", "x_2", "y_2"]
    np.testing.assert_array_equal(frame[["x_2", "y_2"]], comparison.second.points)
    assert comparison.first.colors == comparison.second.colors
    figure = comparison.plot()
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["all", "half"]
    assert "neighbours are the same" in figure.get_supxlabel().replace("\n", " ")
    figure.savefig(tmp_path / "a.png")
    comparison.provenance = {"notice": "Not EmbeddingGemma: vectors of m."}
    assert comparison.plot().get_supxlabel().startswith("Not EmbeddingGemma: vectors of m. ")
    by_number = comparison.plot(color_by="n", dark=True)
    assert [ax.get_legend() is not None for ax in by_number.axes] == [False, True]
    import matplotlib.pyplot as plt

    plt.close("all")


def test_refusals() -> None:
    comparison = comparison_of(texts=map(str, range(60)))
    first = comparison.first
    with pytest.raises(UsageError, match="maps of 60 and 3 texts"):
        MapComparison(first, EmbeddingMapDisplay(first.points[:3]))
    other = EmbeddingMapDisplay(first.points, texts=[*map(str, range(59)), "x"])
    with pytest.raises(UsageError, match="differ first at position 59"):
        MapComparison(first, other)
    with pytest.raises(UsageError, match="titles must be two"):
        MapComparison(first, first, titles="ab")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="10 and 9 vectors"):
        MapComparison.from_embeddings(np.eye(10), np.eye(10)[:9])
