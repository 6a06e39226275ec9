from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from toolkit.errors import UsageError
from toolkit.visualize import UMAPProjector, announcing
from toolkit.visualize.projector import PRESETS


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 16))
    y = np.repeat([0, 1, 2], 40)
    return (centres[y] + 0.25 * rng.normal(size=(120, 16))).astype(np.float32), y


@pytest.fixture(scope="module")
def fitted(blobs: tuple[np.ndarray, np.ndarray]) -> UMAPProjector:
    return UMAPProjector(verbose=0).fit(blobs[0])


def separation(points: np.ndarray, y: np.ndarray) -> float:
    means = np.array([points[y == label].mean(axis=0) for label in np.unique(y)])
    within = np.mean(
        [np.linalg.norm(points[y == i] - m, axis=1).mean() for i, m in enumerate(means)]
    )
    between = np.linalg.norm(means[:, None] - means[None], axis=2)
    return float(between[np.triu_indices(len(means), 1)].min() / within)


def test_groups_come_apart(fitted: UMAPProjector, blobs: tuple[np.ndarray, np.ndarray]) -> None:
    _, y = blobs
    assert fitted.embedding_.shape == (120, 2)
    assert fitted.embedding_.dtype == np.float32
    assert separation(fitted.embedding_, y) > 3
    assert fitted.n_features_in_ == 16
    assert fitted.get_feature_names_out().tolist() == ["umapprojector0", "umapprojector1"]


def test_seed_reproduces_and_y_is_not_used_unasked(
    fitted: UMAPProjector, blobs: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = blobs
    again = clone(fitted).fit_transform(X, y)
    np.testing.assert_array_equal(again, fitted.embedding_)


def test_new_texts_land_with_their_group(
    fitted: UMAPProjector, blobs: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = blobs
    rng = np.random.default_rng(9)
    new = X[::10] + 0.05 * rng.normal(size=X[::10].shape)
    placed = fitted.transform(new)
    means = np.array([fitted.embedding_[y == i].mean(axis=0) for i in range(3)])
    nearest = np.linalg.norm(placed[:, None] - means[None], axis=2).argmin(axis=1)
    assert nearest.tolist() == y[::10].tolist()
    with pytest.raises(ValueError, match="16 features"):
        fitted.transform(new[:, :8])


def test_pickle_and_set_output(fitted: UMAPProjector, blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, _ = blobs
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_allclose(restored.transform(X[:3]), fitted.transform(X[:3]), atol=1e-4)
    frame = clone(fitted).set_params(random_state=1).set_output(transform="pandas").fit_transform(X)
    assert list(frame.columns) == ["umapprojector0", "umapprojector1"]


def test_supervised(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    mixed = np.random.default_rng(0).permutation(y)  # labels that say nothing about the vectors
    names = np.array(["a", "b", None], dtype=object)[mixed]
    told = UMAPProjector(supervised=True, target_weight=0.9, verbose=0).fit_transform(X, names)
    blind = UMAPProjector(verbose=0).fit_transform(X, names)

    def purity(points: np.ndarray) -> float:
        known = mixed < 2
        model = NearestNeighbors(n_neighbors=5).fit(points[known])
        return float((mixed[known][model.kneighbors()[1]] == mixed[known][:, None]).mean())

    assert purity(told) > 0.8
    assert purity(blind) < 0.65
    with pytest.raises(UsageError, match="needs y"):
        UMAPProjector(supervised=True, verbose=0).fit(X)
    with pytest.raises(UsageError, match="one class for each"):
        UMAPProjector(supervised=True, verbose=0).fit(X, y[:5])


def test_presets_and_overrides(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    packed = UMAPProjector("clustering", n_components=3, verbose=0)
    assert packed.settings()["min_dist"] == 0.0
    assert packed.fit_transform(blobs[0]).shape == (120, 3)
    assert PRESETS["clustering"]["n_components"] == 5  # not changed by the override
    with pytest.raises(UsageError, match="preset='picture'"):
        UMAPProjector("picture", verbose=0).fit(blobs[0])


@pytest.mark.parametrize("n", [4, 5, 7, 16])
@pytest.mark.parametrize("preset", ["map", "clustering"])
def test_few_and_equal_vectors(n: int, preset: str) -> None:
    rng = np.random.default_rng(n)
    assert UMAPProjector(preset, verbose=0).fit_transform(rng.normal(size=(n, 8))).shape[0] == n
    assert np.isfinite(UMAPProjector(preset, verbose=0).fit_transform(np.ones((n, 8)))).all()


def test_copies_lie_on_one_another_and_push_nothing_away(
    fitted: UMAPProjector, blobs: tuple[np.ndarray, np.ndarray]
) -> None:
    X, _ = blobs
    many = np.concatenate([np.repeat(X[:1], 40, axis=0), X])
    places = UMAPProjector(verbose=0).fit_transform(np.asfortranarray(many))
    np.testing.assert_array_equal(places[40:], fitted.embedding_)
    np.testing.assert_array_equal(places[:40], np.repeat(places[40:41], 40, axis=0))
    begun = UMAPProjector(verbose=0, init=places).fit_transform(many)
    np.testing.assert_array_equal(begun[:40], np.repeat(begun[40:41], 40, axis=0))
    with pytest.raises(UsageError, match=r"init has shape \(120, 2\); a place for each of 160"):
        UMAPProjector(verbose=0, init=places[40:]).fit(many)
    counted = UMAPProjector("clustering", verbose=0).fit_transform(many)
    assert len(np.unique(counted, axis=0)) > 120


def test_too_few_or_not_finite() -> None:
    with pytest.raises(ValueError, match="minimum of 4"):
        UMAPProjector(verbose=0).fit(np.eye(3))
    with pytest.raises(ValueError, match="NaN"):
        UMAPProjector(verbose=0).fit(np.full((8, 3), np.nan))


def test_in_a_pipeline_and_many_cores(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    pipeline = make_pipeline(Normalizer(), UMAPProjector(random_state=None, n_jobs=2, verbose=0))
    assert pipeline.fit_transform(*blobs).shape == (120, 2)


def test_the_bar_goes_to_stderr_and_only_when_asked_for(
    blobs: tuple[np.ndarray, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    for verbose, shown in ((0, False), (1, False), (2, True)):  # no terminal here
        model = UMAPProjector(verbose=verbose).fit(blobs[0])
        said = capsys.readouterr()
        assert said.out == ""
        assert ("UMAP: placing: 100%" in said.err) is shown
        model.transform(blobs[0][:3])
        said = capsys.readouterr()
        assert said.out == ""
        assert ("UMAP: placing new texts: 100%" in said.err) is shown


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"n_neighbors": 1}, "n_neighbors is a whole number from 2, not 1"),
        ({"n_neighbors": 5.0}, "n_neighbors is a whole number"),
        ({"n_components": 0}, "n_components is a whole number from 1"),
        ({"min_dist": 5.0}, "min_dist is a number from 0 to 1"),
    ],
)
def test_unusable_parameters_are_refused(
    parameters: dict, says: str, blobs: tuple[np.ndarray, np.ndarray]
) -> None:
    with pytest.raises(UsageError, match=says):
        UMAPProjector(verbose=0, **parameters).fit(blobs[0])


def test_whole_floats_with_gaps_are_classes_and_others_are_refused(
    blobs: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = blobs
    gaps = np.where(np.arange(len(y)) % 5 == 0, np.nan, y.astype(float))
    known = np.where(np.isnan(gaps), -1, gaps).astype(int)
    model = UMAPProjector(supervised=True, verbose=0)
    np.testing.assert_array_equal(model.fit_transform(X, gaps), model.fit_transform(X, known))
    with pytest.raises(UsageError, match="24 of 120 numbers in y are missing, the first at"):
        model.fit(X, gaps + 0.5)


def test_densmap_cannot_place_new_texts(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    model = UMAPProjector(densmap=True, verbose=0).fit(blobs[0])
    with pytest.raises(UsageError, match="densMAP"):
        model.transform(blobs[0])


def test_compilation_is_announced_when_there_is_nothing_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("umap", "pynndescent"):
        (tmp_path / name / "__pycache__").mkdir(parents=True)
        (tmp_path / name / "__init__.py").touch()

    class Spec:
        def __init__(self, name: str) -> None:
            self.origin = str(tmp_path / name / "__init__.py")

    monkeypatch.setattr(announcing, "find_spec", Spec)
    monkeypatch.delitem(sys.modules, "umap", raising=False)
    announcing.announce_compilation()
    assert capsys.readouterr().err.count("first use") == 1
    for name in ("umap", "pynndescent"):
        (tmp_path / name / "__pycache__" / "x.nbi").touch()
    announcing.announce_compilation()
    assert capsys.readouterr().err == ""


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, toolkit.visualize, toolkit.visualize.display;"
        "heavy = ('umap', 'numba', 'plotly', 'matplotlib', 'pandas');"
        "print([m for m in heavy if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = result.stdout.strip()
    assert loaded in ("[]", "['pandas']")  # scikit-learn itself may import pandas
