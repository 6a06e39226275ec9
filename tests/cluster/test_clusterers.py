from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import Pipeline

from tests.cluster.examples import blobs
from toolkit.cluster import CLUSTERERS, make_clusterer
from toolkit.cluster.clusterers import clusterer_info, describe_clusterer, with_seed
from toolkit.errors import UsageError


@pytest.mark.parametrize("name", CLUSTERERS)
def test_every_named_clusterer_finds_clusters_that_are_apart(name: str):
    X, labels = blobs((40, 40, 40), spread=0.15)
    info = CLUSTERERS[name]
    made = make_clusterer(
        name,
        3 if info.takes_n_clusters else None,
        n_samples=len(X),
        reducer=PCA(5) if info.reduce else None,
    )
    found = np.asarray(made.fit_predict(X))
    clustered = found != -1
    assert clustered.mean() > 0.9
    assert adjusted_rand_score(labels[clustered], found[clustered]) == 1.0


def test_names_are_forgiving_about_underscores_and_case():
    assert clusterer_info("Bisecting_KMeans").name == "bisecting-kmeans"


def test_hdbscan_looks_for_larger_clusters_in_larger_collections():
    sizes = [
        make_clusterer("hdbscan", n_samples=n, reducer=PCA(5))["cluster"].min_cluster_size
        for n in (50, 615, 20_000)
    ]
    assert sizes == [5, 12, 71]
    asked = make_clusterer("hdbscan", min_cluster_size=30, reducer=PCA(5))["cluster"]
    assert asked.min_cluster_size == 30
    spelled = make_clusterer("HDBSCAN", min_cluster_size=30, reducer=PCA(5))["cluster"]
    assert spelled.min_cluster_size == 30


def test_a_reducer_comes_first_and_is_cloned():
    reducer = PCA(5)
    made = make_clusterer("kmeans", 3, reducer=reducer)
    assert isinstance(made, Pipeline)
    assert list(made.named_steps) == ["reduce", "cluster"]
    assert made["reduce"] is not reducer


def test_an_estimator_is_cloned_and_import_paths_get_what_they_take():
    mine = KMeans(4, random_state=9)
    made = make_clusterer(mine, random_state=1)
    assert made is not mine
    assert made.get_params() == mine.get_params()
    assert make_clusterer("sklearn.cluster:KMeans", 4, random_state=3).random_state == 3
    assert isinstance(make_clusterer("sklearn.cluster.DBSCAN"), DBSCAN)


def test_seeds_change_everywhere_at_once():
    made = with_seed(make_clusterer("kmeans", 3, reducer=PCA(5)), 42)
    assert made["reduce"].random_state == made["cluster"].random_state == 42


def test_description_shows_number_and_seed_even_where_they_are_the_default():
    made = make_clusterer("kmeans", 8, reducer=PCA(5))
    assert describe_clusterer(made) == (
        "PCA(n_components=5, random_state=None) → KMeans(n_clusters=8, n_init=10, random_state=0)"
    )


@pytest.mark.parametrize("n", [3, 4, 6])
def test_hdbscan_asks_for_no_more_neighbours_than_there_are_texts(n: int):
    made = make_clusterer("hdbscan", n_samples=n, reducer=PCA(2))
    assert len(made.fit_predict(np.eye(n, 8))) == n


class _Nameless(BaseEstimator):
    pass


class _FitsOnly(BaseEstimator):
    def fit(self, X: object, y: object = None) -> object:
        return self


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"clusterer": "k-means"}, "choose one of kmeans"),
        ({"clusterer": "kmeans"}, "needs n_clusters"),
        ({"clusterer": "kmeans", "n_clusters": 0}, "cannot be made"),
        ({"clusterer": "kmeans", "n_clusters": 9, "n_samples": 5}, "9 clusters of 5 texts"),
        ({"clusterer": "kmeans", "n_clusters": 4.0}, "whole number, not 4.0"),
        ({"clusterer": "kmeans", "n_clusters": "4"}, "whole number, not '4'"),
        ({"clusterer": "kmeans", "n_clusters": True}, "whole number"),
        ({"clusterer": "kmeans", "n_clusters": 3, "reducer": TSNE()}, "no transform"),
        ({"clusterer": _FitsOnly()}, "with fit_predict"),
        ({"clusterer": "hdbscan"}, "UMAPProjector"),
        ({"clusterer": "hdbscan", "n_clusters": 3, "reducer": PCA(2)}, "finds the number"),
        ({"clusterer": "kmeans", "n_clusters": 3, "min_cluster_size": 3}, "'hdbscan' alone"),
        ({"clusterer": "agglomerative", "n_clusters": 3, "n_samples": 30_000}, "too many"),
        ({"clusterer": KMeans(3), "n_clusters": 3}, "give the estimator its own"),
        ({"clusterer": KMeans}, r"give an instance, KMeans\(\)"),
        ({"clusterer": _Nameless()}, "must be a scikit-learn clusterer"),
        ({"clusterer": LogisticRegression()}, "must be a scikit-learn clusterer"),
        ({"clusterer": "sklearn.cluster.Nothing"}, "cannot be imported"),
        ({"clusterer": "sklearn.nothing.Here"}, "cannot be imported"),
        ({"clusterer": ".relative"}, "cannot be imported"),
        ({"clusterer": "sklearn.cluster.k_means"}, "not a class"),
        ({"clusterer": "sklearn.cluster.DBSCAN", "n_clusters": 3}, "does not take n_clusters"),
        ({"clusterer": "sklearn.preprocessing.Normalizer"}, "not a scikit-learn clusterer"),
    ],
)
def test_what_cannot_be_made_says_why_and_what_to_do(arguments: dict, says: str):
    with pytest.raises(UsageError, match=says):
        make_clusterer(**arguments)


@pytest.mark.parametrize("package", [True, False])
def test_hdbscan_is_the_package_where_it_is_installed(
    package: bool, monkeypatch: pytest.MonkeyPatch
):
    if package:
        pytest.importorskip("hdbscan")
    else:
        monkeypatch.setattr("toolkit.cluster.clusterer_catalog.find_spec", lambda name: None)
    X, labels = blobs()
    made = make_clusterer("hdbscan", min_cluster_size=5, reducer=PCA(5))
    assert describe_clusterer(made[-1]).startswith("hdbscan." if package else "HDBSCAN(")
    found = made.fit_predict(X)
    kept = found >= 0
    assert kept.mean() > 0.8
    assert adjusted_rand_score(labels[kept], found[kept]) == 1.0
