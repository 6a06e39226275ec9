"""Clusters of texts: made, described, examined.

Names load on first use, so that importing the package does not import scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.cluster.agreement import Agreement, compare_labels, mteb_clustering
    from toolkit.cluster.choose_k import ChosenK, choose_n_clusters
    from toolkit.cluster.clusterers import CLUSTERERS, make_clusterer
    from toolkit.cluster.clustering import cluster_texts
    from toolkit.cluster.decisions import apply_decisions, labels_fingerprint, read_decisions
    from toolkit.cluster.describing import describe_clusters
    from toolkit.cluster.edited import EditedClusterer
    from toolkit.cluster.exemplars import Exemplar, find_exemplars
    from toolkit.cluster.keywords import Keyword, c_tf_idf, log_odds, top_keywords
    from toolkit.cluster.predictor import CentroidClusterer
    from toolkit.cluster.quality import Quality, assess_quality, cosine_silhouette
    from toolkit.cluster.result import ClusterResult
    from toolkit.cluster.stability import Stability, assess_stability
    from toolkit.cluster.terms import count_terms, sum_by_cluster
    from toolkit.cluster.tokenizer import tokenize

__all__ = [
    "CLUSTERERS",
    "Agreement",
    "CentroidClusterer",
    "ChosenK",
    "ClusterResult",
    "EditedClusterer",
    "Exemplar",
    "Keyword",
    "Quality",
    "Stability",
    "apply_decisions",
    "assess_quality",
    "assess_stability",
    "c_tf_idf",
    "choose_n_clusters",
    "cluster_texts",
    "compare_labels",
    "cosine_silhouette",
    "count_terms",
    "describe_clusters",
    "find_exemplars",
    "labels_fingerprint",
    "log_odds",
    "make_clusterer",
    "mteb_clustering",
    "read_decisions",
    "sum_by_cluster",
    "tokenize",
    "top_keywords",
]

_MODULES = {
    "agreement": ("Agreement", "compare_labels", "mteb_clustering"),
    "choose_k": ("ChosenK", "choose_n_clusters"),
    "clusterers": ("CLUSTERERS", "make_clusterer"),
    "clustering": ("cluster_texts",),
    "decisions": ("apply_decisions", "labels_fingerprint", "read_decisions"),
    "describing": ("describe_clusters",),
    "edited": ("EditedClusterer",),
    "exemplars": ("Exemplar", "find_exemplars"),
    "keywords": ("Keyword", "c_tf_idf", "log_odds", "top_keywords"),
    "predictor": ("CentroidClusterer",),
    "quality": ("Quality", "assess_quality", "cosine_silhouette"),
    "result": ("ClusterResult",),
    "stability": ("Stability", "assess_stability"),
    "terms": ("count_terms", "sum_by_cluster"),
    "tokenizer": ("tokenize",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"toolkit.cluster.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
