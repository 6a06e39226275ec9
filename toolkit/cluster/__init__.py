"""Clusters of texts: made, described, examined.

Names load on first use, so that importing the package does not import scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.cluster.agreement import Agreement, compare_labels, mteb_clustering
    from toolkit.cluster.assigning import Assignment, assign_texts
    from toolkit.cluster.choose_k import ChosenK, choose_n_clusters
    from toolkit.cluster.clusterers import CLUSTERERS, make_clusterer
    from toolkit.cluster.clustering import cluster_texts
    from toolkit.cluster.clustering_info import ClusteringInfo, read_clustering_info
    from toolkit.cluster.decisions import apply_decisions, labels_fingerprint, read_decisions
    from toolkit.cluster.describing import describe_clusters
    from toolkit.cluster.edited import EditedClusterer
    from toolkit.cluster.exemplars import Exemplar, find_exemplars
    from toolkit.cluster.given import examine_labels
    from toolkit.cluster.keywords import Keyword, c_tf_idf, log_odds, top_keywords
    from toolkit.cluster.naming import name_clusters
    from toolkit.cluster.over_time import OverTime, clusters_over_time
    from toolkit.cluster.period_words import PeriodWords
    from toolkit.cluster.periods import Periods
    from toolkit.cluster.persistence import (
        CLUSTERING_TYPES,
        check_clustering_output,
        load_clustering,
        save_clustering,
    )
    from toolkit.cluster.predictor import CentroidClusterer
    from toolkit.cluster.quality import Quality, assess_quality, cosine_silhouette
    from toolkit.cluster.result import ClusterResult
    from toolkit.cluster.reusing import reuse_clustering
    from toolkit.cluster.stability import Stability, assess_stability
    from toolkit.cluster.substructure import SubGroup, Substructure, find_substructure
    from toolkit.cluster.term_matrix import sum_by_cluster
    from toolkit.cluster.terms import count_terms
    from toolkit.cluster.tokenizer import tokenize
    from toolkit.cluster.tree import Branch, ClusterTree, cluster_tree

__all__ = [
    "CLUSTERERS",
    "CLUSTERING_TYPES",
    "Agreement",
    "Assignment",
    "Branch",
    "CentroidClusterer",
    "ChosenK",
    "ClusterResult",
    "ClusterTree",
    "ClusteringInfo",
    "EditedClusterer",
    "Exemplar",
    "Keyword",
    "OverTime",
    "PeriodWords",
    "Periods",
    "Quality",
    "Stability",
    "SubGroup",
    "Substructure",
    "apply_decisions",
    "assess_quality",
    "assess_stability",
    "assign_texts",
    "c_tf_idf",
    "check_clustering_output",
    "choose_n_clusters",
    "cluster_texts",
    "cluster_tree",
    "clusters_over_time",
    "compare_labels",
    "cosine_silhouette",
    "count_terms",
    "describe_clusters",
    "examine_labels",
    "find_exemplars",
    "find_substructure",
    "labels_fingerprint",
    "load_clustering",
    "log_odds",
    "make_clusterer",
    "mteb_clustering",
    "name_clusters",
    "read_clustering_info",
    "read_decisions",
    "reuse_clustering",
    "save_clustering",
    "sum_by_cluster",
    "tokenize",
    "top_keywords",
]

_MODULES = {
    "agreement": ("Agreement", "compare_labels", "mteb_clustering"),
    "assigning": ("Assignment", "assign_texts"),
    "choose_k": ("ChosenK", "choose_n_clusters"),
    "clusterers": ("CLUSTERERS", "make_clusterer"),
    "clustering": ("cluster_texts",),
    "clustering_info": ("ClusteringInfo", "read_clustering_info"),
    "decisions": ("apply_decisions", "labels_fingerprint", "read_decisions"),
    "describing": ("describe_clusters",),
    "edited": ("EditedClusterer",),
    "exemplars": ("Exemplar", "find_exemplars"),
    "given": ("examine_labels",),
    "keywords": ("Keyword", "c_tf_idf", "log_odds", "top_keywords"),
    "naming": ("name_clusters",),
    "over_time": ("OverTime", "clusters_over_time"),
    "period_words": ("PeriodWords",),
    "periods": ("Periods",),
    "persistence": (
        "CLUSTERING_TYPES",
        "check_clustering_output",
        "load_clustering",
        "save_clustering",
    ),
    "predictor": ("CentroidClusterer",),
    "quality": ("Quality", "assess_quality", "cosine_silhouette"),
    "result": ("ClusterResult",),
    "reusing": ("reuse_clustering",),
    "stability": ("Stability", "assess_stability"),
    "substructure": ("SubGroup", "Substructure", "find_substructure"),
    "term_matrix": ("sum_by_cluster",),
    "terms": ("count_terms",),
    "tokenizer": ("tokenize",),
    "tree": ("Branch", "ClusterTree", "cluster_tree"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"toolkit.cluster.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
