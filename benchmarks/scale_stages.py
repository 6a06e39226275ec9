"""One stage of a large clustering job, measured in a process of its own.

    python benchmarks/scale_stages.py STAGE FOLDER

Run by scale.py, for BERTopic's stages with the interpreter of another environment. What a stage
needs is read from FOLDER and imported before the clock starts; what it makes is written there after
it has stopped. Prints a line of JSON: seconds, megabytes of anonymous memory before and at the
peak, and the versions of the packages that count. Linux only.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from memory import Watch, anonymous_megabytes

Job = Callable[[], Any]
Stage = Callable[[Path], tuple[Job, Callable[[Any], dict[str, Any]]]]


def texts_of(folder: Path) -> list[str]:
    found: list[str] = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    return found


def array(folder: Path, name: str) -> Any:
    return np.load(folder / f"{name}.npy")


class Given:
    """Stands for UMAP or HDBSCAN, which have run: both contenders are given the same outcome."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        self.labels_ = outcome

    def fit(self, X: Any, y: Any = None) -> Given:
        return self

    def transform(self, X: Any) -> Any:
        return self.outcome


def keep(folder: Path, name: str) -> Callable[[Any], dict[str, Any]]:
    def done(outcome: Any) -> dict[str, Any]:
        np.save(folder / f"{name}.npy", outcome)
        return {}

    return done


def umap_stage(preset: str, name: str) -> Stage:
    def prepare(folder: Path) -> tuple[Job, Callable[[Any], dict[str, Any]]]:
        from toolkit.visualize import UMAPProjector

        X = array(folder, "vectors")
        # Compiled before the clock starts; all cores, since nobody has to repeat these places.
        projector = UMAPProjector(preset, random_state=None, verbose=0)
        projector.fit_transform(X[:200])
        return lambda: projector.fit_transform(X), keep(folder, name)

    return prepare


def hdbscan_stage(folder: Path) -> tuple[Job, Callable[[Any], dict[str, Any]]]:
    from sklearn.preprocessing import FunctionTransformer

    from toolkit.cluster import make_clusterer

    places = array(folder, "reduced")
    # Reduced already: only the last step of the pipeline is run.
    clusterer: Any = make_clusterer(
        "hdbscan", None, n_samples=len(places), reducer=FunctionTransformer(), random_state=0
    )[-1]  # type: ignore[index]
    return lambda: clusterer.fit(places).labels_, keep(folder, "labels")


def describe_stage(folder: Path) -> tuple[Job, Callable[[Any], dict[str, Any]]]:
    """Keywords twice over, exemplars, quality: everything but UMAP, HDBSCAN and stability."""
    from sklearn.base import BaseEstimator, ClusterMixin

    from toolkit.cluster import cluster_texts

    texts, X, labels = texts_of(folder), array(folder, "vectors"), array(folder, "labels")

    class Known(ClusterMixin, BaseEstimator):
        def fit(self, X: Any, y: Any = None) -> Known:
            self.labels_ = labels
            return self

    def run() -> Any:
        return cluster_texts(texts, X, clusterer=Known(), n_clusters=None, stability=0)

    def done(result: Any) -> dict[str, Any]:
        import joblib

        # The estimator has a class of this very function in it: any other in its place.
        joblib.dump(replace(result, estimator=BaseEstimator()), folder / "result.joblib")
        return {"clusters": result.n_clusters, "for_example": result.names[:3]}

    return run, done


def report_stage(folder: Path) -> tuple[Job, Callable[[Any], dict[str, Any]]]:
    import joblib

    from toolkit.report import ClusterReport
    from toolkit.visualize import EmbeddingMapDisplay

    texts, places = texts_of(folder), array(folder, "places")
    result = joblib.load(folder / "result.joblib")

    def run() -> Any:
        display = EmbeddingMapDisplay(places, texts=texts, labels=result.labels, names=result.names)
        return ClusterReport(result, map=display).to_html(folder / "report.html")

    return run, lambda path: {"megabytes": round(path.stat().st_size / 1e6, 2)}


def keywords_stage(folder: Path) -> tuple[Job, Callable[[Any], dict[str, Any]]]:
    from toolkit.cluster import describe_clusters

    texts, labels = texts_of(folder), array(folder, "labels")
    return (
        lambda: describe_clusters(texts, labels),
        lambda found: {"for_example": [word.term for word in found[0][0][:5]]},
    )


def cache_stage(folder: Path) -> tuple[Job, Callable[[Any], dict[str, Any]]]:
    from toolkit import EmbeddingGemmaVectorizer

    texts = texts_of(folder)
    vectorizer = EmbeddingGemmaVectorizer("clustering", backend="cache", cache=folder / "cache")
    vectorizer.fit(texts[:100])
    vectorizer.transform(texts[:100])
    return lambda: vectorizer.transform(texts), lambda X: {"output_megabytes": X.nbytes / 1e6}


def quality_stage(folder: Path) -> tuple[Job, Callable[[Any], dict[str, Any]]]:
    from toolkit.visualize import projection_quality

    X, places = array(folder, "vectors"), array(folder, "places")
    return lambda: projection_quality(X, places), lambda found: {"said": str(found)}


def bertopic_stage(folder: Path) -> tuple[Job, Callable[[Any], dict[str, Any]]]:
    warnings.simplefilter("ignore")
    from bertopic import BERTopic

    texts, X = texts_of(folder), array(folder, "vectors")
    # Its own words, as it comes: CountVectorizer, c-TF-IDF, representative documents.
    model = BERTopic(
        umap_model=Given(array(folder, "reduced")), hdbscan_model=Given(array(folder, "labels"))
    )

    def done(_: Any) -> dict[str, Any]:
        model.umap_model = model.hdbscan_model = None
        import joblib

        joblib.dump(model, folder / "bertopic.joblib")
        names = model.get_topic_info()["Name"].tolist()
        return {"clusters": len(names) - (-1 in model.topics_), "for_example": names[1:4]}

    return lambda: model.fit_transform(texts, X), done


def bertopic_map_stage(folder: Path) -> tuple[Job, Callable[[Any], dict[str, Any]]]:
    warnings.simplefilter("ignore")
    import joblib

    model = joblib.load(folder / "bertopic.joblib")
    texts, places = texts_of(folder), array(folder, "places")

    def run() -> Any:
        figure = model.visualize_documents(texts, reduced_embeddings=places)
        figure.write_html(folder / "bertopic.html", include_plotlyjs=True)
        return folder / "bertopic.html"

    return run, lambda path: {"megabytes": round(path.stat().st_size / 1e6, 2)}


STAGES: dict[str, tuple[Stage, tuple[str, ...]]] = {
    "vectors from the cache": (cache_stage, ("embeddinggemma-toolkit",)),
    "UMAP to 5 dimensions": (umap_stage("clustering", "reduced"), ("umap-learn", "numba")),
    "UMAP to the map": (umap_stage("map", "places"), ("umap-learn",)),
    "HDBSCAN": (hdbscan_stage, ("scikit-learn",)),
    "how far the map is to be believed": (quality_stage, ("numpy",)),
    "describing the clusters": (describe_stage, ("scikit-learn", "numpy", "scipy")),
    "report": (report_stage, ("jinja2",)),
    "keywords alone": (keywords_stage, ("scikit-learn",)),
    "BERTopic: describing": (bertopic_stage, ("bertopic",)),
    "BERTopic: page": (bertopic_map_stage, ("bertopic",)),
}


def main() -> None:
    stage, folder = sys.argv[1], Path(sys.argv[2])
    prepare, packages = STAGES[stage]
    job, done = prepare(folder)
    # What imports have left to the collector is no work of the stage; by chance, it would do it.
    gc.collect()
    before, watch = anonymous_megabytes(), Watch()
    start, cpu = time.perf_counter(), time.process_time()
    with watch:
        outcome = job()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    found = {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "before_mb": round(before, 1),
        "peak_mb": round(watch.peak, 1),
        "extra_mb": round(watch.peak - before, 1),
        **done(outcome),
        "versions": {name: version(name) for name in packages},
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
