from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from toolkit.cache import cache_root
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


def test_a_damaged_file_is_no_projection() -> None:
    places = np.ones((4, 2), dtype=np.float32)
    store_places("a", places)
    np.testing.assert_array_equal(load_places("a", 4), places)
    assert load_places("a", 5) is None
    path = files()[0]
    for content in (b"", path.read_bytes()[:-3], b"\x93NUMPY nonsense"):
        path.write_bytes(content)
        assert load_places("a", 4) is None
    store_places("b", np.full((4, 2), np.nan))
    assert load_places("b", 4) is None


def test_only_the_ones_used_last_stay() -> None:
    for i in range(50):
        store_places(f"{i:02}", np.zeros((4, 2)))
        os.utime(files()[i], (i, i))
    assert load_places("00", 4) is not None  # used again
    store_places("50", np.zeros((4, 2)))
    assert len(files()) == 50
    assert load_places("01", 4) is None
    assert load_places("00", 4) is not None


def test_where_nothing_can_be_written_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TOOLKIT_CACHE_DIR", str(tmp_path / "file"))
    store_places("a", np.zeros((4, 2)))
    assert load_places("a", 4) is None
