from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from toolkit.cache import cache_root
from toolkit.cluster import cluster_texts
from toolkit.visualize import EmbeddingMapDisplay, UMAPProjector
from toolkit.visualize.kept import load_places, places_key, store_places

X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)


def files() -> list[Path]:
    return sorted((cache_root() / "projections").glob("*"))


def draw(**options: object) -> EmbeddingMapDisplay:
    return EmbeddingMapDisplay.from_embeddings(X, quality=False, verbose=0, **options)


def test_the_same_vectors_are_projected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = draw()
    assert len(files()) == 1

    def fail(self: UMAPProjector, X: object, y: object = None) -> None:
        raise AssertionError("projected again")

    monkeypatch.setattr(UMAPProjector, "fit_transform", fail)
    again = draw(labels=["a"] * 20 + ["b"] * 20)
    np.testing.assert_array_equal(again.points, first.points)
    assert again.projection == first.projection
    draw(random_state=np.int64(0))
    for seed in (1, np.int64(1), np.random.RandomState(0)):
        with pytest.raises(AssertionError, match="projected again"):
            draw(random_state=seed)
    with pytest.raises(AssertionError, match="projected again"):
        draw(random_state=None)
    with pytest.raises(AssertionError, match="projected again"):
        draw(cache=False)
    with pytest.raises(AssertionError, match="projected again"):
        draw(projector=UMAPProjector(verbose=0))  # its owner wants it fitted
    assert len(files()) == 1


def test_the_folder_may_be_another(tmp_path: Path) -> None:
    draw(cache=tmp_path / "mine")
    assert len(list((tmp_path / "mine" / "projections").iterdir())) == 1
    assert files() == []


def test_the_key_is_of_vectors_parameters_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"method": "UMAPProjector", "random_state": 0}
    key = places_key(X, made)
    assert key == places_key(X.copy(order="F"), dict(reversed(made.items())))
    changed = X.copy()
    changed[3, 2] += 1e-6
    assert places_key(changed, made) != key
    assert places_key(X.reshape(20, 12), made) != key
    assert places_key(X, made | {"random_state": 1}) != key
    monkeypatch.setattr(
        "toolkit.visualize.kept.package_versions", lambda names: {"umap-learn": "99"}
    )
    assert places_key(X, made) != key


def test_a_projector_keeps_its_places_when_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = UMAPProjector("clustering", verbose=0, cache=True)
    places = first.fit_transform(X)
    new = first.transform(X[:5] + 0.1)
    assert len(files()) == 1
    UMAPProjector("clustering", verbose=0).fit(X)
    UMAPProjector("clustering", verbose=0, cache=True, random_state=None).fit(X)
    supervised = UMAPProjector("clustering", verbose=0, cache=True, supervised=True)
    supervised.fit(X, np.arange(40) % 2)
    assert len(files()) == 1

    runs = []
    make = UMAPProjector._make
    monkeypatch.setattr(
        UMAPProjector, "_make", lambda self, *args: runs.append(1) or make(self, *args)
    )
    again = UMAPProjector("clustering", verbose=0, cache=True)
    np.testing.assert_array_equal(again.fit_transform(X), places)
    assert not runs
    # What made them is made when it is needed after all: for new texts, or to be kept elsewhere.
    np.testing.assert_array_equal(again.transform(X[:5] + 0.1), new)
    assert len(runs) == 1
    there = UMAPProjector("clustering", verbose=0, cache=True).fit(X)
    copied = pickle.loads(pickle.dumps(there))
    assert len(runs) == 2
    assert copied.umap_.embedding_.shape == (40, 5)
    named = UMAPProjector("clustering", verbose=0, cache=tmp_path / "mine").fit(X)
    assert len(list((tmp_path / "mine" / "projections").iterdir())) == 1
    assert b"mine" not in pickle.dumps(named)
    with pytest.raises(AttributeError, match="umap_"):
        UMAPProjector().umap_  # noqa: B018 - not fitted


def test_clustering_again_projects_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(**options: object) -> list[int]:
        result = cluster_texts(
            [f"text {i}" for i in range(40)],
            X,
            clusterer="hdbscan",
            reducer=UMAPProjector("clustering", verbose=0, cache=True),
            stability=2,
            **options,
        )
        assert "cache" not in result.provenance["clusterer"]
        return result.labels.tolist()

    labels = run(min_cluster_size=5)
    known = len(files())
    assert known == 4  # all texts, two parts and another seed

    def fail(self: UMAPProjector, *args: object) -> None:
        raise AssertionError("projected again")

    monkeypatch.setattr(UMAPProjector, "_make", fail)
    assert run(min_cluster_size=5) == labels
    run(min_cluster_size=4)
    assert len(files()) == known


def test_progress_is_told_where_something_is_projected() -> None:
    told: list[str] = []
    draw(progress=told.append)
    draw(progress=told.append)
    assert told == ["projecting"]


def test_a_damaged_file_is_no_projection() -> None:
    places = np.ones((4, 2), dtype=np.float32)
    store_places("a", places)
    np.testing.assert_array_equal(load_places("a", (4, 2)), places)
    assert load_places("a", (5, 2)) is None
    path = files()[0]
    for content in (b"", path.read_bytes()[:-3], b"\x93NUMPY nonsense"):
        path.write_bytes(content)
        assert load_places("a", (4, 2)) is None
    store_places("b", np.full((4, 2), np.nan))
    assert load_places("b", (4, 2)) is None


def test_only_the_ones_used_last_stay() -> None:
    for i in range(200):
        store_places(f"{i:03}", np.zeros((4, 2)))
        os.utime(cache_root() / "projections" / f"{i:03}.npy", (i, i))
    assert load_places("000", (4, 2)) is not None  # used again
    store_places("200", np.zeros((4, 2)))
    assert len(files()) == 200
    assert load_places("001", (4, 2)) is None
    assert load_places("000", (4, 2)) is not None


def test_where_nothing_can_be_written_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TOOLKIT_CACHE_DIR", str(tmp_path / "file"))
    store_places("a", np.zeros((4, 2)))
    assert load_places("a", (4, 2)) is None
